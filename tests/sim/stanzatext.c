/* SPDX-License-Identifier: ISC */
/*
 * stanzatext.c: what a configuration is made of, as sources: the stanzas of files are a number,
 * what superctl has laid over them or added is a line a key.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisord/engine/config.h"
#include "supervisord/engine/plan.h"
#include "tests/sim/stanza.h"
#include "tests/sim/world.h"

static const char *const restarts[] = {"never", "on-failure", "on-abnormal", "always"};

#define KEY_NAME(name, list) #name,
static const char *const key_names[] = {STANZA_KEYS(KEY_NAME)};
#undef KEY_NAME

static bool overlay(struct stanza_set *set, int program, const struct stanza_override *override);
static unsigned read_value(enum stanza_key key, const char *text);
static const char *behind(const char *path, const char *prefix);
static void add_source(struct stanza_source *source, const char *prefix, int program,
    const struct stanza_override *override);

bool stanza_compose(struct stanza_set *set)
{
	memcpy(set->programs, set->plain, sizeof(set->programs));
	set->instances = set->plain_instances;
	for (int program = 0; program < world->program_count; program++) {
		if (!set->plain[program].present &&
		    (set->dropins[program].keys | set->set[program].keys) != 0)
			return false;
		if (!overlay(set, program, &set->dropins[program]) ||
		    !overlay(set, program, &set->set[program]))
			return false;
	}
	return stanza_is_valid(set);
}

/* All instances of a program have what is laid over its first. */
static bool overlay(struct stanza_set *set, int program, const struct stanza_override *override)
{
	struct program_config *config = &set->programs[program].config;
	unsigned count = (override->keys >> STANZA_instances) & 1
			     ? override->values[STANZA_instances]
			     : config->instances;

	if (override->keys == 0)
		return true;
	if ((override->keys >> STANZA_autostart) & 1)
		config->key_autostart = override->values[STANZA_autostart] != 0;
	if ((override->keys >> STANZA_restart) & 1)
		config->key_restart = (enum restart_policy) override->values[STANZA_restart];
	if ((override->keys >> STANZA_command) & 1)
		config->hash =
		    plan_mark_hash(world_mix(config->hash ^ override->values[STANZA_command]) << 1,
			set->programs[program].life.key_accept);
	if (!stanza_are_mates(program, program))
		return count == 1;
	set->instances = (int)count;
	stanza_spread(set);
	return set->instances == (int)count;
}

bool stanza_is_run(const struct stanza_set *set, int program)
{
	return set->runs[program].keys != 0;
}

bool stanza_overrides_are_same(const struct stanza_override *a, const struct stanza_override *b)
{
	if (a->keys != b->keys)
		return false;
	for (int key = 0; key < STANZA_KEY_COUNT; key++)
		if (((a->keys >> key) & 1) && a->values[key] != b->values[key])
			return false;
	return true;
}

/* ---- texts ---- */

const char *stanza_key_name(enum stanza_key key)
{
	return key_names[key];
}

void stanza_write_value(enum stanza_key key, unsigned value, char buffer[STANZA_TEXT])
{
	if (key == STANZA_autostart)
		(void)snprintf(buffer, STANZA_TEXT, "%s", value ? "true" : "false");
	else if (key == STANZA_restart)
		(void)snprintf(buffer, STANZA_TEXT, "%s", restarts[value]);
	else
		(void)snprintf(buffer, STANZA_TEXT, "%u", value);
}

static unsigned read_value(enum stanza_key key, const char *text)
{
	unsigned value = 0;

	if (key == STANZA_autostart)
		return strncmp(text, "true", 4) == 0;
	if (key != STANZA_restart)
		return (unsigned)strtoul(text, NULL, 10);
	while (value < 3 && strncmp(text, restarts[value], strlen(restarts[value])) != 0)
		value++;
	return value;
}

void stanza_write_override(const struct stanza_override *override, char buffer[STANZA_TEXT])
{
	size_t length = 0;

	buffer[0] = '\0';
	for (int key = 0; key < STANZA_KEY_COUNT; key++) {
		char value[STANZA_TEXT];

		if (!((override->keys >> key) & 1))
			continue;
		stanza_write_value((enum stanza_key)key, override->values[key], value);
		length += (size_t)snprintf(
		    buffer + length, STANZA_TEXT - length, "%s %s\n", key_names[key], value);
	}
}

int stanza_read_override(const char *text, struct stanza_override *ret_override)
{
	struct stanza_override override = {.keys = 0};

	while (*text != '\0') {
		int key = 0;
		size_t length = strcspn(text, " ");

		while (key < STANZA_KEY_COUNT && (strlen(key_names[key]) != length ||
						     strncmp(text, key_names[key], length) != 0))
			key++;
		if (key == STANZA_KEY_COUNT || text[length] != ' ')
			return -EBADMSG;
		override.keys |= 1U << key;
		override.values[key] = read_value((enum stanza_key)key, text + length + 1);
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
	*ret_override = override;
	return 0;
}

/* ---- sources ---- */

size_t stanza_write_sources(
    const struct stanza_set *set, int index, struct stanza_source sources[STANZA_SOURCES])
{
	size_t count = 1;

	(void)snprintf(sources[0].path, STANZA_PATH, "/sim");
	(void)snprintf(sources[0].text, STANZA_TEXT, "%d", index);
	for (int program = 0; program < world->program_count; program++) {
		if (set->dropins[program].keys != 0)
			add_source(
			    &sources[count++], STANZA_DROPIN_PATH, program, &set->dropins[program]);
		if (stanza_is_run(set, program))
			add_source(
			    &sources[count++], CONFIG_RUN_PATH, program, &set->runs[program]);
		if (set->set[program].keys != 0)
			add_source(&sources[count++], CONFIG_SET_PATH, program, &set->set[program]);
	}
	return count;
}

static void add_source(struct stanza_source *source, const char *prefix, int program,
    const struct stanza_override *override)
{
	(void)snprintf(source->path, STANZA_PATH, "%s%c", prefix, stanza_name(program)[0]);
	stanza_write_override(override, source->text);
}

int stanza_take_source(struct stanza_set *set, const char *path, const char *text)
{
	const char *run = behind(path, CONFIG_RUN_PATH), *said = behind(path, CONFIG_SET_PATH),
		   *dropin = behind(path, STANZA_DROPIN_PATH);
	const char *name = run != NULL ? run : said != NULL ? said : dropin;
	int program = name != NULL ? stanza_index(name) : -1;
	struct stanza_override override;

	if (program < 0 || program >= world->program_count ||
	    stanza_read_override(text, &override) < 0)
		return -EINVAL;
	if (run == NULL) {
		*(said != NULL ? &set->set[program] : &set->dropins[program]) = override;
		return 0;
	}
	if (set->plain[program].present)
		return -EINVAL; /* there are two of that name */
	set->runs[program] = override;
	stanza_make_run(set, program);
	return 0;
}

static const char *behind(const char *path, const char *prefix)
{
	size_t length = strlen(prefix);

	return strncmp(path, prefix, length) == 0 ? path + length : NULL;
}
