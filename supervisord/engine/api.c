/* SPDX-License-Identifier: ISC */
/* api.c: see api.h and lib/io.superctl.varlink. */
#define _GNU_SOURCE
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/channel.h"
#include "lib/limits.h"
#include "lib/logspec.h"
#include "lib/nearest.h"
#include "lib/ownlog.h"
#include "lib/signame.h"
#include "supervisord/engine/api.h"
#include "supervisord/engine/apply.h"
#include "supervisord/engine/call.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/op.h"
#include "supervisord/engine/record.h"

#define SERVICE      "org.varlink.service"
#define INTERFACE    "io.superctl"
#define OWN_LOG_NAME "supervisord"
#define NO_TIMEOUT   (-1)

/* A command's programs: resolved as a whole before the first is touched. */
struct selection {
	struct program **list;
	size_t count;
	bool *chosen; /* by index in engine->programs */
};

static const char interface_text[] =
#include "interface.inc"
    ;

static void get_info(struct call *call);
static void get_interface_description(struct call *call);
static void status(struct call *call);
static void start(struct call *call);
static void stop(struct call *call);
static void restart(struct call *call);
static void send_signal(struct call *call);
static void logs(struct call *call);
static void apply(struct call *call);
static void check(struct call *call);
static void shut_down(struct call *call);
static void version(struct call *call);

static const struct method {
	const char *name;
	void (*serve)(struct call *call);
} methods[] = {
    {SERVICE ".GetInfo", get_info},
    {SERVICE ".GetInterfaceDescription", get_interface_description},
    {INTERFACE ".Status", status},
    {INTERFACE ".Start", start},
    {INTERFACE ".Stop", stop},
    {INTERFACE ".Restart", restart},
    {INTERFACE ".Signal", send_signal},
    {INTERFACE ".Logs", logs},
    {INTERFACE ".Apply", apply},
    {INTERFACE ".Check", check},
    {INTERFACE ".Shutdown", shut_down},
    {INTERFACE ".Version", version},
};

static bool read_call(struct call *call, const json_t *root);
static void run_method(struct call *call);
static bool is_allowed(const struct call *call);
static bool is_too_deep(const json_t *value, unsigned depth);
static bool select_programs(struct call *call, bool needs_name, struct selection *selection);
static bool select_name(struct call *call, const char *name, struct selection *selection);
static void no_such_program(struct call *call, const char *name);
static void selection_done(struct selection *selection);
static void command(struct call *call, enum op_goal goal, enum reason reason,
    void (*act)(struct program *program, const struct cause *cause));
static bool is_commandable(const struct program *program, enum op_goal goal);
static bool may_command(struct call *call, bool starts);
static void out_of_memory(struct call *call);
static int send_to_logger(void *context, int fd);
static void write_errors(struct jsonw *w, const struct config_errors *errors);

void api_dispatch(struct control_client *client, const char *message, size_t length)
{
	struct call call = {.client = client, .engine = client->engine};
	json_error_t error;
	json_t *root = json_loadb(message, length, JSON_REJECT_DUPLICATES, &error);

	jsonw_init(&call.w, LIMIT_CONTROL_QUEUE);
	/* What is not even a call has no defined answer: Varlink says to close the connection. */
	if (root == NULL || !read_call(&call, root)) {
		log_warning("control: uid %u sent what is not a Varlink call%s%s",
		    (unsigned)client->uid, root == NULL ? ": " : "",
		    root == NULL ? error.text : "");
		client->dead = true;
	} else {
		run_method(&call);
	}
	jsonw_done(&call.w);
	json_decref(call.parameters);
	json_decref(root);
}

static bool read_call(struct call *call, const json_t *root)
{
	json_t *parameters = json_object_get(root, "parameters");

	call->method = json_string_value(json_object_get(root, "method"));
	if (call->method == NULL || is_too_deep(root, 0) ||
	    (parameters != NULL && !json_is_null(parameters) && !json_is_object(parameters)))
		return false;
	call->parameters = json_is_object(parameters) ? json_incref(parameters) : json_object();
	call->client->more = json_is_true(json_object_get(root, "more"));
	call->client->oneway = json_is_true(json_object_get(root, "oneway"));
	return call->parameters != NULL;
}

