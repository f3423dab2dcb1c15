/* SPDX-License-Identifier: ISC */
/*
 * reason.h: why an instance is in its state, as a code and two numbers in the ledger, and as a
 * sentence for people.  The log line of a transition, `superctl status` and `superctl why` all read
 * the same record.  Pure.
 */
#ifndef ENGINE_REASON_H
#define ENGINE_REASON_H

#include <stddef.h>

#include "lib/ledger.h"
#include "supervisord/engine/config.h"

/* `detail` and `step` of struct ledger_state belong to the reason. */
enum reason {
	REASON_NONE,
	REASON_AUTOSTART,
	REASON_STARTED,   /* by an operator; detail: uid */
	REASON_STOPPED,   /* likewise */
	REASON_RESTARTED, /* likewise */
	REASON_ADDED,     /* by an apply; detail: see changes.h, 0: not known */
	REASON_CHANGED,   /* its stanza changed: restart; detail: see changes.h, 0: not known */
	REASON_REMOVED,   /* its stanza is gone; detail: instances that are left of it, 0: none */
	REASON_SHUTDOWN,
	REASON_EXIT,      /* the run ended; detail: wait status; step: enum exit_evidence */
	REASON_LAUNCH,    /* the launch failed; step: which, detail: errno */
	REASON_RETRY,     /* launched again after a delay; detail: which attempt */
	REASON_STABLE,    /* has lived for stable_after */
	REASON_KILLED,    /* stop_timeout: KILL was sent */
	REASON_READY,     /* detail: enum check_kind that said so */
	REASON_REQUIRED,  /* started because another one needs it; step: row of that one + 1 */
	REASON_LOST,      /* what it requires is not there any more; step: row of that one + 1 */
	REASON_CONFLICT,  /* stopped because another one starts; step: row of that one + 1 */
	REASON_NOT_READY, /* start_timeout */
	REASON_HOOK, /* a hook failed; step: enum task_kind, detail: wait status, -1: timed out */
	REASON_HOOK_LAUNCH, /* a hook could not be launched; step: enum task_kind, detail: errno */
	REASON_WATCHDOG,    /* no WATCHDOG=1 in time, or WATCHDOG=trigger */
	REASON_UNHEALTHY,   /* detail: failed checks in a row */
	REASON_RUNTIME,     /* max_runtime */
	REASON_NO_MAIN, /* forking: no main process was left, or pid_file names none; detail: errno
			 */
	REASON_ERRNO,   /* the program said ERRNO= before it failed; detail: that */
	REASON_SLOW_RETRY, /* on_failure = retry */
	REASON_GAVE_UP,    /* started by the on_failure of another one; step: row of that one + 1 */
	REASON_FORCED,     /* stopped with what it requires (--force); detail: uid */
	REASON_LAST_STATE, /* boot = last-state */
	REASON_DEMAND,     /* start = on-demand: somebody has connected */
	REASON_FLOOD,      /* trigger_limit; detail: starts by connections in its interval */
	REASON_IDLE,       /* idle_stop; detail: its seconds */
	REASON_EVENT,      /* of an on_event; detail: the lower bits of the number */
	REASON_WITHOUT,    /* went on without what it wants; step: row of that one + 1 */
	REASON_ROLLED,     /* its turn of a rolling update has come; detail: as of CHANGED */
	REASON_STUCK,      /* a worker of a cluster; detail: 1: it has closed its channel */
	REASON_COUNT,
};

/* Enough for every sentence but a path in it, which is cut visibly ("…"). */
#define REASON_TEXT 256

/* What is known of the end of a run beside its wait status. */
enum exit_evidence {
	EXIT_PLAIN,
	EXIT_BY_OPERATOR, /* by the signal that superctl signal has sent */
	EXIT_OOM,         /* killed by the kernel, as its cgroup says: memory had run out */
	EXIT_OOM_OTHER,   /* another process of it was, before the main one ended */
	EXIT_OOM_LIKELY,  /* KILL, not sent by us, and the kernel has killed for want of memory */
	EXIT_STRANGER,    /* KILL, not sent by us */
};
struct exit_finding {
	enum exit_evidence evidence;
	uint32_t killer;  /* EXIT_BY_OPERATOR: uid */
	int64_t peak_kb;  /* of all processes of the run, 0: not known */
	int64_t limit_kb; /* 0: none, or not known */
};

/* Who has put a configuration in force. */
enum applied_by { APPLIED_BY_COMMAND, APPLIED_BY_HANGUP, APPLIED_BY_ROLLBACK };
struct reason_change {
	const char *keys; /* "command, user"; "": none is known, or it is new */
	uint32_t uid;     /* APPLIED_BY_COMMAND */
	enum applied_by by;
};

/* What a sentence may need of the stanza; NULL where unknown. */
struct reason_words {
	const char *program_path; /* argv[0] */
	const char *directory;
	const char *stream_target[3]; /* stdin, stdout, stderr as written in the stanza */
	const char *user;
	const char *peer;      /* who is connected; NULL: nobody, or not known */
	const char *demand;    /* the socket on which a connection is waited for; NULL: none */
	const char *socket;    /* the address that is not open; NULL: all are */
	const char *waits_for; /* the instance it waits for, NULL: none */
	const char *waits_condition; /* "ready" and so on, NULL: nothing to add */
	const char *other;           /* the instance that `step` names, NULL: not there any more */
	const struct check *ready;   /* the stanza's */
	const struct reason_change *change; /* that the reason is about, NULL: not known */
	const struct exit_finding
	    *finding;                /* of the run whose end is the reason, NULL: not known */
	long long retry_ms;          /* BACKOFF: the delay, -1: none */
	int safe_mode;
};

/* The sentence for a state; "" when there is nothing to say.  Returns `buffer`. */
const char *reason_text(
    const struct ledger_state *state, const struct reason_words *words, char *buffer, size_t size);

/* "exited with status 1", "was killed by signal KILL (core dumped)". Returns `buffer`. */
const char *reason_exit_text(int wstatus, char *buffer, size_t size);

/* The same, with what else is known of it (NULL: nothing). Returns `buffer`. */
#define REASON_END_TEXT 160
const char *reason_end_text(
    int wstatus, const struct exit_finding *finding, char *buffer, size_t size);

#endif
