/* SPDX-License-Identifier: ISC */
/* connection.c: see connection.h. */
#define _GNU_SOURCE
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "hello/connection.h"
#include "hello/debug.h"

static bool read_input(struct pool *pool, struct connection *c);
static void take_requests(struct pool *pool, struct connection *c, size_t length);
static size_t answer(struct pool *pool, struct connection *c, char *out);
static bool misbehave(struct pool *pool, struct connection *c);
static bool send_out(struct pool *pool, struct connection *c, size_t length);
static bool keep_pending(struct pool *pool, struct connection *c, const char *rest, size_t length);
static void send_pending(struct pool *pool, struct connection *c);
static void settle(struct pool *pool, struct connection *c, bool is_anew);
static void end(struct pool *pool, struct connection *c);
static bool want(struct pool *pool, struct connection *c, uint32_t interest);

/* The shortest request that gets an answer and leaves the connection open. */
static_assert(sizeof("A / HTTP/1.1\r\nHost:\r\n\r\n") - 1 > 16, "POOL_OUT counts on this");

void connection_handle(struct pool *pool, struct connection *c, uint32_t events)
{
	if (c->phase == PHASE_WRITE) {
		send_pending(pool, c);
	} else if (c->phase == PHASE_HUNG) {
		if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
			pool_drop(pool, c);
	} else {
		(void)read_input(pool, c);
	}
}

void connection_expire(struct pool *pool, struct connection *c)
{
	size_t length;

	if (c->phase != PHASE_HEAD && c->phase != PHASE_BODY) {
		pool_drop(pool, c);
		return;
	}
	request_fail(&c->request, 408);
	length = answer(pool, c, pool->out);
	if (send_out(pool, c, length))
		settle(pool, c, true);
}

void connection_drain(struct pool *pool, struct connection *c)
{
	(void)read_input(pool, c);
}

/* False: there was nothing. */
static bool read_input(struct pool *pool, struct connection *c)
{
	ssize_t n = recv(c->fd, pool->in, sizeof(pool->in), 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0)
		pool_drop(pool, c);
	else if (c->phase != PHASE_LINGER)
		take_requests(pool, c, (size_t)n);
	return true;
}

/* The hot path. */
static void take_requests(struct pool *pool, struct connection *c, size_t length)
{
	size_t at = 0, used, out = 0;
	bool is_anew = false;

	while (at < length && !c->closes && !c->hangs) {
		bool is_complete = request_feed(&c->request, pool->in + at, length - at, &used);

		at += used;
		if (!is_complete)
			break;
		is_anew = true;
		out += answer(pool, c, pool->out + out);
	}
	/* Bytes that nobody will read would turn the close into a reset, and lose the answer. */
	if (c->closes && at < length)
		c->lingers = true;
	if (!c->closes && request_take_continue(&c->request))
		out += responses_put_continue(pool->out + out);
	if (out == 0 || send_out(pool, c, out))
		settle(pool, c, is_anew);
}

/* Writes the answer to the request, which has its verdict, and makes ready for the next. */
static size_t answer(struct pool *pool, struct connection *c, char *out)
{
	struct request *r = &c->request;
	enum response_connection connection = RESPONSE_KEEP;
	size_t length;

	if (pool->settings.is_debug && r->status == 200 && misbehave(pool, c))
		return 0;
	c->closes = r->close || pool->is_draining;
	c->lingers = r->broken;
	if (c->closes)
		connection = RESPONSE_CLOSE;
	else if (r->is_old)
		connection = RESPONSE_KEEP_OLD;
	length =
	    responses_put(&pool->responses, r->status, connection, r->method == METHOD_HEAD, out);
	c->has_served = true;
	request_reset(r);
	return length;
}

/* --debug only.  True: there is no answer. */
static bool misbehave(struct pool *pool, struct connection *c)
{
	switch (debug_find_act(&c->request, &pool->exit_code)) {
	case DEBUG_NONE:
		return false;
	case DEBUG_CRASH:
		abort();
	case DEBUG_EXIT:
		pool->has_exit = true;
		c->hangs = true;
		return true;
	case DEBUG_HANG:
		c->hangs = true;
		return true;
	case DEBUG_MALFORMED:
		c->request.status = 400;
		return false;
	}
	return false;
}

/* False: the connection is gone. */
static bool send_out(struct pool *pool, struct connection *c, size_t length)
{
	ssize_t n = send(c->fd, pool->out, length, MSG_NOSIGNAL);

	if (n == (ssize_t)length)
		return true;
	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		pool_drop(pool, c);
		return false;
	}
	if (n < 0)
		n = 0;
	return keep_pending(pool, c, pool->out + n, length - (size_t)n);
}

/* Policy: where there is no room for what a slow reader leaves, that reader is dropped. */
static bool keep_pending(struct pool *pool, struct connection *c, const char *rest, size_t length)
{
	assert(length > 0);
	if (length <= LIMIT_HELLO_PENDING - pool->pending_bytes)
		c->pending = malloc(length);
	if (!c->pending) {
		pool_drop(pool, c);
		return false;
	}
	memcpy(c->pending, rest, length);
	c->pending_length = length;
	c->pending_sent = 0;
	pool->pending_bytes += length;
	return true;
}

static void send_pending(struct pool *pool, struct connection *c)
{
	ssize_t n = send(
	    c->fd, c->pending + c->pending_sent, c->pending_length - c->pending_sent, MSG_NOSIGNAL);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		pool_drop(pool, c);
		return;
	}
	c->pending_sent += (size_t)n;
	if (c->pending_sent < c->pending_length)
		return; /* the deadline stays: the whole must be taken in time */
	pool->pending_bytes -= c->pending_length;
	free(c->pending);
	c->pending = NULL;
	c->pending_length = 0;
	settle(pool, c, true);
}

/* Puts the connection where it belongs now. `is_anew`: a request has ended, deadlines begin anew.
 */
static void settle(struct pool *pool, struct connection *c, bool is_anew)
{
	enum connection_phase phase;

	if (c->pending)
		phase = PHASE_WRITE;
	else if (c->hangs)
		phase = PHASE_HUNG;
	else if (c->closes)
		phase = PHASE_LINGER;
	else if (request_is_in_body(&c->request))
		phase = PHASE_BODY;
	else if (!request_is_idle(&c->request))
		phase = PHASE_HEAD;
	else
		phase = c->has_served ? PHASE_IDLE : PHASE_FRESH;

	if (phase == PHASE_LINGER) {
		end(pool, c);
		return;
	}
	if (!want(pool, c,
		phase == PHASE_WRITE  ? EPOLLOUT
		: phase == PHASE_HUNG ? EPOLLRDHUP
				      : EPOLLIN))
		return;
	if (phase != c->phase || is_anew)
		pool_move(pool, c, phase);
}

static void end(struct pool *pool, struct connection *c)
{
	if (!c->lingers || shutdown(c->fd, SHUT_WR) < 0)
		pool_drop(pool, c);
	else if (want(pool, c, EPOLLIN))
		pool_move(pool, c, PHASE_LINGER);
}

/* False: the connection is gone. */
static bool want(struct pool *pool, struct connection *c, uint32_t interest)
{
	struct epoll_event event = {.events = interest, .data.ptr = c};

	if (c->interest == interest)
		return true;
	if (epoll_ctl(pool->epoll_fd, EPOLL_CTL_MOD, c->fd, &event) < 0) {
		pool_drop(pool, c);
		return false;
	}
	c->interest = interest;
	return true;
}
