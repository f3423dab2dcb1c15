/* SPDX-License-Identifier: ISC */
/*
 * shell.h: superctl alone on a terminal: reads lines and does each as superctl would.
 *
 * Each command is a process of its own, with the terminal and a connection of its own: whatever it
 * does, also to signals, the shell is as it was.
 */
#ifndef CTL_SHELL_SHELL_H
#define CTL_SHELL_SHELL_H

#include <histedit.h>

#include "ctl/ctl.h"

struct shell {
	struct ctl ctl; /* whom to talk to */
	EditLine *edit;
	History *history;
	char *history_path; /* NULL: not kept */
	char prompt[80];
};

/* Until the end; the exit status of superctl. */
int shell_run(struct shell *shell);

/* What Tab does, a function of el_set(3) EL_ADDFN.  (tab.c) */
unsigned char shell_complete(EditLine *edit, int key);

/* The lines of earlier times, and where they are kept.  (history.c) */
void shell_open_history(struct shell *shell);
void shell_add_history(struct shell *shell, const char *line);
void shell_close_history(struct shell *shell);

#endif
