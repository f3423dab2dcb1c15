/* SPDX-License-Identifier: ISC */
/*
 * share.h: several streams that write to one file, line by line.
 *
 * Whole lines are spliced as they come; the beginning of a line stays in its pipe until its end is
 * there, for LIMIT_LOG_HOLD_NS at most.  Meanwhile there are looks after 1, 2, 4 … ms, as what
 * comes behind it may wake nobody (copy.h).  A line that does not fit into its pipe, or is not
 * finished in that time, goes to the file as it is, and the others wait for its end, as long again.
 * When they have waited in vain a newline ends it: the rest of it will be a line of its own, and no
 * line ever has bytes of two programs.
 *
 * Whose line is open must outlive the logger: a killed one may leave the first half of a splice in
 * the file.  The mark is a number in the open pipe itself (F_SETSIG of fcntl(2); no signal is ever
 * sent), which the guardian holds too: the pipe that wrote last has it, and no other one.
 */
#ifndef LOGGER_SHARE_H
#define LOGGER_SHARE_H

#include <stdbool.h>

struct logfile;
struct pump;
struct stream;

/* As pump_step() of stream.c. */
int share_step(struct pump *pump);

/* A stream has left it. */
void share_note_leaver(struct logfile *file, struct stream *stream);

/* May those that wait for the end of a line go on? */
bool share_is_free(const struct logfile *file);

/* Read the mark of a pipe that a former logger may have left. */
void share_adopt(struct stream *stream);

#endif
