/* SPDX-License-Identifier: ISC */
/* runcall.c: see runcall.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/limits.h"
#include "lib/ownlog.h"
#include "supervisord/engine/amend.h"
#include "supervisord/engine/call.h"
#include "supervisord/engine/confreport.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/op.h"
#include "supervisord/engine/runcall.h"
#include "supervisord/engine/selection.h"
#include "supervisord/engine/setread.h"
#include "supervisord/engine/value.h"

/* A program that is named by us: run-1. */
#define NAME_FORMAT "run-%u"

/* What would be replaced in a value, and what becomes just that. */
#define WORD_BEGIN  "%{"
#define WORD_BEGINS "%{percent}{"

struct request {
	char name[LIMIT_NAME];
	bool start;
	struct op_request op;
};

static bool read_request(struct call *call, struct request *ret_request);
static bool choose_name(struct call *call, struct request *request);
static bool is_free(const struct engine *engine, const char *name);
static bool has_log(const struct engine *engine, const char *name);
static bool read_text(struct call *call, const struct request *request, struct overridetext *text);
static bool may_be_set(struct call *call, const struct overridetext *text);
static int set_given(struct overridetext *text, enum program_key key, const char *value);
static bool read_directory(struct call *call, struct overridetext *text);
static bool read_command(struct call *call, struct overridetext *text);
static int set_literal(struct overridetext *text, char **words, size_t count);
static char *escape(const char *text);
static size_t count_words(const char *text);
static bool fits(struct call *call, const char *name, char *const *words, size_t count);
static void tell_error(struct call *call, const char *name, const char *key, const char *message);
static void start(
    struct amend *amend, const struct request *request, const struct overridetext *text);
static void tell_not_forgotten(struct call *call, const char *name, const char *reason);

void runcall_run(struct call *call)
{
	static const char *const names[] = {
	    "name", "command", "directory", "settings", "start", "wait", "timeout_ms", NULL};
	struct request request;
	struct overridetext text = {0};
	struct amend amend;

	if (!call_allows(call, names) || !read_request(call, &request) ||
	    !amend_begin(&amend, call))
		return;
	text.program = request.name;
	if (choose_name(call, &request) && read_text(call, &request, &text))
		start(&amend, &request, &text);
	overridetext_done(&text);
	amend_done(&amend);
}

void runcall_forget(struct call *call)
{
	static const char *const names[] = {"name", "wait", "timeout_ms", NULL};
	struct op_request request;
	char run[sizeof(CONFIG_RUN_PATH) + LIMIT_NAME], set[sizeof(CONFIG_SET_PATH) + LIMIT_NAME];
	const struct program *program;
	const char *name = NULL;
	struct amend amend;

	if (!call_allows(call, names) || !op_read_request(call, &request) ||
	    !call_get_string(call, "name", &name))
		return;
	program = selection_find_one(call, name);
	if (program == NULL)
		return;
	if (program->removed || !config_is_transient(program->config)) {
		tell_not_forgotten(call, name,
		    "it is not one of superctl run; superctl apply removes what is taken out of a "
		    "file");
		return;
	}
	if (!step_is_at_rest(program_state_of(program))) {
		tell_not_forgotten(call, name, "it is running: superctl stop ends it");
		return;
	}
	if (!amend_begin(&amend, call))
		return;
	(void)snprintf(run, sizeof(run), CONFIG_RUN_PATH "%s", name);
	(void)snprintf(set, sizeof(set), CONFIG_SET_PATH "%s", name);
	(void)amend_put(&amend, run, NULL); /* to remove needs no memory */
	(void)amend_put(&amend, set, NULL);
	if (amend_apply(&amend, &request))
		log_notice("%s: forgotten, says uid %u", run + strlen(CONFIG_RUN_PATH),
		    (unsigned)call->client->uid);
	amend_done(&amend);
}

void runcall_wait(struct call *call)
{
	static const char *const names[] = {"name", "timeout_ms", NULL};
	struct op_request request;
	struct program *program;
	const char *name = NULL;
	struct jsonw extra;
	struct op *op;

	if (!call_allows(call, names) || !op_read_request(call, &request) ||
	    !call_get_string(call, "name", &name))
		return;
	program = selection_find_one(call, name);
	if (program == NULL)
		return;
	op = op_new(&request);
	if (op == NULL) {
		call_out_of_memory(call);
		return;
	}
	jsonw_init(&extra, LIMIT_CONTROL_QUEUE);
	jsonw_member_int(&extra, "unlogged_bytes",
	    (int64_t)streams_count_unlogged(&program->streams, &call->engine->slots));
	op_set_extra(op, &extra);
	jsonw_done(&extra);
	(void)op_add(op, program, OP_ENDED);
	op_begin(op);
}

