/* SPDX-License-Identifier: ISC */
/*
 * filelook.h: what is done with a path and never blocks the loop.
 *
 * stat(2) or open(2) of a path on a network file system whose server is gone does not return, and
 * there is no way to ask for less.  So a thread of its own asks, and only the thread hangs: it
 * knows a path and a place for the answer, and maybe a subject that is its own meanwhile, and
 * touches nothing else.  Whoever has waited enough lets go of the look; its memory, and what it has
 * opened, goes when the thread has come back.  Nothing of it outlives the engine.
 */
#ifndef ENGINE_FILELOOK_H
#define ENGINE_FILELOOK_H

#include <stdint.h>
#include <sys/types.h>

#include "lib/limits.h"
#include "supervisord/engine/mounts.h"

struct filelook;

/* What an act may leave; each says what it uses. */
struct filelook_answer {
	uint64_t mark;
	int fd; /* -1: none */
	uid_t owner;
	size_t length;
	char text[LIMIT_FILE_LOOK_TEXT];
	void *subject; /* of filelook_begin_with() */
};

/*
 * What the thread does: 0 or -errno.  It is given an answer with no descriptor, and the caller's
 * `option`.
 */
#define FILELOOK_ACT(name)                                                                         \
	int name(const char *path, int option, struct filelook_answer *ret_answer)

/* stat(2): `mark` tells the state of the file from a later one of the same name; never 0. */
FILELOOK_ACT(filelook_stat);

/* The looks that are not over: one for the engine, zeroed at first. */
struct filelooks {
	struct filelook *list;
	unsigned count; /* at most LIMIT_FILE_LOOKS */
	struct mounts mounts;
};

/* The engine ends: let go of all.  Waits a moment for threads that are about to come back; one that
 * still hangs keeps what it needs. */
void filelooks_done(struct filelooks *looks);

/* Begin to look.  Gives a look (filelook_end()); 0, -EAGAIN when too many hang, or -errno. */
int filelook_begin(struct filelooks *looks, const char *path, FILELOOK_ACT((*act)), int option,
    struct filelook **ret_look);

/*
 * The same of an act that works on `subject`, and never fails: until there is an answer it is the
 * look's, which frees it by `release` if it is let go before.  Takes it on success.
 */
int filelook_begin_with(struct filelooks *looks, const char *path, FILELOOK_ACT((*act)),
    void *subject, void (*release)(void *subject), struct filelook **ret_look);

/* Readable when there is an answer; owned by the look. */
int filelook_fd(const struct filelook *look);

/* What the act has returned, and with 0 its answer, whose descriptor is the caller's; or
 * -EINPROGRESS. */
int filelook_get(struct filelook *look, struct filelook_answer *ret_answer);

/* Whether there is an answer or not. */
void filelook_end(struct filelook *look);

/* Whether a look at this path was let go of and has not come back. */
bool filelook_hangs(const struct filelooks *looks, const char *path);

/* Wait for at most `timeout_ms`, and end it: as filelook_get(), or -ETIMEDOUT. */
int filelook_wait(struct filelook *look, int timeout_ms, struct filelook_answer *ret_answer);

/* All at once: begin one, and wait for it. */
int filelook_now(struct filelooks *looks, const char *path, FILELOOK_ACT((*act)), int option,
    int timeout_ms, struct filelook_answer *ret_answer);

#endif
