/* SPDX-License-Identifier: ISC */
/*
 * server.c: see server.h.
 *
 * In one wake-up connections come first, accepting and deadlines after all of them: both may drop
 * a connection that has an event in the same batch, whose pointer would then be stale.
 *
 * Connections over the limit, and what to do without descriptors: the connection that is idle for
 * the longest time makes room; if none is idle, listening stops until one ends, and new clients
 * wait in the kernel's backlog.  Where there is no connection of ours to wait for, it is tried
 * again after RETRY_NS: never in a loop.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hello/connection.h"
#include "hello/server.h"
#include "lib/clock.h"

#define EVENTS 128
/* Descriptors that are not connections: standard ones, epoll, signals, and some to spare. */
#define SPARE_FDS (LIMIT_HELLO_LISTENERS + 16)
/* Accepting is tried again after an error that has nothing to do with a client. */
#define RETRY_NS NS_PER_S
/* Who has connected but not spoken when the end comes may speak for so long. */
#define LAST_WORD_NS NS_PER_S

struct server {
	enum source_kind signal_source; /* SOURCE_SIGNAL, what epoll points to */
	int epoll_fd;
	int signal_fd;
	struct listeners *listeners;
	struct ipc *ipc;
	bool is_paused;   /* the listeners are not watched */
	int64_t retry_ns; /* when to watch them again at the latest, or INT64_MAX */
	int64_t grace_ns;
	int64_t end_ns;   /* draining: the deadline, else INT64_MAX */
	bool is_stopping; /* a signal has come */
	bool is_done;
	struct pool *pool;
};

static void fill_signals(sigset_t *signals);
static int set_up(struct server *s, const struct pool_settings *settings);
static void raise_nofile(struct pool_settings *settings);
static int watch_listeners(struct server *s);
static void pause_listeners(struct server *s, int64_t retry_ns);
static void wake_up(struct server *s);
static int timeout_ms(const struct server *s);
static void handle_event(struct server *s, const struct epoll_event *event);
static void accept_ready(struct server *s);
static bool may_resume(const struct server *s);
static bool accept_one(struct server *s, struct listener *listener);
static void handle_accept_error(struct server *s, int error);
static bool make_room(struct server *s);
static void handle_signal(struct server *s);
static void begin_drain(struct server *s);

int server_run(struct listeners *listeners, struct ipc *ipc, const struct pool_settings *settings,
    int64_t grace_ns, int *ret_code)
{
	struct server s = {.signal_source = SOURCE_SIGNAL,
	    .epoll_fd = -1,
	    .signal_fd = -1,
	    .listeners = listeners,
	    .ipc = ipc,
	    .is_paused = true,
	    .retry_ns = INT64_MAX,
	    .grace_ns = grace_ns,
	    .end_ns = INT64_MAX};
	int r = set_up(&s, settings);

	if (!r) {
		while (!s.is_done)
			wake_up(&s);
		*ret_code = s.pool->has_exit ? s.pool->exit_code : 0;
		pool_drop_all(s.pool);
	}
	listeners_close(listeners);
	free(s.pool);
	if (s.signal_fd >= 0)
		(void)close(s.signal_fd);
	if (s.epoll_fd >= 0)
		(void)close(s.epoll_fd);
	return r;
}

int server_block_signals(void)
{
	sigset_t signals;

	/* Whoever started us may ignore SIGTERM; we must still be stoppable. */
	if (signal(SIGTERM, SIG_DFL) == SIG_ERR || signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return -errno;
	fill_signals(&signals);
	return sigprocmask(SIG_BLOCK, &signals, NULL) < 0 ? -errno : 0;
}

static void fill_signals(sigset_t *signals)
{
	sigemptyset(signals);
	sigaddset(signals, SIGTERM);
	sigaddset(signals, SIGINT);
}

static int set_up(struct server *s, const struct pool_settings *settings)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = &s->signal_source};
	struct pool_settings fitting = *settings;
	sigset_t signals;

	raise_nofile(&fitting);
	fill_signals(&signals);
	s->pool = malloc(sizeof(*s->pool));
	if (!s->pool)
		return -ENOMEM;
	s->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	pool_init(s->pool, &fitting, s->epoll_fd);
	s->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s->epoll_fd < 0 || s->signal_fd < 0 ||
	    epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, s->signal_fd, &event) < 0)
		return -errno;
	event.data.ptr = s->ipc;
	if (s->ipc->fd >= 0 && epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, s->ipc->fd, &event) < 0)
		return -errno;
	return watch_listeners(s);
}

