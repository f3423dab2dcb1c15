/* SPDX-License-Identifier: ISC */
/* hosts.h: one command on several machines at once, -H a,b,c. */
#ifndef CTL_HOSTS_H
#define CTL_HOSTS_H

#include "ctl/ctl.h"

/* Run the verb of `ctl` for each of its hosts, side by side.  The highest exit status of all. */
enum exitcode hosts_run(struct ctl *ctl);

#endif
