/* SPDX-License-Identifier: ISC */
/*
 * confsource.c: see confsource.h.  The wildcards are our own: glob(3) reports a directory that
 * cannot be read only through a function without context, and sorts by locale.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/limits.h"
#include "supervisord/engine/confsource.h"
#include "supervisord/engine/valuetype.h"

struct expansion {
	char **paths;
	size_t count;
	bool wild; /* a wildcard was met: what is not there is no match */
	char **ret_problem;
};

static struct confsource_id id_of(const struct stat *st);
static int read_whole(int fd, size_t size, char **ret_text, size_t *ret_length);
static int expand_below(struct expansion *expansion, const char *prefix, const char *rest);
static int expand_directory(
    struct expansion *expansion, const char *prefix, const char *pattern, const char *rest);
static int add_path(struct expansion *expansion, char *path);
static int list_directory(
    const char *path, const char *pattern, char ***ret_names, size_t *ret_count);
static int add_string(char ***list, size_t *count, char *string);
static int compare_strings(const void *a, const void *b);

int confsource_read(const char *path, char **ret_text, size_t *ret_length,
    struct confsource_id *ret_id, char **ret_problem)
{
	struct stat st;
	int fd, error;

	/* O_NONBLOCK: opening a FIFO that nobody writes must not hang the engine. */
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return value_sentence(ret_problem, "cannot be read: %s", strerror(errno));
	if (fstat(fd, &st) < 0)
		error = value_sentence(ret_problem, "cannot be read: %s", strerror(errno));
	else if (S_ISDIR(st.st_mode))
		error = value_sentence(ret_problem, "is a directory: a file is needed");
	else if (!S_ISREG(st.st_mode))
		error = value_sentence(ret_problem, "is not a regular file");
	else if (st.st_size > LIMIT_CONFIG_FILE_BYTES)
		error = value_sentence(
		    ret_problem, "is too large: at most %d bytes", LIMIT_CONFIG_FILE_BYTES);
	else
		error = read_whole(fd, (size_t)st.st_size, ret_text, ret_length);
	close(fd);
	if (error == -EIO)
		return value_sentence(ret_problem, "cannot be read: it is changing or failing");
	if (error == 0)
		*ret_id = id_of(&st);
	return error;
}

bool confsource_look(const char *path, struct confsource_id *ret_id)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return false;
	*ret_id = id_of(&st);
	return true;
}

char *confsource_absolute(const char *base, const char *path)
{
	char *here = NULL, *result;

	while (path[0] == '.' && path[1] == '/')
		path += 2 + strspn(path + 2, "/");
	if (path[0] == '/')
		return strdup(path);
	if (base == NULL) {
		here = getcwd(NULL, 0);
		if (here == NULL)
			return NULL;
		base = here;
	}
	if (asprintf(&result, "%s/%s", strcmp(base, "/") == 0 ? "" : base, path) < 0)
		result = NULL;
	free(here);
	return result;
}

char *confsource_directory(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == path || slash == NULL ? strdup("/") : strndup(path, (size_t)(slash - path));
}

int confsource_expand(
    const char *base, const char *pattern, char ***ret_paths, size_t *ret_count, char **ret_problem)
{
	struct expansion expansion = {.ret_problem = ret_problem};
	int error;

	while (pattern[0] == '.' && pattern[1] == '/')
		pattern += 2 + strspn(pattern + 2, "/");
	if (pattern[0] == '/' || strcmp(base, "/") == 0)
		base = "";
	error = expand_below(&expansion, base, pattern + strspn(pattern, "/"));
	if (error < 0) {
		confsource_free_paths(expansion.paths, expansion.count);
		return error;
	}
	*ret_paths = expansion.paths;
	*ret_count = expansion.count;
	return 0;
}

int confsource_add(
    const char *base, const char *pattern, const char *path, char ***paths, size_t *count)
{
	char *absolute = confsource_absolute(base, pattern);
	bool matches = absolute != NULL && fnmatch(absolute, path, FNM_PATHNAME | FNM_PERIOD) == 0;
	int error = absolute != NULL ? 0 : -ENOMEM;

	free(absolute);
	for (size_t i = 0; i < *count && matches; i++)
		matches = strcmp((*paths)[i], path) != 0;
	if (!matches)
		return error;
	error = add_string(paths, count, strdup(path));
	if (error == 0)
		qsort(*paths, *count, sizeof(**paths), compare_strings);
	return error;
}

void confsource_free_paths(char **paths, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(paths[i]);
	free(paths);
}

void confsource_free(struct config_source *sources, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(sources[i].path);
		free(sources[i].text);
	}
	free(sources);
}

