/* SPDX-License-Identifier: ISC */
/*
 * hooks.h: which command of the stanza is run for a program at which point, and what it is told.
 *
 * The environment of hooks: MAINPID (while there is a main process), and of post_stop how the run
 * ended: EXIT_STATUS or EXIT_SIGNAL, and RESULT (success, exit-code, signal, start, timeout,
 * watchdog, health, runtime, hook, stopped).
 */
#ifndef ENGINE_HOOKS_H
#define ENGINE_HOOKS_H

#include "supervisord/engine/program.h"

/* Every kind that belongs to the run: when the run is gone, so are they. */
#define HOOKS_ALL ((1U << (TASK_HEALTH + 1)) - 1)

/* The hook that runs in this state, or TASK_COUNT. */
enum task_kind hooks_kind_of(enum state state);

/* Start the hook of the present state, unless it runs. */
void hooks_start(struct program *program);

/* Start the command of a kind, unless it runs. */
void hooks_start_kind(struct program *program, enum task_kind kind);

/* What the stanza says for a kind, or NULL. */
char *const *hooks_words(const struct program_config *config, enum task_kind kind);

/* One line: which command failed, and how. */
void hooks_log_failure(const struct program *program, const struct task_end *end);

#endif
