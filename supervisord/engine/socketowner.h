/* SPDX-License-Identifier: ISC */
/*
 * socketowner.h: who has an address, for people: read off /proc/net and /proc/PID/fd.
 */
#ifndef ENGINE_SOCKETOWNER_H
#define ENGINE_SOCKETOWNER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "supervisord/engine/socketaddress.h"

#define SOCKETOWNER_NAME 17

struct socket_owner {
	ino_t inode;                 /* of the socket: fstat(2) of its descriptors says the same */
	pid_t pid;                   /* a process that has it, 0: none that we may look at */
	uid_t uid;                   /* whom the socket belongs to; tcp and udp only, else -1 */
	char name[SOCKETOWNER_NAME]; /* of the process */
};

/* Whether somebody has the address or one that contains it. */
bool socketowner_find(const struct socket_address *address, struct socket_owner *ret_owner);

/* "nginx (process 123)", "a process of user 33", "another process".  Returns `buffer`. */
#define SOCKETOWNER_TEXT 64
const char *socketowner_text(const struct socket_owner *owner, char buffer[SOCKETOWNER_TEXT]);

#endif