static void run_method(struct call *call)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		if (strcmp(methods[i].name, call->method) != 0)
			continue;
		if (strncmp(call->method, SERVICE ".", strlen(SERVICE ".")) != 0 &&
		    !is_allowed(call))
			call_error_text(call, INTERFACE ".NotAllowed", "method", call->method);
		else
			methods[i].serve(call);
		return;
	}
	if (strncmp(call->method, SERVICE ".", strlen(SERVICE ".")) != 0 &&
	    strncmp(call->method, INTERFACE ".", strlen(INTERFACE ".")) != 0) {
		char interface[256];
		const char *dot = strrchr(call->method, '.');
		size_t length = dot != NULL ? (size_t)(dot - call->method) : 0;

		if (dot != NULL && length < sizeof(interface)) {
			memcpy(interface, call->method, length);
			interface[length] = '\0';
			call_error_text(call, SERVICE ".InterfaceNotFound", "interface", interface);
			return;
		}
	}
	call_error_text(call, SERVICE ".MethodNotFound", "method", call->method);
}

/* Root and the daemon's own user. */
static bool is_allowed(const struct call *call)
{
	return call->client->uid == 0 || call->client->uid == geteuid();
}

/* jansson's own limit is 2048 levels. */
static bool is_too_deep(const json_t *value, unsigned depth)
{
	const char *key;
	json_t *member;
	size_t index;

	if (depth > LIMIT_VARLINK_DEPTH)
		return true;
	if (json_is_object(value)) {
		/* The iteration does not write; its macro has no const form. */
		json_object_foreach((json_t *)(uintptr_t)value, key,
		    member) if (is_too_deep(member, depth + 1)) return true;
	} else if (json_is_array(value)) {
		json_array_foreach(
		    value, index, member) if (is_too_deep(member, depth + 1)) return true;
	}
	return false;
}

static void get_info(struct call *call)
{
	call_begin_reply(call);
	jsonw_member_string(&call->w, "vendor", "supervisord");
	jsonw_member_string(&call->w, "product", "supervisord");
	jsonw_member_string(&call->w, "version", SUPERVISORD_VERSION);
	jsonw_member_string(&call->w, "url", "");
	jsonw_key(&call->w, "interfaces");
	jsonw_begin_array(&call->w);
	jsonw_string(&call->w, SERVICE);
	jsonw_string(&call->w, INTERFACE);
	jsonw_end_array(&call->w);
	call_end_reply(call);
}

static void get_interface_description(struct call *call)
{
	static const char service_text[] =
	    "# The standard interface of every Varlink service.\ninterface org.varlink.service\n\n"
	    "method GetInfo() -> (vendor: string, product: string, version: string, url: string, "
	    "interfaces: []string)\n\nmethod GetInterfaceDescription(interface: string) -> "
	    "(description: string)\n\nerror InterfaceNotFound (interface: string)\n\n"
	    "error MethodNotFound (method: string)\n\nerror MethodNotImplemented (method: "
	    "string)\n\n"
	    "error InvalidParameter (parameter: string)\n";
	const char *name = NULL, *text;

	if (!call_get_string(call, "interface", &name))
		return;
	if (name == NULL) {
		call_invalid_parameter(call, "interface");
		return;
	}
	text = strcmp(name, INTERFACE) == 0 ? interface_text
	       : strcmp(name, SERVICE) == 0 ? service_text
					    : NULL;
	if (text == NULL) {
		call_error_text(call, SERVICE ".InterfaceNotFound", "interface", name);
		return;
	}
	call_begin_reply(call);
	jsonw_member_string(&call->w, "description", text);
	call_end_reply(call);
}

static void status(struct call *call)
{
	static const char *const names[] = {"names", "detail", NULL};
	struct selection selection;
	bool detail = false;

	if (!call_allows(call, names) || !call_get_bool(call, "detail", &detail) ||
	    !select_programs(call, false, &selection))
		return;
	call_begin_reply(call);
	jsonw_key(&call->w, "programs");
	jsonw_begin_array(&call->w);
	for (size_t i = 0; i < selection.count; i++)
		record_write(&call->w, selection.list[i], detail);
	jsonw_end_array(&call->w);
	call_end_reply(call);
	selection_done(&selection);
}

