/* SPDX-License-Identifier: ISC */
/*
 * confguard.c: see confguard.h.  The grammar that is let through:
 *
 *   file    = { item }
 *   item    = WORD "=" value | WORD [ title ] "{" { item } "}"
 *   value   = text | "{" [ text { "," text } [ "," ] ] "}"
 *   title   = text;   text = WORD | STRING
 *
 * Tokens come from conflex.c.  After an error the scan goes on where the next top-level item seems
 * to begin, and says nothing more about the item that it left.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/limits.h"
#include "supervisord/engine/confguard.h"
#include "supervisord/engine/conflex.h"

struct scan {
	struct conflex lex;
	struct guard *guard;
	size_t slice_room;
	size_t entry_room;
	size_t value_room;
	unsigned depth; /* of open braces */
	bool restart;   /* after an error: the token begins the next slice */
};

static int scan_slice(struct scan *scan);
static int scan_item(struct scan *scan, bool top);
static int scan_section(struct scan *scan, const struct guard_entry *entry, bool top);
static bool is_kept(const struct scan *scan, enum guard_form form, bool top);
static int refuse_titled(struct scan *scan, const struct guard_entry *entry);
static int scan_value(struct scan *scan, enum guard_form *ret_form);
static int scan_list(struct scan *scan);
static void skip_to_next_slice(struct scan *scan);
static bool begins_stanza(const struct conflex *lex);
static struct guard_slice *current(struct scan *scan);
static int add_slice(struct scan *scan);
static int add_entry(struct scan *scan, const struct guard_entry *entry);
static int add_value(struct scan *scan);
static struct guard_value value_here(const struct conflex *lex);
static int expected(struct scan *scan, const char *what);

int guard_scan(const char *file, const char *text, size_t length, struct confreport *report,
    struct guard *ret_guard)
{
	struct scan scan = {.guard = ret_guard};
	int error = 0;

	*ret_guard = (struct guard){.length = length};
	ret_guard->text = malloc(length + 1);
	if (ret_guard->text == NULL)
		return -ENOMEM;
	memcpy(ret_guard->text, text, length);
	ret_guard->text[length] = '\0';
	if (!conflex_check_bytes(file, text, length, report))
		return 0;

	conflex_init(&scan.lex, file, ret_guard->text, length, report);
	conflex_next(&scan.lex);
	while (error == 0 && scan.lex.token != TOKEN_END)
		error = scan_slice(&scan);
	return error;
}

void guard_done(struct guard *guard)
{
	free(guard->text);
	free(guard->slices);
	free(guard->entries);
	free(guard->values);
	*guard = (struct guard){0};
}

/* -EBADMSG stands for "an error was reported" inside this file, and ends here. */
static int scan_slice(struct scan *scan)
{
	int error;

	error = add_slice(scan);
	if (error < 0)
		return error;
	scan->depth = 0;
	scan->restart = false;
	error = scan_item(scan, true);
	if (error == -EBADMSG) {
		current(scan)->bad = true;
		if (!scan->restart)
			skip_to_next_slice(scan);
		error = 0;
	}
	return error;
}

/* Leaves the token after the item. */
static int scan_item(struct scan *scan, bool top)
{
	struct conflex *lex = &scan->lex;
	struct guard_entry entry = {.key = lex->begin,
	    .key_length = lex->end - lex->begin,
	    .begin = lex->begin,
	    .line = lex->line,
	    .first = (uint32_t)scan->guard->value_count};
	size_t at = scan->guard->entry_count;
	bool kept;
	int error;

	if (lex->token != TOKEN_WORD)
		return expected(scan, top ? "a setting or a section" : "a key or '}'");
	if (top) {
		current(scan)->name = entry.key;
		current(scan)->name_length = entry.key_length;
	}
	conflex_next(lex);
	entry.form = lex->token == TOKEN_EQUAL ? GUARD_VALUE : GUARD_SECTION;
	kept = is_kept(scan, entry.form, top);
	/* Before those in it. */
	error = kept ? add_entry(scan, &entry) : 0;
	if (error == 0)
		error = entry.form == GUARD_SECTION ? scan_section(scan, &entry, top)
						    : scan_value(scan, &entry.form);
	if (error < 0)
		return error;
	current(scan)->end = lex->last_end;
	if (kept) {
		entry.end = lex->last_end;
		entry.inner = (uint32_t)(scan->guard->entry_count - at - 1);
		entry.count = (uint32_t)scan->guard->value_count - entry.first;
		scan->guard->entries[at] = entry;
	}
	return 0;
}

