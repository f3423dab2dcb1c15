/* SPDX-License-Identifier: ISC */
/*
 * doctor.h: superctl doctor: looks for what would keep programs from running.
 *
 * It looks at files, mounts and users, any of which may not answer for minutes, so it never does
 * so in the engine: the method Doctor starts a helper, which gets the applied configuration, the
 * ledger and the client's connection, and lives no longer than LIMIT_DOCTOR_S.
 */
#ifndef ENGINE_DOCTOR_H
#define ENGINE_DOCTOR_H

#include "supervisord/engine/helper.h"

struct call;

/* The first word of its command line. */
#define DOCTOR_OPTION "--doctor"

/* What it finds open. */
enum {
	DOCTOR_FD_CONFIG = HELPER_FD, /* the applied configuration */
	DOCTOR_FD_CLIENT,             /* connection of the client */
	DOCTOR_FD_LEDGER,
};

/* The method Doctor. */
void doctor_call(struct call *call);

/*
 * main() of it; argv[0] is the word after DOCTOR_OPTION: whether several replies are
 * welcome ("more" or "one"), how runs are tracked (why not by cgroup, or ""), and the programs.
 * Returns the exit status.
 */
int doctor_main(int argc, char **argv);

#endif
