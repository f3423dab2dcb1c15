/* SPDX-License-Identifier: ISC */
/*
 * watch.h: a descriptor in the epoll set.  First member of whatever is waited for, so that an
 * event's data leads back to its owner.  Watches are level-triggered: work that is cut short by a
 * budget is simply reported again.  Only pipes in which an unfinished line may wait are
 * edge-triggered.
 */
#ifndef LOGGER_WATCH_H
#define LOGGER_WATCH_H

#include <stdbool.h>
#include <stdint.h>

enum watch_kind { WATCH_GUARDIAN, WATCH_PEER, WATCH_STREAM, WATCH_READER, WATCH_SINK, WATCH_CHILD };

struct watch {
	enum watch_kind kind : 8;
	bool added;
	int fd;          /* -1: none */
	uint32_t events; /* what it waits for; error and hang-up are always reported */
};

/* Wait for `events` (EPOLLIN, …), adding or changing as needed.  Returns 0 or -errno. */
int watch_set(struct watch *watch, int epoll_fd, uint32_t events);

/*
 * Edge-triggered (EPOLLET in the events it has): report again what is there already.  Returns 0 or
 * -errno.
 */
int watch_rearm(struct watch *watch, int epoll_fd);

/* Wait for nothing any more, not even a hang-up. */
void watch_remove(struct watch *watch, int epoll_fd);

/* Remove and close. */
void watch_close(struct watch *watch, int epoll_fd);

#endif
