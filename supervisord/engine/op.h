/* SPDX-License-Identifier: ISC */
/*
 * op.h: a command on programs, and the client that waits for it.
 *
 * The command itself is done at once (a wish in the ledger); an op only watches what becomes of it
 * and tells the client, one result as each program arrives, or all together.  So a client that goes
 * away cancels nothing, and a program that is slow to stop delays no other command.  A client that
 * takes several replies is also told, now and then, what it is still waiting for.
 */
#ifndef ENGINE_OP_H
#define ENGINE_OP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/clock.h"
#include "lib/jsonw.h"
#include "supervisord/engine/aim.h"

/* What takes time, a shutdown too, says whom it waits for: when first, how often then, and how
 * many. */
#define OP_TELL_FIRST_NS (2 * NS_PER_S)
#define OP_TELL_AGAIN_NS (5 * NS_PER_S)
#define OP_TELL_PROGRAMS 10

struct call;
struct control_client;

struct op_request {
	struct control_client *client;
	bool wait;          /* false: reply with what is true right after the command */
	int64_t timeout_ms; /* -1: for as long as it takes */
};

struct op;

/* The parameters `wait` and `timeout_ms` of a call, both optional.  False: answered. */
bool op_read_request(struct call *call, struct op_request *ret_request);

/* A new op without programs.  NULL: out of memory. */
struct op *op_new(const struct op_request *request);

/* JSON that goes into the next reply beside the results: `"steps":[…]`.  Takes the writer's
 * content. */
void op_set_extra(struct op *op, struct jsonw *extra);

/* Watch a program; call before the command is done to it. Returns 0 or -ENOMEM. */
int op_add(struct op *op, struct program *program, enum op_goal goal);

/* A result that is known already. */
void op_add_result(struct op *op, const struct program *program, bool ok, const char *message);

/* All programs are added and commanded: settle what is settled, arm the timeout. May free the op.
 */
void op_begin(struct op *op);

/* Do not end when all programs are there; until op_release(), which also begins to wait for what
 * was added meanwhile.  That may free the op. */
void op_hold(struct op *op);
void op_release(struct op *op);

/*
 * The program has changed; settles and tells what is settled.  Who waits for that program may have
 * nothing to wait for any more: that is found out by op_review() in the next round.
 */
void op_note_change(struct program *program);

/* Look again at what does not depend on its own program alone.  May free the op. */
void op_review(struct op *op);

/* The program goes away for good. */
void op_note_removed(struct program *program);

/* The client is gone. */
void op_cancel(struct op *op);

#endif
