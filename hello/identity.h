/* SPDX-License-Identifier: ISC */
/*
 * identity.h: who the worker runs as once its sockets are bound (--user).  Parsing looks names up;
 * applying drops all supplementary groups, then the group, then the user, and proves that nothing
 * can be taken back.  Never returns success with a right left over.
 */
#ifndef HELLO_IDENTITY_H
#define HELLO_IDENTITY_H

#include <stddef.h>
#include <sys/types.h>

struct identity {
	uid_t uid;
	gid_t gid;
};

/*
 * "USER", "USER:GROUP", names or numbers, or "@sudo": SUDO_UID and SUDO_GID of the environment.
 * Root is refused: that is what leaving --user away means.  -EINVAL with the reason in `error`.
 */
int identity_parse(const char *text, struct identity *ret_identity, char *error, size_t size);

/* -EPERM: not allowed, or a right could be regained.  The caller must then end. */
int identity_apply(const struct identity *identity);

#endif
