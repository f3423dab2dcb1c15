/* SPDX-License-Identifier: ISC */
/*
 * ids.c: see ids.h.  A name that is all digits is looked up as a name first, like chown(1) does.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/limits.h"
#include "lib/units.h"
#include "supervisord/engine/ids.h"

#define FIRST_BUFFER 1024

static int find_user(const char *name, uid_t uid, struct ids *ids, gid_t *ret_gid);
static int find_named_user(const char *user, struct ids *ids, gid_t *ret_gid);
static int copy_user(const struct passwd *entry, struct ids *ids, gid_t *ret_gid);
static int name_by_number(struct ids *ids);
static bool is_in_group(gid_t gid);
static int list_groups(struct ids *ids, bool known);

int ids_resolve(const char *user, const char *group, struct ids *ret_ids, const char **ret_what)
{
	struct ids ids = {.uid = geteuid(), .gid = getegid()};
	gid_t login_gid = (gid_t)-1;
	int error;

	*ret_what = "user";
	if (user != NULL)
		error = find_named_user(user, &ids, &login_gid);
	else
		error = find_user(NULL, ids.uid, &ids, &login_gid);
	if (error == -ENOENT && user == NULL)
		error = name_by_number(&ids);
	if (error == 0 && group != NULL) {
		*ret_what = "group";
		error = ids_find_group(group, &ids.gid);
	} else if (error == 0 && user != NULL && (ids.uid != geteuid() || geteuid() == 0)) {
		*ret_what = "group";
		ids.gid = login_gid;
		if (login_gid == (gid_t)-1)
			error = -ENOENT;
	}
	if (error < 0)
		goto fail;

	if (geteuid() != 0 && (ids.uid != geteuid() || ids.gid != getegid())) {
		*ret_what = ids.uid != geteuid() ? "user" : "group";
		error = -EPERM;
		goto fail;
	}
	/* Who is not root cannot change anything and need not; root always sets its groups too. */
	ids.change = geteuid() == 0 && (user != NULL || group != NULL);
	if (ids.change)
		error = list_groups(&ids, login_gid != (gid_t)-1);
	if (error < 0)
		goto fail;
	*ret_ids = ids;
	return 0;
fail:
	ids_done(&ids);
	return error;
}

int ids_resolve_owner(
    const char *user, const char *group, struct ids_owner *ret_owner, const char **ret_what)
{
	struct ids_owner owner = {.has_uid = user != NULL, .has_gid = group != NULL};
	struct ids ids = {0};
	gid_t login_gid;
	int error;

	if (user != NULL) {
		*ret_what = "user";
		error = find_named_user(user, &ids, &login_gid);
		owner.uid = ids.uid;
		ids_done(&ids);
		if (error == 0 && geteuid() != 0 && owner.uid != geteuid())
			error = -EPERM;
		if (error < 0)
			return error;
	}
	if (group != NULL) {
		*ret_what = "group";
		error = ids_find_group(group, &owner.gid);
		if (error == 0 && geteuid() != 0 && !is_in_group(owner.gid))
			error = -EPERM;
		if (error < 0)
			return error;
	}
	*ret_owner = owner;
	return 0;
}

int ids_find_user(const char *user, uid_t *ret_uid)
{
	struct ids ids = {0};
	gid_t login_gid;
	int error = find_named_user(user, &ids, &login_gid);

	if (error == 0)
		*ret_uid = ids.uid;
	ids_done(&ids);
	return error;
}

void ids_done(struct ids *ids)
{
	free(ids->groups);
	free(ids->user);
	free(ids->home);
	free(ids->shell);
	*ids = (struct ids){0};
}

static int find_named_user(const char *user, struct ids *ids, gid_t *ret_gid)
{
	uint64_t number;
	int error;

	error = find_user(user, 0, ids, ret_gid);
	if (error != -ENOENT || units_parse_count(user, 0, UINT32_MAX - 1, &number) < 0)
		return error;
	ids->uid = (uid_t)number;
	error = find_user(NULL, ids->uid, ids, ret_gid);
	return error == -ENOENT ? name_by_number(ids) : error;
}

