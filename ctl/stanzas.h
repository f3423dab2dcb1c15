/* SPDX-License-Identifier: ISC */
/*
 * stanzas.h: the programs that the names of a command line stand for, for the verbs that are about
 * stanzas and take one in a call: a glob, all and a group mean each program once, whatever its
 * instances; not what runs because of events, and no companion.
 */
#ifndef CTL_STANZAS_H
#define CTL_STANZAS_H

#include "ctl/ctl.h"

struct stanza {
	char *name;
	bool meant; /* it was named itself; others came by a glob, all or a group */
};

struct stanzas {
	struct stanza *list;
	size_t count;
};

/*
 * Those of all names of `ctl`; by globs, all and groups only those of superctl run (`transient`),
 * or only the others.  A name that is no glob and of no group stays as it is, whether
 * there is such a program or not: the verb's own call tells.  Not OK: the user was told; what was
 * found before is there.  stanzas_done() is due in both cases.
 */
enum exitcode stanzas_find(struct ctl *ctl, bool transient, struct stanzas *ret_stanzas);
void stanzas_done(struct stanzas *stanzas);

/* A glob, or all: what it stands for is only known by asking. */
bool stanzas_is_pattern(const char *name);

#endif
