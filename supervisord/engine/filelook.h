/* SPDX-License-Identifier: ISC */
/*
 * filelook.h: a look at a file that never blocks the loop.
 *
 * stat(2) of a path on a network file system whose server is gone does not return, and there is no
 * way to ask for less.  So a thread of its own asks, and only the thread hangs: it knows a path and
 * a place for the answer, allocates nothing, and touches nothing else.  Whoever has waited enough
 * lets go of the look; its memory is freed when the thread has come back.  Nothing of it outlives
 * the engine.
 */
#ifndef ENGINE_FILELOOK_H
#define ENGINE_FILELOOK_H

#include <stdint.h>

struct filelook;

/* The looks that are not over: one for the engine, zeroed at first. */
struct filelooks {
	struct filelook *list;
	unsigned count; /* at most LIMIT_FILE_LOOKS */
};

/* The engine ends: let go of all.  Waits a moment for threads that are about to come back; one that
 * still hangs keeps what it needs. */
void filelooks_done(struct filelooks *looks);

/* Begin to look.  Gives a look (filelook_end()); 0, -EAGAIN when too many hang, or -errno. */
int filelook_begin(struct filelooks *looks, const char *path, struct filelook **ret_look);

/* Readable when there is an answer; owned by the look. */
int filelook_fd(const struct filelook *look);

/*
 * The answer: 0 and what tells the state of the file from a later one of the same name (never 0),
 * -errno of stat(2), or -EINPROGRESS.
 */
int filelook_get(const struct filelook *look, uint64_t *ret_mark);

/* Whether there is an answer or not. */
void filelook_end(struct filelook *look);

/* All at once, waiting for at most `timeout_ms`: as filelook_get(), or -ETIMEDOUT. */
int filelook_now(struct filelooks *looks, const char *path, int timeout_ms, uint64_t *ret_mark);

#endif