static void start(struct call *call)
{
	if (may_command(call, true))
		command(call, OP_UP, REASON_STARTED, program_start);
}

static void stop(struct call *call)
{
	if (may_command(call, false))
		command(call, OP_DOWN, REASON_STOPPED, program_stop);
}

static void restart(struct call *call)
{
	if (may_command(call, true))
		command(call, OP_RESTARTED, REASON_RESTARTED, program_restart);
}

static void send_signal(struct call *call)
{
	static const char *const names[] = {"names", "signal", NULL};
	struct op_request request = {
	    .client = call->client, .wait = true, .timeout_ms = NO_TIMEOUT};
	struct selection selection;
	const char *name = NULL;
	struct op *op;
	int number;

	if (!call_allows(call, names) || !call_get_string(call, "signal", &name))
		return;
	number = name != NULL ? signame_parse(name) : -EINVAL;
	if (number < 0) {
		call_invalid_parameter(call, "signal");
		return;
	}
	if (!select_programs(call, true, &selection))
		return;
	op = op_new(&request);
	for (size_t i = 0; op != NULL && i < selection.count; i++) {
		int error = program_signal_leader(selection.list[i], number);

		op_add_result(op, selection.list[i], error == 0,
		    error == 0        ? "signalled"
		    : error == -ESRCH ? "is not running"
				      : strerror(-error));
	}
	if (op != NULL)
		op_begin(op);
	else
		out_of_memory(call);
	selection_done(&selection);
}

static void logs(struct call *call)
{
	static const char *const names[] = {"name", "lines", "follow", "stderr", NULL};
	struct msg_read_log request;
	int64_t lines = 10;
	bool follow = false, of_stderr = false;
	const char *name = NULL;
	int error;

	if (!call_allows(call, names) || !call_get_string(call, "name", &name) ||
	    !call_get_int(call, "lines", -1, LIMIT_LOG_LINES, &lines) ||
	    !call_get_bool(call, "follow", &follow) || !call_get_bool(call, "stderr", &of_stderr))
		return;
	if (name == NULL || (follow && !call->client->more)) {
		call_invalid_parameter(call, name == NULL ? "name" : "follow");
		return;
	}
	/* The logger answers on the connection itself, and knows nothing of what else was asked on
	 * it. */
	if (call->client->oneway)
		return;
	if (call->client->input.end > call->client->input.start) {
		call_error_text(call, INTERFACE ".Busy", "reason",
		    "Logs takes the connection over: nothing may follow it");
		return;
	}
	request = (struct msg_read_log){
	    .row = LOGSPEC_ROW_OWN,
	    .stream = of_stderr,
	    .follow = follow,
	    .more = call->client->more,
	    .lines = lines < 0 ? UINT64_MAX : (uint64_t)lines,
	};
	if (strcmp(name, OWN_LOG_NAME) != 0) {
		const struct program *program = engine_find(call->engine, name);

		if (program == NULL) {
			no_such_program(call, name);
			return;
		}
		if ((of_stderr ? program->config->key_stderr.kind
			       : program->config->key_stdout.kind) != STDIO_LOG) {
			call_error_text(call, INTERFACE ".NoLog", "name", name);
			return;
		}
		request.row = (uint32_t)program->row;
	} else if (slots_find(&call->engine->slots, held_key(HELD_OWN_READ, 0, 0)) < 0) {
		call_error_text(call, INTERFACE ".NoLog", "name", name);
		return;
	}
	error = control_hand_over(call->client, send_to_logger, &request);
	if (error < 0)
		call_error_text(
		    call, INTERFACE ".Busy", "reason", "the logger does not take requests now");
}

static int send_to_logger(void *context, int fd)
{
	const struct msg_read_log *request = context;
	struct msg_head head = {.type = MSG_READ_LOG};

	return channel_send(FD_PEER, &head, request, sizeof(*request), &fd, 1, MSG_DONTWAIT);
}

