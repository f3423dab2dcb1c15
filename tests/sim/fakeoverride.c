/* SPDX-License-Identifier: ISC */
/*
 * fakeoverride.c: what the calls that change the applied text (amend.c, setcall.c, enable.c,
 * runcall.c, persist.c) stand on: sections of overrides as text (overridetext.c), and the files
 * that superctl set --persist writes (dropin.c).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisord/engine/confsource.h"
#include "supervisord/engine/dropin.h"
#include "supervisord/engine/overridetext.h"
#include "supervisord/engine/words.h"
#include "tests/sim/checks.h"
#include "tests/sim/stanza.h"
#include "tests/sim/steps.h"

#define CHANCE_NO_WRITE 4

static int stanza_key_of(enum program_key key);
static struct stanza_override override_of(const struct overridetext *text);

static const enum program_key keys[STANZA_KEY_COUNT] = {
    PROGRAM_autostart, PROGRAM_restart, PROGRAM_command, PROGRAM_instances};

static int stanza_key_of(enum program_key key)
{
	for (int i = 0; i < STANZA_KEY_COUNT; i++)
		if (keys[i] == key)
			return i;
	return -1;
}

/* ---- overridetext.h ---- */

int overridetext_find_key(const char *label)
{
	for (int key = 0; key < STANZA_KEY_COUNT; key++)
		if (strcmp(stanza_key_name((enum stanza_key)key), label) == 0)
			return (int)keys[key];
	return -1;
}

int overridetext_read(const struct config_source *source, struct overridetext *text)
{
	struct stanza_override override;
	int error = stanza_read_override(source->text, &override);

	for (int key = 0; key < STANZA_KEY_COUNT && error == 0; key++) {
		char value[STANZA_TEXT];
		const char *values[] = {value};

		if (!((override.keys >> key) & 1))
			continue;
		stanza_write_value((enum stanza_key)key, override.values[key], value);
		error = overridetext_set(text, keys[key], false, values, 1);
	}
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
	(void)overridetext_unset(text, key);
	text->items[text->count++] = (struct overridetext_item){
	    .key = key, .list = list, .count = count, .values = words_copy(values, count)};
	return 0;
}

bool overridetext_unset(struct overridetext *text, enum program_key key)
{
	for (size_t i = 0; i < text->count; i++) {
		if (text->items[i].key != key)
			continue;
		free(text->items[i].values);
		text->items[i] = text->items[--text->count];
		return true;
	}
	return false;
}

int overridetext_write(const struct overridetext *text, const char *head, char **ret_text)
{
	const struct stanza_override override = override_of(text);
	char written[STANZA_TEXT];

	(void)head;
	stanza_write_override(&override, written);
	*ret_text = strdup(written);
	return 0;
}

int overridetext_write_program(const struct overridetext *text, char **ret_text)
{
	return overridetext_write(text, "", ret_text);
}

static struct stanza_override override_of(const struct overridetext *text)
{
	struct stanza_override override = {.keys = 0};

	for (size_t i = 0; i < text->count; i++) {
		int key = stanza_key_of(text->items[i].key);
		char line[STANZA_TEXT];
		struct stanza_override one = {.keys = 0};

		if (key < 0)
			continue; /* where it is run, for instance */
		(void)snprintf(line, sizeof(line), "%s %s\n", stanza_key_name((enum stanza_key)key),
		    text->items[i].values[0]);
		if (stanza_read_override(line, &one) < 0)
			world_fail("a value that cannot be read: %s", line);
		override.keys |= one.keys;
		override.values[key] = one.values[key];
	}
	return override;
}

/* ---- dropin.h ---- */

int dropin_find(const struct config *files, const struct program_config *program,
    struct dropin *ret_dropin, char **ret_problem)
{
	char path[STANZA_PATH];

	*ret_problem = NULL;
	(void)snprintf(path, sizeof(path), STANZA_DROPIN_PATH "%c", program->name[0]);
	*ret_dropin = (struct dropin){.path = strdup(path)};
	for (size_t i = 0; i < files->source_count; i++)
		if (strcmp(files->sources[i].path, path) == 0)
			ret_dropin->source = &files->sources[i];
	return 0;
}

void dropin_done(struct dropin *dropin)
{
	free(dropin->path);
	*dropin = (struct dropin){.path = NULL};
}

int dropin_look(const char *path, const char *like, struct stat *ret_looks)
{
	(void)path;
	(void)like;
	*ret_looks = (struct stat){.st_mode = 0644};
	return 0;
}

/* Other files; those from before may be what is held. */
int dropin_write(const char *path, const char *text, const struct stat *looks)
{
	struct stanza_override override = {.keys = 0};
	int program = stanza_index(path + strlen(STANZA_DROPIN_PATH));
	int next = world_free_config();

	(void)looks;
	steps_effect();
	if (!world->calm && !world->command.written && world_chance(CHANCE_NO_WRITE))
		return -EIO;
	world->command.written = true;
	if (text != NULL && stanza_read_override(text, &override) < 0)
		world_fail("what is persisted cannot be read");
	world->configs[next] = world->configs[world->files];
	world->configs[next].dropins[program] = override;
	if (!stanza_compose(&world->configs[next]))
		world_fail("the files are not good any more");
	world->files = next;
	steps_effect();
	return 0;
}
