/* SPDX-License-Identifier: ISC */
/*
 * parse.c: see parse.h.  The guard has cut the text into slices and found their keys; here the keys
 * are checked against the table, those that are wrong are blanked so that the others are still
 * read, and libconfuse parses the slice, each time from a fresh cfg_t and told only the keys the
 * slice has.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <confuse.h>

#include "lib/nearest.h"
#include "lib/limits.h"
#include "supervisord/engine/confguard.h"
#include "supervisord/engine/parse.h"
#include "supervisord/engine/value.h"

/* Keys of one slice: each is there once. */
#define KEY_ROOM (PROGRAM_KEY_COUNT + SETTING_KEY_COUNT)

struct parser {
	const char *file;
	struct confreport *report;
	struct guard guard;
	int (*each)(void *context, const struct stanza *stanza);
	void *context;
	bool complete;

	/* Of the slice at hand. */
	const struct guard_slice *slice;
	enum stanza_kind kind;
	const struct key_row *rows;
	size_t row_count;
	bool spoiled;
	int health_line; /* where the section is, or 0 */
	size_t count;
	struct stanza_entry entries[KEY_ROOM];
};

/* libconfuse gives its error function no context; its lexer is one for the process as well. */
static struct parser *parsing;

static int parse_slice(struct parser *parser, const struct guard_slice *slice);
static bool find_kind(struct parser *parser);
static bool check_form(struct parser *parser, const char *name);
static void refuse_name(struct parser *parser, const char *name);
static void check_entries(struct parser *parser);
static void refuse(struct parser *parser, const struct guard_entry *entry);
static bool begins_health(const struct parser *parser, const struct guard_entry *entry);
static bool check_health(struct parser *parser, const struct guard_entry *entry);
static bool check_entry(struct parser *parser, const struct guard_entry *entry, bool in_health);
static int find_key(const struct parser *parser, const char *name, bool in_health);
static bool check_row(struct parser *parser, const struct guard_entry *entry, size_t key);
static void refuse_key(
    struct parser *parser, const struct guard_entry *entry, const char *name, bool in_health);
static char *list_names(const char *const *names, size_t count);
static void blank(struct parser *parser, const struct guard_entry *entry);
static int read_slice(struct parser *parser);
static size_t add_options(const struct parser *parser, bool in_health, cfg_opt_t *options);
static int run_confuse(struct parser *parser, cfg_t *cfg);
static void on_error(cfg_t *cfg, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));
static int deliver(struct parser *parser, cfg_t *cfg);
static bool copy_name(
    const struct parser *parser, uint32_t at, uint32_t length, char buffer[CONFREPORT_QUOTE]);

/* What the key command is called in on_event. */
#define EXEC "exec"

static bool is_set_by_on_event(enum program_key key);
static const char *word_of(const struct parser *parser, const struct key_row *row);

static const char *const section_names[] = {
    [STANZA_SETTING] = NULL,
    [STANZA_CONTROL] = KEYTABLE_CONTROL,
    [STANZA_DEFAULTS] = "defaults",
    [STANZA_PROGRAM] = "program",
    [STANZA_ON_EVENT] = "on_event",
    [STANZA_GROUP] = "group",
    [STANZA_SOCKET] = "socket",
};
#define KIND_COUNT (sizeof(section_names) / sizeof(section_names[0]))

/* clang-format off */
#define TYPE_LIST(type, list) [KEY_##type] = list,
static const bool takes_list[KEY_TYPE_COUNT] = { KEY_TYPES(TYPE_LIST) };
/* clang-format on */

int parse_text(const char *file, const char *text, size_t length, struct confreport *report,
    int (*each)(void *context, const struct stanza *stanza), void *context,
    struct parse_result *ret_result)
{
	struct parser parser = {
	    .file = file, .report = report, .each = each, .context = context, .complete = true};
	size_t errors_before = report->errors->count;
	int error;

