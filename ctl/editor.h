/* SPDX-License-Identifier: ISC */
/* editor.h: the person's editor. */
#ifndef CTL_EDITOR_H
#define CTL_EDITOR_H

#include "ctl/ctl.h"

/* $VISUAL, $EDITOR, or one that is there, as a line for sh(1); NULL: there is none. */
const char *editor_find(void);

/* Whether it takes +LINE: those that are known to. */
bool editor_takes_line(const char *editor);

/* Have it edit a file, from that line on.  Its failure is told. */
enum exitcode editor_run(struct ctl *ctl, const char *editor, const char *path, int64_t line);

#endif
