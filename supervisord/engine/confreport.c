/* SPDX-License-Identifier: ISC */
/*
 * confreport.c: see confreport.h, and what config.h promises about errors.
 */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/limits.h"
#include "supervisord/engine/confreport.h"

static int store(
    struct config_errors *errors, const char *file, int line, const char *key, char *message);
static size_t rank_of(const struct config_errors *errors, size_t index);

void confreport_add(
    struct confreport *report, const char *file, int line, const char *key, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	confreport_add_list(report, file, line, key, format, arguments);
	va_end(arguments);
}

void confreport_add_list(struct confreport *report, const char *file, int line, const char *key,
    const char *format, va_list arguments)
{
	char *message;

	if (report->full || report->no_memory)
		return;
	if (report->errors->count == LIMIT_CONFIG_ERRORS - 1) {
		report->full = true;
		message = strdup("there are more errors, which are not shown");
		line = 0;
		key = NULL;
	} else {
		message = confreport_message(report, format, arguments);
	}
	if (message == NULL || store(report->errors, file, line, key, message) < 0)
		report->no_memory = true;
}

char *confreport_message(struct confreport *report, const char *format, va_list arguments)
{
	char *message = NULL;

	if (vasprintf(&message, format, arguments) >= 0)
		return message;
	report->no_memory = true;
	return NULL;
}

void confreport_sort(struct confreport *report)
{
	struct config_errors *errors = report->errors;
	size_t count = errors->count - (report->full ? 1 : 0);

	/* By insertion: it is stable, and there are a hundred at most. */
	for (size_t i = 1; i < count; i++) {
		struct config_error moved = errors->list[i];
		size_t rank = rank_of(errors, i), at = i;

		while (at > 0) {
			size_t other = rank_of(errors, at - 1);

			if (other < rank ||
			    (other == rank && errors->list[at - 1].line <= moved.line))
				break;
			errors->list[at] = errors->list[at - 1];
			at--;
		}
		errors->list[at] = moved;
	}
}

const char *confreport_quote(const char *text, char buffer[CONFREPORT_QUOTE])
{
	size_t at = 0;

	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if (at > CONFREPORT_QUOTE - 10) {
			snprintf(buffer + at, CONFREPORT_QUOTE - at, "...");
			return buffer;
		}
		if (c < 0x20 || c == 0x7f)
			at += (size_t)snprintf(buffer + at, CONFREPORT_QUOTE - at, "\\x%02x", c);
		else
			buffer[at++] = (char)c;
	}
	buffer[at] = '\0';
	return buffer;
}

void config_errors_done(struct config_errors *errors)
{
	for (size_t i = 0; i < errors->count; i++) {
		free(errors->list[i].file);
		free(errors->list[i].key);
		free(errors->list[i].message);
	}
	free(errors->list);
	*errors = (struct config_errors){0};
}

char *config_error_text(const struct config_error *error)
{
	char place[16] = "", *text;

	if (error->line > 0)
		snprintf(place, sizeof(place), ":%d", error->line);
	if (asprintf(&text, "%s%s: %s%s%s", error->file, place,
		error->key != NULL ? error->key : "", error->key != NULL ? ": " : "",
		error->message) < 0)
		return NULL;
	return text;
}

/* Takes `message`, also when it fails. */
static int store(
    struct config_errors *errors, const char *file, int line, const char *key, char *message)
{
	struct config_error error = {.line = line, .message = message};
	struct config_error *list;

	list = realloc(errors->list, (errors->count + 1) * sizeof(*list));
	if (list != NULL)
		errors->list = list;
	error.file = strdup(file);
	error.key = key != NULL ? strdup(key) : NULL;
	if (list == NULL || error.file == NULL || (key != NULL && error.key == NULL)) {
		free(error.file);
		free(error.key);
		free(message);
		return -1;
	}
	errors->list[errors->count++] = error;
	return 0;
}

/* A file ranks by its first error. */
static size_t rank_of(const struct config_errors *errors, size_t index)
{
	size_t rank = 0;

	while (strcmp(errors->list[rank].file, errors->list[index].file) != 0)
		rank++;
	return rank;
}
