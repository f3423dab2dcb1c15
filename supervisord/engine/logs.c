/* SPDX-License-Identifier: ISC */
/* logs.c: see logs.h and lib/io.superctl.varlink. */
#define _GNU_SOURCE
#include <string.h>
#include <sys/socket.h>

#include "lib/channel.h"
#include "lib/logspec.h"
#include "supervisord/engine/call.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/logrequest.h"
#include "supervisord/engine/logs.h"
#include "supervisord/engine/selection.h"

#define OWN_LOG_NAME "supervisord"

static bool find_log(struct call *call, const struct log_request *request, uint32_t *ret_row);
static bool may_hand_over(struct call *call);
static int send_to_logger(void *context, int fd);

void logs_read(struct call *call)
{
	struct log_request request;
	struct msg_read_log message;
	const char *wrong = NULL;
	uint32_t row;

	if (log_request_read(call->parameters, &request, &wrong) < 0) {
		call_invalid_parameter(call, wrong);
		return;
	}
	if (request.follow && !call->client->more) {
		call_invalid_parameter(call, "follow");
		return;
	}
	if (!may_hand_over(call) || !find_log(call, &request, &row))
		return;
	message = log_request_to_message(&request, row, call->client->more);
	if (row == LOGSPEC_ROW_OWN)
		message.stream = 0; /* there is one, and it is its stderr */
	if (control_hand_over(call->client, send_to_logger, &message) < 0)
		call_error_text(call, CALL_INTERFACE ".Busy", "reason",
		    "the logger does not take requests now");
}

/* The logger knows nothing of what else was asked on the connection. */
static bool may_hand_over(struct call *call)
{
	if (call->client->oneway)
		return false;
	if (call->client->input.end > call->client->input.start) {
		call_error_text(call, CALL_INTERFACE ".Busy", "reason",
		    "Logs takes the connection over: nothing may follow it");
		return false;
	}
	return true;
}

/* The row of the log that is asked for.  False: there is none, and the call has been answered. */
static bool find_log(struct call *call, const struct log_request *request, uint32_t *ret_row)
{
	const struct program *program;
	enum stdio_kind kind;

	if (strcmp(request->name, OWN_LOG_NAME) == 0) {
		*ret_row = LOGSPEC_ROW_OWN;
		if (slots_find(&call->engine->slots, held_key(HELD_OWN_READ, 0, 0)) >= 0)
			return true;
		call_error_text(call, CALL_INTERFACE ".NoLog", "name", request->name);
		return false;
	}
	program = engine_find(call->engine, request->name);
	if (program == NULL) {
		selection_tell_missing(call, request->name, false);
		return false;
	}
	kind = request->of_stderr ? program->config->key_stderr.kind
				  : program->config->key_stdout.kind;
	if (kind != STDIO_LOG) {
		call_error_text(call, CALL_INTERFACE ".NoLog", "name", request->name);
		return false;
	}
	*ret_row = (uint32_t)program->run.row;
	return true;
}

static int send_to_logger(void *context, int fd)
{
	const struct msg_read_log *message = context;
	struct msg_head head = {.type = MSG_READ_LOG};

	return channel_send(FD_PEER, &head, message, sizeof(*message), &fd, 1, MSG_DONTWAIT);
}
