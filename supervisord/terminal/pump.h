/* SPDX-License-Identifier: ISC */
/*
 * pump.h: from the terminal to the output, each byte once, whatever is killed when.
 *
 * The kernel moves the bytes from the terminal into the held pipe by splice(2), so that there is no
 * moment when only this process has them; state.h says how the steps that follow are resumed.  A
 * kernel whose terminals do not splice (before 5.11) makes read(2) necessary: what that has read
 * and not written down is lost with the process.  An output that does not splice (a file that is
 * appended to) gets the bytes by write(2) before they leave the pipe: repeated, not lost.
 */
#ifndef TERMINAL_PUMP_H
#define TERMINAL_PUMP_H

#include "supervisord/terminal/terminal.h"

enum pump_result {
	PUMP_EMPTY,   /* there is nothing more now */
	PUMP_BLOCKED, /* the output takes no more now */
	PUMP_AGAIN,   /* there may be more */
	PUMP_HUNG_UP, /* nobody has the other side open, and all it said has been passed on */
};

/* A fair part of what there is, first of all what another process has left.  A result or -errno. */
int pump_run(struct terminal *terminal);

/* Another output.  Takes it. */
void pump_set_output(struct terminal *terminal, int fd);

/* Input: how much of it the terminal took; -EAGAIN: nothing now. */
long pump_type(const char *bytes, size_t length);

/* A part of the ring, behind byte `from`, of at most `size` bytes.  Returns how many. */
size_t pump_copy(const struct state *state, uint64_t from, char *buffer, size_t size);

/* The first byte of output that is still there; and where to begin for somebody new. */
uint64_t pump_oldest(const struct state *state);
uint64_t pump_replay(const struct state *state);

#endif
