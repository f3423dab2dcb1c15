/* SPDX-License-Identifier: ISC */
/*
 * fakecontrol.c: clients of the control socket (in place of control.c, call.c, access.c,
 * selection.c and record.c); the methods themselves (command.c) and who waits for them (op.c,
 * aim.c) are the real ones.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisord/engine/access.h"
#include "supervisord/engine/apply.h"
#include "supervisord/engine/call.h"
#include "supervisord/engine/command.h"
#include "supervisord/engine/draft.h"
#include "supervisord/engine/events.h"
#include "supervisord/engine/op.h"
#include "supervisord/engine/record.h"
#include "supervisord/engine/selection.h"
#include "supervisord/engine/trial.h"
#include "tests/sim/checks.h"
#include "tests/sim/fake.h"
#include "tests/sim/steps.h"
#include "tests/sim/world.h"

static struct control_client *find_client(void);
static void do_apply(struct call *call);

/* ---- control.h ---- */

void control_start(struct control *control, struct engine *engine, int listen_fd)
{
	(void)listen_fd;
	control->engine = engine;
	TAILQ_INIT(&control->clients);
	TAILQ_INIT(&control->due);
}

/* Nobody asks for what they do. */
void helpers_init(struct helpers *helpers, size_t most)
{
	helpers->most = most;
}

void helpers_done(struct helpers *helpers, struct ev_loop *loop)
{
	(void)helpers;
	(void)loop;
}

void control_stop(struct control *control)
{
	(void)control;
	for (int i = 0; i < WORLD_CLIENTS; i++)
		if (world->engine.clients[i].op != NULL)
			op_cancel(world->engine.clients[i].op);
}

bool control_run(struct control *control, unsigned most)
{
	(void)control;
	(void)most;
	if (world->engine.wake_ops) {
		world->engine.wake_ops = false;
		for (int i = 0; i < WORLD_CLIENTS; i++)
			if (world->engine.clients[i].op != NULL)
				op_review(world->engine.clients[i].op);
	}
	if (world->command.given)
		fake_do_command();
	return false;
}

void control_reply(struct control_client *client, struct jsonw *w)
{
	(void)client;
	steps_effect();
	jsonw_reset(w);
}

void control_resume(struct control_client *client)
{
	client->op = NULL;
}

void control_wake_ops(struct control *control)
{
	(void)control;
	world->engine.wake_ops = true;
}

void control_wake_watches(struct control *control)
{
	(void)control;
}

bool events_are_new(struct engine *engine)
{
	(void)engine;
	return false;
}

void control_flush(struct control *control, int timeout_ms)
{
	(void)control;
	(void)timeout_ms;
}

void fake_do_command(void)
{
	struct sim_command *command = &world->command;
	struct call call = {.client = find_client(), .engine = world->engine.engine};

	command->given = false;
	jsonw_init(&call.w, LIMIT_CONTROL_QUEUE);
	if (command->kind == COMMAND_APPLY) {
		do_apply(&call);
		jsonw_done(&call.w);
		return;
	}
	check_command(command);
	switch (command->kind) {
	case COMMAND_START:
		command_start(&call);
		break;
	case COMMAND_STOP:
		command_stop(&call);
		break;
	case COMMAND_RESTART:
		command_restart(&call);
		break;
	case COMMAND_RELOAD:
		command_reload(&call);
		break;
	case COMMAND_APPLY:
		break;
	}
	check_command_done(command);
	jsonw_done(&call.w);
}

/* As confcall_apply() does. */
static void do_apply(struct call *call)
{
	static const int64_t deadlines[] = {100, 3000, 60000};
	static const char *const names[] = {"those of world->command"};
	const struct draft_names scope = {.count = world->command.programs != 0, .list = names};
	const struct op_request request = {
	    .client = call->client, .wait = world->command.wait, .timeout_ms = -1};
	struct draft_problem problem = {0};
	struct apply_request apply = {
	    .uid = 0, .errors = &problem.errors, .rollback = world->command.rollback};
	struct config *config;

	apply.deadline_ns = world->now_ns + deadlines[world_roll(3)] * NS_PER_MS;
	if (call->engine->shutdown || draft_from_files(call->engine, &scope, &config, &problem) < 0)
		return;
	apply.op = op_new(&request);
	if (apply_config(call->engine, &apply, config) == 0) {
		if (request.wait)
			trial_tell(call->engine, apply.op);
		op_begin(apply.op);
		return;
	}
	config_free(config);
	op_cancel(apply.op);
}

