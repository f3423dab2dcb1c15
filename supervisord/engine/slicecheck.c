/* SPDX-License-Identifier: ISC */
/* slicecheck.c: slice_check(): what may be written where, and how what may not is told; see
 * slice.h. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/nearest.h"
#include "supervisord/engine/slice.h"
#include "supervisord/engine/value.h"

/* What command is called in on_event. */
#define EXEC "exec"

/* More keys than that are no help in a message. */
#define KEYS_LISTED 32

static const char *const section_names[] = {
    [STANZA_SETTING] = NULL,
    [STANZA_CONTROL] = KEYTABLE_CONTROL,
    [STANZA_DEFAULTS] = "defaults",
    [STANZA_PROGRAM] = "program",
    [STANZA_ON_EVENT] = "on_event",
    [STANZA_GROUP] = "group",
    [STANZA_SOCKET] = "socket",
    [STANZA_OVERRIDE] = "override",
};
#define KIND_COUNT (sizeof(section_names) / sizeof(section_names[0]))

/* clang-format off */
#define TYPE_LIST(type, list) [KEY_##type] = list,
static const bool takes_list[KEY_TYPE_COUNT] = { KEY_TYPES(TYPE_LIST) };
/* clang-format on */

static bool find_kind(struct slice *slice);
static bool check_form(struct slice *slice, const char *name);
static void refuse_name(struct slice *slice, const char *name);
static void check_entries(struct slice *slice);
static bool begins_health(const struct slice *slice, const struct guard_entry *entry);
static bool check_health(struct slice *slice, const struct guard_entry *entry);
static bool check_entry(struct slice *slice, const struct guard_entry *entry, bool in_health);
static int find_key(const struct slice *slice, const char *name, bool in_health);
static bool check_row(struct slice *slice, const struct guard_entry *entry, size_t key);
static bool is_set_by_on_event(enum program_key key);
static const char *word_of(const struct slice *slice, const struct key_row *row);
static void refuse_key(
    struct slice *slice, const struct guard_entry *entry, const char *name, bool in_health);
static char *list_names(const char *const *names, size_t count);
static bool copy_name(
    const struct slice *slice, uint32_t at, uint32_t length, char buffer[CONFREPORT_QUOTE]);

bool slice_check(struct slice *slice)
{
	slice->count = 0;
	slice->health_line = 0;
	slice->spoiled = false;
	if (slice->at->bad)
		return false;
	if (!find_kind(slice)) {
		slice->text->complete = false;
		return false;
	}
	check_entries(slice);
	/* The one key of a setting was wrong. */
	return slice->kind != STANZA_SETTING || slice->count > 0;
}

static bool find_kind(struct slice *slice)
{
	const struct guard_slice *at = slice->at;
	char name[CONFREPORT_QUOTE];
	bool found = false;

	if (copy_name(slice, at->name, at->name_length, name)) {
		for (size_t i = 0; i < KIND_COUNT && !found; i++) {
			found = section_names[i] != NULL && strcmp(section_names[i], name) == 0;
			if (found)
				slice->kind = (enum stanza_kind)i;
		}
		if (!found && keytable_find_setting(name, false) >= 0) {
			found = true;
			slice->kind = STANZA_SETTING;
		}
	}
	if (!found) {
		refuse_name(slice, name);
		return false;
	}
	slice->rows = parse_rows(slice->kind, &slice->row_count);
	return check_form(slice, name);
}

static bool check_form(struct slice *slice, const char *name)
{
	const struct guard_slice *at = slice->at;
	const char *problem = NULL, *title = "";

	switch (slice->kind) {
	case STANZA_PROGRAM:
	case STANZA_ON_EVENT:
	case STANZA_GROUP:
	case STANZA_SOCKET:
	case STANZA_OVERRIDE:
		title = " \"NAME\"";
		if (!at->section)
			problem = "is a section";
		else if (!at->titled)
			problem = "has no name";
		break;
	case STANZA_CONTROL:
	case STANZA_DEFAULTS:
		if (!at->section)
			problem = "is a section";
		else if (at->titled)
			problem = "takes no name";
		break;
	case STANZA_SETTING:
		if (at->section)
			confreport_add(slice->text->report, slice->text->file, at->line, name,
			    "is no section: NAME = VALUE");
		return !at->section;
	}
	if (problem != NULL)
		confreport_add(slice->text->report, slice->text->file, at->line, name,
		    "%s: %s%s { ... }", problem, name, title);
	return problem == NULL;
}

