/* SPDX-License-Identifier: ISC */
/*
 * command.h: the methods that do something to programs.
 *
 * All or nothing: the names, and what else would have to be stopped, are looked at before the first
 * program is touched.  What becomes of the programs is watched by an op (op.h).
 */
#ifndef ENGINE_COMMAND_H
#define ENGINE_COMMAND_H

struct call;

void command_start(struct call *call);
void command_stop(struct call *call);
void command_restart(struct call *call);
void command_reload(struct call *call);
void command_signal(struct call *call);

#endif
