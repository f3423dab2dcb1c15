/* SPDX-License-Identifier: ISC */
/* confvalues.c: see confvalues.h. */
#define _GNU_SOURCE
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/jsonw.h"
#include "supervisord/engine/confvalues.h"
#include "supervisord/engine/keytable.h"
#include "supervisord/engine/valuetext.h"

static const void *member_of(const struct program_config *config, const struct key_row *row);
static void write_difference(const struct key_row *row, const void *old_value,
    const void *new_value, struct valuetext texts[2], struct jsonw *w);
static void write_default(const struct key_row *row, struct valuetext *text);
static void write_change(const char *key, enum change_class change,
    const struct valuetext *old_text, const struct valuetext *new_text, struct jsonw *w);
static void write_group(const char *name, const struct config *old_config,
    const struct config *new_config, struct valuetext texts[2], struct jsonw *w);
static bool open_texts(struct valuetext texts[2]);
static void close_texts(struct valuetext texts[2]);

void confvalues_write_program(const struct program_config *old_config,
    const struct program_config *new_config, struct jsonw *w)
{
	struct valuetext texts[2];

	if (new_config == NULL || !open_texts(texts))
		return;
	for (size_t k = 0; k < PROGRAM_KEY_COUNT; k++)
		write_difference(&program_rows[k],
		    old_config != NULL ? member_of(old_config, &program_rows[k]) : NULL,
		    member_of(new_config, &program_rows[k]), texts, w);
	close_texts(texts);
}

void confvalues_write_daemon(
    const struct config *old_config, const struct config *new_config, struct jsonw *w)
{
	struct valuetext texts[2];

	if (!open_texts(texts))
		return;
	for (size_t k = 0; k < SETTING_KEY_COUNT; k++) {
		const struct key_row *row = &setting_rows[k];

		if (k != SETTING_include && k != SETTING_run_dir)
			write_difference(row, (const char *)&old_config->settings + row->offset,
			    (const char *)&new_config->settings + row->offset, texts, w);
	}
	for (size_t i = 0; i < old_config->group_count; i++)
		write_group(old_config->groups[i].name, old_config, new_config, texts, w);
	for (size_t i = 0; i < new_config->group_count; i++)
		if (config_find_group(old_config, new_config->groups[i].name) == NULL)
			write_group(new_config->groups[i].name, old_config, new_config, texts, w);
	close_texts(texts);
}

static const void *member_of(const struct program_config *config, const struct key_row *row)
{
	return row->part == PART_LIFE ? (const char *)config->life + row->offset
				      : (const char *)config + row->offset;
}

static void write_difference(const struct key_row *row, const void *old_value,
    const void *new_value, struct valuetext texts[2], struct jsonw *w)
{
	static const struct valuetext nothing = {.text = (char *)(uintptr_t) ""};
	char label[KEYTABLE_LABEL];

	if (old_value != NULL)
		(void)valuetext_put(&texts[0], row, old_value);
	else
		write_default(row, &texts[0]);
	(void)valuetext_put(&texts[1], row, new_value);
	if (strcmp(texts[0].text, texts[1].text) != 0)
		write_change(keytable_label(row, label), row->change,
		    old_value != NULL ? &texts[0] : &nothing, &texts[1], w);
}

static void write_default(const struct key_row *row, struct valuetext *text)
{
	union {
		struct stdio stdio;
		struct exit_set exits;
		struct check check;
		struct on_failure on_failure;
		struct stop_sequence steps;
		struct health_action action;
		uint64_t number;
		double factor;
		void *pointer;
	} value;

	assert(row->size <= sizeof(value));
	memset(&value, 0, sizeof(value));
	(void)value_read_default(row, &value);
	(void)valuetext_put(text, row, &value);
	value_done(row, &value, NULL);
}

static void write_change(const char *key, enum change_class change,
    const struct valuetext *old_text, const struct valuetext *new_text, struct jsonw *w)
{
	static const char *const classes[] = {
	    [CHANGE_NONE] = "none",
	    [CHANGE_LIVE] = "live",
	    [CHANGE_NEXT] = "next",
	    [CHANGE_RESTART] = "restart",
	};

	jsonw_begin_object(w);
	jsonw_member_string(w, "key", key);
	jsonw_member_string(w, "class", classes[change]);
	jsonw_member_string(w, "old", old_text->text[0] != '\0' ? old_text->text : NULL);
	jsonw_member_string(w, "new", new_text->text[0] != '\0' ? new_text->text : NULL);
	jsonw_end_object(w);
}

static void write_group(const char *name, const struct config *old_config,
    const struct config *new_config, struct valuetext texts[2], struct jsonw *w)
{
	static const string_list none;
	const struct group_config *old_group = config_find_group(old_config, name);
	const struct group_config *new_group = config_find_group(new_config, name);
	char key[LIMIT_NAME + 8];

	(void)valuetext_put(
	    &texts[0], &group_rows[GROUP_members], old_group != NULL ? &old_group->members : &none);
	(void)valuetext_put(
	    &texts[1], &group_rows[GROUP_members], new_group != NULL ? &new_group->members : &none);
	if (strcmp(texts[0].text, texts[1].text) == 0)
		return;
	snprintf(key, sizeof(key), "group %s", name);
	write_change(key, CHANGE_LIVE, &texts[0], &texts[1], w);
}

static bool open_texts(struct valuetext texts[2])
{
	int first = valuetext_init(&texts[0]), second = valuetext_init(&texts[1]);

	if (first == 0 && second == 0)
		return true;
	close_texts(texts);
	return false;
}

static void close_texts(struct valuetext texts[2])
{
	valuetext_done(&texts[0]);
	valuetext_done(&texts[1]);
}
