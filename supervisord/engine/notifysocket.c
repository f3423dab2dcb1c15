/* SPDX-License-Identifier: ISC */
/* notifysocket.c: see notifysocket.h, unix(7), sd_notify(3). */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#include <bsd/string.h>

#include "supervisord/engine/notifysocket.h"

#define DIRECTORY "notify"
/* Programs of any user find their socket, and nobody sees whose there are. */
#define DIRECTORY_MODE   0711
#define SOCKET_MODE      0600
#define ROOT_SOCKET_MODE 0666 /* of a program of root: notify.c looks who has sent */

union control {
	struct cmsghdr align;
	unsigned char
	    space[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(sizeof(int) * NOTIFYSOCKET_FDS)];
};

static int make_directory(const char *run_dir);
static int bind_socket(int fd, const struct sockaddr_un *address, uid_t uid, gid_t gid);
static bool take_control(struct msghdr *header, struct notify_datagram *datagram);
static void take_fds(const struct cmsghdr *cmsg, struct notify_datagram *datagram);

int notifysocket_make(const char *run_dir, const char *name, uid_t uid, gid_t gid, int *ret_fd)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int length = snprintf(
	    address.sun_path, sizeof(address.sun_path), "%s/" DIRECTORY "/%s", run_dir, name);
	int fd, error;

	if (length < 0 || (size_t)length >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	error = make_directory(run_dir);
	if (error < 0)
		return error;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	error = bind_socket(fd, &address, uid, gid);
	if (error < 0)
		close(fd);
	else
		*ret_fd = fd;
	return error;
}

int notifysocket_path(int fd, struct sockaddr_un *ret_address)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	socklen_t length = sizeof(address);

	if (getsockname(fd, (struct sockaddr *)&address, &length) < 0)
		return -errno;
	/* A path of the full length comes without its NUL; we make none such. */
	if (address.sun_path[0] != '/' || address.sun_path[sizeof(address.sun_path) - 1] != '\0')
		return -EINVAL;
	*ret_address = address;
	return 0;
}

bool notifysocket_is_there(int fd, uid_t uid)
{
	return notifysocket_owner(fd) == uid;
}

uid_t notifysocket_owner(int fd)
{
	struct sockaddr_un address;
	struct stat st;

	if (notifysocket_path(fd, &address) < 0 || lstat(address.sun_path, &st) < 0 ||
	    !S_ISSOCK(st.st_mode))
		return (uid_t)-1;
	return st.st_uid;
}

void notifysocket_remove(int fd)
{
	struct sockaddr_un address;

	if (notifysocket_path(fd, &address) < 0)
		return;
	(void)unlink(address.sun_path);
	*strrchr(address.sun_path, '/') = '\0';
	(void)rmdir(address.sun_path);
}

int notifysocket_receive(int fd, struct notify_datagram *ret_datagram)
{
	union control control;
	struct iovec part = {.iov_base = ret_datagram->text, .iov_len = LIMIT_NOTIFY_BYTES};
	struct msghdr header = {
	    .msg_iov = &part,
	    .msg_iovlen = 1,
	    .msg_control = &control,
	    .msg_controllen = sizeof(control),
	};
	bool has_sender;
	ssize_t got;

	do
		got = recvmsg(fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return errno == EAGAIN ? 0 : -errno;
	ret_datagram->length = (size_t)got;
	/* Whatever else is wrong with it: the descriptors are ours now. */
	has_sender = take_control(&header, ret_datagram);
	if (has_sender && !(header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
		return 1;
	notifysocket_drop_fds(ret_datagram);
	return -EBADMSG;
}

void notifysocket_drop_fds(struct notify_datagram *datagram)
{
	for (size_t i = 0; i < datagram->fd_count; i++)
		if (datagram->fds[i] >= 0)
			close(datagram->fds[i]);
	datagram->fd_count = 0;
}

static int make_directory(const char *run_dir)
{
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	struct stat st;

	if (snprintf(path, sizeof(path), "%s/" DIRECTORY, run_dir) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	if (mkdir(path, DIRECTORY_MODE) < 0 && errno != EEXIST)
		return -errno;
	if (lstat(path, &st) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode))
		return -ENOTDIR;
	/* In a directory of somebody else's a socket could be anybody's. */
	if (st.st_uid != geteuid())
		return -EPERM;
	if ((st.st_mode & 07777) != DIRECTORY_MODE && chmod(path, DIRECTORY_MODE) < 0)
		return -errno;
	return 0;
}

/* The mode of the socket is that of its name: nobody else can write to that of a user's program. */
static int bind_socket(int fd, const struct sockaddr_un *address, uid_t uid, gid_t gid)
{
	const int on = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0 ||
	    fchmod(fd, SOCKET_MODE) < 0)
		return -errno;
	if (unlink(address->sun_path) < 0 && errno != ENOENT)
		return -errno;
	if (bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0)
		return -errno;
	if ((uid != geteuid() || gid != getegid()) && lchown(address->sun_path, uid, gid) < 0)
		return -errno;
	/* What is started as root may give that up itself before it says anything. */
	if (uid == 0 && chmod(address->sun_path, ROOT_SOCKET_MODE) < 0)
		return -errno;
	return 0;
}

/* Returns whether it says who has sent it. */
static bool take_control(struct msghdr *header, struct notify_datagram *datagram)
{
	bool has_sender = false;

	datagram->fd_count = 0;
	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(header); cmsg != NULL;
	     cmsg = CMSG_NXTHDR(header, cmsg)) {
		if (cmsg->cmsg_level != SOL_SOCKET)
			continue;
		if (cmsg->cmsg_type == SCM_RIGHTS) {
			take_fds(cmsg, datagram);
		} else if (cmsg->cmsg_type == SCM_CREDENTIALS &&
			   cmsg->cmsg_len >= CMSG_LEN(sizeof(struct ucred))) {
			struct ucred sender;

			memcpy(&sender, CMSG_DATA(cmsg), sizeof(sender));
			datagram->pid = sender.pid;
			datagram->uid = sender.uid;
			has_sender = true;
		}
	}
	return has_sender;
}

static void take_fds(const struct cmsghdr *cmsg, struct notify_datagram *datagram)
{
	size_t count = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);

	if (count > NOTIFYSOCKET_FDS - datagram->fd_count)
		count = NOTIFYSOCKET_FDS - datagram->fd_count; /* the kernel sends one list */
	memcpy(datagram->fds + datagram->fd_count, CMSG_DATA(cmsg), count * sizeof(int));
	datagram->fd_count += count;
}
