/* SPDX-License-Identifier: ISC */
/* editplace.h: where a program's stanza is, or could be, as the daemon has it. */
#ifndef CTL_EDITPLACE_H
#define CTL_EDITPLACE_H

#include <stdint.h>

#include "ctl/ctl.h"

struct editplace {
	char *config; /* the daemon's configuration file */
	char *file;   /* of the stanza; NULL: there is no such program, and no directory for one */
	int64_t line; /* where it begins; 0: there is no such program */
	char nearest[64]; /* a program that may be meant in place of that; "" */
};

/* What goes wrong is told.  editplace_done() is due in any case. */
enum exitcode editplace_find(struct ctl *ctl, const char *name, struct editplace *ret_place);
void editplace_done(struct editplace *place);

/* The file of a new stanza: what the first of the patterns of `include`, which is written as in a
 * file, makes of that name, if its one wildcard is in the last part.  NULL: none does.  Pure. */
char *editplace_choose(const char *config, const char *include, const char *name);

#endif