static void apply(struct call *call)
{
	static const char *const names[] = {"wait", "timeout_ms", NULL};
	struct op_request request = {
	    .client = call->client, .wait = true, .timeout_ms = NO_TIMEOUT};
	struct config_errors errors = {0};
	struct op *op;
	int error;

	if (!call_allows(call, names) || !call_get_bool(call, "wait", &request.wait) ||
	    !call_get_int(call, "timeout_ms", 0, INT64_MAX / 1000000, &request.timeout_ms))
		return;
	if (call->engine->shutdown) {
		call_error_text(call, INTERFACE ".ShuttingDown", NULL, NULL);
		return;
	}
	op = op_new(&request);
	if (op == NULL) {
		out_of_memory(call);
		return;
	}
	error = apply_files(call->engine, op, &errors);
	if (error == 0) {
		op_begin(op);
	} else {
		op_cancel(op);
		if (errors.count > 0) {
			call_error_begin(call, INTERFACE ".ConfigInvalid");
			write_errors(&call->w, &errors);
			call_error_end(call);
		} else {
			call_error_text(call, INTERFACE ".Busy", "reason", strerror(-error));
		}
	}
	config_errors_done(&errors);
}

static void check(struct call *call)
{
	static const char *const names[] = {NULL};
	struct config_errors errors = {0};
	struct config *config;

	if (!call_allows(call, names))
		return;
	if (config_load(call->engine->config_path, &config, &errors) == 0)
		config_free(config);
	call_begin_reply(call);
	write_errors(&call->w, &errors);
	call_end_reply(call);
	config_errors_done(&errors);
}

static void shut_down(struct call *call)
{
	static const char *const names[] = {NULL};

	if (!call_allows(call, names))
		return;
	log_notice("shutdown requested by uid %u", (unsigned)call->client->uid);
	engine_request_shutdown(call->engine);
	call_begin_reply(call);
	call_end_reply(call);
}

static void version(struct call *call)
{
	static const char *const names[] = {NULL};
	const struct ledger_header *header = &call->engine->ledger->header;
	char since[RECORD_TIME];

	if (!call_allows(call, names))
		return;
	call_begin_reply(call);
	jsonw_member_string(&call->w, "version", SUPERVISORD_VERSION);
	jsonw_member_int(&call->w, "pid", header->guardian_pid);
	jsonw_member_string(
	    &call->w, "since", record_time(header->start_wall_ns, since, sizeof(since)));
	jsonw_member_bool(&call->w, "safe_mode", call->engine->safe_mode);
	jsonw_member_int(&call->w, "engine_starts", atomic_load(&header->engine_starts));
	jsonw_member_int(&call->w, "logger_starts", atomic_load(&header->logger_starts));
	jsonw_member_string(&call->w, "config", call->engine->config_path);
	call_end_reply(call);
}

static bool may_command(struct call *call, bool starts)
{
	static const char *const names[] = {"names", "wait", "timeout_ms", NULL};

	if (!call_allows(call, names))
		return false;
	if (starts && call->engine->shutdown) {
		call_error_text(call, INTERFACE ".ShuttingDown", NULL, NULL);
		return false;
	}
	if (starts && call->engine->safe_mode) {
		call_error_text(call, INTERFACE ".SafeMode", "reason",
		    "the engine crashed repeatedly; nothing is started until superctl apply");
		return false;
	}
	return true;
}

static void command(struct call *call, enum op_goal goal, enum reason reason,
    void (*act)(struct program *program, const struct cause *cause))
{
	struct op_request request = {
	    .client = call->client, .wait = true, .timeout_ms = NO_TIMEOUT};
	struct cause cause = {.reason = reason, .detail = (int32_t)call->client->uid};
	struct selection selection;
	struct op *op;

	if (!call_get_bool(call, "wait", &request.wait) ||
	    !call_get_int(call, "timeout_ms", 0, INT64_MAX / 1000000, &request.timeout_ms) ||
	    !select_programs(call, true, &selection))
		return;
	op = op_new(&request);
	for (size_t i = 0; op != NULL && i < selection.count; i++) {
		if (!is_commandable(selection.list[i], goal)) {
			op_add_result(op, selection.list[i], false,
			    "its stanza is gone: it is being removed");
		} else if (op_add(op, selection.list[i], goal) < 0) {
			op_cancel(op);
			op = NULL;
		}
	}
	if (op == NULL) {
		out_of_memory(call);
		goto out;
	}
	/* All wishes before the first consequence: order is then decided with all of them known. */
	for (size_t i = 0; i < selection.count; i++)
		if (is_commandable(selection.list[i], goal))
			program_wish(selection.list[i], goal == OP_DOWN ? WANTED_DOWN : WANTED_UP,
			    goal == OP_RESTARTED);
	for (size_t i = 0; i < selection.count; i++)
		if (is_commandable(selection.list[i], goal))
			act(selection.list[i], &cause);
	op_begin(op);
out:
	selection_done(&selection);
}

