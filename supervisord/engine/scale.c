/* SPDX-License-Identifier: ISC */
/* scale.c: see scale.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/limits.h"
#include "lib/ownlog.h"
#include "supervisord/engine/amend.h"
#include "supervisord/engine/call.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/op.h"
#include "supervisord/engine/scale.h"
#include "supervisord/engine/selection.h"

static bool edit_all(struct amend *amend);
static bool read_number(
    struct call *call, const json_t *item, const char **ret_name, uint32_t *ret_number);
static int edit(struct amend *amend, const char *program, uint32_t number);

void scale_call(struct call *call)
{
	static const char *const names[] = {"programs", "wait", "timeout_ms", NULL};
	struct op_request request;
	struct amend amend;

	if (!call_allows(call, names) || !op_read_request(call, &request) ||
	    !amend_begin(&amend, call))
		return;
	if (edit_all(&amend))
		(void)amend_apply(&amend, &request);
	amend_done(&amend);
}

/* False: answered. */
static bool edit_all(struct amend *amend)
{
	struct call *call = amend->call;
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
		error = edit(amend, name, number);
		if (error < 0) {
			amend_tell_problem(call, error, NULL);
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
	if (json_is_integer(instances))
		number = json_integer_value(instances);
	else if (__builtin_add_overflow(json_integer_value(change), (json_int_t)present, &number))
		number = INT64_MAX;
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

static int edit(struct amend *amend, const char *program, uint32_t number)
{
	struct overridetext text;
	char value[16];
	const char *const values[] = {value};
	int error = amend_read_set(amend, program, &text);

	(void)snprintf(value, sizeof(value), "%u", number);
	if (error == 0)
		error = overridetext_set(&text, PROGRAM_instances, false, values, 1);
	if (error == 0)
		error = amend_write_set(amend, &text);
	overridetext_done(&text);
	return error;
}
