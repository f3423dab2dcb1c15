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

struct stanza_set {
	struct stanza programs[STANZA_PROGRAMS];
	int instances; /* of the world's party */
	int64_t shutdown_timeout_ns;
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

/* Would it be accepted? */
bool stanza_is_valid(const struct stanza_set *set);

/* As the engine gets it; `index` is remembered. */
struct config *stanza_build(const struct stanza_set *set, int index);
int stanza_config_index(const struct config *config);
void stanza_free(struct config *config);

void stanza_print(const struct stanza_set *set);

/* Of the stanza's own words for a kind of task: which it is. */
int stanza_kind_of_words(char *const *words);

#endif
