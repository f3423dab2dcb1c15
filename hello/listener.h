/* SPDX-License-Identifier: ISC */
/*
 * listener.h: the listening sockets, bound here or inherited (sd_listen_fds(3)), and the paths in
 * the file system that belong to them.
 */
#ifndef HELLO_LISTENER_H
#define HELLO_LISTENER_H

#include <stdbool.h>
#include <sys/types.h>

#include "hello/address.h"
#include "hello/pool.h"
#include "lib/limits.h"

struct listener {
	enum source_kind source; /* SOURCE_LISTENER */
	bool is_ready;           /* connections wait in its backlog */
	int fd;
	struct address address; /* as bound: with the port that was chosen for 0 */
	bool is_ours;           /* the socket at the path of `address` was made here, ... */
	dev_t device;           /* ... and this is its identity */
	ino_t inode;
};

struct listeners {
	unsigned count;
	struct listener items[LIMIT_HELLO_LISTENERS];
};

/*
 * Takes the descriptors that LISTEN_FDS counts when LISTEN_PID is this process; *ret_count: how
 * many, 0 if there are none.  -EBADMSG: LISTEN_FDS is malformed; -E2BIG: too many;
 * -ENOTSOCK or another error: of descriptor *ret_fd, which does not listen for streams.
 */
int listeners_inherit(struct listeners *listeners, unsigned *ret_count, int *ret_fd);

/* Binds one more.  A socket file that nobody listens on is replaced; a live one is -EADDRINUSE. */
int listeners_open(struct listeners *listeners, const struct address *address);

/* Removes the socket files made here, so that no new client comes that way. */
void listeners_unlink(struct listeners *listeners);

/* Closes all, and unlinks. */
void listeners_close(struct listeners *listeners);

#endif