/* As many descriptors as connections are allowed; if they are refused, fewer connections. */
static void raise_nofile(struct pool_settings *settings)
{
	struct rlimit limit;
	rlim_t wanted = (rlim_t)settings->connections_max + SPARE_FDS;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= wanted)
		return;
	limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0 && getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	if (limit.rlim_cur < wanted)
		settings->connections_max =
		    limit.rlim_cur > SPARE_FDS ? (unsigned)(limit.rlim_cur - SPARE_FDS) : 1;
}

/* EPOLLEXCLUSIVE: of several workers on one inherited socket, one is woken for a client. */
static int watch_listeners(struct server *s)
{
	for (unsigned i = 0; i < s->listeners->count; i++) {
		struct listener *listener = &s->listeners->items[i];
		struct epoll_event event = {
		    .events = EPOLLIN | EPOLLEXCLUSIVE, .data.ptr = &listener->source};

		if (epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, listener->fd, &event) < 0 &&
		    errno != EEXIST)
			return -errno;
	}
	s->is_paused = false;
	s->retry_ns = INT64_MAX;
	return 0;
}

/*
 * Deleting is needed before closing too: an inherited socket stays open in the process that gave
 * it, and with it its place in our epoll set.
 */
static void pause_listeners(struct server *s, int64_t retry_ns)
{
	for (unsigned i = 0; i < s->listeners->count; i++)
		(void)epoll_ctl(s->epoll_fd, EPOLL_CTL_DEL, s->listeners->items[i].fd, NULL);
	s->is_paused = true;
	s->retry_ns = retry_ns;
}

static void wake_up(struct server *s)
{
	struct epoll_event events[EVENTS];
	struct pool *pool = s->pool;
	struct connection *c;
	int n = epoll_wait(s->epoll_fd, events, EVENTS, timeout_ms(s));

	pool->now_ns = clock_boot_ns();
	responses_date(&pool->responses, (time_t)(clock_read_ns(CLOCK_REALTIME_COARSE) / NS_PER_S));
	for (int i = 0; i < n; i++)
		handle_event(s, &events[i]);
	while ((c = pool_find_expired(pool)))
		connection_expire(pool, c);
	accept_ready(s);
	if (s->is_stopping && !pool->is_draining)
		begin_drain(s);
	if (pool->has_exit || pool->now_ns >= s->end_ns || (pool->is_draining && pool->count == 0))
		s->is_done = true;
}

static int timeout_ms(const struct server *s)
{
	int64_t next_ns = pool_next_deadline(s->pool);

	if (s->retry_ns < next_ns)
		next_ns = s->retry_ns;
	if (s->end_ns < next_ns)
		next_ns = s->end_ns;
	if (next_ns == INT64_MAX)
		return -1;
	if (next_ns <= s->pool->now_ns)
		return 0;
	/* Counted from the last wake-up, rounded up: late by its work at most, never a busy loop.
	 */
	next_ns = (next_ns - s->pool->now_ns + NS_PER_MS - 1) / NS_PER_MS;
	return next_ns > INT32_MAX ? INT32_MAX : (int)next_ns;
}

