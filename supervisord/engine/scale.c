/* SPDX-License-Identifier: ISC */
/* scale.c: see scale.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/limits.h"
#include "lib/ownlog.h"
#include "lib/protocol.h"
#include "supervisord/engine/apply.h"
#include "supervisord/engine/call.h"
#include "supervisord/engine/confedit.h"
#include "supervisord/engine/confshow.h"
#include "supervisord/engine/confsource.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/op.h"
#include "supervisord/engine/scale.h"
#include "supervisord/engine/selection.h"

#define NO_TIMEOUT (-1)

/* The sources that are in force, while they are changed. */
struct texts {
	struct config_source *list;
	size_t count;
};

static bool may_scale(struct call *call);
static bool edit_all(struct call *call, struct texts *texts);
static bool read_number(
    struct call *call, const json_t *item, const char **ret_name, uint32_t *ret_number);
static int edit(struct texts *texts, const char *program, uint32_t number);
static void apply(struct call *call, const struct op_request *request, struct texts *texts);
static void tell_problem(struct call *call, int error, const struct config_errors *errors);

void scale_call(struct call *call)
{
	static const char *const names[] = {"programs", "wait", "timeout_ms", NULL};
	struct op_request request = {
	    .client = call->client, .wait = true, .timeout_ms = NO_TIMEOUT};
	const struct slots *slots = &call->engine->slots;
	struct texts texts = {0};
	int error;

	if (!call_allows(call, names) || !call_get_bool(call, "wait", &request.wait) ||
	    !call_get_int(call, "timeout_ms", 0, INT64_MAX / 1000000, &request.timeout_ms) ||
	    !may_scale(call))
		return;
	error = confsource_read_applied(
	    slots_get_fd(slots, slots_find(slots, held_key(HELD_CONFIG, 0, 0))), &texts.list,
	    &texts.count);
	if (error < 0) {
		tell_problem(call, error, NULL);
		return;
	}
	if (edit_all(call, &texts))
		apply(call, &request, &texts);
	else
		confsource_free(texts.list, texts.count);
}

/* False: answered. */
static bool may_scale(struct call *call)
{
	if (call->engine->shutdown) {
		call_error_text(call, CALL_INTERFACE ".ShuttingDown", NULL, NULL);
		return false;
	}
	if (call->engine->safe_mode) {
		call_error_text(call, CALL_INTERFACE ".SafeMode", "reason",
		    "the engine crashed repeatedly; nothing is changed until superctl apply");
		return false;
	}
	return true;
}

/* False: answered. */
static bool edit_all(struct call *call, struct texts *texts)
{
	const json_t *programs = json_object_get(call->parameters, "programs");
	size_t count = json_array_size(programs);

	if (count == 0 || count > LIMIT_COMMAND_NAMES) {
		call_invalid_parameter(call, "programs");
		return false;
	}
	for (size_t i = 0; i < count; i++) {
		const char *name;
		uint32_t number;
		int error;

		if (!read_number(call, json_array_get(programs, i), &name, &number))
			return false;
		error = edit(texts, name, number);
		if (error < 0) {
			tell_problem(call, error, NULL);
			return false;
		}
		log_notice("%s: to have %u instance%s, says uid %u", name, number,
		    number == 1 ? "" : "s", (unsigned)call->client->uid);
	}
	return true;
}

/* {"name": "web", "instances": 8}, or "change": 1.  False: answered. */
static bool read_number(
    struct call *call, const json_t *item, const char **ret_name, uint32_t *ret_number)
{
	const char *name = json_string_value(json_object_get(item, "name"));
	const json_t *instances = json_object_get(item, "instances");
	const json_t *change = json_object_get(item, "change");
	/* A stanza, no instance and no companion. */
	uint32_t present = name != NULL && strpbrk(name, "@+") == NULL
			       ? config_count_instances(call->engine->config, name)
			       : 0;
	json_int_t number;

	if (name == NULL || json_is_integer(instances) == json_is_integer(change)) {
		call_invalid_parameter(call, "programs");
		return false;
	}
	if (present == 0) {
		selection_tell_missing(call, name, false);
		return false;
	}
	number = json_is_integer(instances) ? json_integer_value(instances)
					    : json_integer_value(change) + (json_int_t)present;
	if (number < 1 || number > LIMIT_INSTANCES) {
		call_error_begin(call, CALL_INTERFACE ".BadNumber");
		jsonw_member_string(&call->w, "name", name);
		jsonw_member_int(&call->w, "instances", number);
		jsonw_member_int(&call->w, "most", LIMIT_INSTANCES);
		call_error_end(call);
		return false;
	}
	*ret_name = name;
	*ret_number = (uint32_t)number;
	return true;
}

/* In the file that has the stanza. */
static int edit(struct texts *texts, const char *program, uint32_t number)
{
	char value[16], *text;
	int error = -ENOENT;

	(void)snprintf(value, sizeof(value), "%u", number);
	for (size_t i = 0; i < texts->count && error == -ENOENT; i++) {
		struct config_source *source = &texts->list[i];
		const struct confedit edit = {.text = source->text,
		    .length = source->length,
		    .program = program,
		    .key = "instances",
		    .value = value};
		size_t length;

		error = confedit_set(&edit, &text, &length);
		if (error < 0)
			continue;
		free(source->text);
		source->text = text;
		source->length = length;
	}
	return error;
}

/* Takes the texts. */
static void apply(struct call *call, const struct op_request *request, struct texts *texts)
{
	struct config_errors errors = {0};
	struct apply_request apply = {.uid = (uint32_t)call->client->uid, .errors = &errors};
	struct config *config = NULL;
	int error = config_load_sources(texts->list, texts->count, &config, &errors);

	if (error == 0) {
		apply.op = op_new(request);
		error = apply.op != NULL ? apply_config(call->engine, &apply, config) : -ENOMEM;
	}
	if (error == 0) {
		op_begin(apply.op);
	} else {
		config_free(config);
		if (apply.op != NULL)
			op_cancel(apply.op);
		tell_problem(call, error, &errors);
	}
	config_errors_done(&errors);
}

static void tell_problem(struct call *call, int error, const struct config_errors *errors)
{
	if (errors == NULL || errors->count == 0) {
		call_error_text(call, CALL_INTERFACE ".Busy", "reason", strerror(-error));
		return;
	}
	call_error_begin(call, CALL_INTERFACE ".ConfigInvalid");
	confshow_errors(&call->w, errors, NULL);
	call_error_end(call);
}
