/* SPDX-License-Identifier: ISC */
/* superctl.h: one command line of superctl, from its words to its exit status. */
#ifndef CTL_SUPERCTL_H
#define CTL_SUPERCTL_H

#include "ctl/ctl.h"

/*
 * Do what the words say, the first of which is superctl's own name; they are reordered.  Everything
 * a verb printed is written in one go when it is done.  Once a process: signals are left as the
 * verb wants them.
 */
int superctl_run(int argc, char **argv);

/* Run the verb that `ctl` names with its options, and write what it printed. */
enum exitcode superctl_run_verb(struct ctl *ctl);

/* In a process of its own: do what these words say to whom `options` say, as superctl_run() would,
 * and end. */
_Noreturn void superctl_run_words(
    const struct options *options, const char *const *words, size_t count);

/* Become another executable of libexec, superctl-NAME, with the options that say whom to talk to
 * and the words (may be NULL) as its arguments.  Returns only when that fails, and told. */
void superctl_become(struct ctl *ctl, const char *name, const char *const *words, size_t count);

#endif
