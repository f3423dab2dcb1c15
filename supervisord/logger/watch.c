/* SPDX-License-Identifier: ISC */
/* watch.c: see watch.h. */
#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "supervisord/logger/watch.h"

int watch_set(struct watch *watch, int epoll_fd, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = watch};

	if (watch->added && watch->events == events)
		return 0;
	if (epoll_ctl(epoll_fd, watch->added ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, watch->fd, &event) <
	    0)
		return -errno;
	watch->added = true;
	watch->events = events;
	return 0;
}

int watch_rearm(struct watch *watch, int epoll_fd)
{
	struct epoll_event event = {.events = watch->events, .data.ptr = watch};

	return epoll_ctl(epoll_fd, EPOLL_CTL_MOD, watch->fd, &event) < 0 ? -errno : 0;
}

void watch_remove(struct watch *watch, int epoll_fd)
{
	if (!watch->added)
		return;
	(void)epoll_ctl(epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
	watch->added = false;
	watch->events = 0;
}

void watch_close(struct watch *watch, int epoll_fd)
{
	/* Closing alone does not end the watch: the guardian holds the same open pipe. */
	watch_remove(watch, epoll_fd);
	if (watch->fd >= 0)
		close(watch->fd);
	watch->fd = -1;
}
