/* SPDX-License-Identifier: ISC */
/*
 * run.h: the processes of one ledger row: launch, signal, and the proof that all are gone.
 *
 * A row is a program instance or one of its tasks (a hook, a check: task.h); this module treats
 * them alike.  It decides nothing about states.
 *
 * Which processes belong to a run is known in one of two ways: by its own cgroup (cgroup.h) where
 * cgroup v2 is writable, else by session, group, descent and SUPERVISORD_RUN (members.h).
 */
#ifndef ENGINE_RUN_H
#define ENGINE_RUN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "supervisord/engine/config.h"
#include "supervisord/engine/launch.h"

struct engine;
struct member_watch;

enum run_kind { RUN_PROGRAM, RUN_TASK };

struct run {
	struct engine *engine;
	enum run_kind kind; /* what it is part of: struct program, struct task */
	int row;
	/* What run_is_gone() found left has changed: ask it again, but not from here.  Set by the
	 * owner. */
	void (*on_change)(struct run *run);
	bool leaf_is_new; /* nothing in its cgroup was killed since that was made */
	struct member_watch
	    *watch; /* a process that outlives its leader, while we wait for the end */
};

#define RUN_NO_VOUCHER ((uid_t)-1)

/* Whom a signal goes to. */
enum run_whom {
	RUN_MAIN, /* the main process; when it is dead, nobody */
	RUN_ALL,  /* every process of the run */
};

/*
 * Make the main process of run `request->run`.  What is the same for every run (run_name, run_dir,
 * nonce, nofile, cgroup) is filled in here, the rest by the caller.  News of earlier runs in the
 * row's mailbox are dropped.  Returns 0, or -errno after noting the failure (step, errno) in the
 * row; then there is no process and no exit will come.
 */
int run_launch(struct run *run, const struct launch_request *request);

/* Note a failure before there was a launch: `error` is an errno (positive). */
void run_note_failure(struct run *run, enum launch_step step, int error);

/* Pid of the live main process, or 0. */
pid_t run_pid(const struct run *run);

/* A signal, and CONT after it so that a stopped process can act on it. */
void run_signal(struct run *run, int number, enum run_whom whom);

/* KILL to every process of the run, said in the own log under `name` unless NULL. */
void run_kill(struct run *run, const char *name);

/* A signal to the main process alone, without CONT.  -ESRCH: there is none. */
int run_signal_main(const struct run *run, int number);

/* The main process is dead but others of its run are not: quick and sure with a cgroup, else only
 * what its process group tells. */
bool run_has_group(const struct run *run);

/* The same, sure: a look at every process of the machine if there is any doubt. */
bool run_has_leftovers(struct run *run);

/* The leader's number names its group for as long as the group exists; after that it may be
 * anybody's. */
void run_forget_leader(struct run *run);

/*
 * Whether a signal to RUN_ALL reaches every process while the main process lives.  If not (there is
 * no cgroup), it reaches the main process's group, and what is left when the main process has ended
 * is to be told then.
 */
bool run_reaches_all(const struct run *run);

/*
 * Whether every process of the run is gone.  The main process counts as long as its pid is in the
 * ledger; whether news of its end have been acted on is for the caller to know.  If something else
 * is left, it is watched, and run->on_change() is called when that has ended. `only_main`:
 * kill_mode = process, the others do not count. *ret_left (may be NULL) is how many are left; 1
 * while the main process lives.
 */
bool run_is_gone(struct run *run, bool only_main, size_t *ret_left);

/* Names (comm) and pids of what is left, "sleep (123), sh (124), ...", for messages.  Returns
 * `buffer`. */
const char *run_left_text(struct run *run, char *buffer, size_t size);

/* The same as pids, at most `size`, main process included; returns how many there are.  They may be
 * out of date when they are read. */
size_t run_list(struct run *run, pid_t *pids, size_t size);

void run_forget_watch(struct run *run);

/*
 * Whether `pid` is a live process of this run (and not the reused number of one that was).
 */
bool run_has_member(struct run *run, pid_t pid);

/*
 * Make `pid`, a child of the guardian and a member of this run, its main process, so that the
 * guardian posts its end.  `voucher`: the owner of a pid file that names it, or RUN_NO_VOUCHER: a
 * daemon that has left its session and overwritten its environment (nginx) bears no sign of its
 * run where there are no cgroups, and is believed on that word if it began after the run, bears no
 * sign of another one, and the voucher is its own user or root.  When the present main process lives, its end will not be seen any more.
 * News of its end that are in the mailbox already, or come now, are to be dropped by whoever reads
 * them: they are of a former main process if run_pid() is not 0 then.
 * 0: it is now.  -ESRCH: no such process, or it has ended; run_pid() is as before, or 0 without any
 * news if the present one has ended with it.  -EPERM: not of this run; -ECHILD: not the guardian's
 * child (yet), so nobody could collect its status.
 */
int run_set_main(struct run *run, pid_t pid, uid_t voucher);

/* The one process of the run that is a child of the guardian, or 0 when there are none or several.
 */
pid_t run_find_main(struct run *run);

/* The row's instance is gone for good: its cgroup goes too. */
void run_release(struct run *run);

/* What was read of /proc for this round of the loop is out of date from now on. */
void run_end_round(struct engine *engine);

#endif
