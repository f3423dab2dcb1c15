/* SPDX-License-Identifier: ISC */
/* writeall.h: write(2) until all is written. */
#ifndef LIB_WRITEALL_H
#define LIB_WRITEALL_H

#include <errno.h>
#include <stddef.h>
#include <unistd.h>

/* To a file that does not say EAGAIN.  0 or -errno; then some of it may be there. */
static inline int write_all(int fd, const void *bytes, size_t length)
{
	const char *at = bytes;

	while (length > 0) {
		ssize_t count = write(fd, at, length);

		if (count < 0 && errno != EINTR)
			return -errno;
		if (count > 0) {
			at += count;
			length -= (size_t)count;
		}
	}
	return 0;
}

#endif
