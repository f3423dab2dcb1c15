/* SPDX-License-Identifier: ISC */
/*
 * sliceread.c: slice_read(): what the words and strings of a file mean, by libconfuse; see slice.h.
 *
 * The guard has found the sections and the keys in them.  So libconfuse is given one list, of the
 * values of many slices: to begin a parse, and to make a section with its options, costs more than
 * the values of a short stanza do.  Each time it is a fresh cfg_t.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <confuse.h>

#include "supervisord/engine/slice.h"

/* The one option that libconfuse is told. */
#define LIST "values"

/* A list of them as a text of its own. */
struct list {
	char *text;
	size_t length;
	size_t count;
};

/* libconfuse gives its error function no context; its lexer is one for the process as well. */
static struct {
	struct slice_text *text; /* NULL: what is wrong is found again, value by value */
	int line;
	bool told;
} reading;

static int read_list(const struct slice *slices, size_t count, cfg_t **ret_cfg);
static int make_list(const struct slice *slices, size_t count, struct list *ret_list);
static int begin_list(struct list *list, size_t room);
static void add_value(struct list *list, const struct guard *guard, struct guard_value value);
static bool is_plain(const char *text, size_t length);
static int parse_list(const struct list *list, cfg_t **ret_cfg);
static int find_errors(const struct slice *slice);
static int find_error(struct slice_text *text, struct guard_value value);
static void on_error(cfg_t *cfg, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));
static int deliver(const struct slice *slice, char **values,
    int (*each)(void *context, const struct stanza *stanza), void *context);

int slice_read(const struct slice *slices, size_t count,
    int (*each)(void *context, const struct stanza *stanza), void *context)
{
	unsigned total, at = 0;
	char **values;
	cfg_t *cfg;
	int error;

	error = read_list(slices, count, &cfg);
	if (error == -EBADMSG && count == 1)
		return find_errors(slices);
	if (error == -EBADMSG) {
		error = 0;
		for (size_t i = 0; i < count && error == 0; i++)
			error = slice_read(&slices[i], 1, each, context);
		return error;
	}
	if (error < 0)
		return error;
	total = cfg_opt_size(cfg->opts);
	values = calloc(total + 1, sizeof(*values));
	if (values == NULL)
		error = -ENOMEM;
	for (unsigned i = 0; i < total && error == 0; i++)
		values[i] = cfg_opt_getnstr(cfg->opts, i);
	for (size_t i = 0; i < count && error == 0; i++) {
		error = deliver(&slices[i], values + at, each, context);
		at += (unsigned)slice_count_values(&slices[i]);
	}
	free(values);
	cfg_free(cfg);
	return error;
}

size_t slice_count_values(const struct slice *slice)
{
	size_t count = slice->at->titled ? 1 : 0;

	for (size_t i = 0; i < slice->count; i++)
		count += slice->written[i]->count;
	return count;
}

/* The title of each, if it has one, and its values.  0, -EBADMSG or -ENOMEM. */
static int read_list(const struct slice *slices, size_t count, cfg_t **ret_cfg)
{
	struct list list;
	int error;

	error = make_list(slices, count, &list);
	if (error < 0)
		return error;
	error = parse_list(&list, ret_cfg);
	free(list.text);
	return error;
}

static int make_list(const struct slice *slices, size_t count, struct list *ret_list)
{
	const struct guard *guard = &slices->text->guard;
	size_t room = 0;
	struct list list;
	int error;

	/* Each value is a part of its slice, and the comma behind it is one byte more. */
	for (size_t i = 0; i < count; i++)
		room += slices[i].at->end - slices[i].at->begin + slice_count_values(&slices[i]);
	error = begin_list(&list, room);
	if (error < 0)
		return error;
	for (size_t i = 0; i < count; i++) {
		const struct slice *slice = &slices[i];

		if (slice->at->titled)
			add_value(&list, guard, slice->at->title);
		for (size_t j = 0; j < slice->count; j++)
			for (uint32_t k = 0; k < slice->written[j]->count; k++)
				add_value(
				    &list, guard, guard->values[slice->written[j]->first + k]);
	}
	list.text[list.length++] = '}';
	*ret_list = list;
	return 0;
}

