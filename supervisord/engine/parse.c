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
	size_t count;
	struct stanza_entry entries[PROGRAM_KEY_COUNT + SETTING_KEY_COUNT];
};

/* libconfuse gives its error function no context; its lexer is one for the process as well. */
static struct parser *parsing;

static int parse_slice(struct parser *parser, const struct guard_slice *slice);
static bool find_kind(struct parser *parser);
static bool check_form(struct parser *parser, const char *name);
static void refuse_name(struct parser *parser, const char *name);
static void check_entries(struct parser *parser);
static bool check_entry(struct parser *parser, const struct guard_entry *entry);
static void refuse_key(struct parser *parser, const struct guard_entry *entry, const char *name);
static void blank(struct parser *parser, const struct guard_entry *entry);
static int read_slice(struct parser *parser);
static int run_confuse(struct parser *parser, cfg_t *cfg);
static void on_error(cfg_t *cfg, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));
static int deliver(struct parser *parser, cfg_t *cfg);
static bool copy_name(
    const struct parser *parser, uint32_t at, uint32_t length, char buffer[CONFREPORT_QUOTE]);

static const char *const section_names[] = {"program", "defaults"};

/* clang-format off */
#define TYPE_LIST(type, list) [KEY_##type] = list,
static const bool takes_list[KEY_TYPE_COUNT] = { KEY_TYPES(TYPE_LIST) };

#define KEY_NAME(name, type, def, min, max, change, help) #name " "
#define PROGRAM_KEY_NAMES PROGRAM_KEYS(KEY_NAME)
#define SETTING_KEY_NAMES SETTING_KEYS(KEY_NAME)
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

static int parse_slice(struct parser *parser, const struct guard_slice *slice)
{
	parser->slice = slice;
	parser->count = 0;
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

	parser->rows = program_rows;
	parser->row_count = PROGRAM_KEY_COUNT;
	if (!copy_name(parser, slice->name, slice->name_length, name)) {
		refuse_name(parser, name);
		return false;
	}
	if (strcmp(name, "program") == 0) {
		parser->kind = STANZA_PROGRAM;
	} else if (strcmp(name, "defaults") == 0) {
		parser->kind = STANZA_DEFAULTS;
	} else if (keytable_find(setting_rows, SETTING_KEY_COUNT, name) >= 0) {
		parser->kind = STANZA_SETTING;
		parser->rows = setting_rows;
		parser->row_count = SETTING_KEY_COUNT;
	} else {
		refuse_name(parser, name);
		return false;
	}
	return check_form(parser, name);
}

static bool check_form(struct parser *parser, const char *name)
{
	const struct guard_slice *slice = parser->slice;
	const char *form = NULL;

	switch (parser->kind) {
	case STANZA_PROGRAM:
		if (!slice->section)
			form = "is a section: program \"NAME\" { ... }";
		else if (!slice->title)
			form = "has no name: program \"NAME\" { ... }";
		break;
	case STANZA_DEFAULTS:
		if (!slice->section)
			form = "is a section: defaults { ... }";
		else if (slice->title)
			form = "takes no name: defaults { ... }";
		break;
	case STANZA_SETTING:
		if (slice->section)
			form = "is no section: NAME = VALUE";
		break;
	}
	if (form != NULL)
		confreport_add(parser->report, parser->file, slice->line, name, "%s", form);
	return form == NULL;
}

/* At the top level. */
static void refuse_name(struct parser *parser, const char *name)
{
	const char *names[SETTING_KEY_COUNT + 2], *nearest;

	for (size_t i = 0; i < SETTING_KEY_COUNT; i++)
		names[i] = setting_rows[i].name;
	names[SETTING_KEY_COUNT] = section_names[0];
	names[SETTING_KEY_COUNT + 1] = section_names[1];
	nearest = nearest_find(name, names, SETTING_KEY_COUNT + 2);
	if (nearest != NULL)
		confreport_add(parser->report, parser->file, parser->slice->line, name,
		    "unknown key: did you mean '%s'?", nearest);
	else if (keytable_find(program_rows, PROGRAM_KEY_COUNT, name) >= 0)
		confreport_add(parser->report, parser->file, parser->slice->line, name,
		    "is a key of programs: it is allowed in program \"NAME\" { ... } and defaults "
		    "{ ... }");
	else
		confreport_add(parser->report, parser->file, parser->slice->line, name,
		    "unknown key: allowed are " SETTING_KEY_NAMES "program defaults");
}

static void check_entries(struct parser *parser)
{
	const struct guard_entry *entries = parser->guard.entries + parser->slice->first;

	for (size_t i = 0; i < parser->slice->count; i++) {
		if (!check_entry(parser, &entries[i])) {
			parser->spoiled = true;
			blank(parser, &entries[i]);
		}
	}
}

