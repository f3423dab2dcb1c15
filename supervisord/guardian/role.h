/* SPDX-License-Identifier: ISC */
/*
 * role.h: a process the guardian keeps alive: the engine or the logger.
 *
 * Owns its executable's path, its pid, its channel and when to start it again.  A role that dies is
 * started again after 0, 1, 2, 4 … 30 seconds; one that lived for ROLE_STEADY_NS begins at 0 again.
 */
#ifndef GUARDIAN_ROLE_H
#define GUARDIAN_ROLE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/clock.h"

/* This many crashes within the window, and the engine comes up in safe mode. */
#define ROLE_CRASH_LIMIT     5
#define ROLE_CRASH_WINDOW_NS (60 * NS_PER_S)
#define ROLE_STEADY_NS       (60 * NS_PER_S)

/* So often may one ask for another, each time within so long of the last. */
#define ROLE_AGAIN_LIMIT 5
#define ROLE_AGAIN_NS    (10 * NS_PER_S)

#define ROLE_ARGV_MAX 8

struct role {
	const char *name;
	char path[4096];           /* of the executable */
	char *argv[ROLE_ARGV_MAX]; /* NULL-terminated; borrowed strings */
	pid_t pid;                 /* 0: not running */
	int channel;               /* to it, -1 when it is not running */
	int stderr_fd;             /* becomes its descriptor 2 */
	bool ended;                /* it is not to be started again */
	int64_t started_ns;
	int64_t restart_ns;                 /* when to start it, 0: nothing due */
	unsigned crashes;                   /* in a row, for the delay */
	int64_t crash_ns[ROLE_CRASH_LIMIT]; /* the last ones, a ring */
	unsigned crash_next;
	int64_t again_ns; /* when it last ended only to be started anew … */
	unsigned agains;  /* … and how often, each soon after the one before */
};

/* Descriptors the role gets besides its channel: inherited[i] becomes FD_PEER + i. */
#define ROLE_INHERITED_MAX 3

/*
 * Start it.  Gives it a new channel.  Returns 0, or -errno when it could not be started (the failed
 * exec of an executable that is missing is reported too); then it counts as a crash at once.
 */
int role_start(struct role *role, const int *inherited, unsigned inherited_count);

/* It has ended: closes the channel and decides when to start it again.  Returns that delay. */
int64_t role_note_crash(struct role *role, int64_t now_ns);

/*
 * It has ended because it wants to be started again, which is no crash: it is due at once.  Returns
 * false when it asks for that again and again: then it is one, see role_note_crash().
 */
bool role_note_again(struct role *role, int64_t now_ns);

/* Whether it crashed ROLE_CRASH_LIMIT times within the window. */
bool role_is_crash_looping(const struct role *role, int64_t now_ns);

#endif
