/* SPDX-License-Identifier: ISC */
/* streams.c: see streams.h, pipe(7), fifo(7). */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "supervisord/engine/streams.h"

#define LOG_FILE_MODE 0640

static int make_pipe(
    struct slots *slots, uint64_t read_key, uint64_t write_key, int *read_slot, int *write_slot);
static bool wants_log(const struct program_config *config, int stream);

void streams_init(struct streams *streams)
{
	*streams = (struct streams){
	    .log_read = {-1, -1},
	    .log_write = {-1, -1},
	    .stdin_read = -1,
	    .stdin_write = -1,
	};
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
	/* One end alone is what an engine left that was killed between handing over the two. */
	if (streams->stdin_read >= 0 && streams->stdin_write >= 0)
		return 0;
	slots_release(slots, streams->stdin_read);
	slots_release(slots, streams->stdin_write);
	streams->stdin_read = streams->stdin_write = -1;
	return make_pipe(slots, held_key(HELD_STDIN_READ, (uint32_t)row, 0),
	    held_key(HELD_STDIN_WRITE, (uint32_t)row, 0), &streams->stdin_read,
	    &streams->stdin_write);
}

int streams_prepare_logs(struct streams *streams, struct slots *slots, int row,
    const struct program_config *config, enum launch_step *ret_step)
{
	for (int i = 0; i < 2; i++) {
		bool have = streams->log_read[i] >= 0 && streams->log_write[i] >= 0;
		int error;

		if (have && wants_log(config, i))
			continue;
		slots_release(slots, streams->log_read[i]);
		slots_release(slots, streams->log_write[i]);
		streams->log_read[i] = streams->log_write[i] = -1;
		if (!wants_log(config, i))
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

int streams_open_path(enum stdio_kind kind, const char *path, int *ret_fd)
{
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
	*ret_fd = fd;
	return 0;
fail:
	error = -errno;
	close(fd);
	return error;
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

static bool wants_log(const struct program_config *config, int stream)
{
	return (stream == 0 ? config->key_stdout.kind : config->key_stderr.kind) == STDIO_LOG;
}
