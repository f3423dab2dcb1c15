/* SPDX-License-Identifier: ISC */
/* amend.c: see amend.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/limits.h"
#include "lib/protocol.h"
#include "lib/units.h"
#include "supervisord/engine/access.h"
#include "supervisord/engine/amend.h"
#include "supervisord/engine/apply.h"
#include "supervisord/engine/call.h"
#include "supervisord/engine/confshow.h"
#include "supervisord/engine/confsource.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/op.h"

/* So many programs that are waited for are told by name. */
#define TRIAL_NAMES 5

#define SET_PATH (sizeof(CONFIG_SET_PATH) + LIMIT_NAME)

static void tell_trial(struct call *call);
static bool is_possible(struct call *call);
static void write_set_path(const char *program, char path[SET_PATH]);
static void remove_source(struct amend *amend, struct config_source *source);

bool amend_begin(struct amend *amend, struct call *call)
{
	const struct slots *slots = &call->engine->slots;
	int error;

	*amend = (struct amend){.call = call};
	if (!is_possible(call))
		return false;
	error = confsource_read_applied(
	    slots_get_fd(slots, slots_find(slots, held_key(HELD_CONFIG, 0, 0))), &amend->list,
	    &amend->count);
	if (error == 0)
		return true;
	amend_tell_problem(call, error, NULL);
	return false;
}

void amend_done(struct amend *amend)
{
	confsource_free(amend->list, amend->count);
	amend->list = NULL;
	amend->count = 0;
}

struct config_source *amend_find(const struct amend *amend, const char *path)
{
	for (size_t i = 0; i < amend->count; i++)
		if (strcmp(amend->list[i].path, path) == 0)
			return &amend->list[i];
	return NULL;
}

int amend_put(struct amend *amend, const char *path, const char *text)
{
	struct config_source *place = amend_find(amend, path), *larger, made;
	int error;

	amend->changed = true;
	if (text == NULL) {
		if (place != NULL)
			remove_source(amend, place);
		return 0;
	}
	if (place == NULL && amend->count == LIMIT_CONFIG_FILES)
		return -E2BIG;
	error = confsource_copy(path, text, strlen(text), &made);
	if (error < 0)
		return error;
	if (place == NULL) {
		larger = reallocarray(amend->list, amend->count + 1, sizeof(*larger));
		if (larger == NULL) {
			free(made.path);
			free(made.text);
			return -ENOMEM;
		}
		amend->list = larger;
		place = &larger[amend->count++];
	} else {
		free(place->path);
		free(place->text);
	}
	*place = made;
	return 0;
}

int amend_read_set(const struct amend *amend, const char *program, struct overridetext *ret_text)
{
	const struct config_source *source;
	char path[SET_PATH];

	*ret_text = (struct overridetext){.program = program};
	write_set_path(program, path);
	source = amend_find(amend, path);
	return source != NULL ? overridetext_read(source, ret_text) : 0;
}

int amend_write_set(struct amend *amend, const struct overridetext *text)
{
	char path[SET_PATH], *written = NULL;
	int error = 0;

	write_set_path(text->program, path);
	if (text->count > 0)
		error = overridetext_write(text, "", &written);
	if (error == 0)
		error = amend_put(amend, path, written);
	free(written);
	return error;
}

bool amend_load(struct amend *amend, struct config **ret_config)
{
	struct config_errors errors = {0};
	int error = config_load_sources(amend->list, amend->count, ret_config, &errors);

	amend->list = NULL;
	amend->count = 0;
	if (error < 0)
		amend_tell_problem(amend->call, error, &errors);
	config_errors_done(&errors);
	return error == 0;
}

bool amend_commit(struct amend *amend, const struct op_request *request, struct config *config)
{
	struct call *call = amend->call;
	struct config_errors errors = {0};
	struct apply_request apply = {.uid = (uint32_t)call->client->uid,
	    .op = op_new(request),
	    .errors = &errors,
	    .values = true,
	    .file = amend->file,
	    .name = amend->name};
	int error = apply.op != NULL ? apply_config(call->engine, &apply, config) : -ENOMEM;

	if (error == 0) {
		op_begin(apply.op);
	} else {
		config_free(config);
		if (apply.op != NULL)
			op_cancel(apply.op);
		amend_tell_problem(call, error, &errors);
	}
	config_errors_done(&errors);
	return error == 0;
}

bool amend_apply(struct amend *amend, const struct op_request *request)
{
	struct config *config;

	return amend_load(amend, &config) && amend_commit(amend, request, config);
}

void amend_tell_problem(struct call *call, int error, const struct config_errors *errors)
{
	if (errors != NULL && errors->count > 0) {
		call_error_begin(call, CALL_INTERFACE ".ConfigInvalid");
		confshow_errors(&call->w, errors, NULL);
		call_error_end(call);
		return;
	}
	if (error == -EBUSY)
		tell_trial(call);
	else
		call_error_text(call, CALL_INTERFACE ".Busy", "reason", strerror(-error));
}

/* Whom it waits for, as far as the client may see them, and for how long at most. */
static void tell_trial(struct call *call)
{
	const struct trial *trial = &call->engine->trial;
	int64_t left_ns = trial->deadline_ns - clock_boot_ns();
	const struct program *program;
	struct access sees;
	char text[TRIAL_NAMES * (LIMIT_NAME + 2) + 64] = "", age[32], limit[64] = "";
	char reason[sizeof(text) + sizeof(limit) + 128];
	size_t index = 0, told = 0, others = 0, length = 0;

	(void)access_init(&sees, call->client, RIGHT_STATUS);
	while ((program = trial_next_open(call->engine, &index)) != NULL) {
		if (!access_has(&sees, program) || told == TRIAL_NAMES) {
			others++;
			continue;
		}
		length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%s",
		    told++ > 0 ? ", " : "", program_name(program));
	}
	access_done(&sees);
	if (others > 0)
		(void)snprintf(text + length, sizeof(text) - length, "%s%zu other program%s",
		    told > 0 ? " and " : "", others, others > 1 ? "s" : "");
	if (trial->deadline_ns != 0)
		(void)snprintf(limit, sizeof(limit), ", for %s at most",
		    units_format_age(left_ns > 0 ? left_ns : 0, age, sizeof(age)));
	(void)snprintf(reason, sizeof(reason),
	    "an apply with rollback waits until %s %s up%s: nothing else is changed before",
	    told + others > 0 ? text : "its programs", told + others == 1 ? "is" : "are", limit);
	call_error_text(call, CALL_INTERFACE ".Busy", "reason", reason);
}

/* False: answered. */
static bool is_possible(struct call *call)
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

static void write_set_path(const char *program, char path[SET_PATH])
{
	(void)snprintf(path, SET_PATH, CONFIG_SET_PATH "%s", program);
}

static void remove_source(struct amend *amend, struct config_source *source)
{
	size_t index = (size_t)(source - amend->list);

	free(source->path);
	free(source->text);
	amend->count--;
	memmove(source, source + 1, (amend->count - index) * sizeof(*source));
}
