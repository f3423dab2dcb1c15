/* SPDX-License-Identifier: ISC */
/*
 * foreground.h: children that Ctrl-C and Ctrl-\ are for, while we take no notice of these keys.
 *
 * What is pressed between the decision to start a child and its first steps would be for nobody:
 * we ignore it, and the child is not there yet or still ignores it as we do.  So the signals wait.
 */
#ifndef CTL_FOREGROUND_H
#define CTL_FOREGROUND_H

#include <signal.h>
#include <sys/types.h>

struct foreground {
	sigset_t mask; /* from before, and what the signals did */
	struct sigaction interrupt, quit;
};

/* From here on the keys are for those that are started. */
void foreground_begin(struct foreground *foreground);

/* As fork(2).  The signals do to the child what they do by default, also what came before it. */
pid_t foreground_fork(const struct foreground *foreground);

/* The children have ended, or are let alone: what was pressed was for them. */
void foreground_end(const struct foreground *foreground);

#endif