	error = guard_scan(file, text, length, report, &parser.guard);
	if (error == 0 && report->errors->count > errors_before)
		parser.complete = false;
	parsing = &parser;
	for (size_t i = 0; error == 0 && i < parser.guard.slice_count; i++)
		error = parse_slice(&parser, &parser.guard.slices[i]);
	parsing = NULL;
	guard_done(&parser.guard);
	ret_result->complete = parser.complete;
	return error;
}

const struct key_row *parse_rows(enum stanza_kind kind, size_t *ret_count)
{
	switch (kind) {
	case STANZA_SETTING:
	case STANZA_CONTROL:
		*ret_count = SETTING_KEY_COUNT;
		return setting_rows;
	case STANZA_DEFAULTS:
	case STANZA_PROGRAM:
	case STANZA_ON_EVENT:
		break;
	case STANZA_GROUP:
		*ret_count = GROUP_KEY_COUNT;
		return group_rows;
	case STANZA_SOCKET:
		*ret_count = SOCKET_KEY_COUNT;
		return socket_rows;
	}
	*ret_count = PROGRAM_KEY_COUNT;
	return program_rows;
}

static int parse_slice(struct parser *parser, const struct guard_slice *slice)
{
	parser->slice = slice;
	parser->count = 0;
	parser->health_line = 0;
	parser->spoiled = false;
	if (slice->bad)
		return 0;
	if (!find_kind(parser)) {
		parser->complete = false;
		return 0;
	}
	check_entries(parser);
	/* The one key of a setting was wrong. */
	if (parser->kind == STANZA_SETTING && parser->count == 0)
		return 0;
	return read_slice(parser);
}

static bool find_kind(struct parser *parser)
{
	const struct guard_slice *slice = parser->slice;
	char name[CONFREPORT_QUOTE];
	bool found = false;

	if (copy_name(parser, slice->name, slice->name_length, name)) {
		for (size_t i = 0; i < KIND_COUNT && !found; i++) {
			found = section_names[i] != NULL && strcmp(section_names[i], name) == 0;
			if (found)
				parser->kind = (enum stanza_kind)i;
		}
		if (!found && keytable_find_setting(name, false) >= 0) {
			found = true;
			parser->kind = STANZA_SETTING;
		}
	}
	if (!found) {
		refuse_name(parser, name);
		return false;
	}
	parser->rows = parse_rows(parser->kind, &parser->row_count);
	return check_form(parser, name);
}

static bool check_form(struct parser *parser, const char *name)
{
	const struct guard_slice *slice = parser->slice;
	const char *problem = NULL, *title = "";

	switch (parser->kind) {
	case STANZA_PROGRAM:
	case STANZA_ON_EVENT:
	case STANZA_GROUP:
	case STANZA_SOCKET:
		title = " \"NAME\"";
		if (!slice->section)
			problem = "is a section";
		else if (!slice->title)
			problem = "has no name";
		break;
	case STANZA_CONTROL:
	case STANZA_DEFAULTS:
		if (!slice->section)
			problem = "is a section";
		else if (slice->title)
			problem = "takes no name";
		break;
	case STANZA_SETTING:
		if (slice->section)
			confreport_add(parser->report, parser->file, slice->line, name,
			    "is no section: NAME = VALUE");
		return !slice->section;
	}
	if (problem != NULL)
		confreport_add(parser->report, parser->file, slice->line, name, "%s: %s%s { ... }",
		    problem, name, title);
	return problem == NULL;
}

/* At the top level. */
static void refuse_name(struct parser *parser, const char *name)
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
		confreport_add(parser->report, parser->file, parser->slice->line, name,
		    "unknown key: did you mean '%s'?", nearest);
		return;
	}
	if (strcmp(name, KEYTABLE_HEALTH) == 0 ||
	    keytable_find(program_rows, PROGRAM_KEY_COUNT, name) >= 0) {
		confreport_add(parser->report, parser->file, parser->slice->line, name,
		    "is a key of programs: it is allowed in program \"NAME\" { ... } and defaults "
		    "{ ... }");
		return;
	}
	list = list_names(names, count);
	if (list == NULL)
		parser->report->no_memory = true;
	else
		confreport_add(parser->report, parser->file, parser->slice->line, name,
		    "unknown key: allowed are %s", list);
	free(list);
}