static bool check_entry(struct parser *parser, const struct guard_entry *entry)
{
	char name[CONFREPORT_QUOTE], allowed[VALUE_ALLOWED];
	const struct key_row *row;
	int key;

	key = copy_name(parser, entry->key, entry->key_length, name)
		  ? keytable_find(parser->rows, parser->row_count, name)
		  : -1;
	if (key < 0) {
		refuse_key(parser, entry, name);
		return false;
	}
	row = &parser->rows[key];
	for (size_t i = 0; i < parser->count; i++) {
		if (parser->entries[i].key == (size_t)key) {
			confreport_add(parser->report, parser->file, entry->line, row->name,
			    "is already given in line %d", parser->entries[i].line);
			return false;
		}
	}
	if (entry->form == GUARD_SECTION) {
		confreport_add(parser->report, parser->file, entry->line, row->name,
		    "is no section: %s = VALUE", row->name);
		return false;
	}
	if (entry->form == GUARD_LIST && !takes_list[row->type]) {
		confreport_add(parser->report, parser->file, entry->line, row->name,
		    "is a list: %s is allowed", value_allowed(row, allowed));
		return false;
	}
	if (parser->kind == STANZA_DEFAULTS && key == PROGRAM_command) {
		confreport_add(parser->report, parser->file, entry->line, row->name,
		    "is not allowed in defaults: each program has its own");
		return false;
	}
	parser->entries[parser->count++] = (struct stanza_entry){
	    .key = (size_t)key, .line = entry->line, .list = entry->form == GUARD_LIST};
	return true;
}

static void refuse_key(struct parser *parser, const struct guard_entry *entry, const char *name)
{
	const char *names[PROGRAM_KEY_COUNT], *nearest;

	for (size_t i = 0; i < parser->row_count; i++)
		names[i] = parser->rows[i].name;
	nearest = nearest_find(name, names, parser->row_count);
	if (nearest != NULL)
		confreport_add(parser->report, parser->file, entry->line, name,
		    "unknown key: did you mean '%s'?", nearest);
	else
		confreport_add(parser->report, parser->file, entry->line, name,
		    "unknown key: allowed are " PROGRAM_KEY_NAMES "(see supervisord.conf(5))");
}

static void blank(struct parser *parser, const struct guard_entry *entry)
{
	for (uint32_t i = entry->begin; i < entry->end; i++)
		if (parser->guard.text[i] != '\n')
			parser->guard.text[i] = ' ';
}

static int read_slice(struct parser *parser)
{
	static const char *const names[] = {
	    [STANZA_PROGRAM] = "program", [STANZA_DEFAULTS] = "defaults"};
	cfg_opt_t keys[PROGRAM_KEY_COUNT + SETTING_KEY_COUNT + 1], top[2];
	cfg_opt_t *options = parser->kind == STANZA_SETTING ? top : keys;
	cfg_t *cfg;
	int error;

	top[1] = (cfg_opt_t)CFG_END();
	keys[parser->count] = (cfg_opt_t)CFG_END();
	for (size_t i = 0; i < parser->count; i++) {
		const struct key_row *row = &parser->rows[parser->entries[i].key];

		if (parser->entries[i].list)
			options[i] = (cfg_opt_t)CFG_STR_LIST(row->name, NULL, CFGF_NODEFAULT);
		else
			options[i] = (cfg_opt_t)CFG_STR(row->name, NULL, CFGF_NODEFAULT);
	}
	switch (parser->kind) {
	case STANZA_PROGRAM:
		top[0] = (cfg_opt_t)CFG_SEC(names[parser->kind], keys, CFGF_MULTI | CFGF_TITLE);
		break;
	case STANZA_DEFAULTS:
		top[0] = (cfg_opt_t)CFG_SEC(names[parser->kind], keys, CFGF_NONE);
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
	    .spoiled = parser->spoiled,
	    .count = parser->count,
	    .entries = parser->entries,
	};
	const char **items, **at;
	size_t total = 0;
	int error;

	if (parser->kind != STANZA_SETTING) {
		cfg = cfg_getnsec(cfg, parser->kind == STANZA_PROGRAM ? "program" : "defaults", 0);
		if (cfg == NULL)
			return -ENOMEM;
		if (parser->kind == STANZA_PROGRAM)
			stanza.title = cfg_title(cfg);
	}
	for (size_t i = 0; i < parser->count; i++)
		total += cfg_size(cfg, parser->rows[parser->entries[i].key].name);
	items = at = calloc(total + 1, sizeof(*items));
	if (items == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < parser->count; i++) {
		const char *name = parser->rows[parser->entries[i].key].name;
		struct stanza_entry *entry = &parser->entries[i];

		entry->items = at;
		entry->count = cfg_size(cfg, name);
		for (unsigned j = 0; j < entry->count; j++)
			*at++ = cfg_getnstr(cfg, name, j);
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
