/* SPDX-License-Identifier: ISC */
/* socketbind.c: see socketbind.h, socket(7), tcp(7), unix(7), sock_diag(7). */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <unistd.h>

#include "supervisord/engine/ids.h"
#include "supervisord/engine/socketbind.h"
#include "supervisord/engine/socketname.h"

/* Nobody connects before the owner and the mode are right. */
#define UMASK_OF_NEW 0177

static int open_fifo(const struct socket_config *config, const char *path, int *ret_fd);
static int make_socket(struct socket_address *address);
static int set_before(
    const struct socket_config *config, const struct socket_address *address, int fd);
static int bind_address(const struct socket_address *address, int fd);
static int clear_path(const struct socket_address *address);
static int set_file(const struct socket_config *config, const char *path);
static int set_option(int fd, int level, int option, int value);
static int type_of(const struct socket_address *address);

int socketbind_open(
    const struct socket_config *config, const struct socket_address *address, int *ret_fd)
{
	struct socket_address at = *address;
	int fd, error;

	if (address->kind == SOCKET_FIFO)
		return open_fifo(config, address->path, ret_fd);
	fd = make_socket(&at);
	if (fd < 0)
		return fd;
	error = set_before(config, &at, fd);
	if (error == 0 && at.path != NULL)
		error = clear_path(&at);
	if (error == 0)
		error = bind_address(&at, fd);
	if (error == 0)
		error = socketbind_adjust(config, &at, fd);
	if (error < 0) {
		socketbind_remove(&at, fd);
		close(fd);
		return error;
	}
	*ret_fd = fd;
	return 0;
}

int socketbind_adjust(
    const struct socket_config *config, const struct socket_address *address, int fd)
{
	int error = 0;

	if (address->path != NULL && socketbind_is_there(address, fd))
		error = set_file(config, address->path);
	if (error < 0 || address->kind == SOCKET_FIFO)
		return error;
	if (address->kind == SOCKET_TCP)
		error = set_option(fd, IPPROTO_TCP, TCP_NODELAY, config->key_nodelay);
	if (error == 0 && address->kind == SOCKET_TCP)
		error = set_option(fd, SOL_SOCKET, SO_KEEPALIVE, config->key_keepalive);
	if (error == 0 && config->key_receive_buffer > 0)
		error = set_option(fd, SOL_SOCKET, SO_RCVBUF, (int)config->key_receive_buffer);
	if (error == 0 && config->key_send_buffer > 0)
		error = set_option(fd, SOL_SOCKET, SO_SNDBUF, (int)config->key_send_buffer);
	/* Once more on one that listens already it only sets the backlog. */
	if (error == 0 && socketaddress_is_stream(address) &&
	    listen(fd, (int)config->key_backlog) < 0)
		error = -errno;
	return error;
}

bool socketbind_is_there(const struct socket_address *address, int fd)
{
	struct stat file, ours;
	bool same;

	if (address->path == NULL)
		return true;
	if (lstat(address->path, &file) < 0)
		return false;
	if (address->kind == SOCKET_FIFO)
		return fstat(fd, &ours) == 0 && ours.st_dev == file.st_dev &&
		       ours.st_ino == file.st_ino;
	return S_ISSOCK(file.st_mode) && (socketname_is(fd, &file, &same) < 0 || same);
}

void socketbind_remove(const struct socket_address *address, int fd)
{
	struct stat file;
	bool same = false;

	if (address->path == NULL || lstat(address->path, &file) < 0)
		return;
	if (address->kind == SOCKET_FIFO)
		same = socketbind_is_there(address, fd);
	else if (socketname_is(fd, &file, &same) < 0)
		same = false;
	if (same)
		(void)unlink(address->path);
}

