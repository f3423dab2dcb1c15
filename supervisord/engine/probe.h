/* SPDX-License-Identifier: ISC */
/*
 * probe.h: one look at whether a program answers: a connection, a request, a command, a file.
 *
 * A probe belongs to the run that it looks at and never outlives it.  It never blocks the loop:
 * connections are made without waiting, names are not looked up (HOST is a number or "localhost"),
 * commands are tasks, files are looked at by filelook.h.  It answers exactly once for each
 * probe_begin(), never from inside it. Not for checks that come by themselves (notify, fd), nor for
 * log (logwatch.h).
 */
#ifndef ENGINE_PROBE_H
#define ENGINE_PROBE_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "supervisord/engine/config.h"
#include "supervisord/engine/probehttp.h"
#include "supervisord/engine/task.h"
#include "supervisord/engine/timers.h"

struct program;

/* Bytes of a text that says what is wrong. */
#define PROBE_TEXT 128

enum probe_result {
	PROBE_GOOD,
	PROBE_BAD,
	PROBE_UNABLE, /* we could not look (no descriptor, no memory): says nothing about the
			 program */
};

struct probe {
	struct program *program;
	/*
	 * `problem`: "" when all is well, else what is wrong: "connect: Connection refused".  The
	 * callee may free the probe.
	 */
	void (*done)(struct probe *probe, enum probe_result result, const char *problem);
	enum task_kind task_kind; /* TASK_READY or TASK_HEALTH */
	bool active;              /* an answer is owed */
	/* The rest is probe.c's. */
	struct check check; /* a copy of our own */
	struct timer timer; /* the time limit, or the answer that waits for the next round */
	ev_io io;
	int fd; /* of the connection, -1 */
	struct filelook *look;
	int phase;
	bool second_try; /* "localhost" has two addresses */
	enum probe_result result;
	int64_t timeout_ns;
	struct probehttp http;
	char problem[PROBE_TEXT];
};

/* Borrows `program`. */
void probe_init(struct probe *probe, struct program *program, enum task_kind task_kind,
    void (*done)(struct probe *probe, enum probe_result result, const char *problem));
void probe_done(struct probe *probe);

/*
 * What to look at; keeps a copy.  Another check than before ends what is going on.  Returns 1 when
 * it is another one, 0 when it is the same, -ENOMEM (and then nothing has changed).
 */
int probe_set_check(struct probe *probe, const struct check *check);

/* Look once. */
void probe_begin(struct probe *probe, int64_t timeout_ns);

/* Stop looking: no answer comes any more; a command is killed. */
void probe_cancel(struct probe *probe);

/* A TASK_READY or TASK_HEALTH has ended. */
void probe_note_task(struct probe *probe, const struct task_end *end);

/* %{…} in a path of the stanza.  Gives a new string; -ENOMEM, or -errno of an unknown user. */
int probe_expand_path(struct program *program, const char *path, char **ret_path);

#endif
