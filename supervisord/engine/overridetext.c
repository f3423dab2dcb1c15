/* SPDX-License-Identifier: ISC */
/* overridetext.c: see overridetext.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "supervisord/engine/overridetext.h"
#include "supervisord/engine/parse.h"
#include "supervisord/engine/valuetype.h"
#include "supervisord/engine/words.h"

static int write_section(
    const struct overridetext *text, const char *head, const char *section, char **ret_text);
static int on_stanza(void *context, const struct stanza *stanza);

int overridetext_read(const struct config_source *source, struct overridetext *text)
{
	struct config_errors errors = {0};
	struct confreport report = {.errors = &errors};
	struct parse_result result = {0};
	int error = parse_text(
	    source->path, source->text, source->length, &report, on_stanza, text, &result);

	if (error == 0 && report.no_memory)
		error = -ENOMEM;
	if (error == 0 && (errors.count > 0 || !result.complete))
		error = -EBADMSG;
	config_errors_done(&errors);
	return error;
}

void overridetext_done(struct overridetext *text)
{
	for (size_t i = 0; i < text->count; i++)
		free(text->items[i].values);
	text->count = 0;
}

int overridetext_set(struct overridetext *text, enum program_key key, bool list,
    const char *const *values, size_t count)
{
	struct overridetext_item item = {.key = key, .list = list, .count = count};
	size_t at = 0;

	item.values = words_copy(values, count);
	if (item.values == NULL)
		return -ENOMEM;
	(void)overridetext_unset(text, key);
	while (at < text->count && text->items[at].key < key)
		at++;
	memmove(&text->items[at + 1], &text->items[at], (text->count - at) * sizeof(item));
	text->items[at] = item;
	text->count++;
	return 0;
}

bool overridetext_unset(struct overridetext *text, enum program_key key)
{
	for (size_t i = 0; i < text->count; i++) {
		if (text->items[i].key != key)
			continue;
		free(text->items[i].values);
		text->count--;
		memmove(&text->items[i], &text->items[i + 1],
		    (text->count - i) * sizeof(text->items[i]));
		return true;
	}
	return false;
}

int overridetext_write(const struct overridetext *text, const char *head, char **ret_text)
{
	return write_section(text, head, "override", ret_text);
}

int overridetext_write_program(const struct overridetext *text, char **ret_text)
{
	return write_section(text, "", "program", ret_text);
}

static int write_section(
    const struct overridetext *text, const char *head, const char *section, char **ret_text)
{
	char *written = NULL;
	size_t length = 0;
	FILE *file = open_memstream(&written, &length);
	bool in_health = false;

	if (file == NULL)
		return -ENOMEM;
	fprintf(file, "%s%s \"%s\" {\n", head, section, text->program);
	/* The keys of the section health stand together in the table. */
	for (size_t i = 0; i < text->count; i++) {
		bool is_health = keytable_is_health(&program_rows[text->items[i].key]);

		if (is_health != in_health)
			fputs(is_health ? "\t" KEYTABLE_HEALTH " {\n" : "\t}\n", file);
		in_health = is_health;
		fputs(is_health ? "\t\t" : "\t", file);
		overridetext_write_item(&text->items[i], file);
		putc_unlocked('\n', file);
	}
	fputs(in_health ? "\t}\n}\n" : "}\n", file);
	if (fclose(file) != 0) {
		free(written);
		return -ENOMEM;
	}
	*ret_text = written;
	return 0;
}

void overridetext_write_item(const struct overridetext_item *item, FILE *file)
{
	fprintf(file, "%s = %s", keytable_word(&program_rows[item->key]), item->list ? "{" : "");
	for (size_t i = 0; i < item->count; i++) {
		if (i > 0)
			fputs(", ", file);
		value_write_text("", item->values[i], file);
	}
	fputs(item->list ? "}" : "", file);
}

int overridetext_find_key(const char *label)
{
	for (size_t k = 0; k < PROGRAM_KEY_COUNT; k++) {
		char buffer[KEYTABLE_LABEL];

		if (strcmp(keytable_label(&program_rows[k], buffer), label) == 0)
			return (int)k;
	}
	return -1;
}

static int on_stanza(void *context, const struct stanza *stanza)
{
	struct overridetext *text = context;
	int error = 0;

	if (stanza->kind != STANZA_OVERRIDE || strcmp(stanza->title, text->program) != 0)
		return -EBADMSG;
	for (size_t i = 0; i < stanza->count && error == 0; i++)
		error = overridetext_set(text, (enum program_key)stanza->entries[i].key,
		    stanza->entries[i].list, stanza->entries[i].items, stanza->entries[i].count);
	return error;
}
