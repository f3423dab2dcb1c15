/* SPDX-License-Identifier: ISC */
/* streams.c: see streams.h, pipe(7), fifo(7). */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "supervisord/engine/engine.h"
#include "supervisord/engine/expand.h"
#include "supervisord/engine/instname.h"
#include "supervisord/engine/listenfds.h"
#include "supervisord/engine/route.h"
#include "supervisord/engine/streams.h"
#include "supervisord/engine/tty.h"

#define LOG_FILE_MODE 0640

static int open_tty(struct program *program, const struct ids *ids, struct open_streams *streams,
    enum launch_step *ret_step);
static int open_stream(struct program *program, const struct ids *ids, int index,
    const struct stdio *stdio, struct open_streams *streams);
static int open_target(struct program *program, const char *name, int *ret_fd);
static int reopen_write(struct slots *slots, int row, int read_slot, int *ret_slot);
static int open_readers(struct program *program, const struct stdio *stdio);
static FILELOOK_ACT(open_file);
static int open_path(
    struct program *program, const struct ids *ids, const struct stdio *stdio, int *ret_fd);
static int make_pipe(
    struct slots *slots, uint64_t read_key, uint64_t write_key, int *read_slot, int *write_slot);
static bool wants_log(const struct program *program, int stream);

void streams_init(struct streams *streams)
{
	*streams = (struct streams){
	    .log_read = {-1, -1},
	    .log_write = {-1, -1},
	    .stdin_read = -1,
	    .stdin_write = -1,
	};
}

int streams_open(struct program *program, const struct ids *ids, struct open_streams *streams,
    enum launch_step *ret_step)
{
	const struct program_config *config = program->config;
	const struct stdio *wanted[3] = {
	    &config->key_stdin, &config->key_stdout, &config->key_stderr};
	int error;

	if (config->life->key_tty)
		return open_tty(program, ids, streams, ret_step);
	tty_release(program); /* of the stanza before */
	error = streams_prepare_logs(program, ret_step);
	for (int i = 0; i < 3 && error == 0; i++) {
		*ret_step = (enum launch_step)(LAUNCH_STDIN + i);
		error = open_stream(program, ids, i, wanted[i], streams);
	}
	/* The answer goes where the question came from; where its log goes stderr does. */
	if (error == 0 && config->life->key_accept &&
	    config->life->key_socket_as == SOCKET_AS_STDIN)
		streams->fds[1] = streams->fds[0];
	return error;
}

int streams_open_output(struct program *program, const struct ids *ids,
    struct open_streams *streams, enum launch_step *ret_step)
{
	int error = streams_prepare_logs(program, ret_step);

	if (error < 0)
		return error;
	*ret_step = LAUNCH_STDOUT;
	return open_stream(program, ids, 1, &program->config->key_stdout, streams);
}

int streams_open_for_task(
    struct program *program, struct open_streams *streams, enum launch_step *ret_step)
{
	const struct program_config *config = program->config;
	struct slots *slots = &program->engine->slots;
	int stream = config->key_stderr.kind == STDIO_STDOUT ? 0 : 1;
	const struct program *filter = engine_find_filter(program->engine, program);
	int error, fd = STDERR_FILENO;

	error = streams_prepare_logs(program, ret_step);
	if (error < 0)
		return error;
	*ret_step = LAUNCH_STDERR;
	if (wants_log(program, stream))
		fd = slots_get_fd(slots, program->streams.log_write[stream]);
	else if (stream == 0 && filter != NULL)
		error = open_target(program, program_name(filter), &fd);
	if (error < 0)
		return error;
	if (fd < 0)
		return -EBADF;
	streams->fds[0] = STDIN_FILENO; /* ours is /dev/null */
	streams->fds[1] = streams->fds[2] = fd;
	return 0;
}

void streams_close(struct open_streams *streams)
{
	while (streams->opened_count > 0)
		close(streams->opened[--streams->opened_count]);
}

void streams_adopt(struct streams *streams, uint64_t key, int slot)
{
	unsigned stream = held_key_stream(key) & 1;

	switch ((int)held_key_kind(key)) {
	case HELD_LOG_READ:
		streams->log_read[stream] = slot;
		break;
	case HELD_LOG_WRITE:
		streams->log_write[stream] = slot;
		break;
	case HELD_STDIN_READ:
		streams->stdin_read = slot;
		break;
	case HELD_STDIN_WRITE:
		streams->stdin_write = slot;
		break;
	}
}

