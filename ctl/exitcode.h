/* SPDX-License-Identifier: ISC */
/*
 * exitcode.h: what superctl's exit status means; the same numbers as LSB init scripts and
 * supervisorctl use.  The table of superctl(1) lists them.
 */
#ifndef CTL_EXITCODE_H
#define CTL_EXITCODE_H

enum exitcode {
	EXITCODE_OK = 0,
	EXITCODE_FAILED = 1,
	EXITCODE_USAGE = 2,
	EXITCODE_CHANGES = 2, /* plan: an apply would do something; plan never says USAGE */
	EXITCODE_DOWN = 3,    /* status: a shown program is not running */
	EXITCODE_MISSING = 4, /* no such program, or no daemon */
	EXITCODE_DENIED = 5,
	EXITCODE_NOT_RUNNING = 7,  /* the command needs a running program */
	EXITCODE_INTERRUPTED = 130 /* as a shell says of a process that SIGINT ended */
};

/* The code of two parts together: the one that is not 0, or FAILED when they differ. */
static inline enum exitcode exitcode_join(enum exitcode a, enum exitcode b)
{
	if (a == EXITCODE_OK || a == b)
		return b;
	return b == EXITCODE_OK ? a : EXITCODE_FAILED;
}

#endif
