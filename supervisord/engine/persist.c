/* SPDX-License-Identifier: ISC */
/* persist.c: see persist.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/ownlog.h"
#include "supervisord/engine/call.h"
#include "supervisord/engine/confsource.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/instname.h"
#include "supervisord/engine/persist.h"

static const struct program_config *find_program(const struct config *files, const char *program);
static bool is_transient(const struct engine *engine, const char *program);
static bool find_dropin(struct persist *persist);
static bool read_texts(struct persist *persist);
static int write_text(const struct overridetext *text, char **ret_text);
static int copy_sources(const struct persist *persist, const char *text,
    struct config_source **ret_sources, size_t *ret_count);
static void tell(const struct persist *persist, const char *reason);
static bool write_file(const struct persist *persist, const char *text, struct stat *ret_looks);
static void put_back(const struct persist *persist, const struct stat *looks);

bool persist_begin(struct persist *persist, struct amend *amend, const char *program)
{
	struct config_errors errors = {0};
	int error;

	*persist = (struct persist){.amend = amend,
	    .program = program,
	    .disk = {.program = program},
	    .applied = {.program = program}};
	error = config_load(amend->call->engine->config_path, &persist->files, &errors);
	if (error < 0)
		amend_tell_problem(amend->call, error, &errors);
	config_errors_done(&errors);
	if (error < 0)
		return false;
	persist->stanza = find_program(persist->files, program);
	if (persist->stanza == NULL) {
		tell(persist, "its stanza is in no file, so nothing can be laid over it there");
		return false;
	}
	if (is_transient(amend->call->engine, program)) {
		tell(persist, "what is applied of that name is one of superctl run, not what the "
			      "files have: superctl forget removes it");
		return false;
	}
	return find_dropin(persist) && read_texts(persist);
}

void persist_done(struct persist *persist)
{
	overridetext_done(&persist->disk);
	overridetext_done(&persist->applied);
	dropin_done(&persist->dropin);
	config_free(persist->files);
	persist->files = NULL;
}

bool persist_check(const struct persist *persist, struct config **ret_config)
{
	struct config_errors errors = {0};
	struct config_source *sources = NULL;
	size_t count = 0;
	char *text = NULL;
	int error = write_text(&persist->disk, &text);

	if (error == 0)
		error = copy_sources(persist, text, &sources, &count);
	if (error == 0)
		error = config_load_sources(sources, count, ret_config, &errors);
	if (error < 0)
		amend_tell_problem(persist->amend->call, error, &errors);
	config_errors_done(&errors);
	free(text);
	return error == 0;
}

bool persist_finish(struct persist *persist, const struct op_request *request)
{
	struct amend *amend = persist->amend;
	struct config *config = NULL;
	char *disk = NULL, *applied = NULL;
	struct stat looks;
	bool done = false;
	int error;

	error = write_text(&persist->disk, &disk);
	if (error == 0)
		error = write_text(&persist->applied, &applied);
	if (error == 0)
		error = amend_put(amend, persist->dropin.path, applied);
	free(applied);
	if (error < 0) {
		amend_tell_problem(amend->call, error, NULL);
	} else if (amend_load(amend, &config)) {
		amend->file = disk != NULL ? persist->dropin.path : NULL;
		if (!write_file(persist, disk, &looks)) {
			config_free(config);
		} else {
			done = amend_commit(amend, request, config);
			if (!done) /* that is answered */
				put_back(persist, &looks);
		}
	}
	free(disk);
	return done;
}

static const struct program_config *find_program(const struct config *files, const char *program)
{
	for (size_t i = 0; i < files->program_count; i++)
		if (instname_is_of(files->programs[i]->name, program))
			return files->programs[i];
	return NULL;
}

/* Its override would be left over when it is forgotten. */
static bool is_transient(const struct engine *engine, const char *program)
{
	const struct program_config *applied = find_program(engine->config, program);

	return applied != NULL && config_is_transient(applied);
}

