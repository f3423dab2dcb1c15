/* SPDX-License-Identifier: ISC */
/* setcall.c: see setcall.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/limits.h"
#include "lib/nearest.h"
#include "lib/ownlog.h"
#include "supervisord/engine/access.h"
#include "supervisord/engine/amend.h"
#include "supervisord/engine/call.h"
#include "supervisord/engine/confreport.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/instname.h"
#include "supervisord/engine/op.h"
#include "supervisord/engine/selection.h"
#include "supervisord/engine/setcall.h"
#include "supervisord/engine/value.h"

#define NO_TIMEOUT (-1)

static bool read_request(
    struct call *call, struct op_request *ret_request, const char **ret_program);
static bool is_stanza(struct call *call, const char *name);
static bool read_setting(struct call *call, const json_t *item, struct overridetext *text);
static bool read_list(const json_t *list, const char **values, size_t *ret_count);
static bool find_key(
    struct call *call, const char *program, const char *label, enum program_key *ret_key);
static void tell_bad_key(struct call *call, const char *program, const char *label);
static void finish(
    struct amend *amend, const struct op_request *request, const struct overridetext *text);
static bool unset_all(struct amend *amend, struct overridetext *text);
static bool unset_keys(struct amend *amend, const json_t *keys, struct overridetext *text);
static bool is_file_override(struct call *call, const char *program, enum program_key key);
static void show_program(struct call *call, const struct program_config *config);
static void write_value(struct jsonw *w, const struct program_config *config, size_t key);

void setcall_set(struct call *call)
{
	static const char *const names[] = {"name", "settings", "wait", "timeout_ms", NULL};
	struct op_request request;
	struct overridetext text = {0};
	struct amend amend;
	const char *program;
	int error;

	if (!call_allows(call, names) || !read_request(call, &request, &program) ||
	    !amend_begin(&amend, call))
		return;
	error = amend_read_set(&amend, program, &text);
	if (error < 0)
		amend_tell_problem(call, error, NULL);
	else if (setcall_read_settings(call, json_object_get(call->parameters, "settings"), &text))
		finish(&amend, &request, &text);
	overridetext_done(&text);
	amend_done(&amend);
}

void setcall_unset(struct call *call)
{
	static const char *const names[] = {"name", "keys", "wait", "timeout_ms", NULL};
	const json_t *keys = json_object_get(call->parameters, "keys");
	struct op_request request;
	struct overridetext text = {0};
	struct amend amend;
	const char *program;
	int error;

	if (!call_allows(call, names) || !read_request(call, &request, &program))
		return;
	if (keys != NULL && !json_is_null(keys) && !json_is_array(keys)) {
		call_invalid_parameter(call, "keys");
		return;
	}
	if (!amend_begin(&amend, call))
		return;
	error = amend_read_set(&amend, program, &text);
	if (error < 0)
		amend_tell_problem(call, error, NULL);
	else if (json_array_size(keys) == 0 ? unset_all(&amend, &text)
					    : unset_keys(&amend, keys, &text))
		finish(&amend, &request, &text);
	overridetext_done(&text);
	amend_done(&amend);
}

void setcall_show(struct call *call)
{
	static const char *const names[] = {"names", NULL};
	struct selection selection;
	char last[LIMIT_NAME] = "";

	if (!call_allows(call, names) || !selection_read(call, false, &selection))
		return;
	call_begin_reply(call);
	jsonw_key(&call->w, "overrides");
	jsonw_begin_array(&call->w);
	for (size_t i = 0; i < selection.count; i++) {
		struct instname parts;

		/* Instances of a stanza stand side by side, and have the same. */
		instname_split(selection.list[i]->config->name, &parts);
		if (strcmp(parts.program, last) != 0)
			show_program(call, selection.list[i]->config);
		(void)snprintf(last, sizeof(last), "%s", parts.program);
	}
	jsonw_end_array(&call->w);
	if (jsonw_error(&call->w) < 0) {
		jsonw_reset(&call->w);
		call_out_of_memory(call);
	} else {
		call_end_reply(call);
	}
	selection_done(&selection);
}

bool setcall_read_settings(struct call *call, const json_t *settings, struct overridetext *text)
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

/* What set and unset have in common.  False: answered. */
static bool read_request(
    struct call *call, struct op_request *ret_request, const char **ret_program)
{
	const char *name = NULL;

	*ret_request =
	    (struct op_request){.client = call->client, .wait = true, .timeout_ms = NO_TIMEOUT};
	if (!call_get_bool(call, "wait", &ret_request->wait) ||
	    !call_get_int(call, "timeout_ms", 0, INT64_MAX / 1000000, &ret_request->timeout_ms) ||
	    !call_get_string(call, "name", &name))
		return false;
	if (name == NULL) {
		call_invalid_parameter(call, "name");
		return false;
	}
	*ret_program = name;
	return is_stanza(call, name);
}