/* False: answered. */
static bool read_request(struct call *call, struct request *ret_request)
{
	struct request request = {.start = true};
	const char *name = NULL, *rule;

	if (!op_read_request(call, &request.op) || !call_get_bool(call, "start", &request.start) ||
	    !call_get_string(call, "name", &name))
		return false;
	rule = name != NULL ? value_check_name(name) : NULL;
	if (rule != NULL) {
		char message[CONFREPORT_QUOTE];

		(void)snprintf(message, sizeof(message), "the name %s", rule);
		tell_error(call, name, NULL, message);
		return false;
	}
	if (name != NULL)
		(void)snprintf(request.name, sizeof(request.name), "%s", name);
	*ret_request = request;
	return true;
}

/* One that nobody has, nor has had: it would go on with another one's log.  False: answered. */
static bool choose_name(struct call *call, struct request *request)
{
	struct engine *engine = call->engine;

	if (request->name[0] != '\0') {
		if (is_free(engine, request->name))
			return true;
		call_error_text(call, CALL_INTERFACE ".NameTaken", "name", request->name);
		return false;
	}
	for (unsigned number = 1; number < LIMIT_TRANSIENT_NUMBER; number++) {
		(void)snprintf(request->name, sizeof(request->name), NAME_FORMAT, number);
		if (is_free(engine, request->name) && !has_log(engine, request->name))
			return true;
	}
	tell_error(call, "run", NULL, "every name of that kind is taken: say one");
	return false;
}

static bool is_free(const struct engine *engine, const char *name)
{
	size_t index = 0;

	return config_count_instances(engine->config, name) == 0 &&
	       config_find_group(engine->config, name) == NULL &&
	       engine_next_named(engine, name, &index) == NULL;
}

static bool has_log(const struct engine *engine, const char *name)
{
	char *path;
	bool found;

	if (asprintf(&path, "%s/%s.log", engine->config->settings.key_log_dir, name) < 0)
		return false;
	found = access(path, F_OK) == 0;
	free(path);
	return found;
}

/* The stanza.  False: answered. */
static bool read_text(struct call *call, const struct request *request, struct overridetext *text)
{
	const json_t *settings = json_object_get(call->parameters, "settings");

	if (set_given(text, PROGRAM_restart, "never") < 0) {
		call_out_of_memory(call);
		return false;
	}
	if (json_array_size(settings) > 0 &&
	    (!setread_settings(call, settings, text) || !may_be_set(call, text)))
		return false;
	if (set_given(text, PROGRAM_autostart, request->start ? "true" : "false") < 0 ||
	    set_given(text, PROGRAM_boot, "config") < 0 ||
	    set_given(text, PROGRAM_instances, "1") < 0) {
		call_out_of_memory(call);
		return false;
	}
	return read_directory(call, text) && read_command(call, text);
}

/* False: answered. */
static bool may_be_set(struct call *call, const struct overridetext *text)
{
	static const enum program_key fixed[] = {
	    PROGRAM_command, PROGRAM_autostart, PROGRAM_boot, PROGRAM_instances};

	for (size_t i = 0; i < text->count; i++)
		for (size_t k = 0; k < sizeof(fixed) / sizeof(fixed[0]); k++) {
			if (text->items[i].key != fixed[k])
				continue;
			tell_error(call, text->program, program_rows[fixed[k]].name,
			    "cannot be set for superctl run: it runs one command, once, now");
			return false;
		}
	return true;
}

/* Where nothing else was set; as it is.  False: answered. */
static bool read_directory(struct call *call, struct overridetext *text)
{
	const char *directory = NULL;
	char *escaped;
	int error;

	if (!call_get_string(call, "directory", &directory))
		return false;
	for (size_t i = 0; i < text->count; i++)
		if (text->items[i].key == PROGRAM_directory)
			directory = NULL;
	if (directory == NULL)
		return true;
	escaped = escape(directory);
	error = escaped != NULL ? set_given(text, PROGRAM_directory, escaped) : -ENOMEM;
	free(escaped);
	if (error < 0)
		call_out_of_memory(call);
	return error == 0;
}

static int set_given(struct overridetext *text, enum program_key key, const char *value)
{
	return overridetext_set(text, key, false, &value, 1);
}

