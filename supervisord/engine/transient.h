/* SPDX-License-Identifier: ISC */
/*
 * transient.h: programs that superctl run has started: their stanzas are in no file.
 *
 * Each stands in the applied text in a source of its own (CONFIG_RUN_PATH), which every load of the
 * files takes along.  One that has ended well, or was stopped, is forgotten after
 * LIMIT_TRANSIENT_KEEP_NS: the applied text without it is applied.  When that is due follows from
 * its row, so a new engine does it as well.  One that has failed stays, to be looked at.
 */
#ifndef ENGINE_TRANSIENT_H
#define ENGINE_TRANSIENT_H

#include <stdbool.h>

#include "supervisord/engine/config.h"
#include "supervisord/engine/timers.h"

struct engine;
struct program;

struct transient {
	struct timer timer; /* the next one is to be forgotten */
	bool due;           /* something has changed since the last look */
};

/* config_load() of the engine's files, with these programs; and config_load_stamped() of files, with
 * those of an applied configuration (-1: none). */
int transient_load_files(
    const struct engine *engine, struct config **ret_config, struct config_errors *errors);
int transient_load_stamped(const char *path, int applied_fd, struct config **ret_config,
    struct config_errors *errors, struct confstamp **ret_stamp);

/* Something about a program has changed, or another configuration is in force. */
static inline void transient_note_change(struct transient *transient)
{
	transient->due = true;
}

/* Once a round: forget who is to be forgotten.  Returns whether something was done. */
bool transient_review(struct engine *engine);

#endif
