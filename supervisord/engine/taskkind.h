/* SPDX-License-Identifier: ISC */
/* taskkind.h: the commands that are run for a program beside its own, and their names.  Pure. */
#ifndef ENGINE_TASKKIND_H
#define ENGINE_TASKKIND_H

#include <stdbool.h>

/* X(name, as written).  The first five belong to a state of the program: at most one of them lives.
 */
#define TASK_KINDS(X)                                                                              \
	X(PRE_START, "pre_start")                                                                  \
	X(POST_START, "post_start")                                                                \
	X(PRE_STOP, "pre_stop")                                                                    \
	X(STOP_COMMAND, "stop_command")                                                            \
	X(POST_STOP, "post_stop")                                                                  \
	X(RELOAD, "reload_command")                                                                \
	X(READY, "ready")                                                                          \
	X(HEALTH, "health")                                                                        \
	X(ON_FAILURE, "on_failure")

#define TASK_ENUM(name, text) TASK_##name,
enum task_kind { TASK_KINDS(TASK_ENUM) TASK_COUNT };

static inline bool task_is_hook(enum task_kind kind)
{
	return kind <= TASK_POST_STOP;
}

const char *task_kind_name(enum task_kind kind);

#endif
