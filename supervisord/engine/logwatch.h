/* SPDX-License-Identifier: ISC */
/*
 * logwatch.h: wait for a line of a program's log that matches (ready = "log:REGEX").
 *
 * The logger writes the file, this only reads it, from where the run began: through rotations, in
 * the order in which the lines were written, each whole line once.  When the file that is to be
 * read next is gone (more rotations than archives, or somebody removed it, or it was compressed),
 * it goes on with the oldest one that was written later.
 */
#ifndef ENGINE_LOGWATCH_H
#define ENGINE_LOGWATCH_H

#include <stdint.h>

struct logwatch;

/*
 * Where a run that is launched now will begin in the log: which file, and how far from its
 * beginning, with what earlier runs have still in the pipe (`pipe_fd`: either end; -1: there is
 * none yet).
 */
uint64_t logwatch_mark(const char *path, int pipe_fd);

/*
 * Begin at a mark.  `regex` is a POSIX extended one; `since_wall_ns` the time of the mark, for the
 * case that its file is gone.  Gives; returns 0, -EINVAL: not a regular expression, -ENOMEM.
 */
int logwatch_new(const char *path, const char *regex, uint64_t mark, int64_t since_wall_ns,
    struct logwatch **ret_watch);
void logwatch_free(struct logwatch *watch);

/*
 * Read on.  Returns 1: a line matches; 0: not yet (also when there is no file yet); -EAGAIN: not
 * yet, but there is more to read now; else -errno of a file that cannot be read.
 */
int logwatch_look(struct logwatch *watch);

#endif