/* A top-level section is a slice and no entry; of sections in sections, two levels are entries. */
static bool is_kept(const struct scan *scan, enum guard_form form, bool top)
{
	return top ? form != GUARD_SECTION : scan->depth <= 2;
}

static int scan_section(struct scan *scan, const struct guard_entry *entry, bool top)
{
	struct conflex *lex = &scan->lex;
	struct guard_slice *slice = current(scan);
	int error = 0;

	if (lex->token == TOKEN_WORD || lex->token == TOKEN_STRING) {
		if (top) {
			slice->titled = true;
			slice->title = value_here(lex);
		}
		conflex_next(lex);
		if (lex->token == TOKEN_OPEN && !top)
			return refuse_titled(scan, entry);
	}
	if (lex->token != TOKEN_OPEN)
		return expected(scan, top && slice->titled
					  ? "'{' after the title, or '=' after the name"
					  : "'=' after the name");
	if (top)
		slice->section = true;
	if (scan->depth == LIMIT_CONFIG_DEPTH)
		return conflex_error(lex, lex->line,
		    "sections are nested too deeply: at most %d levels", LIMIT_CONFIG_DEPTH);
	scan->depth++;
	conflex_next(lex);
	while (error == 0 && lex->token != TOKEN_CLOSE) {
		if (lex->token == TOKEN_END)
			return conflex_error(lex, entry->line,
			    "the section that begins here is not closed: a '}' is missing");
		error = scan_item(scan, false);
	}
	if (error < 0)
		return error;
	scan->depth--;
	conflex_next(lex);
	return 0;
}

/* Sections in sections have no titles: the one before was not closed.  This one is read as the next
 * slice. */
static int refuse_titled(struct scan *scan, const struct guard_entry *entry)
{
	struct conflex *lex = &scan->lex;

	conflex_error(lex, entry->line,
	    "a section with a title begins here, but the one of line %d is not closed: a '}' is "
	    "missing",
	    current(scan)->line);
	conflex_rewind(lex, entry->begin, entry->line);
	scan->restart = true;
	return -EBADMSG;
}

static int scan_value(struct scan *scan, enum guard_form *ret_form)
{
	struct conflex *lex = &scan->lex;
	int error;

	*ret_form = GUARD_VALUE;
	conflex_next(lex);
	if (lex->token == TOKEN_WORD || lex->token == TOKEN_STRING) {
		error = add_value(scan);
		conflex_next(lex);
		return error;
	}
	if (lex->token != TOKEN_OPEN)
		return expected(scan, "a value after '='");
	*ret_form = GUARD_LIST;
	return scan_list(scan);
}

static int scan_list(struct scan *scan)
{
	struct conflex *lex = &scan->lex;
	int line = lex->line, error;

	scan->depth++;
	conflex_next(lex);
	while (lex->token != TOKEN_CLOSE) {
		if (lex->token == TOKEN_END)
			return conflex_error(
			    lex, line, "the list that begins here is not closed: a '}' is missing");
		if (lex->token != TOKEN_WORD && lex->token != TOKEN_STRING)
			return expected(scan, "a value of the list or '}'");
		error = add_value(scan);
		if (error < 0)
			return error;
		conflex_next(lex);
		if (lex->token == TOKEN_COMMA)
			conflex_next(lex);
		else if (lex->token != TOKEN_CLOSE && lex->token != TOKEN_END)
			return expected(scan, "',' or '}' after a value of the list");
	}
	scan->depth--;
	conflex_next(lex);
	return 0;
}

