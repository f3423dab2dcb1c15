/* SPDX-License-Identifier: ISC */
/*
 * terminal.h: the relay of a program's terminal (tty = true), a process of its own beside the
 * program, as its user.
 *
 * It has the master of the pseudo terminal: what the program writes there goes on to where its
 * stdout is to go (a pipe of the logger's, mostly), and to whoever is attached; what these type
 * goes back.  Terminal, pipe and state are held by the guardian: when it is killed, the program
 * does not notice, and the next one goes on at the same byte.  Nobody who is attached can delay the
 * output: a client that does not read misses some.
 */
#ifndef TERMINAL_TERMINAL_H
#define TERMINAL_TERMINAL_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/limits.h"
#include "lib/ttyframe.h"
#include "supervisord/terminal/state.h"

/* What an event of epoll is about: the kind << 32 | the number of a client. */
enum watch_kind { WATCH_LINK, WATCH_SIGNAL, WATCH_MASTER, WATCH_OUTPUT, WATCH_CLIENT };

struct client {
	int fd; /* -1: a free place */
	bool may_type;
	bool begun;             /* it has told its window: it is shown output */
	bool in_full;           /* the terminal takes no input now: the rest of `in` waits */
	uint32_t events;        /* that are watched */
	unsigned rows, columns; /* 0: none */
	uint64_t sent;          /* bytes of output, as state.total */
	uint64_t news_at;       /* where in the output the news belong */
	size_t news_length;     /* 0: there are none */
	char news[LIMIT_TTY_NEWS];
	struct ttyframe in;
	struct ttyframe out;
};

struct terminal {
	struct state *state;
	int epoll;
	int slave;              /* so that the terminal does not hang up between runs; -1 */
	int output;             /* -1: not told yet */
	bool output_blocked;    /* it is watched */
	bool output_told;       /* that it takes nothing */
	bool no_splice;         /* this kernel has none for terminals */
	bool hung;              /* nobody has the other side open */
	bool ending;            /* as soon as all that there is has been passed on */
	bool last;              /* and not before the last one has closed the other side */
	uint32_t master_events; /* that are watched; 0: it is not watched */
	uint64_t drain_run;     /* to be told as drained; 0: none */
	struct client clients[LIMIT_TTY_CLIENTS];
};

/* Until it is to end.  An exit status. */
int terminal_run(void);

/* Watch a descriptor: for the first time, with other events, or (0) no more. */
int terminal_watch(struct terminal *terminal, enum watch_kind kind, uint32_t number, int fd,
    uint32_t *have, uint32_t want);

#endif
