/* SPDX-License-Identifier: ISC */
/* sockettable.h: the sockets of the machine that have an address, read off /proc/net. */
#ifndef ENGINE_SOCKETTABLE_H
#define ENGINE_SOCKETTABLE_H

#include <stdbool.h>
#include <sys/types.h>

#include "supervisord/engine/socketaddress.h"

struct socket_entry {
	ino_t inode;
	uid_t uid;      /* whom it belongs to; tcp and udp only, else -1 */
	bool serves;    /* it listens, or takes datagrams from anybody */
	bool connected; /* by its peer, which has not closed it */
};

/*
 * Call `each` with every socket whose own address is this one or overlaps it, until it returns
 * true.
 */
void sockettable_each(const struct socket_address *address,
    bool (*each)(void *context, const struct socket_entry *entry), void *context);

#endif
