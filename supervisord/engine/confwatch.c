/* SPDX-License-Identifier: ISC */
/* confwatch.c: see confwatch.h. */
#include <errno.h>
#include <linux/magic.h>
#include <sys/inotify.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "supervisord/engine/confwatch.h"

/* What older headers do not have. */
#define CIFS_MAGIC 0xff534d42
#define SMB2_MAGIC 0xfe534d42
#define CEPH_MAGIC 0x00c36400
#define FUSE_MAGIC 0x65735546
#define P9_MAGIC   0x01021997

#define EVENTS                                                                                     \
	(IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_MODIFY | IN_ATTRIB |             \
	    IN_DELETE_SELF | IN_MOVE_SELF)

int confwatch_new(int *ret_fd)
{
	int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

bool confwatch_add(int fd, const char *directory)
{
	struct statfs fs;

	if (statfs(directory, &fs) < 0)
		return false;
	switch ((unsigned long)fs.f_type & 0xffffffffUL) {
	case NFS_SUPER_MAGIC:
	case CIFS_MAGIC:
	case SMB2_MAGIC:
	case CEPH_MAGIC:
	case FUSE_MAGIC:
	case P9_MAGIC:
		return false;
	default:
		return inotify_add_watch(fd, directory, EVENTS | IN_ONLYDIR | IN_ONESHOT) >= 0;
	}
}

bool confwatch_has_news(int fd)
{
	char buffer[4096] __attribute__((aligned(__alignof__(struct inotify_event))));

	return read(fd, buffer, sizeof(buffer)) >= 0 || errno != EAGAIN;
}
