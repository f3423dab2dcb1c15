/* SPDX-License-Identifier: ISC */
/*
 * launch.h: from a stanza to a running process.
 *
 * A launch plan holds everything the child will need, resolved beforehand: argv, environment, the
 * paths to try, ids, limits, and the three streams as descriptors.  Between clone and exec there
 * are only system calls on it.  A step that fails is written into the ledger by the child itself,
 * so the reason survives even the engine, and a person reads "chdir /srv/app: No such file or
 * directory".
 */
#ifndef ENGINE_LAUNCH_H
#define ENGINE_LAUNCH_H

#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "lib/ledger.h"
#include "supervisord/engine/config.h"
#include "supervisord/engine/ids.h"

struct filelooks;

/* In the order in which they happen.  The names are what users see. */
#define LAUNCH_STEPS(X)                                                                            \
	X(NONE, "")                                                                                \
	X(PREPARE, "prepare")                                                                      \
	X(USER, "user")                                                                            \
	X(STDIN, "stdin")                                                                          \
	X(STDOUT, "stdout")                                                                        \
	X(STDERR, "stderr")                                                                        \
	X(TTY, "tty")                                                                              \
	X(SOCKETS, "socket")                                                                       \
	X(NOTIFY, "notify socket")                                                                 \
	X(READY, "ready")                                                                          \
	X(IPC, "ipc")                                                                              \
	X(CGROUP, "cgroup")                                                                        \
	X(CLONE, "clone")                                                                          \
	X(DESCRIPTORS, "descriptors")                                                              \
	X(SESSION, "setsid")                                                                       \
	X(LIMITS, "setrlimit")                                                                     \
	X(GROUPS, "setgroups")                                                                     \
	X(GID, "setgid")                                                                           \
	X(UID, "setuid")                                                                           \
	X(DIRECTORY, "chdir")                                                                      \
	X(SIGNALS, "sigprocmask")                                                                  \
	X(EXEC, "exec")

#define LAUNCH_ENUM(name, text) LAUNCH_##name,
enum launch_step { LAUNCH_STEPS(LAUNCH_ENUM) };

const char *launch_step_name(enum launch_step step);

/* Where the streams stand in our table for the child; reserved at start by launch_init(). */
#define LAUNCH_STAGE 8

/* A further descriptor of the child. */
struct launch_fd {
	int fd;     /* borrowed */
	int number; /* what it is to be in the child, from 3 on */
};

struct launch_request {
	const struct program_config *config;
	const struct ids *ids;
	const char *name;     /* instance, also for its tasks */
	const char *run_name; /* of the ledger row, for SUPERVISORD_RUN */
	const char *run_dir;
	char *const
	    *words; /* what to run in place of config's command (likewise expanded), or NULL */
	/* Added to config's, wins over it; NULL: nothing.  The child completes "WATCHDOG_PID=" and
	 * "LISTEN_PID=" with its own pid. */
	char *const *environment;
	const char *node_preload; /* a script for Node, behind what the stanza says in NODE_OPTIONS,
				     if its user may read it; NULL: none */
	uint64_t run;
	uint64_t nonce;                /* of the guardian: makes SUPERVISORD_RUN unmistakable */
	struct rlimit nofile;          /* the child's */
	int streams[3];                /* what becomes 0, 1, 2; borrowed */
	const struct launch_fd *extra; /* in any order */
	size_t extra_count;            /* at most LAUNCH_EXTRA */
	bool tty;                      /* its standard input becomes its controlling terminal */
	struct filelooks *looks;       /* NULL: what may hang is not looked at before */
	int cgroup;                    /* directory of the run's cgroup, open; -1: none */
};

/* What a child goes without: 0, or the -errno why. */
struct launch_lack {
	int cgroup; /* could not be put into request->cgroup, and runs in ours */
	int node_preload;
};

/* LISTEN_FDS of all sockets and a full store, one for ready = "fd:N", and an IPC channel; a relay
 * of a terminal has others, and fewer. */
#define LAUNCH_EXTRA (LIMIT_PROGRAM_SOCKETS + LIMIT_FDSTORE + 2)

/*
 * Start it.  `row` is where the kernel writes the pid and the child its failure.  Returns 0 when a
 * child was made (it may still have failed to exec: row.failure tells, and its exit comes like any
 * other), or -errno with *ret_step when there is no child; with one, what it does without.
 *
 * An executable in our libexec is run for users, too, who may not search a directory above it.
 */
int launch_program(const struct launch_request *request, struct ledger *ledger, int row,
    enum launch_step *ret_step, struct launch_lack *ret_lack);

/* Reserve the staging descriptors.  Call once, early.  Returns 0 or -errno. */
int launch_init(void);

/* SUPERVISORD_RUN of a run, by which strays are recognised: "NAME:RUN:NONCE". Returns `buffer`. */
#define LAUNCH_MARK (LIMIT_NAME + 48)
const char *launch_mark(const char *name, uint64_t run, uint64_t nonce, char *buffer, size_t size);

/* Add a variable to what becomes `environment` of a request; to be freed.  0 or -ENOMEM.
 * (launchplan.c) */
int launch_add_variable(char **environment, size_t *count, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
