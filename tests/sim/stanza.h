/* SPDX-License-Identifier: ISC */
/*
 * stanza.h: random configurations: what the simulator knows of one (numbers and masks), and the
 * struct config that the engine gets of it.
 *
 * The engine's copy lives in memory that is spoilt when it is freed, so that a pointer into an old
 * configuration is noticed.
 */
#ifndef SIM_STANZA_H
#define SIM_STANZA_H

#include <stdbool.h>
#include <stdint.h>

#include "supervisord/engine/config.h"
#include "supervisord/engine/depend.h"

#define STANZA_PROGRAMS 8

/* What a program says about another one. */
struct stanza_link {
	bool requires, wants, after, before, conflicts;
	uint8_t condition;        /* enum depend_condition, of all of them */
	uint8_t before_condition; /* of checklink_between() */
};

enum stanza_hook {
	HOOK_PRE_START,
	HOOK_POST_START,
	HOOK_PRE_STOP,
	HOOK_STOP,
	HOOK_POST_STOP,
	HOOK_RELOAD,
	HOOK_COUNT
};

struct stanza {
	bool present;
	bool hooks[HOOK_COUNT];
	struct stanza_link links[STANZA_PROGRAMS];
	struct program_config
	    config; /* numbers only; strings and life are filled in by stanza_build() */
	struct life_config life;
	int on_failure_name;
	int stdout_to; /* the program that reads its output, -1 */
};

/* Keys that somebody lays over a stanza: override "NAME" { … }, superctl set.  X(key, of a list) */
#define STANZA_KEYS(X)                                                                             \
	X(autostart, false)                                                                        \
	X(restart, false)                                                                          \
	X(command, true)                                                                           \
	X(instances, false)

#define STANZA_KEY_ENUM(name, list) STANZA_##name,
enum stanza_key { STANZA_KEYS(STANZA_KEY_ENUM) STANZA_KEY_COUNT };

struct stanza_override {
	unsigned keys; /* bit a key */
	unsigned values[STANZA_KEY_COUNT];
};

struct stanza_set {
	struct stanza programs[STANZA_PROGRAMS]; /* as they are in force */
	int instances;                           /* of the world's party */
	int64_t shutdown_timeout_ns;
	/* What that is made of. */
	struct stanza plain[STANZA_PROGRAMS];
	int plain_instances;
	struct stanza_override dropins[STANZA_PROGRAMS]; /* a file says so */
	struct stanza_override set[STANZA_PROGRAMS];     /* superctl set does */
	struct stanza_override runs[STANZA_PROGRAMS]; /* it is one of superctl run: how it was made,
						       * its command is its number; else no key */
};

/* "A" and so on, "C@2" of the second instance: "C@1" also where it is alone, and called "C". */
const char *stanza_name(int program);
/* The index of a program's name. */
int stanza_index(const char *name);
/* Are both instances of one program? */
bool stanza_are_mates(int program, int other);

/* The first configuration of a world, and the next one: mostly the same, as people edit. */
void stanza_make_first(struct stanza_set *set);
void stanza_make_next(struct stanza_set *set, const struct stanza_set *old);

/* Files that say what is in force, without what only superctl says and what never ends well. */
void stanza_make_calm(struct stanza_set *set);

/* All that is in force follows from what it is made of.  False: it would be refused. */
bool stanza_compose(struct stanza_set *set);
/* The stanza of one of superctl run. */
void stanza_make_run(struct stanza_set *set, int program);
bool stanza_is_run(const struct stanza_set *set, int program);
bool stanza_overrides_are_same(const struct stanza_override *a, const struct stanza_override *b);

/* All instances of the party get the stanza of the first. */
void stanza_spread(struct stanza_set *set);

/* Would it be accepted? */
bool stanza_is_valid(const struct stanza_set *set);

/* The sources of what is in force, as many as there may be: the main one has the number of the
 * configuration, the others what is laid over it.  And one of them taken, -EINVAL: it cannot be. */
#define STANZA_SOURCES (1 + 3 * STANZA_PROGRAMS)
#define STANZA_PATH    24
#define STANZA_TEXT    96
struct stanza_source {
	char path[STANZA_PATH];
	char text[STANZA_TEXT];
};
size_t stanza_write_sources(
    const struct stanza_set *set, int index, struct stanza_source sources[STANZA_SOURCES]);
int stanza_take_source(struct stanza_set *set, const char *path, const char *text);
/* A key's value as text, and all of them of an override. */
void stanza_write_value(enum stanza_key key, unsigned value, char buffer[STANZA_TEXT]);
void stanza_write_override(const struct stanza_override *override, char buffer[STANZA_TEXT]);
int stanza_read_override(const char *text, struct stanza_override *ret_override);
const char *stanza_key_name(enum stanza_key key);
/* Where superctl set --persist writes. */
#define STANZA_DROPIN_PATH "/sim.d/"

/* As the engine gets it; `index` is remembered. */
struct config *stanza_build(const struct stanza_set *set, int index);
int stanza_config_index(const struct config *config);
void stanza_free(struct config *config);

void stanza_print(const struct stanza_set *set);

/* Of the stanza's own words for a kind of task: which it is. */
int stanza_kind_of_words(char *const *words);

#endif