/* False: answered. */
static bool read_command(struct call *call, struct overridetext *text)
{
	const json_t *command = json_object_get(call->parameters, "command");
	size_t count = json_array_size(command), made = 0;
	char **words = NULL;
	bool good = count > 0 && count <= LIMIT_ARGV;
	int error = 0;

	if (good) {
		words = calloc(count, sizeof(*words));
		error = words == NULL ? -ENOMEM : 0;
	}
	while (good && error == 0 && made < count) {
		const char *word = json_string_value(json_array_get(command, made));

		good = word != NULL;
		if (!good)
			break;
		words[made] = escape(word);
		error = words[made] == NULL ? -ENOMEM : 0;
		made += error == 0;
	}
	if (good && error == 0 && fits(call, text->program, words, count)) {
		error = set_literal(text, words, count);
		if (error < 0)
			call_out_of_memory(call);
		else
			error = 1; /* done */
	} else if (!good) {
		call_invalid_parameter(call, "command");
	} else if (error < 0) {
		call_out_of_memory(call);
	}
	for (size_t i = 0; i < made; i++)
		free(words[i]);
	free(words);
	return error == 1;
}

static int set_literal(struct overridetext *text, char **words, size_t count)
{
	return overridetext_set(text, PROGRAM_command, true, (const char *const *)words, count);
}

/* What a launch makes `text` of again; NULL: no memory. */
static char *escape(const char *text)
{
	size_t words = count_words(text);
	char *escaped = malloc(strlen(text) + words * strlen(WORD_BEGINS) + 1), *to = escaped;

	while (escaped != NULL && *text != '\0') {
		if (strncmp(text, WORD_BEGIN, strlen(WORD_BEGIN)) == 0) {
			to = stpcpy(to, WORD_BEGINS);
			text += strlen(WORD_BEGIN);
		} else {
			*to++ = *text++;
		}
	}
	if (escaped != NULL)
		*to = '\0';
	return escaped;
}

static size_t count_words(const char *text)
{
	size_t count = 0;

	for (const char *at = strstr(text, WORD_BEGIN); at != NULL; at = strstr(at + 1, WORD_BEGIN))
		count++;
	return count;
}

/* As they are written into the text (value_write_text()).  False: answered. */
static bool fits(struct call *call, const char *name, char *const *words, size_t count)
{
	char message[CONFREPORT_QUOTE];

	for (size_t i = 0; i < count; i++) {
		size_t length = 0;

		for (const char *at = words[i]; *at != '\0'; at++)
			length += (unsigned char)*at < ' ' || *at == 0x7f ? 4
				  : strchr("\"\\$", *at) != NULL          ? 2
									  : 1;
		if (length < LIMIT_CONFIG_WORD)
			continue;
		(void)snprintf(message, sizeof(message),
		    "word %zu is too long: a configuration takes %d bytes; put it into a file",
		    i + 1, LIMIT_CONFIG_WORD);
		tell_error(call, name, "command", message);
		return false;
	}
	return true;
}

static void tell_error(struct call *call, const char *name, const char *key, const char *message)
{
	char file[sizeof(CONFIG_RUN_PATH) + LIMIT_NAME];
	struct config_errors errors = {0};
	struct confreport report = {.errors = &errors};

	(void)snprintf(file, sizeof(file), CONFIG_RUN_PATH "%s", name);
	confreport_add(&report, file, 0, key, "%s", message);
	amend_tell_problem(call, -EINVAL, &errors);
	config_errors_done(&errors);
}

/* Put it in force, and answer. */
static void start(
    struct amend *amend, const struct request *request, const struct overridetext *text)
{
	char path[sizeof(CONFIG_RUN_PATH) + LIMIT_NAME], *written = NULL;
	int error = overridetext_write_program(text, &written);

	(void)snprintf(path, sizeof(path), CONFIG_RUN_PATH "%s", request->name);
	if (error == 0)
		error = amend_put(amend, path, written);
	free(written);
	if (error < 0) {
		amend_tell_problem(amend->call, error, NULL);
		return;
	}
	amend->name = request->name;
	if (amend_apply(amend, &request->op))
		log_notice("%s: run by uid %u", request->name, (unsigned)amend->call->client->uid);
}

static void tell_not_forgotten(struct call *call, const char *name, const char *reason)
{
	call_error_begin(call, CALL_INTERFACE ".NotForgotten");
	jsonw_member_string(&call->w, "name", name);
	jsonw_member_string(&call->w, "reason", reason);
	call_error_end(call);
}
