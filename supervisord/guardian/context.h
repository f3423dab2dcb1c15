/* SPDX-License-Identifier: ISC */
/*
 * context.h: the guardian's one struct, shared by guardian.c (loop, signals, reaping), peers.c
 * (engine and logger) and shutdown.c (the way down).
 */
#ifndef GUARDIAN_CONTEXT_H
#define GUARDIAN_CONTEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/ledger.h"
#include "supervisord/guardian/guardian.h"
#include "supervisord/guardian/held.h"
#include "supervisord/guardian/role.h"

enum phase {
	PHASE_RUN,       /* supervising */
	PHASE_SHUTDOWN,  /* the engine stops the programs */
	PHASE_LAST_TERM, /* it could not: we sent TERM */
	PHASE_LAST_KILL, /* and KILL */
	PHASE_FINISH,    /* no program is left: the logger writes the rest */
	PHASE_END,
};

struct guardian {
	const struct guardian_options *options;
	struct ledger *ledger;
	int ledger_fd;
	int bell_fd;
	int signal_fd;
	int peer[2]; /* engine and logger end of their channel; both kept for ever */
	struct role engine;
	unsigned engine_argc; /* of its arguments, before --safe */
	struct role logger;
	struct held held;
	enum phase phase;
	int64_t phase_deadline_ns;
	int exit_code;
	bool safe_mode;
	bool held_end_due; /* the engine has yet to get MSG_HELD_END */
	bool reload_due;   /* a HUP that no engine has heard yet */
	bool shutdown_due;
	bool finish_due; /* the logger has yet to hear that it is to finish */
	bool reap_more;  /* there were more than a wake-up takes */
	pid_t reap_first;     /* whom SIGCHLD named, or 0 */
	int64_t reap_rest_ns; /* when the others are looked for; 0: a signal is waited for */
	bool started_told;
};

#endif