static bool find_dropin(struct persist *persist)
{
	char *problem = NULL;
	int error = dropin_find(persist->files, persist->stanza, &persist->dropin, &problem);

	if (error == -EINVAL)
		tell(persist, problem);
	else if (error < 0)
		amend_tell_problem(persist->amend->call, error, NULL);
	free(problem);
	return error == 0;
}

/* What the file says, and what is applied of it. */
static bool read_texts(struct persist *persist)
{
	const struct config_source *applied = amend_find(persist->amend, persist->dropin.path);
	char *problem = NULL;
	int error = 0;

	if (persist->dropin.source != NULL)
		error = overridetext_read(persist->dropin.source, &persist->disk);
	if (error == 0 && applied != NULL)
		error = overridetext_read(applied, &persist->applied);
	if (error == 0)
		return true;
	if (error == -EBADMSG && asprintf(&problem,
				     "%s has more in it than an override of that program: it "
				     "is left alone",
				     persist->dropin.path) >= 0)
		tell(persist, problem);
	else
		amend_tell_problem(persist->amend->call, error, NULL);
	free(problem);
	return false;
}

/* NULL: there is to be none. */
static int write_text(const struct overridetext *text, char **ret_text)
{
	return text->count > 0 ? overridetext_write(text, DROPIN_HEAD, ret_text) : 0;
}

/* The files with `text` in place of the file. */
static int copy_sources(const struct persist *persist, const char *text,
    struct config_source **ret_sources, size_t *ret_count)
{
	const struct config *files = persist->files;
	struct config_source *sources = calloc(files->source_count + 1, sizeof(*sources));
	size_t count = 0;
	int error = sources != NULL ? 0 : -ENOMEM;

	for (size_t i = 0; error == 0 && i < files->source_count; i++) {
		const struct config_source *source = &files->sources[i];

		if (source == persist->dropin.source)
			continue;
		error =
		    confsource_copy(source->path, source->text, source->length, &sources[count]);
		count += error == 0;
	}
	if (error == 0 && text != NULL) {
		error = confsource_copy(persist->dropin.path, text, strlen(text), &sources[count]);
		count += error == 0;
	}
	if (error == 0 && count > LIMIT_CONFIG_FILES)
		error = -E2BIG;
	if (error < 0) {
		confsource_free(sources, count);
		return error;
	}
	*ret_sources = sources;
	*ret_count = count;
	return 0;
}

static void tell(const struct persist *persist, const char *reason)
{
	struct call *call = persist->amend->call;

	call_error_begin(call, CALL_INTERFACE ".NotPersisted");
	jsonw_member_string(&call->w, "name", persist->program);
	jsonw_member_string(&call->w, "reason", reason);
	call_error_end(call);
}

/* Gives what it looked like before.  False: answered. */
static bool write_file(const struct persist *persist, const char *text, struct stat *ret_looks)
{
	const struct config_source *old = persist->dropin.source;
	char *problem = NULL;
	const bool same = old != NULL && text != NULL ? strcmp(old->text, text) == 0
						      : old == NULL && text == NULL;
	int error = dropin_look(persist->dropin.path, persist->stanza->file, ret_looks);

	if (error == 0 && same)
		return true;
	if (error == 0)
		error = dropin_write(persist->dropin.path, text, ret_looks);
	if (error < 0) {
		if (asprintf(&problem, "%s: %s", persist->dropin.path, strerror(-error)) >= 0)
			tell(persist, problem);
		else
			amend_tell_problem(persist->amend->call, error, NULL);
		free(problem);
		return false;
	}
	log_notice("%s: %s %s", persist->program, persist->dropin.path,
	    text != NULL ? "written" : "removed");
	return true;
}

static void put_back(const struct persist *persist, const struct stat *looks)
{
	const struct config_source *old = persist->dropin.source;
	int error = dropin_write(persist->dropin.path, old != NULL ? old->text : NULL, looks);

	if (error < 0)
		log_error("%s: %s cannot be made what it was, the next apply takes it: %s",
		    persist->program, persist->dropin.path, strerror(-error));
}
