/* SPDX-License-Identifier: ISC */
/* enable.c: see enable.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>

#include "lib/ownlog.h"
#include "supervisord/engine/call.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/enable.h"
#include "supervisord/engine/instname.h"
#include "supervisord/engine/op.h"
#include "supervisord/engine/parse.h"
#include "supervisord/engine/persist.h"
#include "supervisord/engine/setread.h"

/* Where the files say whether a program is started: the last place that counts so far. */
struct search {
	const char *program;
	const struct config_source *source; /* at hand */
	const char *file;                   /* NULL: nowhere yet */
	int line;
	bool found; /* in the stanza itself, which counts before the defaults */
};

static void serve(struct amend *amend, const char *name, bool enabled);
static bool is_enabled(const struct config *config, const char *program);
static void tell_already(
    struct call *call, const struct config *files, const struct program_config *program);
static int on_stanza(void *context, const struct stanza *stanza);
static bool change(struct persist *persist, bool enabled);
static int take_back(struct amend *amend, const char *program, bool *ret_taken);

void enable_call(struct call *call)
{
	static const char *const names[] = {"name", "enabled", NULL};
	const char *name = NULL;
	bool enabled = true;
	struct amend amend;

	if (!call_allows(call, names) || !call_get_bool(call, "enabled", &enabled) ||
	    !call_get_string(call, "name", &name))
		return;
	if (name == NULL) {
		call_invalid_parameter(call, "name");
		return;
	}
	if (!setread_is_stanza(call, name) || !amend_begin(&amend, call))
		return;
	serve(&amend, name, enabled);
	amend_done(&amend);
}

static void serve(struct amend *amend, const char *name, bool enabled)
{
	const struct op_request request = {
	    .client = amend->call->client, .wait = false, .timeout_ms = -1};
	struct persist persist;

	if (persist_begin(&persist, amend, name)) {
		const bool already = persist.stanza->key_autostart == enabled;
		bool taken = false;
		int error = take_back(amend, name, &taken);

		if (error < 0) {
			amend_tell_problem(amend->call, error, NULL);
		} else if (already && !taken) {
			tell_already(amend->call, persist.files, persist.stanza);
		} else if ((already || change(&persist, enabled)) &&
			   persist_finish(&persist, &request)) {
			log_notice("%s: %s by uid %u", name, enabled ? "enabled" : "disabled",
			    (unsigned)amend->call->client->uid);
		}
	}
	persist_done(&persist);
}

static bool is_enabled(const struct config *config, const char *program)
{
	for (size_t i = 0; i < config->program_count; i++)
		if (instname_is_of(config->programs[i]->name, program))
			return config->programs[i]->key_autostart;
	return false;
}

/* And where that is said. */
static void tell_already(
    struct call *call, const struct config *files, const struct program_config *program)
{
	const struct program_override *override = config_find_override(program, PROGRAM_autostart);
	struct instname parts;
	struct search search = {0};

	instname_split(program->name, &parts);
	search.program = parts.program;
	if (override != NULL) {
		search.file = override->file;
		search.line = override->line;
	}
	for (size_t i = 0; override == NULL && i < files->source_count; i++) {
		struct config_errors errors = {0};
		struct confreport report = {.errors = &errors};
		struct parse_result result;

		search.source = &files->sources[i];
		(void)parse_text(search.source->path, search.source->text, search.source->length,
		    &report, on_stanza, &search, &result);
		config_errors_done(&errors);
	}
	call_begin_reply(call);
	jsonw_member_bool(&call->w, "changed", false);
	jsonw_member_string(&call->w, "file", search.file != NULL ? search.file : program->file);
	jsonw_member_int(&call->w, "line", search.file != NULL ? search.line : program->line);
	call_end_reply(call);
}

static int on_stanza(void *context, const struct stanza *stanza)
{
	struct search *search = context;
	bool own = stanza->kind == STANZA_PROGRAM && strcmp(stanza->title, search->program) == 0;

	if ((stanza->kind != STANZA_DEFAULTS && !own) || (search->found && !own))
		return 0;
	for (size_t i = 0; i < stanza->count; i++) {
		if (stanza->entries[i].key != PROGRAM_autostart)
			continue;
		search->file = search->source->path;
		search->line = stanza->entries[i].line;
		search->found = own;
	}
	return 0;
}

/* Without a word of ours, where that is enough.  False: answered. */
static bool change(struct persist *persist, bool enabled)
{
	const char *const value = enabled ? "true" : "false";
	struct overridetext *const texts[] = {&persist->disk, &persist->applied};
	struct config *config;
	bool enough;
	int error = 0;

	(void)overridetext_unset(&persist->applied, PROGRAM_autostart);
	if (overridetext_unset(&persist->disk, PROGRAM_autostart)) {
		if (!persist_check(persist, &config))
			return false;
		enough = is_enabled(config, persist->program) == enabled;
		config_free(config);
		if (enough)
			return true;
	}
	for (size_t i = 0; i < 2 && error == 0; i++)
		error = overridetext_set(texts[i], PROGRAM_autostart, false, &value, 1);
	if (error < 0) {
		amend_tell_problem(persist->amend->call, error, NULL);
		return false;
	}
	if (!persist_check(persist, &config))
		return false;
	config_free(config);
	return true;
}

/* What superctl set said of it would hide what the files say. */
static int take_back(struct amend *amend, const char *program, bool *ret_taken)
{
	struct overridetext set;
	int error = amend_read_set(amend, program, &set);
	bool taken = error == 0 && overridetext_unset(&set, PROGRAM_autostart);

	if (taken)
		error = amend_write_set(amend, &set);
	overridetext_done(&set);
	*ret_taken = taken;
	return error;
}