int streams_need_stdin(struct streams *streams, struct slots *slots, int row)
{
	if (streams->stdin_read >= 0 && streams->stdin_write >= 0)
		return 0;
	/* A filter was told that its input ends, and what it has not read is still there. */
	if (streams->stdin_read >= 0)
		return reopen_write(slots, row, streams->stdin_read, &streams->stdin_write);
	/* A write end alone is what an engine left that was killed between handing over the two. */
	slots_release(slots, streams->stdin_write);
	streams->stdin_write = -1;
	return make_pipe(slots, held_key(HELD_STDIN_READ, (uint32_t)row, 0),
	    held_key(HELD_STDIN_WRITE, (uint32_t)row, 0), &streams->stdin_read,
	    &streams->stdin_write);
}

int streams_prepare_logs(struct program *program, enum launch_step *ret_step)
{
	struct streams *streams = &program->streams;
	struct slots *slots = &program->engine->slots;
	int row = program->run.row;

	for (int i = 0; i < 2; i++) {
		bool have = streams->log_read[i] >= 0 && streams->log_write[i] >= 0;
		int error;

		if (have && wants_log(program, i))
			continue;
		slots_release(slots, streams->log_read[i]);
		slots_release(slots, streams->log_write[i]);
		streams->log_read[i] = streams->log_write[i] = -1;
		if (!wants_log(program, i))
			continue;
		error = make_pipe(slots, held_key(HELD_LOG_READ, (uint32_t)row, (uint16_t)i),
		    held_key(HELD_LOG_WRITE, (uint32_t)row, (uint16_t)i), &streams->log_read[i],
		    &streams->log_write[i]);
		if (error < 0) {
			*ret_step = i == 0 ? LAUNCH_STDOUT : LAUNCH_STDERR;
			return error;
		}
		slots_forget_fd(slots, streams->log_read[i]); /* the logger reads, not we */
	}
	return 0;
}

int streams_open_path(struct filelooks *looks, enum stdio_kind kind, const char *path, int *ret_fd)
{
	struct filelook_answer answer;
	int error = filelook_now(looks, path, open_file, (int)kind, LIMIT_FILE_WAIT_MS, &answer);

	if (error == 0)
		*ret_fd = answer.fd;
	return error;
}

/* `option` is an enum stdio_kind. */
static FILELOOK_ACT(open_file)
{
	enum stdio_kind kind = (enum stdio_kind)option;
	/* A fifo is opened both ways: that never waits for a reader, and never sees the last one
	 * go. */
	int flags = kind == STDIO_FILE   ? O_RDONLY
		    : kind == STDIO_FIFO ? O_RDWR
					 : O_WRONLY | O_CREAT | O_APPEND;
	int fd = open(path, flags | O_NONBLOCK | O_CLOEXEC | O_NOCTTY, LOG_FILE_MODE);
	struct stat st;
	int error;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		goto fail;
	if (kind == STDIO_FIFO && !S_ISFIFO(st.st_mode)) {
		errno = ENOSTR;
		goto fail;
	}
	if (fcntl(fd, F_SETFL, flags & ~O_CREAT) < 0)
		goto fail;
	ret_answer->fd = fd;
	return 0;
fail:
	error = -errno;
	close(fd);
	return error;
}

size_t streams_count_unlogged(const struct streams *streams, const struct slots *slots)
{
	size_t count = 0;

	for (int i = 0; i < 2; i++) {
		int waiting = 0;

		/* Either end of a pipe tells it. */
		if (ioctl(slots_get_fd(slots, streams->log_write[i]), FIONREAD, &waiting) == 0)
			count += (size_t)waiting;
	}
	return count;
}

void streams_release(struct streams *streams, struct slots *slots)
{
	for (int i = 0; i < 2; i++) {
		slots_release(slots, streams->log_write[i]);
		slots_release(slots, streams->log_read[i]);
	}
	slots_release(slots, streams->stdin_write);
	slots_release(slots, streams->stdin_read);
	streams_init(streams);
}

/* All three are the terminal; its relay gets what standard output would have been. */
static int open_tty(struct program *program, const struct ids *ids, struct open_streams *streams,
    enum launch_step *ret_step)
{
	int fd, error = streams_open_output(program, ids, streams, ret_step);

	if (error < 0)
		return error;
	tty_set_output(program, streams->fds[1]);
	*ret_step = LAUNCH_TTY;
	error = tty_open(program, ids, &fd);
	if (error < 0)
		return error;
	streams->opened[streams->opened_count++] = fd;
	for (int i = 0; i < 3; i++)
		streams->fds[i] = fd;
	return 0;
}

