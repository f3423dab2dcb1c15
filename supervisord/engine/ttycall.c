/* SPDX-License-Identifier: ISC */
/* ttycall.c: the methods Attach and Watch of a program with tty = true, see tty.h. */
#include <errno.h>
#include <string.h>

#include "supervisord/engine/call.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/selection.h"
#include "supervisord/engine/tty.h"

struct handover {
	struct program *program;
	bool may_type;
	int64_t from;
};

static int give(void *context, int client);

void tty_call_watch(struct call *call)
{
	static const char *const names[] = {"name", "from", NULL};
	const char *name = NULL;
	struct program *program;

	if (call->client->oneway || !call_allows(call, names) ||
	    !call_get_string(call, "name", &name))
		return;
	program = selection_find_one(call, name);
	if (program == NULL)
		return;
	if (program->config->life->key_tty)
		tty_call_attach(call, program, false);
	else
		call_error_text(call, CALL_INTERFACE ".NoTerminal", "name", name);
}

/* The relay answers, on the connection itself. */
void tty_call_attach(struct call *call, struct program *program, bool may_type)
{
	struct handover handover = {.program = program, .may_type = may_type, .from = -1};
	int error;

	if (!call_get_int(call, "from", -1, INT64_MAX, &handover.from))
		return;
	error = call->client->input.end > call->client->input.start
		    ? -EBUSY
		    : control_hand_over(call->client, give, &handover);
	if (error < 0)
		call_error_text(call, CALL_INTERFACE ".Busy", "reason",
		    error == -EBUSY      ? "nothing may follow this call before its reply"
		    : error == -ENOTCONN ? "the relay of its terminal (NAME+tty) does not run now"
					 : strerror(-error));
}

static int give(void *context, int client)
{
	const struct handover *handover = context;

	return tty_attach(handover->program, client, handover->may_type, handover->from);
}