/* By name, or by number when `name` is NULL. */
static int find_user(const char *name, uid_t uid, struct ids *ids, gid_t *ret_gid)
{
	struct passwd entry, *found = NULL;
	char *buffer = NULL;
	int error = ERANGE;

	for (size_t size = FIRST_BUFFER; error == ERANGE && size <= LIMIT_USER_BYTES; size *= 2) {
		char *larger = realloc(buffer, size);

		if (larger == NULL) {
			free(buffer);
			return -ENOMEM;
		}
		buffer = larger;
		error = name != NULL ? getpwnam_r(name, &entry, buffer, size, &found)
				     : getpwuid_r(uid, &entry, buffer, size, &found);
	}
	/* Name services say "not there" in many ways, see getpwnam(3). */
	if (found != NULL)
		error = copy_user(found, ids, ret_gid);
	else
		error = error == ENOMEM ? -ENOMEM : -ENOENT;
	free(buffer);
	return error;
}

static int copy_user(const struct passwd *entry, struct ids *ids, gid_t *ret_gid)
{
	ids->uid = entry->pw_uid;
	*ret_gid = entry->pw_gid;
	ids->user = strdup(entry->pw_name);
	ids->home = strdup(entry->pw_dir[0] != '\0' ? entry->pw_dir : "/");
	ids->shell = strdup(entry->pw_shell[0] != '\0' ? entry->pw_shell : "/bin/sh");
	return ids->user == NULL || ids->home == NULL || ids->shell == NULL ? -ENOMEM : 0;
}

static int name_by_number(struct ids *ids)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", (unsigned)ids->uid);
	ids->user = strdup(text);
	ids->home = strdup("/");
	ids->shell = strdup("/bin/sh");
	return ids->user == NULL || ids->home == NULL || ids->shell == NULL ? -ENOMEM : 0;
}

int ids_find_group(const char *group, gid_t *ret_gid)
{
	struct group entry, *found = NULL;
	char *buffer = NULL;
	uint64_t number;
	int error = ERANGE;

	for (size_t size = FIRST_BUFFER; error == ERANGE && size <= LIMIT_USER_BYTES; size *= 2) {
		char *larger = realloc(buffer, size);

		if (larger == NULL) {
			free(buffer);
			return -ENOMEM;
		}
		buffer = larger;
		error = getgrnam_r(group, &entry, buffer, size, &found);
	}
	if (found != NULL) {
		*ret_gid = found->gr_gid;
		error = 0;
	} else if (error == ENOMEM) {
		error = -ENOMEM;
	} else if (units_parse_count(group, 0, UINT32_MAX - 1, &number) == 0) {
		*ret_gid = (gid_t)number;
		error = 0;
	} else {
		error = -ENOENT;
	}
	free(buffer);
	return error;
}

static bool is_in_group(gid_t gid)
{
	int count = getgroups(0, NULL);
	gid_t *groups;
	bool found = gid == getegid();

	if (found || count <= 0)
		return found;
	groups = calloc((size_t)count, sizeof(*groups));
	count = groups != NULL ? getgroups(count, groups) : 0;
	for (int i = 0; i < count && !found; i++)
		found = groups[i] == gid;
	free(groups);
	return found;
}

/* The groups of initgroups(3); a number without an entry is only in its own group. */
static int list_groups(struct ids *ids, bool known)
{
	int count = 16;

	for (;;) {
		gid_t *groups = realloc(ids->groups, (size_t)count * sizeof(*groups));
		int size = count;

		if (groups == NULL)
			return -ENOMEM;
		ids->groups = groups;
		if (!known) {
			groups[0] = ids->gid;
			ids->group_count = 1;
			return 0;
		}
		if (getgrouplist(ids->user, ids->gid, groups, &size) >= 0) {
			ids->group_count = (size_t)size;
			return 0;
		}
		/* glibc tells how many there are, other libraries may not. */
		count = size > count ? size : count * 2;
		if (count > LIMIT_USER_GROUPS)
			return -ERANGE;
	}
}
