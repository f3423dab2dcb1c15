/* SPDX-License-Identifier: ISC */
/* policy.h: what the end of a run means: success or failure, and whether to run again.  Pure. */
#ifndef ENGINE_POLICY_H
#define ENGINE_POLICY_H

#include <stdbool.h>

#include "supervisord/engine/config.h"

/* Whether a wait status is in a set, such as the stanza's success_exit. */
bool policy_is_success(const struct exit_set *set, int wstatus);

/*
 * Whether the stanza says to run again.  `failed`: the run failed whatever its status says (it
 * could not even be executed, was not ready in time, its watchdog ...), which is a failure of every
 * kind. restart_prevent_exit and restart_force_exit decide before `restart` does, about a status
 * only.
 */
bool policy_wants_restart(const struct program_config *config, int wstatus, bool failed);

#endif
