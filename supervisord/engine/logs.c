/* SPDX-License-Identifier: ISC */
/* logs.c: see logs.h and lib/io.superctl.varlink. */
#define _GNU_SOURCE
#include <string.h>
#include <sys/socket.h>

#include "lib/channel.h"
#include "lib/logspec.h"
#include "lib/ownlog.h"
#include "supervisord/engine/access.h"
#include "supervisord/engine/call.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/logrequest.h"
#include "supervisord/engine/logs.h"
#include "supervisord/engine/route.h"
#include "supervisord/engine/selection.h"

#define OWN_LOG_NAME "supervisord"

/* What the logger is sent along with the connection. */
struct handover {
	enum msg_type type;
	const void *payload;
	size_t length;
};

enum { STDOUT_BIT = 1, STDERR_BIT = 2 };

static void act(struct call *call, enum msg_type type);
static bool has_log(const struct engine *engine, const struct stdio *stdio);
static bool has_file(const struct engine *engine, const struct stdio *stdio);
static bool find_row(struct call *call, const char *name, unsigned streams,
    bool (*has)(const struct engine *engine, const struct stdio *stdio), uint32_t *ret_row);
static bool may_hand_over(struct call *call);
static bool may_share(struct call *call, const struct program *program, unsigned streams);
static bool is_shared(const struct config *config, const struct program_config *program,
    const struct program_config *other, unsigned streams);
static void hand_over(struct call *call, struct handover *handover);
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
		call_error_text(call, "org.varlink.service.ExpectedMore", NULL, NULL);
		return;
	}
	if (!may_hand_over(call) || !find_row(call, request.name,
					request.of_stderr ? STDERR_BIT : STDOUT_BIT, has_log, &row))
		return;
	message = log_request_to_message(&request, row, call->client->more);
	if (row == LOGSPEC_ROW_OWN)
		message.stream = 0; /* there is one, and it is its stderr */
	hand_over(call, &(struct handover){MSG_READ_LOG, &message, sizeof(message)});
}

void logs_rotate(struct call *call)
{
	act(call, MSG_LOG_ROTATE);
}

void logs_reopen(struct call *call)
{
	act(call, MSG_LOG_REOPEN);
}

void logs_clear(struct call *call)
{
	act(call, MSG_LOG_CLEAR);
}

static void act(struct call *call, enum msg_type type)
{
	static const char *const names[] = {"name", NULL};
	struct msg_log_act message = {.streams = STDOUT_BIT | STDERR_BIT};
	const char *name = NULL;

	if (!call_allows(call, names) || !call_get_string(call, "name", &name))
		return;
	if (name == NULL) {
		call_invalid_parameter(call, "name");
		return;
	}
	if (!may_hand_over(call) || !find_row(call, name, message.streams, has_file, &message.row))
		return;
	log_notice("%s: %s requested by uid %u", name, strrchr(call->method, '.') + 1,
	    (unsigned)call->client->uid);
	hand_over(call, &(struct handover){type, &message, sizeof(message)});
}

/* The logger knows nothing of what else was asked on the connection. */
static bool may_hand_over(struct call *call)
{
	if (call->client->oneway)
		return false;
	if (call->client->input.end > call->client->input.start) {
		call_error_text(call, CALL_INTERFACE ".Busy", "reason",
		    "a call about logs takes the connection over: nothing may follow it");
		return false;
	}
	return true;
}

/* A log in files, or in the logger's memory. */
static bool has_log(const struct engine *engine, const struct stdio *stdio)
{
	return route_is_logged(stdio, engine_inherit_format(engine));
}

static bool has_file(const struct engine *engine, const struct stdio *stdio)
{
	(void)engine;
	return route_has_file(stdio);
}

/*
 * The row of a program of which one of these streams at least `has` a log; where its filter has it,
 * the row of that.  False: there is none, and the call has been answered.
 */
static bool find_row(struct call *call, const char *name, unsigned streams,
    bool (*has)(const struct engine *engine, const struct stdio *stdio), uint32_t *ret_row)
{
	const struct program *program, *filter;

	if (strcmp(name, OWN_LOG_NAME) == 0) {
		if (!access_may_name(call->client, call->right, name)) {
			access_refuse(call, call->right, name);
			return false;
		}
		*ret_row = LOGSPEC_ROW_OWN;
		if (slots_find(&call->engine->slots, held_key(HELD_OWN_READ, 0, 0)) >= 0)
			return true;
		call_error_text(call, CALL_INTERFACE ".NoLog", "name", name);
		return false;
	}
	program = selection_find_one(call, name);
	if (program == NULL)
		return false;
	filter = engine_find_filter(call->engine, program);
	if ((streams & STDOUT_BIT) && filter != NULL)
		program = filter;
	if (((streams & STDOUT_BIT) && has(call->engine, &program->config->key_stdout)) ||
	    ((streams & STDERR_BIT) && has(call->engine, &program->config->key_stderr))) {
		if (!may_share(call, program, streams))
			return false;
		*ret_row = (uint32_t)program->run.row;
		return true;
	}
	call_error_text(call, CALL_INTERFACE ".NoLog", "name", name);
	return false;
}

/* A file that others write to, too, is theirs as well.  False: answered. */
static bool may_share(struct call *call, const struct program *program, unsigned streams)
{
	const struct engine *engine = call->engine;
	struct access may;
	bool ok = access_init(&may, call->client, call->right) == 0;

	if (!ok)
		call_out_of_memory(call);
	for (size_t i = 0; ok && !may.all && i < engine->program_count; i++) {
		if (engine->programs[i] == program || access_has(&may, engine->programs[i]) ||
		    !is_shared(
			engine->config, program->config, engine->programs[i]->config, streams))
			continue;
		access_refuse(call, call->right, NULL);
		ok = false;
	}
	access_done(&may);
	return ok;
}

/* Does one of these streams go to a file that any stream of the other one goes to? */
static bool is_shared(const struct config *config, const struct program_config *program,
    const struct program_config *other, unsigned streams)
{
	bool shared = false;

	for (int mine = 0; mine < 2 && !shared; mine++) {
		char *path = NULL;

		if ((streams & (mine == 0 ? STDOUT_BIT : STDERR_BIT)) != 0 &&
		    route_has_file(mine == 0 ? &program->key_stdout : &program->key_stderr))
			path = config_log_path(config, program, mine);
		for (int its = 0; its < 2 && path != NULL && !shared; its++) {
			char *its_path = NULL;

			if (route_has_file(its == 0 ? &other->key_stdout : &other->key_stderr))
				its_path = config_log_path(config, other, its);
			shared = its_path != NULL && strcmp(path, its_path) == 0;
			free(its_path);
		}
		free(path);
	}
	return shared;
}

static void hand_over(struct call *call, struct handover *handover)
{
	if (control_hand_over(call->client, send_to_logger, handover) < 0)
		call_error_text(call, CALL_INTERFACE ".Busy", "reason",
		    "the logger does not take requests now");
}

static int send_to_logger(void *context, int fd)
{
	const struct handover *handover = context;
	struct msg_head head = {.type = handover->type};

	return channel_send(
	    FD_PEER, &head, handover->payload, handover->length, &fd, 1, MSG_DONTWAIT);
}
