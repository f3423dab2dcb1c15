/* SPDX-License-Identifier: ISC */
/* socketcheck.c: see socketcheck.h, ip(7), capabilities(7). */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "supervisord/engine/confreport.h"
#include "supervisord/engine/socketcheck.h"
#include "supervisord/engine/socketowner.h"

#define PORT_START         "/proc/sys/net/ipv4/ip_unprivileged_port_start"
#define DEFAULT_PORT_START 1024

static int foresee_internet(
    const struct socket_config *config, const struct socket_address *address);
static int foresee_path(const struct socket_address *address);
static unsigned first_free_port(void);
static bool has_capability(unsigned capability);

int socketcheck_foresee(const struct socket_config *config, const struct socket_address *address)
{
	if (socketaddress_is_internet(address))
		return foresee_internet(config, address);
	return address->path != NULL ? foresee_path(address) : 0;
}

const char *socketcheck_explain(int error, const char *listen, const struct socket_address *address,
    const struct socket_owner *owner, char buffer[SOCKETCHECK_TEXT])
{
	char quoted[CONFREPORT_QUOTE], who[SOCKETOWNER_TEXT];
	size_t size = SOCKETCHECK_TEXT;
	bool internet = socketaddress_is_internet(address);

	confreport_quote(listen, quoted);
	if (error == -EADDRINUSE && owner != NULL)
		(void)snprintf(
		    buffer, size, "'%s' is in use by %s", quoted, socketowner_text(owner, who));
	else if (error == -EADDRINUSE)
		(void)snprintf(buffer, size, "'%s' is in use", quoted);
	else if (error == -EACCES && internet)
		(void)snprintf(buffer, size,
		    "'%s' may not be had: a port below %u takes root or CAP_NET_BIND_SERVICE",
		    quoted, first_free_port());
	else if (error == -EADDRNOTAVAIL)
		(void)snprintf(buffer, size,
		    "'%s' is no address of this machine: with free_bind = true it need not be one",
		    quoted);
	else if (error == -EAFNOSUPPORT)
		(void)snprintf(buffer, size, "'%s' cannot be had: this machine has no IPv%d",
		    quoted, address->any.sa_family == AF_INET6 ? 6 : 4);
	else if (error == -EEXIST)
		(void)snprintf(
		    buffer, size, "'%s' is a file of another kind: it is left alone", quoted);
	else if (error == -ENOENT)
		(void)snprintf(buffer, size, "'%s' is in a directory that does not exist", quoted);
	else
		(void)snprintf(buffer, size, "'%s' cannot be opened: %s", quoted, strerror(-error));
	return buffer;
}

static int foresee_internet(
    const struct socket_config *config, const struct socket_address *address)
{
	struct socket_address probe = *address;
	int fd, error = 0;

	if (socketaddress_port(address) < first_free_port() &&
	    !has_capability(CAP_NET_BIND_SERVICE))
		return -EACCES;
	if (address->everywhere || config->key_free_bind)
		return 0;
	/* Any port of it, for a moment: that takes nothing away from anybody. */
	if (probe.any.sa_family == AF_INET6)
		probe.in6.sin6_port = 0;
	else
		probe.in.sin_port = 0;
	fd = socket(probe.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return errno == EAFNOSUPPORT ? -errno : 0;
	if (bind(fd, &probe.any, probe.length) < 0 && errno == EADDRNOTAVAIL)
		error = -errno;
	close(fd);
	return error;
}

/* Its directory, and what stands at its place. */
static int foresee_path(const struct socket_address *address)
{
	mode_t kind = address->kind == SOCKET_FIFO ? S_IFIFO : S_IFSOCK;
	char directory[PATH_MAX];
	struct stat st;
	size_t length = (size_t)(strrchr(address->path, '/') - address->path);

	if (length >= sizeof(directory))
		return -ENAMETOOLONG;
	memcpy(directory, address->path, length);
	memcpy(directory + length, "/", 2);
	if (access(directory, W_OK | X_OK) < 0)
		return -errno;
	if (lstat(address->path, &st) < 0)
		return 0;
	return (st.st_mode & S_IFMT) == kind ? 0 : -EEXIST;
}

/* The first port that anybody may have. */
static unsigned first_free_port(void)
{
	unsigned start = DEFAULT_PORT_START;
	FILE *file = fopen(PORT_START, "re");

	if (file == NULL)
		return start;
	if (fscanf(file, "%u", &start) != 1)
		start = DEFAULT_PORT_START;
	fclose(file);
	return start;
}

static bool has_capability(unsigned capability)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &head, data) < 0)
		return geteuid() == 0;
	return (data[capability / 32].effective & 1U << capability % 32) != 0;
}
