/* SPDX-License-Identifier: ISC */
/* policy.c: see policy.h. */

#include "lib/wstatus.h"
#include "supervisord/engine/policy.h"

bool policy_is_success(const struct exit_set *set, int wstatus)
{
	if (wstatus_is_exit(wstatus)) {
		unsigned code = (unsigned)wstatus_code(wstatus);

		return (set->codes[code / 64] >> (code % 64)) & 1;
	}
	return ((set->signals >> (wstatus_signal(wstatus) - 1)) & 1);
}

bool policy_wants_restart(const struct program_config *config, int wstatus, bool failed)
{
	bool bad = failed || !policy_is_success(&config->key_success_exit, wstatus);

	if (!failed && policy_is_success(&config->life->key_restart_prevent_exit, wstatus))
		return false;
	if (!failed && policy_is_success(&config->life->key_restart_force_exit, wstatus))
		return true;
	switch (config->key_restart) {
	case RESTART_NEVER:
		return false;
	case RESTART_ON_FAILURE:
		return bad;
	case RESTART_ON_ABNORMAL:
		return bad && (failed || !wstatus_is_exit(wstatus));
	case RESTART_ALWAYS:
		return true;
	}
	return false;
}