static void check_entries(struct parser *parser)
{
	const struct guard_entry *entries = parser->guard.entries + parser->slice->first;

	for (size_t i = 0; i < parser->slice->count; i += 1 + entries[i].inner) {
		bool good = begins_health(parser, &entries[i])
				? check_health(parser, &entries[i])
				: check_entry(parser, &entries[i], false);

		if (!good)
			refuse(parser, &entries[i]);
	}
}

/* It is told, and libconfuse does not see it. */
static void refuse(struct parser *parser, const struct guard_entry *entry)
{
	parser->spoiled = true;
	blank(parser, entry);
}

static bool begins_health(const struct parser *parser, const struct guard_entry *entry)
{
	static const char health[] = KEYTABLE_HEALTH;

	return parser->rows == program_rows && entry->key_length == strlen(health) &&
	       memcmp(parser->guard.text + entry->key, health, strlen(health)) == 0;
}

/* health { ... } and what is in it. */
static bool check_health(struct parser *parser, const struct guard_entry *entry)
{
	if (parser->health_line > 0) {
		confreport_add(parser->report, parser->file, entry->line, KEYTABLE_HEALTH,
		    "is already given in line %d", parser->health_line);
		return false;
	}
	if (entry->form != GUARD_SECTION) {
		confreport_add(parser->report, parser->file, entry->line, KEYTABLE_HEALTH,
		    "is a section: " KEYTABLE_HEALTH " { check = VALUE ... }");
		return false;
	}
	parser->health_line = entry->line;
	for (uint32_t i = 1; i <= entry->inner; i++)
		if (!check_entry(parser, &entry[i], true))
			refuse(parser, &entry[i]);
	return true;
}

static bool check_entry(struct parser *parser, const struct guard_entry *entry, bool in_health)
{
	char name[CONFREPORT_QUOTE];
	const struct key_row *row;
	int key;

	key = copy_name(parser, entry->key, entry->key_length, name)
		  ? find_key(parser, name, in_health)
		  : -1;
	if (key < 0) {
		refuse_key(parser, entry, name, in_health);
		return false;
	}
	row = &parser->rows[key];
	if (!in_health && keytable_is_health(row)) {
		confreport_add(parser->report, parser->file, entry->line, row->name,
		    "is a key of the section " KEYTABLE_HEALTH ": " KEYTABLE_HEALTH
		    " { %s = VALUE }",
		    keytable_word(row));
		return false;
	}
	if (!check_row(parser, entry, (size_t)key))
		return false;
	parser->entries[parser->count++] = (struct stanza_entry){
	    .key = (size_t)key, .line = entry->line, .list = entry->form == GUARD_LIST};
	return true;
}

static int find_key(const struct parser *parser, const char *name, bool in_health)
{
	if (parser->rows == setting_rows)
		return keytable_find_setting(name, parser->kind == STANZA_CONTROL);
	if (parser->kind == STANZA_ON_EVENT && !in_health && strcmp(name, EXEC) == 0)
		return PROGRAM_command;
	if (parser->kind == STANZA_ON_EVENT && !in_health &&
	    strcmp(name, program_rows[PROGRAM_command].name) == 0)
		return -1;
	return in_health ? keytable_find_health(name)
			 : keytable_find(parser->rows, parser->row_count, name);
}