static void handle_event(struct server *s, const struct epoll_event *event)
{
	enum source_kind *source = event->data.ptr;

	switch (*source) {
	case SOURCE_CONNECTION:
		connection_handle(s->pool, event->data.ptr, event->events);
		return;
	case SOURCE_LISTENER:
		((struct listener *)event->data.ptr)->is_ready = true;
		return;
	case SOURCE_SIGNAL:
		handle_signal(s);
		return;
	case SOURCE_IPC:
		ipc_handle(s->ipc);
		return;
	}
}

static void accept_ready(struct server *s)
{
	if (s->is_paused && may_resume(s) && watch_listeners(s) < 0)
		pause_listeners(s, s->pool->now_ns + RETRY_NS);
	for (unsigned i = 0; i < s->listeners->count; i++) {
		struct listener *listener = &s->listeners->items[i];

		for (int batch = 0; listener->is_ready && batch < LIMIT_HELLO_ACCEPT_BATCH; batch++)
			if (!accept_one(s, listener))
				break;
		/* epoll tells again what is left. */
		listener->is_ready = false;
	}
}

static bool may_resume(const struct server *s)
{
	if (s->pool->is_draining)
		return false;
	if (s->retry_ns != INT64_MAX)
		return s->pool->now_ns >= s->retry_ns;
	return !pool_is_full(s->pool) || s->pool->first[PHASE_IDLE];
}

/* False: no more for now. */
static bool accept_one(struct server *s, struct listener *listener)
{
	struct connection *c;
	int fd, r;

	if (pool_is_full(s->pool) && !make_room(s)) {
		pause_listeners(s, INT64_MAX);
		return false;
	}
	fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0) {
		if (errno == EAGAIN)
			return false;
		handle_accept_error(s, errno);
		return !s->is_paused;
	}
	r = pool_add_take(s->pool, fd, &c);
	if (r) {
		(void)close(fd);
		pause_listeners(s, s->pool->now_ns + RETRY_NS);
		return false;
	}
	return true;
}

/* accept(2): errors of the one client that gave up are no reason to stop; all others are. */
static void handle_accept_error(struct server *s, int error)
{
	switch (error) {
	case EINTR:
	case ECONNABORTED:
	case EPROTO:
	case ENETDOWN:
	case ENETUNREACH:
	case EHOSTDOWN:
	case EHOSTUNREACH:
	case ENOPROTOOPT:
	case ENONET:
	case ETIMEDOUT:
	case EPERM: /* a firewall's rule */
		return;
	case EMFILE:
	case ENFILE:
		if (make_room(s))
			return;
		break;
	default:
		break;
	}
	pause_listeners(s, s->pool->now_ns + RETRY_NS);
}

static bool make_room(struct server *s)
{
	struct connection *idle = s->pool->first[PHASE_IDLE];

	if (!idle)
		return false;
	pool_drop(s->pool, idle);
	return true;
}

static void handle_signal(struct server *s)
{
	struct signalfd_siginfo info;

	while (read(s->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		s->is_done = s->is_stopping;
		s->is_stopping = true;
	}
}

/*
 * Clients in the backlog have been told that they are connected: they are served.  So is who is
 * between two requests for a moment more: the next one may be on its way, and a connection that is
 * closed under it is a lost request.  Each answer from now on says that it is the last.
 */
static void begin_drain(struct server *s)
{
	struct connection *c, *next;
	struct pool *pool = s->pool;

	s->end_ns = pool->now_ns + s->grace_ns;
	listeners_unlink(s->listeners);
	for (unsigned i = 0; i < s->listeners->count; i++)
		while (accept_one(s, &s->listeners->items[i]))
			;
	pause_listeners(s, INT64_MAX);
	listeners_close(s->listeners);
	pool->is_draining = true;
	for (c = pool->first[PHASE_IDLE]; c; c = next) {
		next = c->next;
		connection_drain(pool, c);
	}
	pool_shorten(pool, PHASE_FRESH, LAST_WORD_NS);
	pool_shorten(pool, PHASE_IDLE, LAST_WORD_NS);
}