/* One that is being removed can be stopped, and nothing else. */
static bool is_commandable(const struct program *program, enum op_goal goal)
{
	return goal == OP_DOWN || !program->removed;
}

static bool select_programs(struct call *call, bool needs_name, struct selection *selection)
{
	json_t *names = json_object_get(call->parameters, "names");
	struct engine *engine = call->engine;
	size_t count = json_array_size(names);

	*selection = (struct selection){0};
	if ((names != NULL && !json_is_null(names) && !json_is_array(names)) ||
	    (needs_name && count == 0) || count > LIMIT_COMMAND_NAMES) {
		call_invalid_parameter(call, "names");
		return false;
	}
	selection->chosen = calloc(engine->program_count + 1, sizeof(bool));
	selection->list = calloc(engine->program_count + 1, sizeof(*selection->list));
	if (selection->chosen == NULL || selection->list == NULL) {
		selection_done(selection);
		out_of_memory(call);
		return false;
	}
	if (count == 0)
		memset(selection->chosen, true, engine->program_count);
	for (size_t i = 0; i < count; i++) {
		const char *name = json_string_value(json_array_get(names, i));

		if (name == NULL)
			call_invalid_parameter(call, "names");
		if (name == NULL || !select_name(call, name, selection)) {
			selection_done(selection);
			return false;
		}
	}
	for (size_t i = 0; i < engine->program_count; i++)
		if (selection->chosen[i])
			selection->list[selection->count++] = engine->programs[i];
	return true;
}

static bool select_name(struct call *call, const char *name, struct selection *selection)
{
	const struct engine *engine = call->engine;
	bool all = strcmp(name, "all") == 0, found = all;

	for (size_t i = 0; i < engine->program_count; i++) {
		const char *program = program_name(engine->programs[i]);

		if (all || strcmp(program, name) == 0 || fnmatch(name, program, 0) == 0)
			selection->chosen[i] = found = true;
	}
	if (!found)
		no_such_program(call, name);
	return found;
}

static void no_such_program(struct call *call, const char *name)
{
	const struct engine *engine = call->engine;
	const char **names = calloc(engine->program_count + 1, sizeof(*names));

	call_error_begin(call, INTERFACE ".NoSuchProgram");
	jsonw_member_string(&call->w, "name", name);
	for (size_t i = 0; names != NULL && i < engine->program_count; i++)
		names[i] = program_name(engine->programs[i]);
	jsonw_member_string(&call->w, "nearest",
	    names != NULL ? nearest_find(name, names, engine->program_count) : NULL);
	call_error_end(call);
	free(names);
}

static void selection_done(struct selection *selection)
{
	free(selection->list);
	free(selection->chosen);
	*selection = (struct selection){0};
}

static void out_of_memory(struct call *call)
{
	call_error_text(call, INTERFACE ".Busy", "reason", "out of memory");
}

static void write_errors(struct jsonw *w, const struct config_errors *errors)
{
	jsonw_key(w, "errors");
	jsonw_begin_array(w);
	for (size_t i = 0; i < errors->count; i++) {
		jsonw_begin_object(w);
		jsonw_member_string(w, "file", errors->list[i].file);
		jsonw_member_int(w, "line", errors->list[i].line);
		jsonw_member_string(w, "key", errors->list[i].key);
		jsonw_member_string(w, "message", errors->list[i].message);
		jsonw_end_object(w);
	}
	jsonw_end_array(w);
}
