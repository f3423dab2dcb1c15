/* SPDX-License-Identifier: ISC */
/*
 * launchplan.h: everything a child will need, as memory that is ready to be used: argv,
 * environment, the paths to try, ids, limits.  Made before the clone, read (and the pids in the
 * environment written) by the child, released after it.
 */
#ifndef ENGINE_LAUNCHPLAN_H
#define ENGINE_LAUNCHPLAN_H

#include <signal.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "lib/ledger.h"
#include "supervisord/engine/launch.h"

/* WATCHDOG_PID, LISTEN_PID */
#define LAUNCH_PID_VARIABLES 2

struct launch_plan {
	char **argv;
	char **envp;
	char **paths; /* to try for argv[0], in order */
	char *directory;
	const struct ids *ids;
	mode_t umask;
	bool tty; /* 0 is to be the controlling terminal */
	struct rlimit nofile;
	sigset_t no_signals;
	struct ledger_failure *failure;
	const struct launch_fd *extra; /* by number, ascending; staged in this order */
	size_t extra_count;
	int cgroup_procs;          /* for the child to write itself into, -1: nothing to do */
	volatile int cgroup_error; /* errno of that */
	bool is_own;               /* the executable is one of our libexec */
	const char *preload;       /* a script that envp[preload_at] names; NULL: none */
	size_t preload_at;
	char *preload_without;      /* what stands there if it may not be read */
	volatile int preload_error; /* errno of that */
	/* Where the child writes its pid: room for it in strings of envp. */
	char *pid_places[LAUNCH_PID_VARIABLES];
	size_t pid_count;
	char **owned; /* strings of our own, to be freed */
	size_t owned_count;
};

/* Fill in what comes from the request, all but descriptors and cgroup.  Borrows from the request.
 * 0 or -errno; launch_plan_done() in any case. */
int launch_plan_build(struct launch_plan *plan, const struct launch_request *request);
void launch_plan_done(struct launch_plan *plan);

/* In the child: complete the variables that are to name its pid.  No more than a few stores. */
void launch_plan_write_pid(const struct launch_plan *plan, pid_t pid);

/*
 * In the child: become what the program is to be, all but its descriptors: session, limits, ids,
 * directory, signals.  Prepared system calls only.  0, or -errno with the step that failed.
 * (launch.c)
 */
int launch_become(const struct launch_plan *plan, enum launch_step *ret_step);

#endif