static int open_stream(struct program *program, const struct ids *ids, int index,
    const struct stdio *stdio, struct open_streams *streams)
{
	struct slots *slots = &program->engine->slots;
	int error = 0, fd = -1;

	if (index == 0 && program->config->life->key_socket_as == SOCKET_AS_STDIN)
		return listenfds_get_stdin(program, &streams->fds[0]);
	if (index == 0 && (program->is_target || stdio->kind == STDIO_PIPE)) {
		error = streams_need_stdin(&program->streams, slots, program->run.row);
		streams->fds[0] = slots_get_fd(slots, program->streams.stdin_read);
		return error;
	}
	if (index > 0 && wants_log(program, index - 1)) {
		/* cppcheck-suppress arrayIndexOutOfBoundsCond ; streams_open() goes from 0 to 2 */
		streams->fds[index] = slots_get_fd(slots, program->streams.log_write[index - 1]);
		error = open_readers(program, stdio);
		return error != 0 ? error : streams->fds[index] < 0 ? -EBADF : 0;
	}
	switch (stdio->kind) {
	case STDIO_NULL:
		fd = STDIN_FILENO; /* ours is /dev/null */
		break;
	case STDIO_INHERIT:
		fd = index;
		break;
	case STDIO_LOG: /* were above */
	case STDIO_PIPE:
		break;
	case STDIO_STDOUT:
		fd = streams->fds[1];
		break;
	case STDIO_FILE:
	case STDIO_APPEND:
	case STDIO_FIFO:
		error = open_path(program, ids, stdio, &fd);
		if (error == 0)
			streams->opened[streams->opened_count++] = fd;
		break;
	case STDIO_PROGRAM:
		error = open_target(program, stdio->target, &fd);
		break;
	}
	streams->fds[index] = fd;
	return error != 0 ? error : fd < 0 ? -EBADF : 0;
}

/* The pipe to another program's stdin. */
static int open_target(struct program *program, const char *name, int *ret_fd)
{
	struct slots *slots = &program->engine->slots;
	struct program *target = engine_find(program->engine, name);
	int error;

	if (target == NULL)
		return -ENOENT;
	error = streams_need_stdin(&target->streams, slots, target->run.row);
	*ret_fd = slots_get_fd(slots, target->streams.stdin_write);
	return error;
}

/* The logger writes to the standard input of these: the pipes must be there. */
static int open_readers(struct program *program, const struct stdio *stdio)
{
	const char *name;
	size_t index = 0;
	int fd, error = 0;

	while (error == 0 && (name = route_next_program(stdio, &index)) != NULL)
		error = open_target(program, name, &fd);
	return error;
}

/* The configuration has made it absolute already. */
static int open_path(
    struct program *program, const struct ids *ids, const struct stdio *stdio, int *ret_fd)
{
	struct instname parts;
	struct expand_words words = {
	    .name = program_name(program),
	    .program = parts.program,
	    .instance = parts.number,
	    .user = ids->user,
	    .home = ids->home,
	    .run_dir = program->engine->config->settings.key_run_dir,
	};
	char *path;
	int error;

	instname_split(program_name(program), &parts);
	error = expand_string(stdio->target, &words, &path);
	if (error < 0)
		return error;
	error = streams_open_path(&program->engine->filelooks, stdio->kind, path, ret_fd);
	free(path);
	return error;
}

static int make_pipe(
    struct slots *slots, uint64_t read_key, uint64_t write_key, int *read_slot, int *write_slot)
{
	int fds[2], slot;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	slot = slots_hold(slots, write_key, fds[1]);
	if (slot < 0) {
		close(fds[0]);
		close(fds[1]);
		return slot;
	}
	*write_slot = slot;
	slot = slots_hold(slots, read_key, fds[0]);
	if (slot < 0) {
		close(fds[0]);
		slots_release(slots, *write_slot);
		*write_slot = -1;
		return slot;
	}
	*read_slot = slot;
	return 0;
}

/* Another write end of the same pipe. */
static int reopen_write(struct slots *slots, int row, int read_slot, int *ret_slot)
{
	char path[sizeof("/proc/self/fd/") + 3 * sizeof(int)];
	int fd, slot;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", slots_get_fd(slots, read_slot));
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	slot = slots_hold(slots, held_key(HELD_STDIN_WRITE, (uint32_t)row, 0), fd);
	if (slot < 0) {
		close(fd);
		return slot;
	}
	*ret_slot = slot;
	return 0;
}

static bool wants_log(const struct program *program, int stream)
{
	const struct program_config *config = program->config;

	return route_is_logged(stream == 0 ? &config->key_stdout : &config->key_stderr,
	    engine_inherit_format(program->engine));
}