/* One that waits for nothing; else one of them loses patience. */
static struct control_client *find_client(void)
{
	struct control_client *client = NULL;

	for (int i = 0; i < WORLD_CLIENTS && client == NULL; i++)
		if (world->engine.clients[i].op == NULL)
			client = &world->engine.clients[i];
	if (client == NULL) {
		client = &world->engine.clients[world_roll(WORLD_CLIENTS)];
		op_cancel(client->op);
	}
	*client = (struct control_client){.engine = world->engine.engine, .more = world_roll(2)};
	return client;
}

/* ---- call.h: the parameters are those of world->command ---- */

bool call_get_bool(struct call *call, const char *name, bool *value)
{
	(void)call;
	if (strcmp(name, "wait") == 0)
		*value = world->command.wait;
	else if (strcmp(name, "force") == 0)
		*value = world->command.force;
	else if (strcmp(name, "rolling") == 0)
		*value = world->command.kind == COMMAND_RESTART && world->command.rolling;
	return true;
}

bool call_get_int(
    struct call *call, const char *name, int64_t minimum, int64_t maximum, int64_t *value)
{
	(void)call;
	(void)name;
	(void)minimum;
	(void)maximum;
	if (world_roll(3) == 0)
		*value = 5000;
	return true;
}

bool call_get_string(struct call *call, const char *name, const char **value)
{
	(void)call;
	(void)name;
	(void)value;
	return true;
}

bool call_allows(struct call *call, const char *const *names)
{
	(void)call;
	(void)names;
	return true;
}

void call_error_begin(struct call *call, const char *error)
{
	(void)call;
	world_say("refused: %s", error);
	world->command.refused = true;
}

void call_error_end(struct call *call)
{
	jsonw_reset(&call->w);
}

void call_error_text(struct call *call, const char *error, const char *key, const char *value)
{
	(void)key;
	(void)value;
	call_error_begin(call, error);
}

void call_invalid_parameter(struct call *call, const char *name)
{
	call_error_begin(call, name);
}

void call_out_of_memory(struct call *call)
{
	call_error_begin(call, "out of memory");
}

void record_write(struct jsonw *w, const struct program *program,
    const struct control_client *reader, bool verbose)
{
	(void)program;
	(void)reader;
	(void)verbose;
	jsonw_null(w);
}

const char *record_time(int64_t wall_ns, char *buffer, size_t size)
{
	(void)snprintf(buffer, size, "%lld", (long long)wall_ns);
	return buffer;
}

/* ---- access.h: they may do anything ---- */

int access_init(struct access *access, const struct control_client *client, enum right right)
{
	(void)client;
	(void)right;
	*access = (struct access){.all = true};
	return 0;
}

void access_done(struct access *access)
{
	(void)access;
}

bool access_has(const struct access *access, const struct program *program)
{
	(void)program;
	return access->all;
}

bool access_may(
    const struct control_client *client, enum right right, const struct program *program)
{
	(void)client;
	(void)right;
	(void)program;
	return true;
}

bool access_may_name(const struct control_client *client, enum right right, const char *name)
{
	(void)client;
	(void)right;
	(void)name;
	return true;
}

void access_refuse(struct call *call, enum right right, const char *name)
{
	(void)right;
	call_error_begin(call, name);
}

void access_take_config(const struct engine *engine)
{
	(void)engine;
}

/* ---- selection.h ---- */

int selection_init(struct selection *selection, const struct engine *engine)
{
	*selection = (struct selection){
	    .list = calloc(engine->program_count + 1, sizeof(struct program *)),
	    .known = calloc(LIMIT_ROWS, sizeof(*selection->known)),
	};
	return 0;
}

void selection_done(struct selection *selection)
{
	free(selection->list);
	free(selection->known);
}

void selection_add(struct selection *selection, struct program *program)
{
	if (selection->known[program->run.row])
		return;
	selection->known[program->run.row] = true;
	selection->list[selection->count++] = program;
}

bool selection_has(const struct selection *selection, const struct program *program)
{
	return selection->known[program->run.row];
}

bool selection_read(struct call *call, bool needs_name, struct selection *ret_selection)
{
	(void)needs_name;
	(void)selection_init(ret_selection, call->engine);
	for (size_t i = 0; i < call->engine->program_count; i++) {
		struct program *program = call->engine->programs[i];

		if ((world->command.programs >> world->rows[program->run.row].program) & 1)
			selection_add(ret_selection, program);
	}
	return true;
}
