/* SPDX-License-Identifier: ISC */
/*
 * confbuild.h: a configuration while it is made: the values as they were given, and where.
 *
 * A load has three steps.  confload.c reads files and puts each value that is written into its
 * place here; then confbuild.c, confoverride.c, confgroup.c, confdepend.c and confsocket.c make
 * whole programs of it, because a default or an override may stand behind the programs it is for,
 * and a group behind its users; confcheck.c and confconflict.c look at what spans keys and
 * programs.  Up to here there is one program a stanza; then confinstance.c makes the instances of
 * each, and last conffilter.c adds the programs that filter logs.  Nobody else sees a configuration
 * before all of them are done.
 */
#ifndef ENGINE_CONFBUILD_H
#define ENGINE_CONFBUILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "supervisord/engine/confreport.h"
#include "supervisord/engine/keytable.h"

struct config_names;

/* What config_load() gives is the first member; the rest is its own. */
struct config_whole {
	struct config config;
	struct config_names *names; /* of all programs, see build_keep_name() */
	struct program_config base; /* the defaults, whose strings the programs share */
	struct life_config
	    base_life; /* likewise; shared as a whole where a stanza has none of it */
	/* The stanzas of which there are several instances, which share what is theirs. */
	struct program_config **models;
	size_t model_count;
	struct program_override *overrides; /* of all stanzas */
	char *pack; /* where the programs are once all is done; NULL: each is by itself */
};

/* Line 0: nowhere. */
struct build_place {
	size_t source; /* index */
	int line;
};

struct build_program {
	struct program_config *program;
	struct life_config *life; /* its own; NULL: that of the defaults */
	struct build_place place;
	int lines[PROGRAM_KEY_COUNT]; /* of the keys that the stanza itself has, else 0 */
	/* Of the keys that are overridden, whose lines are those of their overrides; or NULL. */
	const struct build_place *overridden;
	char **command; /* as written, until `shell` is known; or NULL */
	bool command_list;
	bool spoiled;       /* keys were refused: one that is missing may be among them */
	uint32_t instances; /* after build_finish_programs() */
};

/* override "NAME" { … }: values that are laid over those of a stanza. */
struct build_override {
	struct build_program given; /* its name, and the values, which leave it */
	bool set;                   /* by superctl set: over those of files */
};

struct build_group {
	char *name;
	struct build_place place;
	int line;            /* of its members, else 0 */
	string_list members; /* as written */
	bool spoiled;        /* what it says was refused */
	/* Set by build_finish_groups(): what it comes down to, ascending. */
	uint32_t count;
	uint32_t *programs; /* indices */
};

struct build_socket {
	struct socket_config config;
	struct build_place place;
	int lines[SOCKET_KEY_COUNT];
	bool spoiled;
};

struct build {
	struct config_whole *whole;
	struct confreport *report;
	struct build_program *programs; /* in the order of reading, then by name */
	size_t program_count;
	size_t program_room;
	struct build_override *overrides; /* in the order of reading */
	size_t override_count;
	size_t override_room;
	struct build_place *
	    *overridden; /* what programs borrow, an array of PROGRAM_KEY_COUNT each */
	size_t overridden_count;
	struct build_group *groups; /* likewise */
	size_t group_count;
	size_t group_room;
	struct build_socket *sockets; /* in the order of reading, until they are given */
	size_t socket_count;
	size_t socket_room;
	size_t link_count; /* names that stand in groups and lists, groups being taken apart */
	bool links_told;   /* that there are too many of them */
	struct build_place defaults[PROGRAM_KEY_COUNT];
	struct build_place settings[SETTING_KEY_COUNT];
	uint32_t cpus; /* 0: not counted yet */
	bool complete; /* every stanza was understood: what is not here does not exist */
	bool applied;  /* accepted before: leave the system alone */
};

/*
 * Programs of what was read, with defaults, by name; groups in their lists are replaced by their
 * members.  Then settings.  0 or -ENOMEM.
 */
int build_finish_programs(struct build *build);
int build_finish_settings(struct build *build);

/* Each override into its program, once these are sorted, and before defaults fill the rest.  0 or
 * -ENOMEM. */
int build_take_overrides(struct build *build);
void build_free_overrides(struct build *build);

/* Where a key of a program is written that its stanza or an override has. */
struct build_place build_key_place(const struct build_program *program, enum program_key key);

/* The rules of control { allow }, and its group, once the settings are there (confcontrol.c).  0 or
 * -ENOMEM. */
