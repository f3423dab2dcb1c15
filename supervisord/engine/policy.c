/* SPDX-License-Identifier: ISC */
/* policy.c: see policy.h. */

#include "lib/wstatus.h"
#include "supervisord/engine/policy.h"

bool policy_is_success(const struct exit_set *success, int wstatus)
{
	if (wstatus_is_exit(wstatus)) {
		unsigned code = (unsigned)wstatus_code(wstatus);

		return (success->codes[code / 64] >> (code % 64)) & 1;
	}
	return ((success->signals >> (wstatus_signal(wstatus) - 1)) & 1);
}

bool policy_wants_restart(
    enum restart_policy restart, const struct exit_set *success, int wstatus, bool launched)
{
	bool failed = !launched || !policy_is_success(success, wstatus);

	switch (restart) {
	case RESTART_NEVER:
		return false;
	case RESTART_ON_FAILURE:
		return failed;
	case RESTART_ON_ABNORMAL:
		return failed && (!launched || !wstatus_is_exit(wstatus));
	case RESTART_ALWAYS:
		return true;
	}
	return false;
}