/* At the top level. */
static void refuse_name(struct slice *slice, const char *name)
{
	const char *names[SETTING_KEY_COUNT + KIND_COUNT], *nearest;
	size_t count = 0;
	char *list;

	for (size_t i = 0; i < SETTING_KEY_COUNT; i++)
		if (!keytable_is_control(&setting_rows[i]))
			names[count++] = setting_rows[i].name;
	for (size_t i = 0; i < KIND_COUNT; i++)
		if (section_names[i] != NULL)
			names[count++] = section_names[i];
	nearest = nearest_find(name, names, count);
	if (nearest != NULL) {
		confreport_add(slice->text->report, slice->text->file, slice->at->line, name,
		    "unknown key: did you mean '%s'?", nearest);
		return;
	}
	if (strcmp(name, KEYTABLE_HEALTH) == 0 ||
	    keytable_find(program_rows, PROGRAM_KEY_COUNT, name) >= 0) {
		confreport_add(slice->text->report, slice->text->file, slice->at->line, name,
		    "is a key of programs: it is allowed in program \"NAME\" { ... } and defaults "
		    "{ ... }");
		return;
	}
	list = list_names(names, count);
	if (list == NULL)
		slice->text->report->no_memory = true;
	else
		confreport_add(slice->text->report, slice->text->file, slice->at->line, name,
		    "unknown key: allowed are %s", list);
	free(list);
}

static void check_entries(struct slice *slice)
{
	const struct guard_entry *entries = slice->text->guard.entries + slice->at->first;

	for (size_t i = 0; i < slice->at->count; i += 1 + entries[i].inner) {
		bool good = begins_health(slice, &entries[i])
				? check_health(slice, &entries[i])
				: check_entry(slice, &entries[i], false);

		if (!good)
			slice->spoiled = true;
	}
}

static bool begins_health(const struct slice *slice, const struct guard_entry *entry)
{
	static const char health[] = KEYTABLE_HEALTH;

	return slice->rows == program_rows && entry->key_length == strlen(health) &&
	       memcmp(slice->text->guard.text + entry->key, health, strlen(health)) == 0;
}

/* health { ... } and what is in it. */
static bool check_health(struct slice *slice, const struct guard_entry *entry)
{
	if (slice->health_line > 0) {
		confreport_add(slice->text->report, slice->text->file, entry->line, KEYTABLE_HEALTH,
		    "is already given in line %d", slice->health_line);
		return false;
	}
	if (entry->form != GUARD_SECTION) {
		confreport_add(slice->text->report, slice->text->file, entry->line, KEYTABLE_HEALTH,
		    "is a section: " KEYTABLE_HEALTH " { check = VALUE ... }");
		return false;
	}
	slice->health_line = entry->line;
	for (uint32_t i = 1; i <= entry->inner; i++)
		if (!check_entry(slice, &entry[i], true))
			slice->spoiled = true;
	return true;
}

static bool check_entry(struct slice *slice, const struct guard_entry *entry, bool in_health)
{
	char name[CONFREPORT_QUOTE];
	const struct key_row *row;
	int key;

	key = copy_name(slice, entry->key, entry->key_length, name)
		  ? find_key(slice, name, in_health)
		  : -1;
	if (key < 0) {
		refuse_key(slice, entry, name, in_health);
		return false;
	}
	row = &slice->rows[key];
	if (!in_health && keytable_is_health(row)) {
		confreport_add(slice->text->report, slice->text->file, entry->line, row->name,
		    "is a key of the section " KEYTABLE_HEALTH ": " KEYTABLE_HEALTH
		    " { %s = VALUE }",
		    keytable_word(row));
		return false;
	}
	if (!check_row(slice, entry, (size_t)key))
		return false;
	slice->written[slice->count] = entry;
	slice->entries[slice->count++] = (struct stanza_entry){.key = (size_t)key,
	    .line = entry->line,
	    .list = entry->form == GUARD_LIST,
	    .count = entry->count};
	return true;
}

static int find_key(const struct slice *slice, const char *name, bool in_health)
{
	if (slice->rows == setting_rows)
		return keytable_find_setting(name, slice->kind == STANZA_CONTROL);
	if (slice->kind == STANZA_ON_EVENT && !in_health && strcmp(name, EXEC) == 0)
		return PROGRAM_command;
	if (slice->kind == STANZA_ON_EVENT && !in_health &&
	    strcmp(name, program_rows[PROGRAM_command].name) == 0)
		return -1;
	return in_health ? keytable_find_health(name)
			 : keytable_find(slice->rows, slice->row_count, name);
}

