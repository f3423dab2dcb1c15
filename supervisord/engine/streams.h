/* SPDX-License-Identifier: ISC */
/*
 * streams.h: where a program's 0, 1 and 2 come from, and the pipes behind them.
 *
 * Pipes to the logger and to other programs' stdin belong to the instance, not to a run: both ends
 * are made once, held by the guardian, and every run gets them again.  So neither side ever
 * sees EOF or SIGPIPE because the other one restarts.
 */
#ifndef ENGINE_STREAMS_H
#define ENGINE_STREAMS_H

#include "supervisord/engine/config.h"
#include "supervisord/engine/filelook.h"
#include "supervisord/engine/ids.h"
#include "supervisord/engine/launch.h"
#include "supervisord/engine/slots.h"

struct program;

/* The held pipes of one instance; slot numbers, -1: none. */
struct streams {
	int log_read[2];
	int log_write[2];
	int stdin_read;
	int stdin_write;
};

/* The three streams of a launch. */
struct open_streams {
	int fds[3];    /* what becomes 0, 1, 2; borrowed but for those in `opened` */
	int opened[3]; /* ours, for streams_close() */
	int opened_count;
};

void streams_init(struct streams *streams);

/*
 * Open what the stanza says for the next run: pipes are made and held where there are none yet.
 * `streams` is zeroed before, and streams_close() follows after the launch in any case.  0 or
 * -errno with *ret_step.
 */
int streams_open(struct program *program, const struct ids *ids, struct open_streams *streams,
    enum launch_step *ret_step);

/* Only what its stdout is to be, as fds[1]: what the relay of a terminal passes on goes there. */
int streams_open_output(struct program *program, const struct ids *ids,
    struct open_streams *streams, enum launch_step *ret_step);

/*
 * The same for a task of the program: nothing to read, and what it says goes to the log that the
 * program's stderr goes to, through its filter, or else to the daemon's own stderr.
 */
int streams_open_for_task(
    struct program *program, struct open_streams *streams, enum launch_step *ret_step);

/* After the launch, also of one that failed. */
void streams_close(struct open_streams *streams);

/* Note one slot of a previous engine. */
void streams_adopt(struct streams *streams, uint64_t key, int slot);

/* Make the pipe to this instance's stdin if there is none yet, and the end to write to it if that
 * was let go of (STOP_END_OF_INPUT).  0 or -errno. */
int streams_need_stdin(struct streams *streams, struct slots *slots, int row);

/*
 * Make or drop log pipes so that they fit the stanza.  Called before each launch.  0 or -errno with
 * *ret_step.
 */
int streams_prepare_logs(struct program *program, enum launch_step *ret_step);

/*
 * Open what a stanza names in a file system: `path` is expanded and absolute.  Gives a
 * close-on-exec, blocking descriptor.  Never waits for the other side of a fifo, and no longer than
 * LIMIT_FILE_WAIT_MS for a file system: -ETIMEDOUT.
 */
int streams_open_path(struct filelooks *looks, enum stdio_kind kind, const char *path, int *ret_fd);

/* Bytes that it has written and the logger has not taken yet. */
size_t streams_count_unlogged(const struct streams *streams, const struct slots *slots);

/* The instance is gone: let go of everything. */
void streams_release(struct streams *streams, struct slots *slots);

#endif
