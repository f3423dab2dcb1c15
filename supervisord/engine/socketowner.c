/* SPDX-License-Identifier: ISC */
/* socketowner.c: see socketowner.h, proc_net(5), proc_pid_fd(5). */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervisord/engine/procstat.h"
#include "supervisord/engine/socketowner.h"

/* Of a listening socket of TCP, and of a UDP one that is not connected, as /proc/net writes it. */
#define STATE_LISTEN 0x0a
#define STATE_CLOSE  0x07
/* Words of an IPv6 address there. */
#define WORDS 4

static bool find_internet(const struct socket_address *address, struct socket_owner *owner);
static bool read_table(
    const char *path, const struct socket_address *address, struct socket_owner *owner);
static bool read_line(
    const char *line, const struct socket_address *address, struct socket_owner *owner);
static bool overlaps(const uint32_t *words, size_t count, const struct socket_address *address);
static bool find_unix(const struct socket_address *address, struct socket_owner *owner);
static void find_process(struct socket_owner *owner);
static bool has_socket(const char *pid, const char *link);

bool socketowner_find(const struct socket_address *address, struct socket_owner *ret_owner)
{
	struct socket_owner owner = {.uid = (uid_t)-1};
	bool found;

	if (address->kind == SOCKET_FIFO)
		return false;
	found = socketaddress_is_internet(address) ? find_internet(address, &owner)
						   : find_unix(address, &owner);
	if (!found)
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

static bool find_internet(const struct socket_address *address, struct socket_owner *owner)
{
	bool tcp = address->kind == SOCKET_TCP;

	return read_table(tcp ? "/proc/net/tcp" : "/proc/net/udp", address, owner) ||
	       read_table(tcp ? "/proc/net/tcp6" : "/proc/net/udp6", address, owner);
}

static bool read_table(
    const char *path, const struct socket_address *address, struct socket_owner *owner)
{
	FILE *file = fopen(path, "re");
	bool found = false;
	char line[512];

	while (file != NULL && !found && fgets(line, sizeof(line), file) != NULL)
		found = read_line(line, address, owner);
	if (file != NULL)
		fclose(file);
	return found;
}

/* "  0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  UID  0 INODE ..." */
static bool read_line(
    const char *line, const struct socket_address *address, struct socket_owner *owner)
{
	unsigned wanted = address->kind == SOCKET_TCP ? STATE_LISTEN : STATE_CLOSE;
	uint32_t words[WORDS];
	unsigned port, state, uid;
	unsigned long inode;
	char host[33];
	size_t length;

	if (sscanf(line, " %*d: %32[0-9A-F]:%4X %*[0-9A-F]:%*4X %2X %*s %*s %*s %u %*d %lu", host,
		&port, &state, &uid, &inode) != 5)
		return false;
	length = strlen(host) / 8;
	if (port != socketaddress_port(address) || state != wanted || length > WORDS)
		return false;
	for (size_t i = 0; i < length; i++)
		if (sscanf(host + 8 * i, "%8" SCNx32, &words[i]) != 1)
			return false;
	if (!overlaps(words, length, address))
		return false;
	owner->inode = inode;
	owner->uid = uid;
	return true;
}

/* Equal, or one of the two is every address. */
static bool overlaps(const uint32_t *words, size_t count, const struct socket_address *address)
{
	static const uint32_t zero[WORDS];
	uint32_t ours[WORDS] = {0};
	size_t our_count = address->any.sa_family == AF_INET6 ? WORDS : 1;

	if (our_count == WORDS)
		memcpy(ours, &address->in6.sin6_addr, sizeof(ours));
	else
		memcpy(ours, &address->in.sin_addr, sizeof(address->in.sin_addr));
	if (memcmp(words, zero, count * sizeof(*words)) == 0 ||
	    memcmp(ours, zero, our_count * sizeof(*ours)) == 0)
		return true;
	return count == our_count && memcmp(words, ours, count * sizeof(*words)) == 0;
}

/* "Num: RefCount Protocol Flags Type St Inode Path"; an abstract name begins with @ there, too. */
static bool find_unix(const struct socket_address *address, struct socket_owner *owner)
{
	FILE *file = fopen("/proc/net/unix", "re");
	const char *name = address->abstract ? address->un.sun_path + 1 : address->path;
	bool found = false;
	char *line = NULL;
	size_t size = 0;

	while (file != NULL && !found && getline(&line, &size, file) >= 0) {
		unsigned long inode;
		int at = 0;
		char *path;

		if (sscanf(line, "%*[^:]: %*x %*x %*x %*x %*x %lu %n", &inode, &at) != 1 || at == 0)
			continue;
		path = line + at;
		path[strcspn(path, "\n")] = '\0';
		found = address->abstract ? path[0] == '@' && strcmp(path + 1, name) == 0
					  : strcmp(path, name) == 0;
		owner->inode = inode;
	}
	free(line);
	if (file != NULL)
		fclose(file);
	return found;
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