/* The key is known; does it stand here, once, in a form that it can have? */
static bool check_row(struct slice *slice, const struct guard_entry *entry, size_t key)
{
	const struct key_row *row = &slice->rows[key];
	char buffer[KEYTABLE_LABEL], allowed[VALUE_ALLOWED];
	const char *label = keytable_label(row, buffer);

	for (size_t i = 0; i < slice->count; i++) {
		if (slice->entries[i].key == key) {
			confreport_add(slice->text->report, slice->text->file, entry->line, label,
			    "is already given in line %d", slice->entries[i].line);
			return false;
		}
	}
	if (entry->form == GUARD_SECTION) {
		confreport_add(slice->text->report, slice->text->file, entry->line, label,
		    "is no section: %s = VALUE", keytable_word(row));
		return false;
	}
	if (entry->form == GUARD_LIST && !takes_list[row->type]) {
		confreport_add(slice->text->report, slice->text->file, entry->line, label,
		    "is a list: %s is allowed", value_allowed(row, allowed));
		return false;
	}
	if (slice->kind == STANZA_ON_EVENT && is_set_by_on_event((enum program_key)key)) {
		confreport_add(slice->text->report, slice->text->file, entry->line, label,
		    "is not allowed in on_event: it is a oneshot that an event starts, once");
		return false;
	}
	if (slice->rows == program_rows && slice->kind != STANZA_ON_EVENT && key == PROGRAM_match) {
		confreport_add(slice->text->report, slice->text->file, entry->line, label,
		    "is a key of on_event: on_event \"NAME\" { match = VALUE exec = VALUE }");
		return false;
	}
	if (slice->kind == STANZA_DEFAULTS && key == PROGRAM_command) {
		confreport_add(slice->text->report, slice->text->file, entry->line, label,
		    "is not allowed in defaults: each program has its own");
		return false;
	}
	return true;
}

/* What makes a program one of events. */
static bool is_set_by_on_event(enum program_key key)
{
	return key == PROGRAM_type || key == PROGRAM_autostart || key == PROGRAM_restart ||
	       key == PROGRAM_remain || key == PROGRAM_instances || key == PROGRAM_boot ||
	       key == PROGRAM_start;
}

/* As it is written in this stanza. */
static const char *word_of(const struct slice *slice, const struct key_row *row)
{
	return slice->kind == STANZA_ON_EVENT && row == &program_rows[PROGRAM_command]
		   ? EXEC
		   : keytable_word(row);
}

static void refuse_key(
    struct slice *slice, const struct guard_entry *entry, const char *name, bool in_health)
{
	const bool in_control = slice->kind == STANZA_CONTROL;
	const char *names[SLICE_KEYS + 1], *nearest;
	char label[CONFREPORT_QUOTE + sizeof(KEYTABLE_CONTROL)], *list;
	size_t count = 0;

	for (size_t i = 0; i < slice->row_count; i++)
		if (keytable_is_health(&slice->rows[i]) == in_health &&
		    keytable_is_control(&slice->rows[i]) == in_control)
			names[count++] = word_of(slice, &slice->rows[i]);
	if (!in_health && slice->rows == program_rows)
		names[count++] = KEYTABLE_HEALTH;
	snprintf(label, sizeof(label), "%s%s",
	    in_health    ? KEYTABLE_HEALTH "."
	    : in_control ? KEYTABLE_CONTROL "."
			 : "",
	    name);
	nearest = nearest_find(name, names, count);
	if (nearest != NULL) {
		confreport_add(slice->text->report, slice->text->file, entry->line, label,
		    "unknown key: did you mean '%s'?", nearest);
		return;
	}
	if (count > KEYS_LISTED) {
		confreport_add(slice->text->report, slice->text->file, entry->line, label,
		    "unknown key: superctl config keys lists those that are allowed (see "
		    "supervisord.conf(5))");
		return;
	}
	list = list_names(names, count);
	if (list == NULL)
		slice->text->report->no_memory = true;
	else
		confreport_add(slice->text->report, slice->text->file, entry->line, label,
		    "unknown key: allowed are %s (see supervisord.conf(5))", list);
	free(list);
}

/* With blanks between them, to be freed; NULL: no memory. */
static char *list_names(const char *const *names, size_t count)
{
	char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);

	if (file == NULL)
		return NULL;
	for (size_t i = 0; i < count; i++)
		fprintf(file, "%s%s", i > 0 ? " " : "", names[i]);
	if (fclose(file) == 0)
		return text;
	free(text);
	return NULL;
}

/* False for a name too long to be one of ours; it is then cut, to be shown. */
static bool copy_name(
    const struct slice *slice, uint32_t at, uint32_t length, char buffer[CONFREPORT_QUOTE])
{
	uint32_t copied = length < CONFREPORT_QUOTE - 1 ? length : CONFREPORT_QUOTE - 1;

	memcpy(buffer, slice->text->guard.text + at, copied);
	buffer[copied] = '\0';
	return copied == length;
}
