/* SPDX-License-Identifier: ISC */
/* notify.c: see notify.h. */
#define _GNU_SOURCE
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "supervisord/guardian/notify.h"

static struct {
	struct sockaddr_un address;
	socklen_t length; /* 0: nobody to tell */
} target;

void notify_init(void)
{
	const char *path = getenv("NOTIFY_SOCKET");
	size_t length = path != NULL ? strlen(path) : 0;

	/* An absolute path or, with '@', a name in the abstract namespace; anything else is not for
	 * us. */
	if (length > 1 && length < sizeof(target.address.sun_path) &&
	    (path[0] == '/' || path[0] == '@')) {
		target.address.sun_family = AF_UNIX;
		memcpy(target.address.sun_path, path, length);
		if (path[0] == '@')
			target.address.sun_path[0] = '\0';
		target.length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
	}
	unsetenv("NOTIFY_SOCKET");
}

void notify_send(const char *state)
{
	int fd;

	if (target.length == 0)
		return;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	(void)sendto(fd, state, strlen(state), MSG_DONTWAIT | MSG_NOSIGNAL,
	    (const struct sockaddr *)&target.address, target.length);
	close(fd);
}
