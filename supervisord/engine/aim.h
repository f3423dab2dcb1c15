/* SPDX-License-Identifier: ISC */
/*
 * aim.h: what a command wants of one program, and whether that has come true.
 *
 * Judged from the ledger's state alone, whenever the program (or what it waits for) has changed:
 * nothing has to be told to an aim, and nothing is lost between two looks.
 */
#ifndef ENGINE_AIM_H
#define ENGINE_AIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "supervisord/engine/program.h"

enum op_goal {
	OP_NONE,      /* nothing to wait for: say how it is */
	OP_UP,        /* RUNNING, or ended with success */
	OP_DOWN,      /* no process of it is left */
	OP_RESTARTED, /* up again, by another run than before */
	OP_ROLLED,    /* likewise, in its turn, and has stayed up */
	OP_RELOADED,  /* the same run, with its reload behind it */
	OP_ENDED,     /* as OP_DOWN, by a shutdown that may yet have to be told to the program */
};

struct aim {
	struct program *program;
	enum op_goal goal;
	uint64_t run_before;
	enum state state_before;
	const struct control_client *reader; /* who is told, as of program_reason() */
	bool said_reloading; /* OP_RELOADED: RELOADING=1 has come */
	int64_t
	    patience_ns; /* OP_RELOADED: until then it may still come: judge again; 0: not begun */
};

enum verdict { VERDICT_OPEN, VERDICT_OK, VERDICT_FAILED };

/* Call it before the command is done to the program. */
void aim_init(struct aim *aim, struct program *program, enum op_goal goal);

enum verdict aim_judge(struct aim *aim);

/* Depends on more than its own program now: to be judged again when others have changed, or later.
 */
bool aim_is_about_others(const struct aim *aim);

/* The command did something to the program. */
bool aim_has_changed(const struct aim *aim, enum verdict verdict);

/* What came of it, as a part of a sentence: "started (pid 7)". */
#define AIM_TEXT 512
void aim_describe(const struct aim *aim, enum verdict verdict, char *buffer, size_t size);

/* The same when the client has waited enough. */
void aim_describe_late(const struct aim *aim, char *buffer, size_t size);

/*
 * What it still waits for, if that is worth telling: in `reason`, and which processes of a stopping
 * program are left in `left` (empty: does not apply).
 */
#define AIM_LEFT_TEXT 192
bool aim_describe_waiting(
    const struct aim *aim, char *reason, size_t reason_size, char *left, size_t left_size);

/* What one that is on its way up does, and for how long yet: worth telling when it takes long.
 * False: it is not on its way up. */
bool aim_describe_start(const struct aim *aim, char *reason, size_t size);

/* When what is left of it gets KILL (CLOCK_BOOTTIME); 0: that was done, or is not to come. */
int64_t aim_kill_ns(const struct aim *aim);

#endif
