/* SPDX-License-Identifier: ISC */
/*
 * ttylink.h: what the engine says to the relay of a program's terminal (supervisord/terminal/).
 *
 * A SEQPACKET pair (channel.h) whose engine's end the guardian holds, so that it does not end with
 * the engine; a new pair for each start of the relay.  What it needs to go on where another one was
 * killed it finds open: the master of the terminal, a pipe for what is on its way, and its state.
 */
#ifndef LIB_TTYLINK_H
#define LIB_TTYLINK_H

#include <stdint.h>

#include "lib/limits.h"

/* Where a pseudo terminal is had. */
#define TTY_MASTER "/dev/ptmx"

/* Descriptors of the relay at its exec. */
enum {
	FD_TTY_LINK = 3,
	FD_TTY_MASTER = 4, /* of the pseudo terminal; O_NONBLOCK */
	FD_TTY_PIPE = 5,   /* both ends of a pipe in one descriptor; O_NONBLOCK */
	FD_TTY_STATE = 6,  /* memfd, supervisord/terminal/state.h; of any size */
};

enum tty_link_type {
	/* engine -> relay */
	TTY_OUTPUT = 192, /* descriptor: where the program's output goes from now on */
	TTY_CLIENT,       /* descriptor: a connection; payload: struct tty_client_wish */
	TTY_NEWS,         /* payload: a sentence about the program, for those who are attached */
	TTY_LAST,  /* the terminal is not to be used any more: end when it hangs up, not before */
	TTY_DRAIN, /* key: a run, which has ended; answer when all of it has been passed on */
	/* relay -> engine */
	TTY_DRAINED = 224, /* key: the run */
};

/* Whoever is attached. */
struct tty_client_wish {
	int64_t from; /* go on behind so many bytes of output; -1: the last of what there is */
	uint8_t may_type;
	char state[32]; /* of the program, for the reply */
};

#endif
