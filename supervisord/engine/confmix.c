/* SPDX-License-Identifier: ISC */
/* confmix.c: see confmix.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "supervisord/engine/confmix.h"
#include "supervisord/engine/confsource.h"
#include "supervisord/engine/parse.h"

struct mix {
	const struct confmix_names *names;
	bool keep; /* the stanzas of these names; else all but them */
	struct config_source *list;
	size_t count;
	size_t room;

	/* Of the source at hand. */
	const char *text;
	size_t at; /* bytes of the text that are done */
	char *left;
	size_t length; /* what is left of it */
	size_t stanzas;
};

static int add_sources(struct mix *mix, struct confmix_text text);
static int add_source(struct mix *mix, const struct config_source *source, bool first);
static int filter(struct mix *mix, const struct config_source *source, struct config_source *copy);
static int on_stanza(void *context, const struct stanza *stanza);
static void keep_until(struct mix *mix, size_t end);
static void drop_until(struct mix *mix, size_t end);

int confmix_make(struct confmix_text applied, struct confmix_text files,
    const struct confmix_names *names, struct config_source **ret_sources, size_t *ret_count)
{
	struct mix mix = {.names = names};
	int error;

	error = add_sources(&mix, applied);
	mix.keep = true;
	if (error == 0)
		error = add_sources(&mix, files);
	if (error < 0) {
		confsource_free(mix.list, mix.count);
		return error;
	}
	*ret_sources = mix.list;
	*ret_count = mix.count;
	return 0;
}

static int add_sources(struct mix *mix, struct confmix_text text)
{
	int error = 0;

	for (size_t i = 0; i < text.count && error == 0; i++)
		error = add_source(mix, &text.list[i], i == 0);
	return error;
}

/* The first source of what is applied has the settings, if only by default. */
static int add_source(struct mix *mix, const struct config_source *source, bool first)
{
	struct config_source copy = {0};
	int error;

	if (mix->count == mix->room) {
		size_t room = mix->room == 0 ? 16 : mix->room * 2;
		struct config_source *list = realloc(mix->list, room * sizeof(*list));

		if (list == NULL)
			return -ENOMEM;
		mix->list = list;
		mix->room = room;
	}
	error = confsource_copy(source->path, source->text, source->length, &copy);
	if (error == 0)
		error = filter(mix, source, &copy);
	if (error == 0 && (mix->stanzas > 0 || (first && !mix->keep))) {
		mix->list[mix->count++] = copy;
		return 0;
	}
	free(copy.path);
	free(copy.text);
	return error;
}

/* To what is to be in the mixture. */
static int filter(struct mix *mix, const struct config_source *source, struct config_source *copy)
{
	struct config_errors errors = {0};
	struct confreport report = {.errors = &errors};
	struct parse_result result;
	int error;

	mix->text = source->text;
	mix->left = copy->text;
	mix->at = mix->length = mix->stanzas = 0;
	error = parse_text(
	    source->path, source->text, source->length, &report, on_stanza, mix, &result);
	if (error == 0)
		(mix->keep ? drop_until : keep_until)(mix, source->length);
	copy->length = mix->length;
	copy->text[copy->length] = '\0';
	config_errors_done(&errors);
	return error;
}

static int on_stanza(void *context, const struct stanza *stanza)
{
	struct mix *mix = context;
	bool named = stanza->title != NULL && mix->names->takes(mix->names->context,
						  stanza->kind == STANZA_SOCKET, stanza->title);

	if (named == mix->keep)
		mix->stanzas++;
	if (named) {
		(mix->keep ? drop_until : keep_until)(mix, stanza->begin);
		(mix->keep ? keep_until : drop_until)(mix, stanza->end);
	}
	return 0;
}

static void keep_until(struct mix *mix, size_t end)
{
	memcpy(mix->left + mix->length, mix->text + mix->at, end - mix->at);
	mix->length += end - mix->at;
	mix->at = end;
}

/* Its lines stay, empty: what follows keeps its number. */
static void drop_until(struct mix *mix, size_t end)
{
	for (; mix->at < end; mix->at++)
		if (mix->text[mix->at] == '\n')
			mix->left[mix->length++] = '\n';
}
