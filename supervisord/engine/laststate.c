/* SPDX-License-Identifier: ISC */
/* laststate.c: see laststate.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/limits.h"
#include "supervisord/engine/instname.h"
#include "supervisord/engine/laststate.h"

/* A name, a blank, "down", a newline. */
#define LINE_MAX_BYTES (LIMIT_NAME + 8)

static void write_stable_name(const char *name, char ret_stable[LIMIT_NAME]);
static FILE *open_file(const char *state_dir);
static bool read_line(FILE *file, char *line, char **ret_value);
static int write_all(FILE *from, FILE *to, const char *name, bool up);
static int replace(int dir, FILE *file);

int laststate_write(const char *state_dir, const char *name, bool up)
{
	FILE *from = NULL, *to = NULL;
	char stable[LIMIT_NAME];
	int dir, fd, error;

	write_stable_name(name, stable);
	if (mkdir(state_dir, 0755) < 0 && errno != EEXIST)
		return -errno;
	dir = open(state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -errno;
	from = open_file(state_dir);
	if (from == NULL && errno != ENOENT) {
		error = -errno;
		goto out;
	}
	fd = openat(dir, LASTSTATE_FILE ".new",
	    O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	to = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (to == NULL) {
		error = -errno;
		if (fd >= 0)
			close(fd);
		goto out;
	}
	error = write_all(from, to, stable, up);
	if (error == 0)
		error = replace(dir, to);
out:
	if (to != NULL)
		fclose(to);
	if (from != NULL)
		fclose(from);
	close(dir);
	return error;
}

int laststate_read(const char *state_dir, const char *name)
{
	char line[LINE_MAX_BYTES], stable[LIMIT_NAME], *value;
	FILE *file = open_file(state_dir);
	int result = -ENOENT;

	if (file == NULL)
		return -errno;
	write_stable_name(name, stable);
	while (result == -ENOENT && read_line(file, line, &value))
		if (strcmp(line, stable) == 0)
			result = strcmp(value, "up") == 0;
	fclose(file);
	return result;
}

/* A first instance keeps its line when there come to be more. */
static void write_stable_name(const char *name, char ret_stable[LIMIT_NAME])
{
	(void)snprintf(ret_stable, LIMIT_NAME, "%.*s", (int)instname_stable_length(name), name);
}

/* NULL with errno. */
static FILE *open_file(const char *state_dir)
{
	FILE *file = NULL;
	char *path;
	int fd;

	if (asprintf(&path, "%s/" LASTSTATE_FILE, state_dir) < 0) {
		errno = ENOMEM;
		return NULL;
	}
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	free(path);
	if (fd >= 0)
		file = fdopen(fd, "r");
	if (fd >= 0 && file == NULL) {
		close(fd);
		errno = ENOMEM;
	}
	return file;
}

/* The next good line, cut in two; `line` is LINE_MAX_BYTES. */
static bool read_line(FILE *file, char *line, char **ret_value)
{
	while (fgets(line, LINE_MAX_BYTES, file) != NULL) {
		char *blank = strchr(line, ' '), *end = strchr(line, '\n');

		if (end == NULL || blank == NULL)
			continue;
		*blank = *end = '\0';
		*ret_value = blank + 1;
		if (strcmp(*ret_value, "up") == 0 || strcmp(*ret_value, "down") == 0)
			return true;
	}
	return false;
}

/* The old lines without that of `name`, and the new one.  `from` may be NULL. */
static int write_all(FILE *from, FILE *to, const char *name, bool up)
{
	char line[LINE_MAX_BYTES], *value;
	int lines = 0;

	while (from != NULL && lines < LIMIT_ROWS && read_line(from, line, &value)) {
		if (strcmp(line, name) == 0)
			continue;
		fprintf(to, "%s %s\n", line, value);
		lines++;
	}
	fprintf(to, "%s %s\n", name, up ? "up" : "down");
	return fflush(to) == 0 && !ferror(to) ? 0 : errno != 0 ? -errno : -EIO;
}

static int replace(int dir, FILE *file)
{
	if (fsync(fileno(file)) < 0 ||
	    renameat(dir, LASTSTATE_FILE ".new", dir, LASTSTATE_FILE) < 0 || fsync(dir) < 0)
		return -errno;
	return 0;
}
