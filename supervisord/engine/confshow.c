/* SPDX-License-Identifier: ISC */
/*
 * confshow.c: see confshow.h.
 *
 * What was given is told from defaults by the text: a value that is written like the default is no
 * different from it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisord/engine/access.h"
#include "supervisord/engine/call.h"
#include "supervisord/engine/confshow.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/selection.h"
#include "supervisord/engine/valuetext.h"

/* As logs calls it. */
#define CONFSHOW_DAEMON "supervisord"

/* One value as text, in a buffer that is used again; the built-in defaults of all keys. */
struct confshow_texts {
	struct valuetext value;
	char *programs[PROGRAM_KEY_COUNT]; /* NULL: unset */
	char *sockets[SOCKET_KEY_COUNT];
	char *settings[SETTING_KEY_COUNT];
};

static void show_errors(struct jsonw *w, const char *name, const struct config_errors *errors);

static int write_default(struct confshow_texts *texts, const struct key_row *row, char **ret_text);
static bool write_value(struct confshow_texts *texts, const struct key_row *row, const void *value);
static void show_value(struct confshow *show, const struct key_row *row, const void *value,
    const char *def, const struct program_override *override);
static void show_override(struct jsonw *w, const struct program_override *override);
static void begin_stanza(struct confshow *show, const char *kind, const char *name);
static void end_stanza(struct confshow *show);

void confshow_errors(
    struct jsonw *w, const struct config_errors *errors, const struct config_errors *notes)
{
	show_errors(w, "errors", errors);
	if (notes != NULL && notes->count > 0)
		show_errors(w, "notes", notes);
}

static void show_errors(struct jsonw *w, const char *name, const struct config_errors *errors)
{
	jsonw_key(w, name);
	jsonw_begin_array(w);
	for (size_t i = 0; i < errors->count; i++) {
		jsonw_begin_object(w);
		jsonw_member_string(w, "file", errors->list[i].file);
		jsonw_member_int(w, "line", errors->list[i].line);
		jsonw_member_string(w, "key", errors->list[i].key);
		jsonw_member_string(w, "message", errors->list[i].message);
		jsonw_end_object(w);
	}
	jsonw_end_array(w);
}

int confshow_begin(struct confshow *show, struct jsonw *w, bool all)
{
	struct confshow_texts *texts = calloc(1, sizeof(*texts));
	int error = 0;

	*show = (struct confshow){.w = w, .all = all, .texts = texts};
	jsonw_key(w, "stanzas");
	jsonw_begin_array(w);
	if (texts == NULL)
		return -ENOMEM;
	error = valuetext_init(&texts->value);
	for (size_t k = 0; k < PROGRAM_KEY_COUNT && error == 0; k++)
		error = write_default(texts, &program_rows[k], &texts->programs[k]);
	for (size_t k = 0; k < SOCKET_KEY_COUNT && error == 0; k++)
		error = write_default(texts, &socket_rows[k], &texts->sockets[k]);
	for (size_t k = 0; k < SETTING_KEY_COUNT && error == 0; k++)
		error = write_default(texts, &setting_rows[k], &texts->settings[k]);
	return error;
}

int confshow_end(struct confshow *show)
{
	struct confshow_texts *texts = show->texts;

	jsonw_end_array(show->w);
	if (texts == NULL)
		return jsonw_error(show->w);
	valuetext_done(&texts->value);
	for (size_t k = 0; k < PROGRAM_KEY_COUNT; k++)
		free(texts->programs[k]);
	for (size_t k = 0; k < SOCKET_KEY_COUNT; k++)
		free(texts->sockets[k]);
	for (size_t k = 0; k < SETTING_KEY_COUNT; k++)
		free(texts->settings[k]);
	free(texts);
	show->texts = NULL;
	return jsonw_error(show->w);
}

void confshow_program(struct confshow *show, const struct program_config *program)
{
	begin_stanza(show, "program", program->name);
	jsonw_member_string(show->w, "file", program->file);
	jsonw_member_int(show->w, "line", program->line);
	jsonw_key(show->w, "values");
	jsonw_begin_array(show->w);
	for (size_t k = 0; k < PROGRAM_KEY_COUNT; k++) {
		const struct key_row *row = &program_rows[k];
		bool replaced = program->life->key_stop_sequence.count > 0 &&
				(k == PROGRAM_stop_signal || k == PROGRAM_stop_timeout);
		const void *owner =
		    row->part == PART_PROGRAM ? (const void *)program : (const void *)program->life;

		/* What has no meaning there is no value, and no file may say both. */
		if (!replaced)
			show_value(show, row, (const char *)owner + row->offset,
			    show->texts->programs[k], config_find_override(program, (uint32_t)k));
	}
	end_stanza(show);
}

void confshow_group(struct confshow *show, const struct group_config *group)
{
	begin_stanza(show, "group", group->name);
	jsonw_member_null(show->w, "file");
	jsonw_member_null(show->w, "line");
	jsonw_key(show->w, "values");
	jsonw_begin_array(show->w);
	for (size_t k = 0; k < GROUP_KEY_COUNT; k++)
		show_value(
		    show, &group_rows[k], (const char *)group + group_rows[k].offset, NULL, NULL);
	end_stanza(show);
}