/*
 * The rest of the item at fault: to behind the brace that closes it, and, as braces may be what is
 * wrong, never past a line that begins like a stanza.
 */
static void skip_to_next_slice(struct scan *scan)
{
	struct conflex *lex = &scan->lex;
	unsigned depth = scan->depth;

	/* One error an item. */
	lex->quiet = true;
	for (; lex->token != TOKEN_END; conflex_next(lex)) {
		if (lex->begin != current(scan)->begin && lex->token == TOKEN_WORD &&
		    (begins_stanza(lex) || (depth == 0 && lex->line != lex->last_line)))
			break;
		if (lex->token == TOKEN_OPEN)
			depth++;
		if (lex->token == TOKEN_CLOSE && depth > 0)
			depth--;
	}
	lex->quiet = false;
}

/* The word is followed by a quote and stands in the first column. */
static bool begins_stanza(const struct conflex *lex)
{
	const char *at = lex->text + lex->end;

	if (lex->begin > 0 && lex->text[lex->begin - 1] != '\n')
		return false;
	while (*at == ' ' || *at == '\t')
		at++;
	return *at == '"' || *at == '\'';
}

static struct guard_slice *current(struct scan *scan)
{
	return &scan->guard->slices[scan->guard->slice_count - 1];
}

static int add_slice(struct scan *scan)
{
	struct guard *guard = scan->guard;

	if (guard->slice_count == scan->slice_room) {
		size_t room = scan->slice_room == 0 ? 8 : scan->slice_room * 2;
		struct guard_slice *slices = realloc(guard->slices, room * sizeof(*slices));

		if (slices == NULL)
			return -ENOMEM;
		guard->slices = slices;
		scan->slice_room = room;
	}
	guard->slices[guard->slice_count++] = (struct guard_slice){
	    .begin = scan->lex.begin,
	    .end = scan->lex.end,
	    .line = scan->lex.line,
	    .first = guard->entry_count,
	};
	return 0;
}

static int add_entry(struct scan *scan, const struct guard_entry *entry)
{
	struct guard *guard = scan->guard;

	if (guard->entry_count == scan->entry_room) {
		size_t room = scan->entry_room == 0 ? 32 : scan->entry_room * 2;
		struct guard_entry *entries = realloc(guard->entries, room * sizeof(*entries));

		if (entries == NULL)
			return -ENOMEM;
		guard->entries = entries;
		scan->entry_room = room;
	}
	guard->entries[guard->entry_count++] = *entry;
	current(scan)->count++;
	return 0;
}

/* The token at hand. */
static int add_value(struct scan *scan)
{
	struct guard *guard = scan->guard;

	if (guard->value_count == scan->value_room) {
		size_t room = scan->value_room == 0 ? 32 : scan->value_room * 2;
		struct guard_value *values = realloc(guard->values, room * sizeof(*values));

		if (values == NULL)
			return -ENOMEM;
		guard->values = values;
		scan->value_room = room;
	}
	guard->values[guard->value_count++] = value_here(&scan->lex);
	return 0;
}

static struct guard_value value_here(const struct conflex *lex)
{
	return (struct guard_value){.begin = lex->begin, .end = lex->end, .line = lex->line};
}

/* What is there instead has told its error already when it is no token at all. */
static int expected(struct scan *scan, const char *what)
{
	struct conflex *lex = &scan->lex;
	char found[CONFREPORT_QUOTE + 8];

	if (lex->token == TOKEN_BAD)
		return -EBADMSG;
	conflex_describe(lex, found);
	if (lex->long_string > 0)
		return conflex_error(lex, lex->line,
		    "%s instead of %s: a string of more than one line began on line %d, is a quote "
		    "missing there?",
		    found, what, lex->long_string);
	return conflex_error(lex, lex->line, "%s instead of %s", found, what);
}
