/* SPDX-License-Identifier: ISC */
/*
 * program.h: one program instance as the wire describes it (type Program of io.superctl.varlink).
 * The texts point into the reply that was read.
 */
#ifndef CTL_PROGRAM_H
#define CTL_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>

#include "ctl/out.h"
#include "lib/jsonr.h"

struct program {
	const char *name;
	const char *program;
	const char *state;
	const char *wanted;
	const char *since;
	const char *reason;
	const char *status_text;
	const char *health;      /* "": nobody looked */
	const char *tracking;    /* "": not told */
	const char *peer;        /* "": nobody is connected, or it is not known */
	const char *exit_signal; /* NULL: none ended it */
	int64_t instance;
	int64_t exit_status; /* -1: none */
	int64_t pid;         /* 0: none */
	int64_t starts;
	int64_t memory_bytes; /* -1: not known */
	int64_t cpu_ms;       /* -1: not known */
	int64_t max_connections; /* accept = true; 0: it is not */
	bool ready;
	bool reloading;
	bool transient;        /* of superctl run, and in no file */
	bool on_event;         /* of an on_event: nobody but events starts it */
	int64_t missed_events; /* then; -1: not told */
	bool files_differ; /* from what is applied */
	int pending;       /* value of the keys that wait for the next start; -1: not told */
};

/* Read a record.  -EBADMSG when it is none or has no name or state; what else it lacks is empty. */
int program_read(struct jsonr *json, int record, struct program *ret_program);

/* A process of it is at work: RUNNING or STARTING. */
bool program_is_running(const struct program *program);

/* It runs, and its health check says that it should not be trusted. */
bool program_is_unhealthy(const struct program *program);

/* How a person looks at its state. */
enum out_style program_style(const struct program *program);

#endif