/* With room for so many bytes of values and commas. */
static int begin_list(struct list *list, size_t room)
{
	*list = (struct list){.length = strlen(LIST "={")};
	list->text = malloc(sizeof(LIST "={}") + room);
	if (list->text == NULL)
		return -ENOMEM;
	memcpy(list->text, LIST "={", list->length);
	return 0;
}

/*
 * libconfuse reads a string in "..." byte by byte, each being a match of its rules, and one in
 * '...' at once: where both mean the same, the quotes are changed.
 */
static void add_value(struct list *list, const struct guard *guard, struct guard_value value)
{
	char *at = list->text + list->length;
	size_t length = value.end - value.begin;

	memcpy(at, guard->text + value.begin, length);
	if (at[0] == '"' && is_plain(at, length))
		at[0] = at[length - 1] = '\'';
	at[length] = ',';
	list->length += length + 1;
	list->count++;
}

static bool is_plain(const char *text, size_t length)
{
	return memchr(text, '\\', length) == NULL && memchr(text, '$', length) == NULL &&
	       memchr(text, '\'', length) == NULL;
}

static int parse_list(const struct list *list, cfg_t **ret_cfg)
{
	cfg_opt_t options[] = {CFG_STR_LIST(LIST, NULL, CFGF_NODEFAULT), CFG_END()};
	cfg_t *cfg = cfg_init(options, CFGF_NONE);
	FILE *stream;
	int result;

	if (cfg == NULL)
		return -ENOMEM;
	cfg_set_error_function(cfg, on_error);
	stream = fmemopen(list->text, list->length, "r");
	if (stream == NULL) {
		cfg_free(cfg);
		return -ENOMEM;
	}
	result = cfg_parse_fp(cfg, stream);
	fclose(stream);
	if (result != CFG_SUCCESS || cfg_opt_size(cfg->opts) != list->count) {
		cfg_free(cfg);
		return -EBADMSG;
	}
	*ret_cfg = cfg;
	return 0;
}

/* What is wrong in a slice that could not be read. */
static int find_errors(const struct slice *slice)
{
	struct slice_text *text = slice->text;
	int error = 0;

	text->complete = false;
	reading.told = false;
	if (slice->at->titled)
		error = find_error(text, slice->at->title);
	for (size_t i = 0; i < slice->count && error == 0; i++)
		for (uint32_t k = 0; k < slice->written[i]->count && error == 0; k++)
			error = find_error(text, text->guard.values[slice->written[i]->first + k]);
	/* libconfuse says nothing when it finds no memory. */
	return error == 0 && !reading.told ? -ENOMEM : error;
}

static int find_error(struct slice_text *text, struct guard_value value)
{
	struct list list;
	cfg_t *cfg;
	int error;

	error = begin_list(&list, value.end - value.begin + 1);
	if (error < 0)
		return error;
	add_value(&list, &text->guard, value);
	list.text[list.length++] = '}';
	reading.text = text;
	reading.line = value.line;
	error = parse_list(&list, &cfg);
	reading.text = NULL;
	free(list.text);
	if (error == 0)
		cfg_free(cfg);
	return error == -EBADMSG ? 0 : error;
}

static void on_error(cfg_t *cfg, const char *format, va_list arguments)
{
	char *message = NULL;

	if (reading.text == NULL)
		return;
	reading.told = true;
	if (vasprintf(&message, format, arguments) < 0) {
		reading.text->report->no_memory = true;
		return;
	}
	confreport_add(reading.text->report, reading.text->file, reading.line + cfg->line - 1, NULL,
	    "%s", message);
	free(message);
}

static int deliver(const struct slice *slice, char **values,
    int (*each)(void *context, const struct stanza *stanza), void *context)
{
	struct stanza stanza = {
	    .kind = slice->kind,
	    .line = slice->at->line,
	    .begin = slice->at->begin,
	    .end = slice->at->end,
	    .spoiled = slice->spoiled,
	    .count = slice->count,
	    .entries = slice->entries,
	};

	if (slice->at->titled)
		stanza.title = *values++;
	for (size_t i = 0; i < slice->count; i++) {
		slice->entries[i].items = (const char **)(uintptr_t)values;
		values += slice->entries[i].count;
	}
	return each(context, &stanza);
}
