/* SPDX-License-Identifier: ISC */
/*
 * doctor.h: superctl doctor: looks for what would keep programs from running.
 *
 * It looks at files, mounts and users, any of which may not answer for minutes, so it never does
 * so in the engine: the method Doctor starts this executable again (`engine --doctor`), which gets
 * the applied configuration, the ledger and the client's connection, and answers there.  A looker
 * lives no longer than LIMIT_DOCTOR_S, and there are at most LIMIT_DOCTORS at a time.
 */
#ifndef ENGINE_DOCTOR_H
#define ENGINE_DOCTOR_H

#include <ev.h>

#include "lib/limits.h"

struct call;
struct engine;

/* What `engine --doctor` finds open. */
enum {
	DOCTOR_FD_CONFIG = 3, /* the applied configuration */
	DOCTOR_FD_CLIENT = 4, /* connection of the client */
	DOCTOR_FD_LEDGER = 5,
	DOCTOR_FD_ALIVE = 6, /* open as long as it lives */
};

/* The lookers that are at work; one of the engine. */
struct doctors {
	ev_io ends[LIMIT_DOCTORS]; /* the other end of DOCTOR_FD_ALIVE; fd -1: none */
};

void doctors_init(struct doctors *doctors);
void doctors_done(struct doctors *doctors, struct ev_loop *loop);

/* The method Doctor. */
void doctors_call(struct call *call);

/*
 * main() of `engine --doctor`; argv[0] is the first word after it: whether several replies are
 * welcome ("more" or "one"), how runs are tracked (why not by cgroup, or ""), and the programs.
 * Returns the exit status.
 */
int doctor_main(int argc, char **argv);

#endif