void confshow_socket(struct confshow *show, const struct socket_config *socket)
{
	begin_stanza(show, "socket", socket->name);
	jsonw_member_string(show->w, "file", socket->file);
	jsonw_member_int(show->w, "line", socket->line);
	jsonw_key(show->w, "values");
	jsonw_begin_array(show->w);
	for (size_t k = 0; k < SOCKET_KEY_COUNT; k++)
		show_value(show, &socket_rows[k], (const char *)socket + socket_rows[k].offset,
		    show->texts->sockets[k], NULL);
	end_stanza(show);
}

void confshow_settings(struct confshow *show, const struct settings *settings)
{
	begin_stanza(show, "settings", "");
	jsonw_member_null(show->w, "file");
	jsonw_member_null(show->w, "line");
	jsonw_key(show->w, "values");
	jsonw_begin_array(show->w);
	for (size_t k = 0; k < SETTING_KEY_COUNT; k++)
		show_value(show, &setting_rows[k], (const char *)settings + setting_rows[k].offset,
		    show->texts->settings[k], NULL);
	end_stanza(show);
}

void confshow_serve(struct call *call)
{
	static const char *const names[] = {"names", "all", NULL};
	const struct config *config = call->engine->config;
	struct selection selection;
	struct confshow show;
	bool all = false, whole;
	json_t *given = json_object_get(call->parameters, "names");
	int error;

	if (!call_allows(call, names) || !call_get_bool(call, "all", &all) ||
	    !selection_read(call, false, &selection))
		return;
	whole = json_array_size(given) == 0;
	call_begin_reply(call);
	error = confshow_begin(&show, &call->w, all);
	if (error == 0 && whole && access_may_name(call->client, call->right, CONFSHOW_DAEMON))
		confshow_settings(&show, &config->settings);
	for (size_t i = 0; i < selection.count && error == 0; i++)
		confshow_program(&show, selection.list[i]->config);
	for (size_t i = 0; i < config->socket_count && error == 0 && whole; i++)
		confshow_socket(&show, &config->sockets[i]);
	for (size_t i = 0; i < config->group_count && error == 0 && whole; i++)
		if (access_may_name(call->client, call->right, config->groups[i].name))
			confshow_group(&show, &config->groups[i]);
	if (confshow_end(&show) < 0 || error < 0) {
		jsonw_reset(&call->w);
		call_out_of_memory(call);
	} else {
		call_end_reply(call);
	}
	selection_done(&selection);
}

/* The default as the parser reads it, so that "60s" and "1min" are the same. */
static int write_default(struct confshow_texts *texts, const struct key_row *row, char **ret_text)
{
	_Alignas(max_align_t) char value[sizeof(struct life_config)] = {0};
	int error = value_read_default(row, value);

	if (error < 0 || row->def == NULL)
		return error;
	if (write_value(texts, row, value)) {
		*ret_text = strdup(texts->value.text);
		error = *ret_text == NULL ? -ENOMEM : 0;
	}
	value_done(row, value, NULL);
	return error;
}

/* False: it is unset. */
static bool write_value(struct confshow_texts *texts, const struct key_row *row, const void *value)
{
	return valuetext_put(&texts->value, row, value) && texts->value.length > 0;
}

static void show_value(struct confshow *show, const struct key_row *row, const void *value,
    const char *def, const struct program_override *override)
{
	struct confshow_texts *texts = show->texts;
	char label[KEYTABLE_LABEL];
	bool given;

	if (!write_value(texts, row, value))
		return;
	/* An empty list is unset where the default is. */
	if (def == NULL && texts->value.length == 2 && memcmp(texts->value.text, "{}", 2) == 0)
		return;
	given = def == NULL || strlen(def) != texts->value.length ||
		memcmp(def, texts->value.text, texts->value.length) != 0;
	if (!given && !show->all && override == NULL)
		return;
	jsonw_begin_object(show->w);
	jsonw_member_string(show->w, "key", keytable_label(row, label));
	jsonw_key(show->w, "value");
	jsonw_string_n(show->w, texts->value.text, texts->value.length);
	jsonw_member_bool(show->w, "given", given);
	if (override != NULL)
		show_override(show->w, override);
	jsonw_end_object(show->w);
}

static void show_override(struct jsonw *w, const struct program_override *override)
{
	char *place;

	if (config_is_set(override)) {
		jsonw_member_string(w, "override", "superctl set");
	} else if (asprintf(&place, "%s:%d", override->file, override->line) >= 0) {
		jsonw_member_string(w, "override", place);
		free(place);
	}
}

static void begin_stanza(struct confshow *show, const char *kind, const char *name)
{
	jsonw_begin_object(show->w);
	jsonw_member_string(show->w, "kind", kind);
	jsonw_member_string(show->w, "name", name);
}

static void end_stanza(struct confshow *show)
{
	jsonw_end_array(show->w);
	jsonw_end_object(show->w);
}
