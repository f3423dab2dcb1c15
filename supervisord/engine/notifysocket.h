/* SPDX-License-Identifier: ISC */
/*
 * notifysocket.h: a datagram socket with a name, for sd_notify(3): make it, read from it, remove
 * it.
 *
 * It stands at RUN_DIR/notify/NAME, mode 0600, and belongs to the user that the program runs as.
 * Nothing here waits: the socket is non-blocking and its sender may be anybody.
 */
#ifndef ENGINE_NOTIFYSOCKET_H
#define ENGINE_NOTIFYSOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

#include "lib/limits.h"

/* The most that one message can carry (SCM_MAX_FD). */
#define NOTIFYSOCKET_FDS 253

struct notify_datagram {
	pid_t pid; /* of the sender, as the kernel says; 0: of another pid namespace */
	uid_t uid;
	size_t length;
	size_t fd_count;
	int fds[NOTIFYSOCKET_FDS]; /* close-on-exec; the receiver owns them, -1: taken */
	char text[LIMIT_NOTIFY_BYTES];
};

/*
 * Make the socket, in place of one that is there already; gives a descriptor.  Returns 0 or -errno:
 * -ENAMETOOLONG, when the path is not one that a socket can have.
 */
int notifysocket_make(const char *run_dir, const char *name, uid_t uid, gid_t gid, int *ret_fd);

/* Its path, as it was made.  Returns 0 or -errno. */
int notifysocket_path(int fd, struct sockaddr_un *ret_address);

/* There is still a socket of that name, and it belongs to `uid`: what was made can be used on. */
bool notifysocket_is_there(int fd, uid_t uid);

/* The owner of its name; -1 (as uid_t) when there is none. */
uid_t notifysocket_owner(int fd);

/* Remove its name, and the directory with the last one. */
void notifysocket_remove(int fd);

/*
 * Read one message.  1: there is one; notifysocket_drop_fds() is the caller's business.  0: there
 * is none now.  -EBADMSG: there was one, but too long, with too many descriptors or without
 * credentials, and it is gone.  Or another -errno.
 */
int notifysocket_receive(int fd, struct notify_datagram *ret_datagram);

/* Close every descriptor that nobody took. */
void notifysocket_drop_fds(struct notify_datagram *datagram);

#endif
