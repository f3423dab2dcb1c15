/* SPDX-License-Identifier: ISC */
/*
 * socketname.h: which file is the name of a unix socket.
 *
 * getsockname(2) tells only the path that was bound, at which another socket may stand by now; the
 * kernel tells the file itself by sock_diag(7).
 */
#ifndef ENGINE_SOCKETNAME_H
#define ENGINE_SOCKETNAME_H

#include <stdbool.h>

struct stat;

/* Was the unix socket `fd` bound to this file?  0, or -errno when the kernel does not tell. */
int socketname_is(int fd, const struct stat *file, bool *ret_same);

#endif