int build_finish_control(struct build *build);
/* Sockets, with defaults, by name, and what can be said against them; before the programs.  0 or
 * -ENOMEM. */
int build_finish_sockets(struct build *build);
void build_free_socket(struct socket_config *socket);

/* The parts of the former: groups, once the programs are sorted; the lists of the defaults, and
 * then those of each program, that name others. */
int build_finish_groups(struct build *build);
int build_expand_defaults(struct build *build);
int build_expand_program(struct build *build, struct build_program *program);

/* accept = true: what it means for the rest of the stanza (confaccept.c).  0 or -ENOMEM. */
int build_take_accept(struct build *build, struct build_program *program);

/* Checks of more than one key, to the report.  0 or -ENOMEM. */
int build_check(struct build *build);

/* The parts of that which are about programs that name others, log files, and sockets. */
struct confgraph;
int build_check_links(struct build *build);
int build_check_logs(struct build *build);
void build_check_sockets(struct build *build);
void build_check_accept(struct build *build);
void build_check_filters(struct build *build);
void build_check_clusters(struct build *build);
void build_check_ttys(struct build *build);
int build_check_conflicts(struct build *build, const struct confgraph *order);

/* Of each program what is asked of its number of instances, to the report; and then these
 * instances in its place, in all lists too.  0 or -ENOMEM. */
void build_check_instances(struct build *build);
int build_add_instances(struct build *build);

/* Rows of the ledger that a stanza may take, without filters. */
uint32_t build_count_rows(const struct build_program *program);

/* The program that a name in a list is of, "web" or "web@3"; or NULL.  *ret_number: of the
 * instance, 0 for all of them. */
struct build_program *build_find_named(
    const struct build *build, const char *text, size_t length, uint32_t *ret_number);

/* The primaries of clusters; before there are instances.  0 or -ENOMEM. */
int build_add_clusters(struct build *build);

/* The programs that filter logs; once all has been checked, for they are not to be.  0 or -ENOMEM.
 */
int build_add_filters(struct build *build);

/* The relays of terminals; likewise, after the filters.  0 or -ENOMEM. */
int build_add_ttys(struct build *build);

/* The hashes (confhash.c); to be called when nothing is changed any more.  0 or -ENOMEM. */
int build_hash(struct build *build);

/* The name of a program, which lives as long as the configuration; NULL: no memory. */
char *build_keep_name(struct build *build, const char *name);
void build_free_names(struct config_names *names);

/* The programs into one piece of memory (confpack.c); last of all.  0 or -ENOMEM. */
int build_pack(struct build *build);

void build_done(struct build *build);

/* An error at a key of a program: where it is written, there or in the defaults, else at the
 * stanza. */
void build_report(struct build *build, const struct build_program *program, enum program_key key,
    const char *format, ...) __attribute__((format(printf, 4, 5)));

const char *build_file(const struct build *build, struct build_place place);

/* The program of this name, after they are sorted; or NULL. */
struct build_program *build_find(const struct build *build, const char *name);

/* The name of the program of this index; `build` is a struct build. */
const char *build_name_of(const void *build, uint32_t index);

/* The group of this name, after build_finish_groups(); or NULL. */
struct build_group *build_find_group(const struct build *build, const char *name);

/*
 * So many names more in all groups and lists.  False, and told once, when that is too much: a few
 * groups in a few lists can mean very many.
 */
bool build_count_links(struct build *build, size_t count);

/* The member of a row. */
static inline void *build_member(void *owner, const struct key_row *row)
{
	return (char *)owner + row->offset;
}

/* Likewise of the defaults, and of a program, whose life may be the shared one: then it is only to
 * be read. */
void *build_base_member(struct build *build, const struct key_row *row);
const void *build_program_member(
    const struct build *build, const struct build_program *program, const struct key_row *row);

/* Replace a value of a finished program, with a life of its own where it is needed.  Takes what
 * `value` holds; `value` is the member's type.  0 or -ENOMEM. */
int build_replace(struct build *build, struct build_program *program, const struct key_row *row,
    const void *value);

/* Free a program and what it has of its own: before its model. */
void build_free_program(struct program_config *program);
/* The same of all programs in a pack, and the pack. */
void build_free_pack(struct config_whole *whole);
/* What both have in common: the values, not the program. */
void build_free_values(struct program_config *program);

/* Does a text with %{…} in it become an absolute path? */
bool build_is_absolute(const char *text);

#endif
