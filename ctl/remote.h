/* SPDX-License-Identifier: ISC */
/*
 * remote.h: a daemon on another machine, through ssh(1) and `superctl bridge` over there.
 *
 * Who may do what is decided there, by the user that ssh logs in as; the daemon opens no port.
 */
#ifndef CTL_REMOTE_H
#define CTL_REMOTE_H

#include "ctl/ctl.h"

/* The word that asks a bridge to say when it is connected, and what it then says. */
#define REMOTE_GREET    "greet"
#define REMOTE_GREETING '\0'

/*
 * As connect_daemon(), at ctl->options.host: a socket whose other end is ssh, once the daemon over
 * there has taken the connection.  EXITCODE_MISSING also when ssh cannot get there.
 */
enum exitcode remote_connect(struct ctl *ctl, bool quiet, int *ret_fd);

/* superctl edit over there, at our terminal: the file and the editor are there.  Its exit code. */
enum exitcode remote_edit(struct ctl *ctl);

#endif