/* Open for both, it never sees the last writer go. */
static int open_fifo(const struct socket_config *config, const char *path, int *ret_fd)
{
	mode_t mask = umask(UMASK_OF_NEW);
	int error = mkfifo(path, 0600) < 0 ? -errno : 0, fd;
	bool made = error == 0;
	struct stat st;

	(void)umask(mask);
	if (error < 0 && error != -EEXIST)
		return error;
	fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ELOOP ? -EEXIST : -errno;
	error = fstat(fd, &st) < 0 ? -errno : S_ISFIFO(st.st_mode) ? 0 : -EEXIST;
	if (error == 0)
		error = set_file(config, path);
	if (error < 0) {
		if (made)
			(void)unlink(path);
		close(fd);
		return error;
	}
	*ret_fd = fd;
	return 0;
}

static int make_socket(struct socket_address *address)
{
	int type = type_of(address) | SOCK_CLOEXEC | SOCK_NONBLOCK;
	int fd = socket(address->any.sa_family, type, 0);

	/* Every address of a machine without IPv6. */
	if (fd < 0 && errno == EAFNOSUPPORT && address->everywhere) {
		address->in =
		    (struct sockaddr_in){.sin_family = AF_INET, .sin_port = address->in6.sin6_port};
		address->length = sizeof(address->in);
		fd = socket(AF_INET, type, 0);
	}
	return fd < 0 ? -errno : fd;
}

/* What must be said before the address is taken. */
static int set_before(
    const struct socket_config *config, const struct socket_address *address, int fd)
{
	int error = 0;

	if (!socketaddress_is_internet(address))
		return 0;
	/* Of TCP only: two sockets of UDP could take one address with it. */
	if (address->kind == SOCKET_TCP)
		error = set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (error == 0 && config->key_reuse_port)
		error = set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	if (error == 0 && config->key_free_bind)
		error = set_option(fd, IPPROTO_IP, IP_FREEBIND, 1);
	/* Said in each case, so that it does not depend on net.ipv6.bindv6only. */
	if (error == 0 && address->any.sa_family == AF_INET6)
		error = set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, config->key_v6_only);
	return error;
}

static int bind_address(const struct socket_address *address, int fd)
{
	mode_t mask = umask(UMASK_OF_NEW);
	int error = bind(fd, &address->any, address->length) < 0 ? -errno : 0;

	(void)umask(mask);
	return error;
}

/* Only connecting tells a socket that was left behind from one that is served. */
static int clear_path(const struct socket_address *address)
{
	struct stat st;
	int fd, error = 0;

	if (lstat(address->path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	fd = socket(AF_UNIX, type_of(address) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	/* EPROTOTYPE: somebody serves there in another way. */
	if (connect(fd, &address->any, address->length) == 0 || errno == EAGAIN ||
	    errno == EPROTOTYPE)
		error = -EADDRINUSE;
	else if (errno != ECONNREFUSED)
		error = -errno;
	close(fd);
	if (error == 0 && unlink(address->path) < 0)
		error = -errno;
	return error;
}

static int set_file(const struct socket_config *config, const char *path)
{
	struct ids_owner owner = {0};
	const char *what;
	int error = 0;

	if (config->key_owner != NULL || config->key_group != NULL)
		error = ids_resolve_owner(config->key_owner, config->key_group, &owner, &what);
	if (error < 0)
		return error;
	if ((owner.has_uid || owner.has_gid) && lchown(path, owner.has_uid ? owner.uid : (uid_t)-1,
						    owner.has_gid ? owner.gid : (gid_t)-1) < 0)
		return -errno;
	return chmod(path, (mode_t)config->key_mode) < 0 ? -errno : 0;
}

static int set_option(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) < 0 ? -errno : 0;
}

static int type_of(const struct socket_address *address)
{
	switch (address->kind) {
	case SOCKET_UDP:
	case SOCKET_UNIX_DGRAM:
		return SOCK_DGRAM;
	case SOCKET_UNIX_SEQPACKET:
		return SOCK_SEQPACKET;
	case SOCKET_TCP:
	case SOCKET_UNIX:
	case SOCKET_FIFO:
	case SOCKET_KIND_COUNT:
		break;
	}
	return SOCK_STREAM;
}