/* A program, no instance and no companion, over which the client has the right.  False: answered.
 */
static bool is_stanza(struct call *call, const char *name)
{
	struct program *program = NULL;
	size_t index = 0;

	if (strpbrk(name, "@+") == NULL && config_count_instances(call->engine->config, name) > 0)
		program = engine_next_named(call->engine, name, &index);
	if (program == NULL) {
		selection_tell_missing(call, name, false);
		return false;
	}
	if (!access_may(call->client, call->right, program)) {
		access_refuse(call, call->right, name);
		return false;
	}
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
	if (!find_key(call, text->program, label, &key))
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
	if (good && error == 0)
		log_notice(
		    "%s: %s set by uid %u", text->program, label, (unsigned)call->client->uid);
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

/* False: answered. */
static bool find_key(
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

/* Put the text in force, and answer. */
static void finish(
    struct amend *amend, const struct op_request *request, const struct overridetext *text)
{
	int error = amend_write_set(amend, text);

	if (error < 0) {
		amend_tell_problem(amend->call, error, NULL);
		return;
	}
	amend_apply(amend, request);
}

static bool unset_all(struct amend *amend, struct overridetext *text)
{
	if (text->count > 0)
		log_notice("%s: nothing set any longer, says uid %u", text->program,
		    (unsigned)amend->call->client->uid);
	overridetext_done(text);
	return true;
}

/* False: answered. */
static bool unset_keys(struct amend *amend, const json_t *keys, struct overridetext *text)
{
	struct call *call = amend->call;

	for (size_t i = 0; i < json_array_size(keys); i++) {
		const char *label = json_string_value(json_array_get(keys, i));
		enum program_key key;

		if (label == NULL) {
			call_invalid_parameter(call, "keys");
			return false;
		}
		if (!find_key(call, text->program, label, &key))
			return false;
		if (overridetext_unset(text, key))
			log_notice("%s: %s no longer set, says uid %u", text->program, label,
			    (unsigned)call->client->uid);
		else if (is_file_override(call, text->program, key))
			return false;
	}
	return true;
}

/* One that a file has is not ours to take back.  True: answered. */
static bool is_file_override(struct call *call, const char *program, enum program_key key)
{
	size_t index = 0;
	const struct program *any = engine_next_named(call->engine, program, &index);
	const struct program_override *override =
	    any != NULL ? config_find_override(any->config, key) : NULL;
	char buffer[KEYTABLE_LABEL];

	if (override == NULL || config_is_set(override))
		return false;
	call_error_begin(call, CALL_INTERFACE ".NotSet");
	jsonw_member_string(&call->w, "name", program);
	jsonw_member_string(&call->w, "key", keytable_label(&program_rows[key], buffer));
	jsonw_member_string(&call->w, "file", override->file);
	jsonw_member_int(&call->w, "line", override->line);
	call_error_end(call);
	return true;
}

static void show_program(struct call *call, const struct program_config *config)
{
	struct instname parts;

	instname_split(config->name, &parts);
	for (uint32_t i = 0; i < config->override_count; i++) {
		const struct program_override *override = &config->overrides[i];
		const struct key_row *row = &program_rows[override->key];
		bool set = config_is_set(override);
		char buffer[KEYTABLE_LABEL];

		jsonw_begin_object(&call->w);
		jsonw_member_string(&call->w, "name", parts.program);
		jsonw_member_string(&call->w, "key", keytable_label(row, buffer));
		write_value(&call->w, config, override->key);
		jsonw_member_string(&call->w, "by", set ? "set" : "file");
		jsonw_member_string(&call->w, "file", set ? NULL : override->file);
		if (set)
			jsonw_member_null(&call->w, "line");
		else
			jsonw_member_int(&call->w, "line", override->line);
		jsonw_end_object(&call->w);
	}
}

/* As it is in force, and could stand in a file. */
static void write_value(struct jsonw *w, const struct program_config *config, size_t key)
{
	const struct key_row *row = &program_rows[key];
	const char *owner =
	    row->part == PART_LIFE ? (const char *)config->life : (const char *)config;
	char *text = NULL;
	size_t length = 0;
	FILE *file = open_memstream(&text, &length);

	jsonw_key(w, "value");
	if (file == NULL) {
		jsonw_string(w, "");
		return;
	}
	value_write(row, owner + row->offset, file);
	if (fclose(file) == 0)
		jsonw_string_n(w, text, length);
	else
		jsonw_string(w, "");
	free(text);
}
