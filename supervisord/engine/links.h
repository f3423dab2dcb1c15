/* SPDX-License-Identifier: ISC */
/*
 * links.h: who depends on whom among the programs that exist, and what follows from it.
 *
 * The links are made anew from the stanzas at each apply; what one link means is said by depend.h.
 * Here it is asked of all links of a program, and of what lies behind them.
 */
#ifndef ENGINE_LINKS_H
#define ENGINE_LINKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cause;
struct engine;
struct program;
struct program_link;

/* Make the links of all programs, and note whose stdin is a pipe from another one.  0 or -ENOMEM.
 */
int engine_link_programs(struct engine *engine);

/* `program` goes away: nobody's link points to it any more. */
void engine_unlink(struct engine *engine, const struct program *program);

/*
 * The link to the first program that must come before (start) or after (stop: end first) this one,
 * or whose loss means that this one cannot stay up; NULL: none.
 */
const struct program_link *engine_start_blocker(
    const struct engine *engine, const struct program *program);
const struct program_link *engine_stop_blocker(
    const struct engine *engine, const struct program *program);
const struct program_link *engine_lost_link(
    const struct engine *engine, const struct program *program);

/*
 * What a WAITING program can expect (enum depend_outlook), read off its direct links; the caller
 * keeps it in program->outlook, and tells the others when it has changed.
 */
uint8_t engine_outlook(const struct program *program);

/* Somebody who waits for it and is to come up requires or wants it: then it is asked for, though it
 * is started on demand. */
bool engine_is_needed(const struct program *program);

/* The link to one that is not there and that it goes without; NULL: none. */
const struct program_link *engine_missed_link(const struct program *program);

/*
 * Everything that starting `program` starts too (requires, wants, and theirs; those that come first
 * stand first), and what it must stop (conflicts of all of these).  Gives lists
 * (engine_pull_done()), without `program` itself; -ENOMEM.
 */
struct engine_pull {
	struct program **start;
	size_t start_count;
	struct program **stop;
	size_t stop_count;
};
int engine_pull(struct engine *engine, struct program *program, struct engine_pull *ret_pull);
void engine_pull_done(struct engine_pull *pull);

/*
 * The programs that are up and require `program`, directly or not: a stop of it would stop them
 * first.  Gives a list (free it); -ENOMEM.
 */
int engine_find_requirers(const struct engine *engine, const struct program *program,
    struct program ***ret_list, size_t *ret_count);

/*
 * Start it, and first what belongs to it: the one way to start for commands, autostart and apply.
 * Every wish stands in the ledger before the first consequence.
 */
void engine_start(struct engine *engine, struct program *program, const struct cause *cause);

/* A program that waits from its first moment on (autostart): start what it needs and nobody has
 * started ever. */
void engine_start_needed(struct engine *engine, struct program *program);

/* The program that filters its log (INSTNAME_FILTER); NULL: none. */
struct program *engine_find_filter(const struct engine *engine, const struct program *program);

/* Tell all that may wait for it that the program has changed. */
void engine_defer_linked(const struct program *program);

#endif
