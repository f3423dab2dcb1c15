/* SPDX-License-Identifier: ISC */
/*
 * confbuild.h: a configuration while it is made: the values as they were given, and where.
 *
 * A load has three steps.  confload.c reads files and puts each value that is written into its
 * place here; then confbuild.c makes whole programs of it, because a default may stand behind the
 * programs it is for; confcheck.c looks at what spans keys and programs.  Nobody else sees a
 * configuration before all of them are done.
 */
#ifndef ENGINE_CONFBUILD_H
#define ENGINE_CONFBUILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "supervisord/engine/confreport.h"
#include "supervisord/engine/keytable.h"

/* What config_load() gives is the first member; the rest is its own. */
struct config_whole {
	struct config config;
	struct program_config base; /* the defaults, whose strings the programs share */
};

/* Line 0: nowhere. */
struct build_place {
	size_t source; /* index */
	int line;
};

struct build_program {
	struct program_config *program;
	struct build_place place;
	int lines[PROGRAM_KEY_COUNT]; /* of the keys that the stanza itself has, else 0 */
	char **command;               /* as written, until `shell` is known; or NULL */
	bool command_list;
	bool spoiled; /* keys were refused: one that is missing may be among them */
};

struct build {
	struct config_whole *whole;
	struct confreport *report;
	struct build_program *programs; /* in the order of reading, then by name */
	size_t program_count;
	size_t program_room;
	struct build_place defaults[PROGRAM_KEY_COUNT];
	struct build_place settings[SETTING_KEY_COUNT];
	bool complete; /* every stanza was understood: what is not here does not exist */
	bool applied;  /* accepted before: leave the system alone */
};

/* Programs of what was read, with defaults, by name; then settings.  0 or -ENOMEM. */
int build_finish_programs(struct build *build);
int build_finish_settings(struct build *build);

/* Checks of more than one key, to the report.  0 or -ENOMEM. */
int build_check(struct build *build);

/* The hashes; to be called when nothing is changed any more.  0 or -ENOMEM. */
int build_hash(struct build *build);

void build_done(struct build *build);

/* An error at a key of a program: where it is written, there or in the defaults, else at the
 * stanza. */
void build_report(struct build *build, const struct build_program *program, enum program_key key,
    const char *format, ...) __attribute__((format(printf, 4, 5)));

const char *build_file(const struct build *build, struct build_place place);

/* The program of this name, after build_finish_programs(); or NULL. */
struct build_program *build_find(const struct build *build, const char *name);

/* The member of a row. */
static inline void *build_member(void *owner, const struct key_row *row)
{
	return (char *)owner + row->offset;
}

/* Does a text with %{…} in it become an absolute path? */
bool build_is_absolute(const char *text);

#endif
