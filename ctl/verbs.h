/* SPDX-License-Identifier: ISC */
/* verbs.h: the table of superctl's verbs: everything that help and the command line know of one. */
#ifndef CTL_VERBS_H
#define CTL_VERBS_H

#include <stddef.h>

#include "ctl/ctl.h"

struct verb {
	const char *name;
	const char *arguments; /* as help shows them; completion reads it too, see complete.h */
	size_t least, most;    /* arguments */
	const char *missing;   /* what to say when there are fewer */
	option_set options;    /* besides OPTIONS_COMMON */
	enum exitcode (*run)(struct ctl *ctl);
	const char *summary; /* one line; NULL: not for people, and listed nowhere */
	const char *details; /* more of it for `help VERB` */
};

extern const struct verb verbs_table[];
extern const size_t verbs_count;

/* The verb of this name, or NULL. */
const struct verb *verbs_find(const char *name);

/* Its names may be globs, groups and all. */
bool verbs_takes_patterns(const struct verb *verb);

/* Say on stderr that there is no such verb, and what may have been meant. */
void verbs_complain(struct ctl *ctl, const char *name);

/* Into `out`: all verbs, or one. */
void verbs_print_usage(struct out *out);
void verbs_print_help(struct out *out, const struct verb *verb);

#endif
