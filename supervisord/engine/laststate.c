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

/* How long the start of the daemon waits for what it should start. */
#define READ_WAIT_MS 10000

/* A name, a blank, "down", a newline. */
#define LINE_MAX_BYTES (LIMIT_NAME + 8)

/* What a thread is to do. */
struct request {
	char name[LIMIT_NAME];
	bool write;
	bool up;
	int result;
};

static int serve(
    struct filelooks *looks, const char *state_dir, const struct request *wanted, int timeout_ms);
static FILELOOK_ACT(act_on_request);
static int act(const char *state_dir, const struct request *request);
static int write_file(const char *state_dir, const char *name, bool up);
static int read_file(const char *state_dir, const char *name);
static void write_stable_name(const char *name, char ret_stable[LIMIT_NAME]);
static FILE *open_file(const char *state_dir);
static bool read_line(FILE *file, char *line, char **ret_value);
static int write_all(FILE *from, FILE *to, const char *name, bool up);
static int replace(int dir, FILE *file);

int laststate_write(struct filelooks *looks, const char *state_dir, const char *name, bool up)
{
	struct request request = {.write = true, .up = up};

	write_stable_name(name, request.name);
	return serve(looks, state_dir, &request, LIMIT_FILE_WAIT_MS);
}

int laststate_read(struct filelooks *looks, const char *state_dir, const char *name)
{
	struct request request = {.write = false};

	write_stable_name(name, request.name);
	return serve(looks, state_dir, &request, READ_WAIT_MS);
}

/* A thread that hangs may still write what it was to: nobody else begins to before it is back. */
static int serve(
    struct filelooks *looks, const char *state_dir, const struct request *wanted, int timeout_ms)
{
	struct filelook_answer answer;
	struct request *request;
	struct filelook *look;
	int error;

	if (!mounts_update(&looks->mounts) || !mounts_may_hang(&looks->mounts, state_dir))
		return act(state_dir, wanted);
	if (filelook_hangs(looks, state_dir))
		return -ETIMEDOUT;
	request = malloc(sizeof(*request));
	if (request == NULL)
		return -ENOMEM;
	*request = *wanted;
	error = filelook_begin_with(looks, state_dir, act_on_request, request, free, &look);
	if (error < 0) {
		free(request);
		return error;
	}
	error = filelook_wait(look, timeout_ms, &answer);
	if (error < 0)
		return error;
	error = ((const struct request *)answer.subject)->result;
	free(answer.subject);
	return error;
}

static FILELOOK_ACT(act_on_request)
{
	struct request *request = ret_answer->subject;

	(void)option;
	request->result = act(path, request);
	return 0;
}

static int act(const char *state_dir, const struct request *request)
{
	return request->write ? write_file(state_dir, request->name, request->up)
			      : read_file(state_dir, request->name);
}

static int write_file(const char *state_dir, const char *name, bool up)
{
	FILE *from = NULL, *to = NULL;
	int dir, fd, error;

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
	error = write_all(from, to, name, up);
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

static int read_file(const char *state_dir, const char *name)
{
	char line[LINE_MAX_BYTES], *value;
	FILE *file = open_file(state_dir);
	int result = -ENOENT;

	if (file == NULL)
		return -errno;
	while (result == -ENOENT && read_line(file, line, &value))
		if (strcmp(line, name) == 0)
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
