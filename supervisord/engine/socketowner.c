/* SPDX-License-Identifier: ISC */
/* socketowner.c: see socketowner.h, proc_pid_fd(5). */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervisord/engine/procstat.h"
#include "supervisord/engine/socketowner.h"
#include "supervisord/engine/sockettable.h"

static bool take_owner(void *context, const struct socket_entry *entry);
static void find_process(struct socket_owner *owner);
static bool has_socket(const char *pid, const char *link);

bool socketowner_find(const struct socket_address *address, struct socket_owner *ret_owner)
{
	struct socket_owner owner = {.uid = (uid_t)-1};

	sockettable_each(address, take_owner, &owner);
	if (owner.inode == 0)
		return false;
	find_process(&owner);
	*ret_owner = owner;
	return true;
}

const char *socketowner_text(const struct socket_owner *owner, char buffer[SOCKETOWNER_TEXT])
{
	if (owner->pid != 0)
		(void)snprintf(
		    buffer, SOCKETOWNER_TEXT, "%s (process %d)", owner->name, (int)owner->pid);
	else if (owner->uid != (uid_t)-1)
		(void)snprintf(
		    buffer, SOCKETOWNER_TEXT, "a process of user %u", (unsigned)owner->uid);
	else
		(void)snprintf(buffer, SOCKETOWNER_TEXT, "another process");
	return buffer;
}

static bool take_owner(void *context, const struct socket_entry *entry)
{
	struct socket_owner *owner = context;

	if (!entry->serves)
		return false;
	owner->inode = entry->inode;
	owner->uid = entry->uid;
	return true;
}

static void find_process(struct socket_owner *owner)
{
	DIR *proc = opendir("/proc");
	const struct dirent *entry;
	char link[48];

	(void)snprintf(link, sizeof(link), "socket:[%lu]", (unsigned long)owner->inode);
	while (proc != NULL && owner->pid == 0 && (entry = readdir(proc)) != NULL) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);

		if (!isdigit((unsigned char)entry->d_name[0]) || !has_socket(entry->d_name, link) ||
		    !procstat_read_name(pid, owner->name))
			continue;
		owner->pid = pid;
	}
	if (proc != NULL)
		closedir(proc);
}

static bool has_socket(const char *pid, const char *link)
{
	char path[sizeof("/proc/") + 2 * 256 + sizeof("/fd/")], target[64];
	const struct dirent *entry;
	bool found = false;
	DIR *fds;

	(void)snprintf(path, sizeof(path), "/proc/%.255s/fd", pid);
	fds = opendir(path);
	while (fds != NULL && !found && (entry = readdir(fds)) != NULL) {
		ssize_t length = readlinkat(dirfd(fds), entry->d_name, target, sizeof(target) - 1);

		if (length <= 0)
			continue;
		target[length] = '\0';
		found = strcmp(target, link) == 0;
	}
	if (fds != NULL)
		closedir(fds);
	return found;
}
