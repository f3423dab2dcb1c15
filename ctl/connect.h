/* SPDX-License-Identifier: ISC */
/*
 * connect.h: find the control socket and connect to it.
 *
 * With -H that is a machine elsewhere, see remote.h.  Here it is -s, else $SUPERCTL_SOCKET, else
 * the user's run directory, else the system's.  What was named is meant: when nothing answers
 * there, no other socket is tried.  In a run directory found by ourselves the daemon must be the
 * user's own or root's: /tmp belongs to everyone.
 */
#ifndef CTL_CONNECT_H
#define CTL_CONNECT_H

#include "ctl/ctl.h"

/*
 * Gives a connected socket, close-on-exec, in `*ret_fd`.  `quiet`: say nothing on failure.  Returns
 * EXITCODE_OK, EXITCODE_MISSING (nobody answers), EXITCODE_DENIED, EXITCODE_USAGE or
 * EXITCODE_FAILED.
 */
enum exitcode connect_daemon(struct ctl *ctl, bool quiet, int *ret_fd);

#endif
