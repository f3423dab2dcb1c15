/* SPDX-License-Identifier: ISC */
/* pool.c: see pool.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "hello/pool.h"
#include "lib/clock.h"

static void link_last(struct pool *pool, struct connection *c, enum connection_phase phase);
static void unlink_from(struct pool *pool, struct connection *c);

void pool_settings_init(struct pool_settings *settings)
{
	*settings = (struct pool_settings){
	    .timeout_ns =
		{
		    [PHASE_FRESH] = 10 * NS_PER_S,
		    [PHASE_HEAD] = 10 * NS_PER_S,
		    [PHASE_BODY] = 30 * NS_PER_S,
		    [PHASE_WRITE] = 30 * NS_PER_S,
		    [PHASE_IDLE] = 60 * NS_PER_S,
		    [PHASE_LINGER] = 2 * NS_PER_S,
		},
	    .connections_max = LIMIT_HELLO_CONNECTIONS,
	};
}

void pool_init(struct pool *pool, const struct pool_settings *settings, int epoll_fd)
{
	/* Not the buffers: pages that are never written cost nothing. */
	memset(pool, 0, offsetof(struct pool, in));
	pool->settings = *settings;
	pool->epoll_fd = epoll_fd;
	pool->now_ns = clock_boot_ns();
	responses_init(&pool->responses, (time_t)(clock_wall_ns() / NS_PER_S));
}

int pool_add_take(struct pool *pool, int fd, struct connection **ret_connection)
{
	struct connection *c = malloc(sizeof(*c));
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};

	if (!c)
		return -ENOMEM;
	*c = (struct connection){.source = SOURCE_CONNECTION, .fd = fd, .interest = EPOLLIN};
	request_reset(&c->request);
	if (epoll_ctl(pool->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) {
		int r = -errno;

		free(c);
		return r;
	}
	pool->count++;
	link_last(pool, c, PHASE_FRESH);
	*ret_connection = c;
	return 0;
}

void pool_move(struct pool *pool, struct connection *c, enum connection_phase phase)
{
	unlink_from(pool, c);
	link_last(pool, c, phase);
}

void pool_drop(struct pool *pool, struct connection *c)
{
	unlink_from(pool, c);
	pool->count--;
	pool->pending_bytes -= c->pending_length;
	free(c->pending);
	(void)close(c->fd);
	free(c);
}

void pool_drop_all(struct pool *pool)
{
	for (unsigned phase = 0; phase < PHASES; phase++) {
		struct connection *next, *c;

		for (c = pool->first[phase]; c; c = next) {
			next = c->next;
			pool_drop(pool, c);
		}
	}
}

bool pool_is_full(const struct pool *pool)
{
	return pool->count >= pool->settings.connections_max;
}

int64_t pool_next_deadline(const struct pool *pool)
{
	int64_t next_ns = INT64_MAX;

	for (unsigned phase = 0; phase < PHASES; phase++)
		if (pool->first[phase] && pool->first[phase]->deadline_ns < next_ns)
			next_ns = pool->first[phase]->deadline_ns;
	return next_ns;
}

struct connection *pool_find_expired(const struct pool *pool)
{
	for (unsigned phase = 0; phase < PHASES; phase++)
		if (pool->first[phase] && pool->first[phase]->deadline_ns <= pool->now_ns)
			return pool->first[phase];
	return NULL;
}

void pool_shorten(struct pool *pool, enum connection_phase phase, int64_t timeout_ns)
{
	int64_t less_ns = pool->settings.timeout_ns[phase] - timeout_ns;

	if (less_ns <= 0)
		return;
	pool->settings.timeout_ns[phase] = timeout_ns;
	for (struct connection *c = pool->first[phase]; c; c = c->next)
		c->deadline_ns -= less_ns;
}

static void link_last(struct pool *pool, struct connection *c, enum connection_phase phase)
{
	int64_t timeout_ns = pool->settings.timeout_ns[phase];

	c->phase = phase;
	c->deadline_ns = timeout_ns ? pool->now_ns + timeout_ns : INT64_MAX;
	c->next = NULL;
	c->previous = pool->last[phase];
	if (c->previous)
		c->previous->next = c;
	else
		pool->first[phase] = c;
	pool->last[phase] = c;
}

static void unlink_from(struct pool *pool, struct connection *c)
{
	if (c->previous)
		c->previous->next = c->next;
	else
		pool->first[c->phase] = c->next;
	if (c->next)
		c->next->previous = c->previous;
	else
		pool->last[c->phase] = c->previous;
}
