/* SPDX-License-Identifier: ISC */
/* policy.h: what the end of a run means: success or failure, and whether to run again.  Pure. */
#ifndef ENGINE_POLICY_H
#define ENGINE_POLICY_H

#include <stdbool.h>

#include "supervisord/engine/config.h"

/* Whether a wait status is in the stanza's success_exit. */
bool policy_is_success(const struct exit_set *success, int wstatus);

/*
 * Whether `restart` says to run again.  `launched`: false when the program could not even be
 * executed, which is a failure of every kind.
 */
bool policy_wants_restart(
    enum restart_policy restart, const struct exit_set *success, int wstatus, bool launched);

#endif
