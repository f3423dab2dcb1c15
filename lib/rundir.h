/* SPDX-License-Identifier: ISC */
/*
 * rundir.h: where a supervisord keeps its run-time files when nobody said otherwise, so that daemon
 * and superctl agree: root RUNSTATEDIR/supervisord, a user $XDG_RUNTIME_DIR/supervisord, and
 * without an absolute XDG_RUNTIME_DIR /tmp/supervisord-UID.  Only names: nothing is made or looked
 * at here. /tmp belongs to everyone: who makes that folder must check that it is its own and nobody
 * else's to write, who connects to a socket in it must check the peer's uid.
 *
 * All return 0, or -ENAMETOOLONG when the name does not fit in `size` bytes.
 */
#ifndef LIB_RUNDIR_H
#define LIB_RUNDIR_H

#include <stddef.h>
#include <sys/types.h>

/* The control socket, in the run directory. */
#define RUNDIR_SOCKET "control.sock"

/* Of the calling process: its effective uid and its environment. */
int rundir_default(char *buffer, size_t size);

/* The system's, whoever asks. */
int rundir_system(char *buffer, size_t size);

/* As rundir_default(), from these.  `xdg_runtime_dir` may be NULL.  Pure. */
int rundir_of_user(uid_t uid, const char *xdg_runtime_dir, char *buffer, size_t size);

/* DIRECTORY/control.sock. */
int rundir_socket(const char *directory, char *buffer, size_t size);

#endif
