/* SPDX-License-Identifier: ISC */
/* sockettable.c: see sockettable.h, proc_net(5). */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisord/engine/sockettable.h"

/* States as /proc/net writes them (net/tcp_states.h of the kernel). */
enum {
	TABLE_ESTABLISHED = 1,
	TABLE_SYN_RECEIVED = 3,
	TABLE_CLOSE = 7, /* of UDP: not connected */
	TABLE_LISTEN = 10,
};
/* Of unix sockets: __SO_ACCEPTCON among the flags, and SS_CONNECTED. */
#define UNIX_LISTENS   0x10000
#define UNIX_CONNECTED 3
/* Words of an IPv6 address there. */
#define WORDS 4

static bool read_table(const char *path, const struct socket_address *address,
    bool (*each)(void *context, const struct socket_entry *entry), void *context);
static bool read_line(
    const char *line, const struct socket_address *address, struct socket_entry *ret_entry);
static bool overlaps(const uint32_t *words, size_t count, const struct socket_address *address);
static void read_unix(const struct socket_address *address,
    bool (*each)(void *context, const struct socket_entry *entry), void *context);
static bool read_unix_line(
    char *line, const struct socket_address *address, struct socket_entry *ret_entry);

void sockettable_each(const struct socket_address *address,
    bool (*each)(void *context, const struct socket_entry *entry), void *context)
{
	bool tcp = address->kind == SOCKET_TCP;

	if (address->kind == SOCKET_FIFO)
		return;
	if (!socketaddress_is_internet(address))
		read_unix(address, each, context);
	else if (!read_table(tcp ? "/proc/net/tcp" : "/proc/net/udp", address, each, context))
		(void)read_table(tcp ? "/proc/net/tcp6" : "/proc/net/udp6", address, each, context);
}

static bool read_table(const char *path, const struct socket_address *address,
    bool (*each)(void *context, const struct socket_entry *entry), void *context)
{
	FILE *file = fopen(path, "re");
	struct socket_entry entry;
	bool enough = false;
	char line[512];

	while (file != NULL && !enough && fgets(line, sizeof(line), file) != NULL)
		if (read_line(line, address, &entry))
			enough = each(context, &entry);
	if (file != NULL)
		fclose(file);
	return enough;
}

/* "  0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  UID  0 INODE ..." */
static bool read_line(
    const char *line, const struct socket_address *address, struct socket_entry *ret_entry)
{
	uint32_t words[WORDS];
	unsigned port, state, uid;
	unsigned long inode;
	char host[33];
	size_t length;

	if (sscanf(line, " %*d: %32[0-9A-F]:%4X %*[0-9A-F]:%*4X %2X %*s %*s %*s %u %*d %lu", host,
		&port, &state, &uid, &inode) != 5)
		return false;
	length = strlen(host) / 8;
	if (port != socketaddress_port(address) || length > WORDS)
		return false;
	for (size_t i = 0; i < length; i++)
		if (sscanf(host + 8 * i, "%8" SCNx32, &words[i]) != 1)
			return false;
	if (!overlaps(words, length, address))
		return false;
	*ret_entry = (struct socket_entry){
	    .inode = inode,
	    .uid = uid,
	    .serves = state == (address->kind == SOCKET_TCP ? TABLE_LISTEN : TABLE_CLOSE),
	    .connected = state == TABLE_ESTABLISHED || state == TABLE_SYN_RECEIVED,
	};
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

static void read_unix(const struct socket_address *address,
    bool (*each)(void *context, const struct socket_entry *entry), void *context)
{
	FILE *file = fopen("/proc/net/unix", "re");
	struct socket_entry entry;
	bool enough = false;
	char *line = NULL;
	size_t size = 0;

	while (file != NULL && !enough && getline(&line, &size, file) >= 0)
		if (read_unix_line(line, address, &entry))
			enough = each(context, &entry);
	free(line);
	if (file != NULL)
		fclose(file);
}

/* "Num: RefCount Protocol Flags Type St Inode Path"; an abstract name begins with @ there, too. */
static bool read_unix_line(
    char *line, const struct socket_address *address, struct socket_entry *ret_entry)
{
	const char *name = address->abstract ? address->un.sun_path + 1 : address->path;
	unsigned flags, type, state;
	unsigned long inode;
	int at = 0;
	char *path;

	if (sscanf(line, "%*[^:]: %*x %*x %x %x %x %lu %n", &flags, &type, &state, &inode, &at) !=
		4 ||
	    at == 0)
		return false;
	path = line + at;
	path[strcspn(path, "\n")] = '\0';
	if (address->abstract ? path[0] != '@' || strcmp(path + 1, name) != 0
			      : strcmp(path, name) != 0)
		return false;
	*ret_entry = (struct socket_entry){
	    .inode = inode,
	    .uid = (uid_t)-1,
	    .serves = (flags & UNIX_LISTENS) != 0 || type == SOCK_DGRAM,
	    .connected = (flags & UNIX_LISTENS) == 0 && state == UNIX_CONNECTED,
	};
	return true;
}
