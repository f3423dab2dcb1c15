/* SPDX-License-Identifier: ISC */
/*
 * ids.h: turn the keys `user` and `group` into numbers before a program is launched, so that
 * nothing between clone and exec looks anything up.
 */
#ifndef ENGINE_IDS_H
#define ENGINE_IDS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct ids {
	bool change;        /* false: run as what we are, touch nothing */
	uid_t uid;
	gid_t gid;
	size_t group_count; /* supplementary groups, the login group among them */
	gid_t *groups;
	char *user;         /* login name, or the number as text where passwd(5) has no entry */
	char *home;         /* "/" where passwd(5) has no entry */
	char *shell;        /* "/bin/sh" likewise */
};

/*
 * Resolve names or numbers; either may be NULL.  With both NULL: our own ids, change = false.
 * -ENOENT: no such user or group; *ret_what (static text) says which: "user" or "group".  -EPERM: not root and
 * not our own ids.
 */
int ids_resolve(const char *user, const char *group, struct ids *ret_ids, const char **ret_what);

void ids_done(struct ids *ids);

/* Only the number of a user or group, by name or number.  0, -ENOENT or -ENOMEM. */
int ids_find_user(const char *user, uid_t *ret_uid);
int ids_find_group(const char *group, gid_t *ret_gid);

/* Whom a file is to belong to. */
struct ids_owner {
	bool has_uid;
	bool has_gid;
	uid_t uid;
	gid_t gid;
};

/*
 * Resolve names or numbers of a file's owner; NULL leaves that half alone.  -ENOENT as above;
 * -EPERM: not root, and not our own user or a group we are in.
 */
int ids_resolve_owner(
    const char *user, const char *group, struct ids_owner *ret_owner, const char **ret_what);

#endif
