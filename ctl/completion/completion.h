/* SPDX-License-Identifier: ISC */
/* completion.h: what the completion files of the shells have in common, on stdout. */
#ifndef CTL_COMPLETION_COMPLETION_H
#define CTL_COMPLETION_COMPLETION_H

#include "ctl/verbs.h"

void completion_write_bash(void);
void completion_write_zsh(void);
void completion_write_fish(void);

/* Text between single quotes: what would end them is written as the shell wants it, `quote`. */
void completion_print_quoted(const char *text, const char *quote);

/* "--long -l --json": the options of a set, each as it is typed. */
void completion_print_options(option_set set);

/* The signals that are offered, with a blank between two. */
void completion_print_signals(void);

/* Branches of a `case`: for each verb the options and the slots of its arguments, between what a
 * shell wants around them; and one for what is no verb. */
struct completion_cases {
	void (*print_options)(option_set set);
	const char *before_options, *before_slots, *end;
	const char *no_slots; /* in place of before_slots and end, where there are none */
};
void completion_print_cases(const struct completion_cases *cases);

/* The slots of arguments as words that the shell code knows: "signals names*", where * stands for
 * any number of it; words that stand for themselves as "=show|keys". */
void completion_print_slots(const char *arguments);

#endif
