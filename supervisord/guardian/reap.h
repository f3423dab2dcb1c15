/* SPDX-License-Identifier: ISC */
/* reap.h: collect one dead child, telling the ledger before the kernel forgets its pid. */
#ifndef GUARDIAN_REAP_H
#define GUARDIAN_REAP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "lib/ledger.h"

/*
 * Reap one child, if one is dead: this one, or with pid 0 any, which the kernel looks for among
 * all. If it was a row's leader, its end is posted in the ledger and *news becomes true (untouched
 * otherwise).  Returns its pid and gives its wait(2) status; 0 when there is none.
 */
pid_t reap_next(struct ledger *ledger, pid_t pid, int *ret_wstatus, bool *news);

#define REAP_STATUS_TEXT 32

/* "exited with status 1", "was killed by signal 9".  Returns `buffer`. */
const char *reap_status_text(int wstatus, char *buffer, size_t size);

#endif
