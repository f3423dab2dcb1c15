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
#include "supervisord/engine/enable.h"
#include "supervisord/engine/events.h"
#include "supervisord/engine/op.h"
#include "supervisord/engine/record.h"
#include "supervisord/engine/runcall.h"
#include "supervisord/engine/selection.h"
#include "supervisord/engine/setcall.h"
#include "supervisord/engine/trial.h"
#include "tests/sim/checks.h"
#include "tests/sim/fake.h"
#include "tests/sim/steps.h"
#include "tests/sim/world.h"

static struct control_client *find_client(void);
static void do_apply(struct call *call);
static void change_text(struct call *call);

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
	call.parameters = fake_make_parameters(command);
	jsonw_init(&call.w, LIMIT_CONTROL_QUEUE);
	if (command->kind >= COMMAND_RUN) {
		world->engine.operation = command->kind;
		check_text_command(command);
		change_text(&call);
		world->engine.operation = COMMAND_NONE;
		check_text_done(command);
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
	case COMMAND_RUN:
	case COMMAND_FORGET:
	case COMMAND_SET:
	case COMMAND_UNSET:
	case COMMAND_ENABLE:
	case COMMAND_APPLY:
	case COMMAND_NONE:
		break;
	}
	check_command_done(command);
	jsonw_done(&call.w);
}

/* Those that change what is applied. */
static void change_text(struct call *call)
{
	switch (world->command.kind) {
	case COMMAND_RUN:
		runcall_run(call);
		break;
	case COMMAND_FORGET:
		runcall_forget(call);
		break;
	case COMMAND_SET:
		setcall_set(call);
		break;
	case COMMAND_UNSET:
		setcall_unset(call);
		break;
	case COMMAND_ENABLE:
		enable_call(call);
		break;
	case COMMAND_APPLY:
		do_apply(call);
		break;
	case COMMAND_START:
	case COMMAND_STOP:
	case COMMAND_RESTART:
	case COMMAND_RELOAD:
	case COMMAND_NONE:
		break;
	}
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
	if (call->engine->shutdown ||
	    draft_from_files(call->engine, &scope, &config, &problem) < 0) {
		call_error_begin(call, "no configuration");
		return;
	}
	apply.op = op_new(&request);
	if (apply_config(call->engine, &apply, config) == 0) {
		if (request.wait)
			trial_tell(call->engine, apply.op);
		op_begin(apply.op);
		return;
	}
	config_free(config);
	op_cancel(apply.op);
	call_error_begin(call, "not applied");
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
	else if (strcmp(name, "persist") == 0)
		*value = world->command.persist;
	else if (strcmp(name, "enabled") == 0)
		*value = world->command.enabled;
	else if (strcmp(name, "start") == 0)
		*value = world->command.given_keys.values[STANZA_autostart] != 0;
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
	static char letter[2];

	(void)call;
	letter[0] = stanza_name(world->command.program)[0];
	if (strcmp(name, "name") == 0)
		*value = letter;
	return true;
}

void call_begin_reply(struct call *call)
{
	(void)call;
}

void call_end_reply(struct call *call)
{
	jsonw_reset(&call->w);
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

bool selection_allows(struct call *call, const struct program *program, const char *name)
{
	if (program == NULL)
		call_error_begin(call, name);
	return program != NULL;
}

struct program *selection_find_one(struct call *call, const char *name)
{
	struct program *program = engine_find(call->engine, name);

	return selection_allows(call, program, name) ? program : NULL;
}

/* Freed with the next ones: the engine may die over them. */
json_t *fake_make_parameters(const struct sim_command *command)
{
	static json_t *made;
	bool keys = command->kind == COMMAND_UNSET;
	json_t *list = json_array();

	json_decref(made);
	made = json_object();
	for (int key = 0; key < STANZA_KEY_COUNT; key++) {
		const char *name = stanza_key_name((enum stanza_key)key);
		char value[STANZA_TEXT];

		if (!((command->given_keys.keys >> key) & 1) ||
		    (command->kind == COMMAND_RUN && key != STANZA_restart))
			continue;
		stanza_write_value((enum stanza_key)key, command->given_keys.values[key], value);
		(void)json_array_append_new(list,
		    keys ? json_string(name) : json_pack("{s:s,s:s}", "key", name, "value", value));
	}
	(void)json_object_set_new(made, keys ? "keys" : "settings", list);
	if (command->kind == COMMAND_RUN)
		(void)json_object_set_new(made, "command",
		    json_pack(
			"[o]", json_sprintf("%u", command->given_keys.values[STANZA_command])));
	return made;
}
