/* SPDX-License-Identifier: ISC */
/*
 * checklink.h: who depends on whom, said once more in other words than depend.c and links.c do:
 * from the simulator's own stanzas and the states in the ledger.  Programs are indices; -1: none.
 */
#ifndef SIM_CHECKLINK_H
#define SIM_CHECKLINK_H

#include <stdbool.h>

#include "lib/ledger.h"

/* The configuration of this index may be in force from now on, or (`anew`) alone is. */
void checklink_note_config(int index, bool anew);

/* What `program` says about `other`, as far as it is in force. */
struct stanza_link checklink_between(int program, int other);

/* Who keeps it from starting, from stopping; whose loss means that it cannot stay up. */
/* It waits until somebody connects, and may do so for ever. */
bool checklink_is_lazy(int program);
int checklink_start_blocker(int program);
int checklink_stop_blocker(int program);
int checklink_lost(int program);
/* Of those that it requires, one that is not there (whoever may still be waited for otherwise). */
int checklink_missing(int program);

/* Some of those that it waits for, who wait themselves, have not been told yet what they can hope
 * for: by them it may be held up, or let go, a moment too long or too early. */
bool checklink_has_news(int program);
/* It was told right. */
bool checklink_is_told(int program);

/* Those that a start of it is to start, too; those that must go for all of these: masks. */
unsigned checklink_pulled(int program);
unsigned checklink_conflicting(unsigned programs);
/* Those that are up and require it, directly or not: a mask. */
unsigned checklink_requirers(int program);

bool checklink_is_live(const struct ledger_state *state);
bool checklink_is_halting(const struct ledger_state *state);
bool checklink_is_resting(const struct ledger_state *state);

#endif
