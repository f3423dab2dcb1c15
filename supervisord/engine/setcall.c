/* SPDX-License-Identifier: ISC */
/* setcall.c: see setcall.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/limits.h"
#include "lib/ownlog.h"
#include "supervisord/engine/amend.h"
#include "supervisord/engine/call.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/op.h"
#include "supervisord/engine/persist.h"
#include "supervisord/engine/setcall.h"
#include "supervisord/engine/setread.h"

/* What a call asks for. */
struct request {
	const char *program;
	bool persist;
	struct op_request op;
};

/* What is to become of an override. */
struct change {
	const struct overridetext *given; /* values that it gets; or NULL */
	bool all;                         /* of what it has, nothing stays */
	bool gone[PROGRAM_KEY_COUNT];     /* nor of these keys */
};

static bool read_request(struct call *call, struct request *ret_request);
static bool read_keys(struct call *call, const char *program, struct change *change);
static void serve(struct call *call, const struct request *request, const struct change *change);
static void serve_set(struct amend *amend, const struct request *request,
    const struct change *change, struct overridetext *set);
static void serve_persist(struct persist *persist, const struct request *request,
    const struct change *change, struct overridetext *set);
static void log_change(const struct request *request, const struct change *change);
static int lay(const struct change *change, struct overridetext *text);
static bool tell_of_file(struct call *call, const char *program, const struct change *change,
    const struct overridetext *set, const char *ours);
static bool is_ours(const struct config *config, const char *file);
static bool is_file_override(
    struct call *call, const char *program, enum program_key key, const char *ours);

void setcall_set(struct call *call)
{
	static const char *const names[] = {
	    "name", "settings", "persist", "wait", "timeout_ms", NULL};
	struct overridetext given = {0};
	struct change change = {.given = &given};
	struct request request;

	if (!call_allows(call, names) || !read_request(call, &request))
		return;
	given.program = request.program;
	if (setread_settings(call, json_object_get(call->parameters, "settings"), &given))
		serve(call, &request, &change);
	overridetext_done(&given);
}

void setcall_unset(struct call *call)
{
	static const char *const names[] = {"name", "keys", "persist", "wait", "timeout_ms", NULL};
	struct change change = {0};
	struct request request;

	if (call_allows(call, names) && read_request(call, &request) &&
	    read_keys(call, request.program, &change))
		serve(call, &request, &change);
}

/* What set and unset have in common.  False: answered. */
static bool read_request(struct call *call, struct request *ret_request)
{
	struct request request = {0};

	if (!op_read_request(call, &request.op) ||
	    !call_get_bool(call, "persist", &request.persist) ||
	    !call_get_string(call, "name", &request.program))
		return false;
	if (request.program == NULL) {
		call_invalid_parameter(call, "name");
		return false;
	}
	*ret_request = request;
	return setread_is_stanza(call, request.program);
}

/* The keys to take back; none named: all.  False: answered. */
static bool read_keys(struct call *call, const char *program, struct change *change)
{
	const json_t *keys = json_object_get(call->parameters, "keys");

	if (keys != NULL && !json_is_null(keys) && !json_is_array(keys)) {
		call_invalid_parameter(call, "keys");
		return false;
	}
	change->all = json_array_size(keys) == 0;
	for (size_t i = 0; i < json_array_size(keys); i++) {
		const char *label = json_string_value(json_array_get(keys, i));
		enum program_key key;

		if (label == NULL) {
			call_invalid_parameter(call, "keys");
			return false;
		}
		if (!setread_key(call, program, label, &key))
			return false;
		change->gone[key] = true;
	}
	return true;
}

/* Make the change, and answer. */
static void serve(struct call *call, const struct request *request, const struct change *change)
{
	struct overridetext set;
	struct persist persist = {0};
	struct amend amend;
	int error;

	if (!amend_begin(&amend, call))
		return;
	error = amend_read_set(&amend, request->program, &set);
	if (error < 0)
		amend_tell_problem(call, error, NULL);
	else if (!request->persist)
		serve_set(&amend, request, change, &set);
	else if (persist_begin(&persist, &amend, request->program))
		serve_persist(&persist, request, change, &set);
	persist_done(&persist);
	overridetext_done(&set);
	amend_done(&amend);
}

/* Until the next apply. */
static void serve_set(struct amend *amend, const struct request *request,
    const struct change *change, struct overridetext *set)
{
	int error;

	if (tell_of_file(amend->call, request->program, change, set, NULL))
		return;
	error = lay(change, set);
	if (error == 0)
		error = amend_write_set(amend, set);
	if (error < 0)
		amend_tell_problem(amend->call, error, NULL);
	else if (amend_apply(amend, &request->op))
		log_change(request, change);
}

