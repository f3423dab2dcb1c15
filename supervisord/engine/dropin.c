/* SPDX-License-Identifier: ISC */
/* dropin.c: see dropin.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/writeall.h"
#include "supervisord/engine/confsource.h"
#include "supervisord/engine/dropin.h"
#include "supervisord/engine/instname.h"
#include "supervisord/engine/overridetext.h"
#include "supervisord/engine/valuetype.h"

/* Between the name of the program and what the pattern ends with. */
#define INFIX ".override"

/* What readers of a temporary file look for: no pattern matches a name that begins with a dot. */
#define TEMPORARY ".%s.new"

static int find_written(const struct config *files, const char *program, struct dropin *ret_dropin);
static char *make_path(const char *base, const char *pattern, const char *program);
static int choose(const struct config *files, const struct program_config *program,
    const char *name, char **ret_path);
static int refuse(const struct config *files, const char *name, char **ret_problem);
static int open_directory(const char *path, const char **ret_name);
static int write_temporary(
    int directory, const char *name, const char *text, const struct stat *looks);
static int take_looks(int fd, const struct stat *looks);

int dropin_find(const struct config *files, const struct program_config *program,
    struct dropin *ret_dropin, char **ret_problem)
{
	struct instname parts;
	struct dropin found = {0};
	struct stat st;
	int error;

	instname_split(program->name, &parts);
	error = find_written(files, parts.program, &found);
	if (error == 0 && found.path == NULL)
		error = choose(files, program, parts.program, &found.path);
	if (error < 0)
		return error;
	if (found.path == NULL)
		return refuse(files, parts.program, ret_problem);
	for (size_t i = 0; found.source == NULL && i < files->source_count; i++)
		if (strcmp(files->sources[i].path, found.path) == 0)
			found.source = &files->sources[i];
	if (found.source != NULL ? !dropin_is_ours(found.source) : lstat(found.path, &st) == 0) {
		error = value_sentence(ret_problem,
		    "%s is there, and not written by superctl set --persist: it is left alone",
		    found.path);
		free(found.path);
		return error;
	}
	*ret_dropin = found;
	return 0;
}

void dropin_done(struct dropin *dropin)
{
	free(dropin->path);
	*dropin = (struct dropin){0};
}

int dropin_look(const char *path, const char *like, struct stat *ret_looks)
{
	return lstat(path, ret_looks) < 0 && stat(like, ret_looks) < 0 ? -errno : 0;
}

int dropin_write(const char *path, const char *text, const struct stat *looks)
{
	const char *name;
	int directory = open_directory(path, &name), error = 0;
	char temporary[NAME_MAX + 1];

	if (directory < 0)
		return directory;
	if (snprintf(temporary, sizeof(temporary), TEMPORARY, name) >= (int)sizeof(temporary))
		error = -ENAMETOOLONG;
	else if (text == NULL)
		error = unlinkat(directory, name, 0) < 0 && errno != ENOENT ? -errno : 0;
	else
		error = write_temporary(directory, name, text, looks);
	if (error == 0 && text != NULL && renameat(directory, temporary, directory, name) < 0) {
		error = -errno;
		(void)unlinkat(directory, temporary, 0);
	}
	if (error == 0)
		(void)fsync(directory); /* not every file system can; it is done all the same */
	close(directory);
	return error;
}

bool dropin_is_ours(const struct config_source *source)
{
	return strncmp(source->text, DROPIN_MARK, strlen(DROPIN_MARK)) == 0;
}

/* Wherever it is, also where a new one would not be made any more. */
static int find_written(const struct config *files, const char *program, struct dropin *ret_dropin)
{
	for (size_t i = 0; i < files->source_count; i++) {
		const struct config_source *source = &files->sources[i];
		struct overridetext text = {.program = program};
		bool found;
		int error;

		if (!dropin_is_ours(source))
			continue;
		error = overridetext_read(source, &text);
		found = error == 0 && text.count > 0;
		overridetext_done(&text);
		if (error == -ENOMEM)
			return error;
		if (!found)
			continue;
		ret_dropin->path = strdup(source->path);
		ret_dropin->source = source;
		return ret_dropin->path != NULL ? 0 : -ENOMEM;
	}
	return 0;
}

/* Gives NULL where no include fits. */
static int choose(const struct config *files, const struct program_config *program,
    const char *name, char **ret_path)
{
	const string_list patterns = files->settings.key_include;
	char *base = confsource_directory(files->sources[0].path);
	char *beside = confsource_directory(program->file), *first = NULL;
	int error = base != NULL && beside != NULL ? 0 : -ENOMEM;

	for (size_t i = 0; error == 0 && patterns != NULL && patterns[i] != NULL; i++) {
		char *path = make_path(base, patterns[i], name);
		size_t length = strlen(beside);

		if (path == NULL)
			continue;
		if (strncmp(path, beside, length) == 0 && path[length] == '/' &&
		    strchr(path + length + 1, '/') == NULL) {
			free(first);
			first = path;
			break;
		}
		if (first == NULL)
			first = path;
		else
			free(path);
	}
	free(base);
	free(beside);
	*ret_path = first;
	return error;
}

/* A pattern *.conf makes web.override.conf.  NULL: it cannot be said which name matches it. */
static char *make_path(const char *base, const char *pattern, const char *program)
{
	char *absolute = confsource_absolute(base, pattern), *name, *star, *path = NULL;

	if (absolute == NULL)
		return NULL;
	name = strrchr(absolute, '/') + 1;
	star = strpbrk(absolute, "*?[\\");
	if (star != NULL && *star == '*' && star >= name && strpbrk(star + 1, "*?[\\") == NULL &&
	    asprintf(&path, "%.*s%s" INFIX "%s", (int)(star - absolute), absolute, program,
		star + 1) < 0)
		path = NULL;
	if (path != NULL && fnmatch(name, strrchr(path, '/') + 1, FNM_PERIOD) != 0) {
		free(path);
		path = NULL;
	}
	free(absolute);
	return path;
}

static int refuse(const struct config *files, const char *name, char **ret_problem)
{
	return value_sentence(ret_problem,
	    "no include of %s would read a file that is written for it: include = "
	    "{\"conf.d/*.conf\"} there lets it be conf.d/%s" INFIX ".conf",
	    files->sources[0].path, name);
}

/* Of the file; *ret_name points into `path`. */
static int open_directory(const char *path, const char **ret_name)
{
	char *parent = confsource_directory(path);
	int fd;

	if (parent == NULL)
		return -ENOMEM;
	fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		fd = -errno;
	free(parent);
	*ret_name = strrchr(path, '/') + 1;
	return fd;
}

/* One that an engine left which was killed is in the way. */
static int write_temporary(
    int directory, const char *name, const char *text, const struct stat *looks)
{
	char temporary[NAME_MAX + 1];
	int fd, error;

	(void)snprintf(temporary, sizeof(temporary), TEMPORARY, name);
	(void)unlinkat(directory, temporary, 0);
	fd = openat(
	    directory, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	error = take_looks(fd, looks);
	if (error == 0)
		error = write_all(fd, text, strlen(text));
	if (error == 0 && fsync(fd) < 0)
		error = -errno;
	close(fd);
	if (error < 0)
		(void)unlinkat(directory, temporary, 0);
	return error;
}

static int take_looks(int fd, const struct stat *looks)
{
	if (geteuid() == 0 && fchown(fd, looks->st_uid, looks->st_gid) < 0)
		return -errno;
	return fchmod(fd, looks->st_mode & 0666) < 0 ? -errno : 0;
}
