/* SPDX-License-Identifier: ISC */
/*
 * sliceread.c: slice_read(): libconfuse, which is told only the keys that the slice has, each time
 * with a fresh cfg_t; see slice.h.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <confuse.h>

#include "supervisord/engine/slice.h"

/* libconfuse gives its error function no context; its lexer is one for the process as well. */
static const struct slice *reading;

static size_t add_options(const struct slice *slice, bool in_health, cfg_opt_t *options);
static int run_confuse(const struct slice *slice, cfg_t *cfg);
static void on_error(cfg_t *cfg, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));
static int deliver(const struct slice *slice, cfg_t *cfg,
    int (*each)(void *context, const struct stanza *stanza), void *context);

int slice_read(const struct slice *slice, int (*each)(void *context, const struct stanza *stanza),
    void *context)
{
	cfg_opt_t keys[SLICE_KEYS + 2], health[PROGRAM_KEY_COUNT + 1], top[2];
	cfg_opt_t *options = slice->kind == STANZA_SETTING ? top : keys;
	const char *name = slice_section_name(slice->kind);
	size_t count;
	cfg_t *cfg;
	int error;

	health[add_options(slice, true, health)] = (cfg_opt_t)CFG_END();
	count = add_options(slice, false, options);
	if (slice->health_line > 0)
		options[count++] = (cfg_opt_t)CFG_SEC(KEYTABLE_HEALTH, health, CFGF_NONE);
	options[count] = (cfg_opt_t)CFG_END();
	top[1] = (cfg_opt_t)CFG_END();
	switch (slice->kind) {
	case STANZA_PROGRAM:
	case STANZA_ON_EVENT:
	case STANZA_GROUP:
	case STANZA_SOCKET:
	case STANZA_OVERRIDE:
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
	error = run_confuse(slice, cfg);
	if (error == 0)
		error = deliver(slice, cfg, each, context);
	else if (error == -EBADMSG)
		error = 0;
	cfg_free(cfg);
	return error;
}

/* One an entry of the section health, or of what is around it; returns their number. */
static size_t add_options(const struct slice *slice, bool in_health, cfg_opt_t *options)
{
	size_t count = 0;

	for (size_t i = 0; i < slice->count; i++) {
		const struct stanza_entry *entry = &slice->entries[i];
		const struct key_row *row = &slice->rows[entry->key];

		if (keytable_is_health(row) != in_health)
			continue;
		if (entry->list)
			options[count++] =
			    (cfg_opt_t)CFG_STR_LIST(slice_word(slice, row), NULL, CFGF_NODEFAULT);
		else
			options[count++] =
			    (cfg_opt_t)CFG_STR(slice_word(slice, row), NULL, CFGF_NODEFAULT);
	}
	return count;
}

/* 0, -EBADMSG with the error reported, or -ENOMEM. */
static int run_confuse(const struct slice *slice, cfg_t *cfg)
{
	const struct guard_slice *at = slice->at;
	FILE *stream;
	int result;

	stream = fmemopen(slice->text->guard.text + at->begin, at->end - at->begin, "r");
	if (stream == NULL)
		return -ENOMEM;
	reading = slice;
	result = cfg_parse_fp(cfg, stream);
	reading = NULL;
	fclose(stream);
	if (result == CFG_SUCCESS)
		return 0;
	slice->text->complete = false;
	return -EBADMSG;
}

static void on_error(cfg_t *cfg, const char *format, va_list arguments)
{
	char *message = NULL;

	if (vasprintf(&message, format, arguments) < 0) {
		reading->text->report->no_memory = true;
		return;
	}
	confreport_add(reading->text->report, reading->text->file,
	    reading->at->line + cfg->line - 1, NULL, "%s", message);
	free(message);
}

static int deliver(const struct slice *slice, cfg_t *cfg,
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
	const char **items, **at;
	cfg_t *health = NULL;
	size_t total = 0;
	int error;

	if (slice->kind != STANZA_SETTING) {
		cfg = cfg_getnsec(cfg, slice_section_name(slice->kind), 0);
		if (cfg == NULL)
			return -ENOMEM;
		stanza.title = cfg_title(cfg);
	}
	if (slice->health_line > 0)
		health = cfg_getsec(cfg, KEYTABLE_HEALTH);
	for (size_t i = 0; i < slice->count; i++) {
		const struct key_row *row = &slice->rows[slice->entries[i].key];

		slice->entries[i].count =
		    cfg_size(keytable_is_health(row) ? health : cfg, slice_word(slice, row));
		total += slice->entries[i].count;
	}
	items = at = calloc(total + 1, sizeof(*items));
	if (items == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < slice->count; i++) {
		struct stanza_entry *entry = &slice->entries[i];
		const struct key_row *row = &slice->rows[entry->key];

		entry->items = at;
		for (unsigned j = 0; j < entry->count; j++)
			*at++ = cfg_getnstr(
			    keytable_is_health(row) ? health : cfg, slice_word(slice, row), j);
	}
	error = each(context, &stanza);
	free(items);
	return error;
}
