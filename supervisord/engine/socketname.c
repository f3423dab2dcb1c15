/* SPDX-License-Identifier: ISC */
/* socketname.c: see socketname.h, sock_diag(7), netlink(7). */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "supervisord/engine/socketname.h"

/* The kernel answers before sendto(2) returns. */
#define ANSWER_MS 1000

static int ask(int netlink, uint32_t inode);
static int read_answer(const void *bytes, size_t length, struct unix_diag_vfs *ret_vfs);

int socketname_is(int fd, const struct stat *file, bool *ret_same)
{
	_Alignas(struct nlmsghdr) char answer[4096];
	struct unix_diag_vfs vfs;
	struct pollfd readable;
	struct stat st;
	ssize_t got = -1;
	int netlink, error;

	if (fstat(fd, &st) < 0)
		return -errno;
	netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	if (netlink < 0)
		return -errno;
	error = ask(netlink, (uint32_t)st.st_ino);
	readable = (struct pollfd){.fd = netlink, .events = POLLIN};
	if (error == 0 && poll(&readable, 1, ANSWER_MS) != 1)
		error = -ETIMEDOUT;
	if (error == 0)
		got = recv(netlink, answer, sizeof(answer), MSG_DONTWAIT);
	if (error == 0 && got < 0)
		error = -errno;
	close(netlink);
	if (error == 0)
		error = read_answer(answer, (size_t)got, &vfs);
	if (error == 0)
		*ret_same = vfs.udiag_vfs_ino == (uint32_t)file->st_ino;
	return error;
}

static int ask(int netlink, uint32_t inode)
{
	struct {
		struct nlmsghdr head;
		struct unix_diag_req body;
	} request = {
	    .head = {.nlmsg_len = sizeof(request),
		.nlmsg_type = SOCK_DIAG_BY_FAMILY,
		.nlmsg_flags = NLM_F_REQUEST},
	    .body = {.sdiag_family = AF_UNIX,
		.udiag_states = UINT32_MAX,
		.udiag_ino = inode,
		.udiag_show = UDIAG_SHOW_VFS,
		.udiag_cookie = {UINT32_MAX, UINT32_MAX}},
	};
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};

	return sendto(netlink, &request, sizeof(request), 0, (const struct sockaddr *)&kernel,
		   sizeof(kernel)) < 0
		   ? -errno
		   : 0;
}

static int read_answer(const void *bytes, size_t length, struct unix_diag_vfs *ret_vfs)
{
	const size_t head = NLMSG_LENGTH(sizeof(struct unix_diag_msg));
	struct nlmsghdr message;
	struct nlmsgerr failure;
	struct rtattr attribute;

	if (length < sizeof(message))
		return -EBADMSG;
	memcpy(&message, bytes, sizeof(message));
	if (message.nlmsg_len > length)
		return -EBADMSG;
	if (message.nlmsg_type == NLMSG_ERROR &&
	    message.nlmsg_len >= NLMSG_LENGTH(sizeof(failure))) {
		memcpy(&failure, (const char *)bytes + NLMSG_HDRLEN, sizeof(failure));
		return failure.error < 0 ? failure.error : -EBADMSG;
	}
	for (size_t at = NLMSG_ALIGN(head); at + sizeof(attribute) <= message.nlmsg_len;
	     at += RTA_ALIGN(attribute.rta_len)) {
		memcpy(&attribute, (const char *)bytes + at, sizeof(attribute));
		if (attribute.rta_len < sizeof(attribute) ||
		    at + attribute.rta_len > message.nlmsg_len)
			return -EBADMSG;
		if (attribute.rta_type != UNIX_DIAG_VFS ||
		    attribute.rta_len < RTA_LENGTH(sizeof(*ret_vfs)))
			continue;
		memcpy(ret_vfs, (const char *)bytes + at + RTA_LENGTH(0), sizeof(*ret_vfs));
		return 0;
	}
	return -ENODATA;
}
