/* SPDX-License-Identifier: ISC */
/* setread.c: see setread.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/limits.h"
#include "lib/nearest.h"
#include "supervisord/engine/amend.h"
#include "supervisord/engine/call.h"
#include "supervisord/engine/confreport.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/selection.h"
#include "supervisord/engine/setread.h"

static bool read_setting(struct call *call, const json_t *item, struct overridetext *text);
static bool read_list(const json_t *list, const char **values, size_t *ret_count);
static void tell_bad_key(struct call *call, const char *program, const char *label);

bool setread_is_stanza(struct call *call, const char *name)
{
	struct program *program = NULL;
	size_t index = 0;

	if (strpbrk(name, "@+") == NULL && config_count_instances(call->engine->config, name) > 0)
		program = engine_next_named(call->engine, name, &index);
	return selection_allows(call, program, name);
}

bool setread_settings(struct call *call, const json_t *settings, struct overridetext *text)
{
	size_t count = json_array_size(settings);

	if (count == 0 || count > PROGRAM_KEY_COUNT) {
		call_invalid_parameter(call, "settings");
		return false;
	}
	for (size_t i = 0; i < count; i++)
		if (!read_setting(call, json_array_get(settings, i), text))
			return false;
	return true;
}

static bool read_setting(struct call *call, const json_t *item, struct overridetext *text)
{
	const char *label = json_string_value(json_object_get(item, "key"));
	const json_t *value = json_object_get(item, "value"), *list = json_object_get(item, "list");
	size_t count = 1, room = json_array_size(list) + 1;
	const char **values;
	enum program_key key;
	bool good;
	int error = 0;

	if (label == NULL || json_is_string(value) == json_is_array(list) ||
	    room > LIMIT_ARGV + 1) {
		call_invalid_parameter(call, "settings");
		return false;
	}
	if (!setread_key(call, text->program, label, &key))
		return false;
	values = calloc(room, sizeof(*values));
	if (values == NULL) {
		call_out_of_memory(call);
		return false;
	}
	values[0] = json_string_value(value);
	good = values[0] != NULL || read_list(list, values, &count);
	if (good)
		error = overridetext_set(text, key, json_is_array(list), values, count);
	free(values);
	if (!good)
		call_invalid_parameter(call, "settings");
	else if (error < 0)
		call_out_of_memory(call);
	return good && error == 0;
}

static bool read_list(const json_t *list, const char **values, size_t *ret_count)
{
	*ret_count = json_array_size(list);
	for (size_t i = 0; i < *ret_count; i++) {
		values[i] = json_string_value(json_array_get(list, i));
		if (values[i] == NULL)
			return false;
	}
	return true;
}

bool setread_key(
    struct call *call, const char *program, const char *label, enum program_key *ret_key)
{
	int key = overridetext_find_key(label);

	if (key < 0) {
		tell_bad_key(call, program, label);
		return false;
	}
	*ret_key = (enum program_key)key;
	return true;
}

/* As the load would say it of a file. */
static void tell_bad_key(struct call *call, const char *program, const char *label)
{
	char buffers[PROGRAM_KEY_COUNT][KEYTABLE_LABEL];
	const char *labels[PROGRAM_KEY_COUNT], *nearest;
	char file[sizeof(CONFIG_SET_PATH) + LIMIT_NAME];
	struct config_errors errors = {0};
	struct confreport report = {.errors = &errors};

	for (size_t k = 0; k < PROGRAM_KEY_COUNT; k++)
		labels[k] = keytable_label(&program_rows[k], buffers[k]);
	nearest = nearest_find(label, labels, PROGRAM_KEY_COUNT);
	(void)snprintf(file, sizeof(file), CONFIG_SET_PATH "%s", program);
	if (nearest != NULL)
		confreport_add(&report, file, 0, label, "unknown key: did you mean '%s'?", nearest);
	else
		confreport_add(
		    &report, file, 0, label, "unknown key: superctl config keys lists them");
	amend_tell_problem(call, -EINVAL, &errors);
	config_errors_done(&errors);
}
