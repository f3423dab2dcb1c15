/* SPDX-License-Identifier: ISC */
/* call.c: see call.h; the errors of org.varlink.service are those of https://varlink.org/Service.
 */
#include <string.h>

#include "supervisord/engine/call.h"

bool call_get_bool(struct call *call, const char *name, bool *value)
{
	const json_t *member = json_object_get(call->parameters, name);

	if (member == NULL || json_is_null(member))
		return true;
	if (!json_is_boolean(member)) {
		call_invalid_parameter(call, name);
		return false;
	}
	*value = json_is_true(member);
	return true;
}

bool call_get_int(
    struct call *call, const char *name, int64_t minimum, int64_t maximum, int64_t *value)
{
	const json_t *member = json_object_get(call->parameters, name);

	if (member == NULL || json_is_null(member))
		return true;
	if (!json_is_integer(member) || json_integer_value(member) < minimum ||
	    json_integer_value(member) > maximum) {
		call_invalid_parameter(call, name);
		return false;
	}
	*value = json_integer_value(member);
	return true;
}

bool call_get_string(struct call *call, const char *name, const char **value)
{
	const json_t *member = json_object_get(call->parameters, name);

	if (member == NULL || json_is_null(member))
		return true;
	if (!json_is_string(member)) {
		call_invalid_parameter(call, name);
		return false;
	}
	*value = json_string_value(member);
	return true;
}

bool call_allows(struct call *call, const char *const *names)
{
	const char *key;
	json_t *value;

	json_object_foreach(call->parameters, key, value)
	{
		size_t i = 0;

		while (names[i] != NULL && strcmp(names[i], key) != 0)
			i++;
		if (names[i] == NULL && !json_is_null(value)) {
			call_invalid_parameter(call, key);
			return false;
		}
	}
	return true;
}

void call_begin_reply(struct call *call)
{
	jsonw_begin_object(&call->w);
	jsonw_key(&call->w, "parameters");
	jsonw_begin_object(&call->w);
}

void call_end_reply(struct call *call)
{
	jsonw_end_object(&call->w);
	jsonw_end_object(&call->w);
	control_reply(call->client, &call->w);
}

void call_error_begin(struct call *call, const char *error)
{
	jsonw_reset(&call->w);
	jsonw_begin_object(&call->w);
	jsonw_member_string(&call->w, "error", error);
	jsonw_key(&call->w, "parameters");
	jsonw_begin_object(&call->w);
}

void call_error_end(struct call *call)
{
	call_end_reply(call);
}

void call_error_text(struct call *call, const char *error, const char *key, const char *value)
{
	call_error_begin(call, error);
	if (key != NULL)
		jsonw_member_string(&call->w, key, value);
	call_error_end(call);
}

void call_invalid_parameter(struct call *call, const char *name)
{
	call_error_text(call, "org.varlink.service.InvalidParameter", "parameter", name);
}

void call_out_of_memory(struct call *call)
{
	call_error_text(call, CALL_INTERFACE ".Busy", "reason", "out of memory");
}
