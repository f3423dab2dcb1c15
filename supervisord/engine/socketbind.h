/* SPDX-License-Identifier: ISC */
/*
 * socketbind.h: one address of a socket, as a descriptor: bound, listening, with its options.
 *
 * The file of a unix socket that nobody serves is taken over; one that somebody serves is not.
 */
#ifndef ENGINE_SOCKETBIND_H
#define ENGINE_SOCKETBIND_H

#include <stdbool.h>

#include "supervisord/engine/config.h"
#include "supervisord/engine/socketaddress.h"

/*
 * Make it.  Gives a close-on-exec, non-blocking descriptor.  Returns 0 or -errno: -EADDRINUSE where
 * somebody has the address, -EEXIST where a file that is none of this kind is in the way.
 */
int socketbind_open(
    const struct socket_config *config, const struct socket_address *address, int *ret_fd);

/* Give one that is open the options that can change (those of class live).  0 or -errno. */
int socketbind_adjust(
    const struct socket_config *config, const struct socket_address *address, int fd);

/*
 * Does the address's path still lead to `fd`?  True also where there is no path, or the kernel does
 * not tell.
 */
bool socketbind_is_there(const struct socket_address *address, int fd);

/* Remove the path if it certainly leads to `fd`. */
void socketbind_remove(const struct socket_address *address, int fd);

#endif
