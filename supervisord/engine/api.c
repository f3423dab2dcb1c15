/* SPDX-License-Identifier: ISC */
/* api.c: see api.h and lib/io.superctl.varlink. */
#define _GNU_SOURCE
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/limits.h"
#include "lib/ownlog.h"
#include "supervisord/engine/access.h"
#include "supervisord/engine/api.h"
#include "supervisord/engine/blame.h"
#include "supervisord/engine/call.h"
#include "supervisord/engine/command.h"
#include "supervisord/engine/confcall.h"
#include "supervisord/engine/doctor.h"
#include "supervisord/engine/confshow.h"
#include "supervisord/engine/enable.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/feed.h"
#include "supervisord/engine/graph.h"
#include "supervisord/engine/events.h"
#include "supervisord/engine/logs.h"
#include "supervisord/engine/ipc.h"
#include "supervisord/engine/op.h"
#include "supervisord/engine/record.h"
#include "supervisord/engine/runcall.h"
#include "supervisord/engine/runs.h"
#include "supervisord/engine/scale.h"
#include "supervisord/engine/selection.h"
#include "supervisord/engine/setcall.h"
#include "supervisord/engine/tty.h"
#include "supervisord/engine/why.h"

#define SERVICE   "org.varlink.service"
#define INTERFACE CALL_INTERFACE

/* One literal, longer than C promises every compiler; ours take it. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverlength-strings"
static const char interface_text[] =
#include "interface.inc"
    ;
#pragma GCC diagnostic pop

static void get_info(struct call *call);
static void get_interface_description(struct call *call);
static void status(struct call *call);
static void shut_down(struct call *call);
static void watch_shutdown(struct call *call);
static void version(struct call *call);

static const struct method {
	const char *name;
	enum right right;
	void (*serve)(struct call *call);
} methods[] = {
    {SERVICE ".GetInfo", RIGHT_OPEN, get_info},
    {SERVICE ".GetInterfaceDescription", RIGHT_OPEN, get_interface_description},
    {INTERFACE ".Status", RIGHT_STATUS, status},
    {INTERFACE ".Graph", RIGHT_STATUS, graph_show},
    {INTERFACE ".Doctor", RIGHT_DOCTOR, doctor_call},
    {INTERFACE ".Attach", RIGHT_ATTACH, feed_call},
    {INTERFACE ".Watch", RIGHT_LOGS, tty_call_watch},
    {INTERFACE ".SendMessage", RIGHT_SEND, ipc_call_send},
    {INTERFACE ".Messages", RIGHT_MESSAGES, ipc_call_messages},
    {INTERFACE ".Start", RIGHT_START, command_start},
    {INTERFACE ".Stop", RIGHT_STOP, command_stop},
    {INTERFACE ".Restart", RIGHT_RESTART, command_restart},
    {INTERFACE ".Reload", RIGHT_RELOAD, command_reload},
    {INTERFACE ".Signal", RIGHT_SIGNAL, command_signal},
    {INTERFACE ".Why", RIGHT_WHY, why},
    {INTERFACE ".Runs", RIGHT_RUNS, runs},
    {INTERFACE ".Blame", RIGHT_BLAME, blame},
    {INTERFACE ".Events", RIGHT_EVENTS, events_read},
    {INTERFACE ".Logs", RIGHT_LOGS, logs_read},
    {INTERFACE ".RotateLogs", RIGHT_ROTATE, logs_rotate},
    {INTERFACE ".ReopenLogs", RIGHT_ROTATE, logs_reopen},
    {INTERFACE ".ClearLogs", RIGHT_CLEAR, logs_clear},
    {INTERFACE ".Plan", RIGHT_PLAN, confcall_plan},
    {INTERFACE ".Apply", RIGHT_APPLY, confcall_apply},
    {INTERFACE ".Scale", RIGHT_APPLY, scale_call},
    {INTERFACE ".Set", RIGHT_SET, setcall_set},
    {INTERFACE ".Unset", RIGHT_SET, setcall_unset},
    {INTERFACE ".Enable", RIGHT_ENABLE, enable_call},
    {INTERFACE ".Overrides", RIGHT_CONFIG, setcall_show},
    {INTERFACE ".RunCommand", RIGHT_RUN, runcall_run},
    {INTERFACE ".Forget", RIGHT_RUN, runcall_forget},
    {INTERFACE ".Wait", RIGHT_STATUS, runcall_wait},
    {INTERFACE ".Check", RIGHT_CHECK, confcall_check},
    {INTERFACE ".Config", RIGHT_CONFIG, confshow_serve},
    {INTERFACE ".Shutdown", RIGHT_SHUTDOWN, shut_down},
    {INTERFACE ".Version", RIGHT_ANY, version},
};

static bool read_call(struct call *call, const json_t *root);
static void run_method(struct call *call, const char *message, size_t length);
static bool tells_drift(void (*serve)(struct call *call));
static bool is_held(const struct call *call, const char *message, size_t length);
static const char *first_name(const struct call *call);
static bool is_too_deep(const json_t *value, unsigned depth);

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
		run_method(&call, message, length);
	}
	jsonw_done(&call.w);
	json_decref(call.parameters);
	json_decref(root);
}

enum right api_right(const char *method)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (strcmp(methods[i].name, method) == 0)
			return methods[i].right;
	return RIGHT_UNSET;
}

static bool read_call(struct call *call, const json_t *root)
{
	json_t *parameters = json_object_get(root, "parameters");

	call->method = json_string_value(json_object_get(root, "method"));
	if (call->method == NULL || is_too_deep(root, 1) ||
	    (parameters != NULL && !json_is_null(parameters) && !json_is_object(parameters)))
		return false;
	call->parameters = json_is_object(parameters) ? json_incref(parameters) : json_object();
	call->client->more = json_is_true(json_object_get(root, "more"));
	call->client->oneway = json_is_true(json_object_get(root, "oneway"));
	return call->parameters != NULL;
}

static void run_method(struct call *call, const char *message, size_t length)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		if (strcmp(methods[i].name, call->method) != 0)
			continue;
		call->right = methods[i].right;
		if (!access_may_call(call->client, call->right))
			access_refuse(call, call->right,
			    rights_is_whole(call->right) ? NULL : first_name(call));
		else if (!tells_drift(methods[i].serve) || !is_held(call, message, length))
			methods[i].serve(call);
		return;
	}
	if (strncmp(call->method, SERVICE ".", strlen(SERVICE ".")) != 0 &&
	    strncmp(call->method, INTERFACE ".", strlen(INTERFACE ".")) != 0) {
		char interface[256];
		const char *dot = strrchr(call->method, '.');
		size_t name_length = dot != NULL ? (size_t)(dot - call->method) : 0;

		if (dot != NULL && name_length < sizeof(interface)) {
			memcpy(interface, call->method, name_length);
			interface[name_length] = '\0';
			call_error_text(call, SERVICE ".InterfaceNotFound", "interface", interface);
			return;
		}
	}
	call_error_text(call, SERVICE ".MethodNotFound", "method", call->method);
}

/* People edit a file and restart: the result says that this does not apply it. */
static bool tells_drift(void (*serve)(struct call *call))
{
	return serve == status || serve == command_restart;
}

