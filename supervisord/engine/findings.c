/* SPDX-License-Identifier: ISC */
/* findings.c: see findings.h. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/limits.h"
#include "supervisord/engine/findings.h"

#define LEVEL_NAME(name, text) text,
static const char *const level_names[] = {FINDING_LEVELS(LEVEL_NAME)};
#undef LEVEL_NAME

void findings_init(struct findings *findings, const char *name)
{
	jsonw_init(&findings->w, LIMIT_VARLINK_BYTES / 2);
	findings->name = name;
	jsonw_begin_array(&findings->w);
}

void findings_done(struct findings *findings)
{
	jsonw_done(&findings->w);
}

void findings_add(
    struct findings *findings, enum finding_level level, const char *check, const char *format, ...)
{
	struct jsonw *w = &findings->w;
	va_list arguments;
	char *text;
	int length;

	va_start(arguments, format);
	length = vasprintf(&text, format, arguments);
	va_end(arguments);
	jsonw_begin_object(w);
	jsonw_member_string(w, "name", findings->name);
	jsonw_member_string(w, "check", check);
	jsonw_member_string(w, "level", level_names[level]);
	jsonw_member_string(w, "message", length < 0 ? "out of memory" : text);
	jsonw_end_object(w);
	if (length >= 0)
		free(text);
}

void findings_add_json(struct findings *findings, const char *elements, size_t length)
{
	struct jsonw *w = &findings->w;

	if (length == 0)
		return;
	if (w->comma)
		jsonw_raw(w, ",", 1);
	jsonw_raw(w, elements, length);
	w->comma = true;
}
