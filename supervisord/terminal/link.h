/* SPDX-License-Identifier: ISC */
/* link.h: the engine's messages, see lib/ttylink.h. */
#ifndef TERMINAL_LINK_H
#define TERMINAL_LINK_H

#include "supervisord/terminal/terminal.h"

/* All that have come.  0, -EPIPE: there will be no more, or -errno. */
int link_read(struct terminal *terminal);

/* All that the run has said is passed on. */
void link_tell_drained(struct terminal *terminal);

#endif