/* Somebody looks whether the files differ, and it is worth to wait for that: the call comes again.
 */
static bool is_held(const struct call *call, const char *message, size_t length)
{
	return !call->client->was_held && drift_look(call->engine) == DRIFT_SOON &&
	       control_hold(call->client, message, length) == 0;
}

/* As the client has said it, in `names` or `name`; or NULL. */
static const char *first_name(const struct call *call)
{
	const json_t *names = json_object_get(call->parameters, "names");
	const char *name = json_string_value(json_array_get(names, 0));

	return name != NULL ? name : json_string_value(json_object_get(call->parameters, "name"));
}

/* jansson's own limit is 2048 levels. */
static bool is_too_deep(const json_t *value, unsigned depth)
{
	const char *key;
	json_t *member;
	size_t index;

	if (!json_is_object(value) && !json_is_array(value))
		return false;
	if (depth > LIMIT_VARLINK_DEPTH)
		return true;
	if (json_is_object(value)) {
		/* The iteration does not write; its macro has no const form. */
		json_object_foreach((json_t *)(uintptr_t)value, key,
		    member) if (is_too_deep(member, depth + 1)) return true;
	} else {
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
	    "error InvalidParameter (parameter: string)\n\nerror PermissionDenied ()\n\n"
	    "error ExpectedMore ()\n";
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
	    !selection_read(call, false, &selection))
		return;
	call_begin_reply(call);
	jsonw_member_bool(&call->w, "files_checking", drift_look(call->engine) != DRIFT_KNOWN);
	jsonw_member_bool(&call->w, "files_changed", call->engine->drift.differs);
	jsonw_member_int(&call->w, "file_errors", (int64_t)call->engine->drift.errors);
	jsonw_key(&call->w, "programs");
	jsonw_begin_array(&call->w);
	for (size_t i = 0; i < selection.count; i++)
		record_write(&call->w, selection.list[i], call->client, detail);
	jsonw_end_array(&call->w);
	call_end_reply(call);
	selection_done(&selection);
}

static void shut_down(struct call *call)
{
	static const char *const names[] = {NULL};

	if (!call_allows(call, names))
		return;
	log_notice("shutdown requested by uid %u", (unsigned)call->client->uid);
	if (call->client->more) {
		watch_shutdown(call);
		return;
	}
	engine_request_shutdown(call->engine);
	call_begin_reply(call);
	call_end_reply(call);
}

static void watch_shutdown(struct call *call)
{
	const struct op_request request = {.client = call->client, .wait = true, .timeout_ms = -1};
	struct engine *engine = call->engine;
	struct op *op = op_new(&request);

	engine_request_shutdown(engine); /* whatever can be told of it */
	if (op == NULL) {
		call_out_of_memory(call);
		return;
	}
	/* At once, so that an engine that dies in the middle leaves no doubt that it has begun. */
	jsonw_begin_object(&call->w);
	jsonw_key(&call->w, "parameters");
	jsonw_begin_object(&call->w);
	jsonw_end_object(&call->w);
	jsonw_member_bool(&call->w, "continues", true);
	jsonw_end_object(&call->w);
	control_reply(call->client, &call->w);
	for (size_t i = 0; i < engine->program_count; i++)
		if (!step_is_at_rest(program_state_of(engine->programs[i])))
			(void)op_add(op, engine->programs[i], OP_ENDED);
	op_begin(op);
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
	jsonw_member_string(&call->w, "tracking", record_tracking(call->engine));
	jsonw_member_string(&call->w, "tracking_reason", call->engine->cgroups.reason);
	call_end_reply(call);
}