/* The key is known; does it stand here, once, in a form that it can have? */
static bool check_row(struct parser *parser, const struct guard_entry *entry, size_t key)
{
	const struct key_row *row = &parser->rows[key];
	char buffer[KEYTABLE_LABEL], allowed[VALUE_ALLOWED];
	const char *label = keytable_label(row, buffer);

	for (size_t i = 0; i < parser->count; i++) {
		if (parser->entries[i].key == key) {
			confreport_add(parser->report, parser->file, entry->line, label,
			    "is already given in line %d", parser->entries[i].line);
			return false;
		}
	}
	if (entry->form == GUARD_SECTION) {
		confreport_add(parser->report, parser->file, entry->line, label,
		    "is no section: %s = VALUE", keytable_word(row));
		return false;
	}
	if (entry->form == GUARD_LIST && !takes_list[row->type]) {
		confreport_add(parser->report, parser->file, entry->line, label,
		    "is a list: %s is allowed", value_allowed(row, allowed));
		return false;
	}
	if (parser->kind == STANZA_ON_EVENT && is_set_by_on_event((enum program_key)key)) {
		confreport_add(parser->report, parser->file, entry->line, label,
		    "is not allowed in on_event: it is a oneshot that an event starts, once");
		return false;
	}
	if ((parser->kind == STANZA_PROGRAM || parser->kind == STANZA_DEFAULTS) &&
	    key == PROGRAM_match) {
		confreport_add(parser->report, parser->file, entry->line, label,
		    "is a key of on_event: on_event \"NAME\" { match = VALUE exec = VALUE }");
		return false;
	}
	if (parser->kind == STANZA_DEFAULTS && key == PROGRAM_command) {
		confreport_add(parser->report, parser->file, entry->line, label,
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
static const char *word_of(const struct parser *parser, const struct key_row *row)
{
	return parser->kind == STANZA_ON_EVENT && row == &program_rows[PROGRAM_command]
		   ? EXEC
		   : keytable_word(row);
}

static void refuse_key(
    struct parser *parser, const struct guard_entry *entry, const char *name, bool in_health)
{
	const bool in_control = parser->kind == STANZA_CONTROL;
	const char *names[KEY_ROOM + 1], *nearest;
	char label[CONFREPORT_QUOTE + sizeof(KEYTABLE_CONTROL)], *list;
	size_t count = 0;

	for (size_t i = 0; i < parser->row_count; i++)
		if (keytable_is_health(&parser->rows[i]) == in_health &&
		    keytable_is_control(&parser->rows[i]) == in_control)
			names[count++] = word_of(parser, &parser->rows[i]);
	if (!in_health && parser->rows == program_rows)
		names[count++] = KEYTABLE_HEALTH;
	snprintf(label, sizeof(label), "%s%s",
	    in_health    ? KEYTABLE_HEALTH "."
	    : in_control ? KEYTABLE_CONTROL "."
			 : "",
	    name);
	nearest = nearest_find(name, names, count);
	if (nearest != NULL) {
		confreport_add(parser->report, parser->file, entry->line, label,
		    "unknown key: did you mean '%s'?", nearest);
		return;
	}
	list = list_names(names, count);
	if (list == NULL)
		parser->report->no_memory = true;
	else
		confreport_add(parser->report, parser->file, entry->line, label,
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

static void blank(struct parser *parser, const struct guard_entry *entry)
{
	for (uint32_t i = entry->begin; i < entry->end; i++)
		if (parser->guard.text[i] != '\n')
			parser->guard.text[i] = ' ';
}

static int read_slice(struct parser *parser)
{
	cfg_opt_t keys[KEY_ROOM + 2], health[PROGRAM_KEY_COUNT + 1], top[2];
	cfg_opt_t *options = parser->kind == STANZA_SETTING ? top : keys;
	const char *name = section_names[parser->kind];
	size_t count;
	cfg_t *cfg;
	int error;

	health[add_options(parser, true, health)] = (cfg_opt_t)CFG_END();
	count = add_options(parser, false, options);
	if (parser->health_line > 0)
		options[count++] = (cfg_opt_t)CFG_SEC(KEYTABLE_HEALTH, health, CFGF_NONE);
	options[count] = (cfg_opt_t)CFG_END();
	top[1] = (cfg_opt_t)CFG_END();
	switch (parser->kind) {
	case STANZA_PROGRAM:
	case STANZA_ON_EVENT:
	case STANZA_GROUP:
	case STANZA_SOCKET:
		top[0] = (cfg_opt_t)CFG_SEC(name, keys, CFGF_MULTI | CFGF_TITLE);
		break;
	case STANZA_CONTROL:
	case STANZA_DEFAULTS:
		top[0] = (cfg_opt_t)CFG_SEC(name, keys, CFGF_NONE);
		break;
	case STANZA_SETTING:
		break;
	}
	cfg = cfg_init(top, CFGF_NONE);
	if (cfg == NULL)
		return -ENOMEM;
	cfg_set_error_function(cfg, on_error);
	error = run_confuse(parser, cfg);
	if (error == 0)
		error = deliver(parser, cfg);
	else if (error == -EBADMSG)
		error = 0;
	cfg_free(cfg);
	return error;
}

/* One an entry of the section health, or of what is around it; returns their number. */
static size_t add_options(const struct parser *parser, bool in_health, cfg_opt_t *options)
{
	size_t count = 0;

	for (size_t i = 0; i < parser->count; i++) {
		const struct stanza_entry *entry = &parser->entries[i];
		const struct key_row *row = &parser->rows[entry->key];

		if (keytable_is_health(row) != in_health)
			continue;
		if (entry->list)
			options[count++] =
			    (cfg_opt_t)CFG_STR_LIST(word_of(parser, row), NULL, CFGF_NODEFAULT);
		else
			options[count++] =
			    (cfg_opt_t)CFG_STR(word_of(parser, row), NULL, CFGF_NODEFAULT);
	}
	return count;
}

/* 0, -EBADMSG with the error reported, or -ENOMEM. */
static int run_confuse(struct parser *parser, cfg_t *cfg)
{
	const struct guard_slice *slice = parser->slice;
	FILE *stream;
	int result;

	stream = fmemopen(parser->guard.text + slice->begin, slice->end - slice->begin, "r");
	if (stream == NULL)
		return -ENOMEM;
	result = cfg_parse_fp(cfg, stream);
	fclose(stream);
	if (result == CFG_SUCCESS)
		return 0;
	parser->complete = false;
	return -EBADMSG;
}

static void on_error(cfg_t *cfg, const char *format, va_list arguments)
{
	char *message = NULL;

	if (vasprintf(&message, format, arguments) < 0) {
		parsing->report->no_memory = true;
		return;
	}
	confreport_add(parsing->report, parsing->file, parsing->slice->line + cfg->line - 1, NULL,
	    "%s", message);
	free(message);
}

static int deliver(struct parser *parser, cfg_t *cfg)
{
	struct stanza stanza = {
	    .kind = parser->kind,
	    .line = parser->slice->line,
	    .begin = parser->slice->begin,
	    .end = parser->slice->end,
	    .spoiled = parser->spoiled,
	    .count = parser->count,
	    .entries = parser->entries,
	};
	const char **items, **at;
	cfg_t *health = NULL;
	size_t total = 0;
	int error;

	if (parser->kind != STANZA_SETTING) {
		cfg = cfg_getnsec(cfg, section_names[parser->kind], 0);
		if (cfg == NULL)
			return -ENOMEM;
		stanza.title = cfg_title(cfg);
	}
	if (parser->health_line > 0)
		health = cfg_getsec(cfg, KEYTABLE_HEALTH);
	for (size_t i = 0; i < parser->count; i++) {
		const struct key_row *row = &parser->rows[parser->entries[i].key];

		parser->entries[i].count =
		    cfg_size(keytable_is_health(row) ? health : cfg, word_of(parser, row));
		total += parser->entries[i].count;
	}
	items = at = calloc(total + 1, sizeof(*items));
	if (items == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < parser->count; i++) {
		struct stanza_entry *entry = &parser->entries[i];
		const struct key_row *row = &parser->rows[entry->key];

		entry->items = at;
		for (unsigned j = 0; j < entry->count; j++)
			*at++ = cfg_getnstr(
			    keytable_is_health(row) ? health : cfg, word_of(parser, row), j);
	}
	error = parser->each(parser->context, &stanza);
	free(items);
	return error;
}

/* False for a name too long to be one of ours; it is then cut, to be shown. */
static bool copy_name(
    const struct parser *parser, uint32_t at, uint32_t length, char buffer[CONFREPORT_QUOTE])
{
	uint32_t copied = length < CONFREPORT_QUOTE - 1 ? length : CONFREPORT_QUOTE - 1;

	memcpy(buffer, parser->guard.text + at, copied);
	buffer[copied] = '\0';
	return copied == length;
}