int confsource_copy(
    const char *path, const char *text, size_t length, struct config_source *ret_source)
{
	struct config_source source = {
	    .path = strdup(path), .text = malloc(length + 1), .length = length};

	if (source.path == NULL || source.text == NULL) {
		free(source.path);
		free(source.text);
		return -ENOMEM;
	}
	memcpy(source.text, text, length);
	source.text[length] = '\0';
	*ret_source = source;
	return 0;
}

static struct confsource_id id_of(const struct stat *st)
{
	return (struct confsource_id){.device = st->st_dev,
	    .inode = st->st_ino,
	    .size = st->st_size,
	    .modified = st->st_mtim,
	    .changed = st->st_ctim};
}

/* One byte more than fstat(2) said is asked for, to see a file that grows. */
static int read_whole(int fd, size_t size, char **ret_text, size_t *ret_length)
{
	char *text = malloc(size + 2);
	size_t length = 0;

	if (text == NULL)
		return -ENOMEM;
	while (length <= size) {
		ssize_t got = read(fd, text + length, size + 1 - length);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			free(text);
			return -EIO;
		}
		if (got == 0)
			break;
		length += (size_t)got;
	}
	if (length > size) {
		free(text);
		return -EIO;
	}
	text[length] = '\0';
	*ret_text = text;
	*ret_length = length;
	return 0;
}

/* `prefix` is a directory that was found so far, without a slash at its end. */
static int expand_below(struct expansion *expansion, const char *prefix, const char *rest)
{
	size_t length = strcspn(rest, "/");
	char *part, *path;
	int error;

	if (strpbrk(rest, "*?[") == NULL) {
		if (asprintf(&path, "%s/%s", prefix, rest) < 0)
			return -ENOMEM;
		return add_path(expansion, path);
	}
	part = strndup(rest, length);
	if (part == NULL)
		return -ENOMEM;
	rest += length;
	rest += strspn(rest, "/");
	if (strpbrk(part, "*?[") != NULL) {
		error = expand_directory(expansion, prefix, part, rest);
	} else if (asprintf(&path, "%s/%s", prefix, part) < 0) {
		error = -ENOMEM;
	} else {
		error = expand_below(expansion, path, rest);
		free(path);
	}
	free(part);
	return error;
}

static int expand_directory(
    struct expansion *expansion, const char *prefix, const char *pattern, const char *rest)
{
	const char *directory = prefix[0] == '\0' ? "/" : prefix;
	char **names = NULL;
	size_t count = 0;
	int error;

	expansion->wild = true;
	error = list_directory(directory, pattern, &names, &count);
	if (error < 0 && error != -ENOMEM)
		error = value_sentence(expansion->ret_problem,
		    "the directory %s cannot be read: %s", directory, strerror(-error));
	for (size_t i = 0; error == 0 && i < count; i++) {
		char *path;

		if (asprintf(&path, "%s/%s", prefix, names[i]) < 0) {
			error = -ENOMEM;
			break;
		}
		if (rest[0] == '\0') {
			error = add_path(expansion, path);
		} else {
			error = expand_below(expansion, path, rest);
			free(path);
		}
	}
	confsource_free_paths(names, count);
	return error;
}

/* Takes `path`. */
static int add_path(struct expansion *expansion, char *path)
{
	if (expansion->wild && access(path, F_OK) < 0 && (errno == ENOENT || errno == ENOTDIR)) {
		free(path);
		return 0;
	}
	if (expansion->count == LIMIT_CONFIG_FILES) {
		free(path);
		return value_sentence(expansion->ret_problem, "matches too many files: at most %d",
		    LIMIT_CONFIG_FILES);
	}
	return add_string(&expansion->paths, &expansion->count, path);
}

/* Sorted by bytes.  A directory that is not there has no names. */
static int list_directory(
    const char *path, const char *pattern, char ***ret_names, size_t *ret_count)
{
	DIR *directory = opendir(path);
	struct dirent *entry;
	int error = 0;

	if (directory == NULL)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	while (error == 0 && (errno = 0, entry = readdir(directory)) != NULL) {
		if (fnmatch(pattern, entry->d_name, FNM_PERIOD) == 0)
			error = add_string(ret_names, ret_count, strdup(entry->d_name));
	}
	if (error == 0)
		error = -errno;
	closedir(directory);
	if (*ret_count > 1)
		qsort(*ret_names, *ret_count, sizeof(**ret_names), compare_strings);
	return error;
}

/* Takes `string`, NULL being "no memory". */
static int add_string(char ***list, size_t *count, char *string)
{
	char **larger = *list;

	/* Room grows at each power of two. */
	if (string != NULL && (*count & (*count - 1)) == 0)
		larger = realloc(*list, (*count == 0 ? 1 : *count * 2) * sizeof(*larger));
	if (string == NULL || larger == NULL) {
		free(string);
		return -ENOMEM;
	}
	larger[(*count)++] = string;
	*list = larger;
	return 0;
}

static int compare_strings(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}
