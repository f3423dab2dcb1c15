/* SPDX-License-Identifier: ISC */
/*
 * shell.h: the engine around the core, as program.c, run.c, engine.c and
 * apply.c do it, on the fake kernel.  After each step that another process
 * could see it may be killed: struct world.kill_in.
 */
#ifndef SIM_SHELL_H
#define SIM_SHELL_H

#include "tests/sim/world.h"

enum command { COMMAND_START, COMMAND_STOP, COMMAND_RESTART };

/* Each runs until nothing more is to be done at this instant, or the engine is
 * dead. */
void shell_boot(struct world *world, bool safe_mode);
void shell_command(struct world *world, enum command command, unsigned rows);
/* The other of world.configs[], filled in by the caller, is what is wanted now.
 */
void shell_apply(struct world *world);
void shell_shutdown(struct world *world);
void shell_wake(struct world *world);

/* The next moment at which shell_wake() has something to do by the clock. */
int64_t shell_next_deadline_ns(const struct world *world);

#endif
