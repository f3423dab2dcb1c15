/* SPDX-License-Identifier: ISC */
/* identity.c: see identity.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "hello/identity.h"
#include "lib/units.h"

/* The largest is (uid_t)-1, which means "unchanged" to the system calls. */
#define ID_MAX (UINT32_MAX - 1)

static int parse_sudo(struct identity *ret_identity, char *error, size_t size);
static int parse_names(
    const char *user, const char *group, struct identity *ret_identity, char *error, size_t size);
static bool is_already(const struct identity *identity);
static int verify(const struct identity *identity);
static bool parse_id(const char *text, uint32_t *ret_id);

int identity_parse(const char *text, struct identity *ret_identity, char *error, size_t size)
{
	struct identity identity = {0};
	const char *colon = strchr(text, ':');
	size_t length = colon ? (size_t)(colon - text) : strlen(text);
	char *user = NULL;
	int r;

	if (!strcmp(text, "@sudo")) {
		r = parse_sudo(&identity, error, size);
	} else if (length == 0 || (colon && !colon[1])) {
		(void)snprintf(error, size, "not a user: USER, USER:GROUP or @sudo");
		r = -EINVAL;
	} else {
		user = strndup(text, length);
		if (!user)
			return -ENOMEM;
		r = parse_names(user, colon ? colon + 1 : NULL, &identity, error, size);
	}
	free(user);
	if (r)
		return r;
	if (identity.uid == 0) {
		(void)snprintf(
		    error, size, "that is root: name an ordinary user, or leave --user away");
		return -EINVAL;
	}
	*ret_identity = identity;
	return 0;
}

int identity_apply(const struct identity *identity)
{
	if (!is_already(identity) &&
	    (setgroups(0, NULL) < 0 || setresgid(identity->gid, identity->gid, identity->gid) < 0 ||
		setresuid(identity->uid, identity->uid, identity->uid) < 0))
		return -errno;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	return verify(identity);
}

static int parse_sudo(struct identity *ret_identity, char *error, size_t size)
{
	const char *uid = getenv("SUDO_UID"), *gid = getenv("SUDO_GID");

	if (!uid || !gid) {
		(void)snprintf(error, size, "SUDO_UID and SUDO_GID are not set: run it by sudo");
		return -EINVAL;
	}
	if (!parse_id(uid, &ret_identity->uid) || !parse_id(gid, &ret_identity->gid)) {
		(void)snprintf(error, size, "SUDO_UID or SUDO_GID is not a decimal id");
		return -EINVAL;
	}
	return 0;
}

static int parse_names(
    const char *user, const char *group, struct identity *ret_identity, char *error, size_t size)
{
	bool is_number = parse_id(user, &ret_identity->uid);
	const struct passwd *passwd = is_number ? getpwuid(ret_identity->uid) : getpwnam(user);
	const struct group *entry;

	if (!passwd && !is_number) {
		(void)snprintf(error, size, "no such user: the name of a user, or a number");
		return -EINVAL;
	}
	if (passwd) {
		ret_identity->uid = passwd->pw_uid;
		ret_identity->gid = passwd->pw_gid;
	}
	if (!group) {
		if (passwd)
			return 0;
		(void)snprintf(error, size, "the group of this user is not known: give USER:GROUP");
		return -EINVAL;
	}
	if (parse_id(group, &ret_identity->gid))
		return 0;
	entry = getgrnam(group);
	if (!entry) {
		(void)snprintf(error, size, "no such group: the name of a group, or a number");
		return -EINVAL;
	}
	ret_identity->gid = entry->gr_gid;
	return 0;
}

/* An ordinary user may name itself: it has no rights to drop, nor the right to drop groups. */
static bool is_already(const struct identity *identity)
{
	uid_t uids[3];
	gid_t gids[3];

	return !getresuid(&uids[0], &uids[1], &uids[2]) &&
	       !getresgid(&gids[0], &gids[1], &gids[2]) && uids[0] == identity->uid &&
	       uids[1] == identity->uid && uids[2] == identity->uid && gids[0] == identity->gid &&
	       gids[1] == identity->gid && gids[2] == identity->gid;
}

/* By trying: a capability that was kept would show here and nowhere else. */
static int verify(const struct identity *identity)
{
	if (!is_already(identity))
		return -EPERM;
	if (setresuid((uid_t)-1, 0, (uid_t)-1) == 0 || setuid(0) == 0)
		return -EPERM;
	if (identity->gid != 0 && (setresgid((gid_t)-1, 0, (gid_t)-1) == 0 || setgid(0) == 0))
		return -EPERM;
	if (setgroups(0, NULL) == 0)
		return -EPERM;
	return 0;
}

static bool parse_id(const char *text, uint32_t *ret_id)
{
	uint64_t value;

	if (units_parse_count(text, 0, ID_MAX, &value))
		return false;
	*ret_id = (uint32_t)value;
	return true;
}