/* What is persisted needs not be set. */
static void serve_persist(struct persist *persist, const struct request *request,
    const struct change *change, struct overridetext *set)
{
	struct change none = {.all = change->all};
	struct config *config;
	int error;

	for (size_t k = 0; k < PROGRAM_KEY_COUNT; k++)
		none.gone[k] = change->gone[k];
	for (size_t i = 0; change->given != NULL && i < change->given->count; i++)
		none.gone[change->given->items[i].key] = true;
	if (tell_of_file(persist->amend->call, request->program, change, set, persist->dropin.path))
		return;
	error = lay(change, &persist->disk);
	if (error == 0)
		error = lay(change, &persist->applied);
	if (error == 0)
		error = lay(&none, set);
	if (error == 0)
		error = amend_write_set(persist->amend, set);
	if (error < 0) {
		amend_tell_problem(persist->amend->call, error, NULL);
	} else if (persist_check(persist, &config)) {
		config_free(config);
		if (persist_finish(persist, &request->op))
			log_change(request, change);
	}
}

/* What has become true. */
static void log_change(const struct request *request, const struct change *change)
{
	const unsigned uid = (unsigned)request->op.client->uid;
	char buffer[KEYTABLE_LABEL];

	if (change->all)
		log_notice("%s: all that was set taken back by uid %u", request->program, uid);
	for (size_t k = 0; k < PROGRAM_KEY_COUNT; k++)
		if (change->gone[k])
			log_notice("%s: %s taken back by uid %u", request->program,
			    keytable_label(&program_rows[k], buffer), uid);
	for (size_t i = 0; change->given != NULL && i < change->given->count; i++)
		log_notice("%s: %s set by uid %u", request->program,
		    keytable_label(&program_rows[change->given->items[i].key], buffer), uid);
}

/* Into a text.  0 or -ENOMEM. */
static int lay(const struct change *change, struct overridetext *text)
{
	int error = 0;

	if (change->all)
		overridetext_done(text);
	for (size_t k = 0; k < PROGRAM_KEY_COUNT; k++)
		if (change->gone[k])
			(void)overridetext_unset(text, (enum program_key)k);
	for (size_t i = 0; change->given != NULL && i < change->given->count && error == 0; i++) {
		const struct overridetext_item *item = &change->given->items[i];

		error = overridetext_set(
		    text, item->key, item->list, (const char *const *)item->values, item->count);
	}
	return error;
}

/* A key to be taken back that only a file has, other than `ours`.  True: answered. */
static bool tell_of_file(struct call *call, const char *program, const struct change *change,
    const struct overridetext *set, const char *ours)
{
	bool is_set[PROGRAM_KEY_COUNT] = {0};

	for (size_t i = 0; i < set->count; i++)
		is_set[set->items[i].key] = true;
	for (size_t k = 0; k < PROGRAM_KEY_COUNT; k++)
		if (change->gone[k] && !is_set[k] &&
		    is_file_override(call, program, (enum program_key)k, ours))
			return true;
	return false;
}

/* A file of the applied configuration that superctl set --persist wrote. */
static bool is_ours(const struct config *config, const char *file)
{
	for (size_t i = 0; i < config->source_count; i++)
		if (strcmp(config->sources[i].path, file) == 0)
			return config->sources[i].ours;
	return false;
}

/* One that a file has is not ours to take back.  True: answered. */
static bool is_file_override(
    struct call *call, const char *program, enum program_key key, const char *ours)
{
	size_t index = 0;
	const struct program *any = engine_next_named(call->engine, program, &index);
	const struct program_override *override =
	    any != NULL ? config_find_override(any->config, key) : NULL;
	char buffer[KEYTABLE_LABEL];

	if (override == NULL || config_is_set(override) ||
	    (ours != NULL && strcmp(override->file, ours) == 0))
		return false;
	call_error_begin(call, CALL_INTERFACE ".NotSet");
	jsonw_member_string(&call->w, "name", program);
	jsonw_member_string(&call->w, "key", keytable_label(&program_rows[key], buffer));
	jsonw_member_string(&call->w, "file", override->file);
	jsonw_member_int(&call->w, "line", override->line);
	jsonw_member_bool(&call->w, "persisted", is_ours(call->engine->config, override->file));
	call_error_end(call);
	return true;
}
