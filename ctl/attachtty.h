/* SPDX-License-Identifier: ISC */
/*
 * attachtty.h: superctl attach to a program with a terminal (tty = true).
 *
 * The person's terminal is made raw, so that every key is the program's, and is always as it was
 * when we are gone, whatever ended us but KILL.  When the connection is lost (a relay or an engine
 * was killed) another one goes on at the same byte of output.
 */
#ifndef CTL_ATTACHTTY_H
#define CTL_ATTACHTTY_H

#include <stdint.h>

#include "ctl/ctl.h"

/* What was replied to Attach or Watch. */
struct attachtty {
	int fd;           /* the connection; taken */
	int64_t position; /* the output that will be sent first */
	char state[32];   /* the program's */
};

enum exitcode attachtty_run(struct ctl *ctl, const struct attachtty *attached);

/* Make the call, from that position of the output on (-1: the last of it).  *ret_is_tty: false: of
 * a program without one, and the connection is as attach.c has it.  `quiet`: failures are not told.
 * (attach.c) */
enum exitcode attach_call(
    struct ctl *ctl, int64_t from, bool quiet, struct attachtty *ret_attached, bool *ret_is_tty);

#endif
