/* SPDX-License-Identifier: ISC */
/* workers.c: see workers.h, Node's lib/internal/cluster/primary.js and child_process.js. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/ipcread.h"
#include "lib/ipcsend.h"
#include "lib/ownlog.h"
#include "supervisord/cluster/deal.h"
#include "supervisord/cluster/expected.h"
#include "supervisord/cluster/link.h"
#include "supervisord/cluster/listeners.h"
#include "supervisord/cluster/queries.h"
#include "supervisord/cluster/reply.h"
#include "supervisord/cluster/workers.h"

static struct worker *need(struct cluster *cluster, uint32_t slot);
static void reset(struct worker *worker, uint64_t id);
static void close_channel(struct cluster *cluster, struct worker *worker);
static void set_phase(struct worker *worker, enum worker_phase phase);
static void deal_with_lines(struct cluster *cluster, struct worker *worker);
static bool deal_with(
    struct cluster *cluster, struct worker *worker, const char *line, size_t length);
static bool serve(struct cluster *cluster, struct worker *worker, struct request *request);
static void leave_out(struct cluster *cluster, struct worker *worker, const char *line);
static void note_end(struct cluster *cluster, struct worker *worker);
static void set_expected(struct cluster *cluster, struct worker *worker);
static void leave_sockets(struct cluster *cluster, const struct worker *worker);
static bool answer(struct cluster *cluster, struct worker *worker);
static void note_listening(
    struct cluster *cluster, struct worker *worker, const struct request *request);
static void look_at_rest(struct cluster *cluster, struct worker *worker, int64_t now_ns);
static void go_on_leaving(struct cluster *cluster, struct worker *worker, int64_t now_ns);
static bool send_gap(struct cluster *cluster, struct worker *worker);
static bool send_disconnect(struct cluster *cluster, struct worker *worker);

void workers_begin(struct cluster *cluster, uint32_t slot, uint64_t id, int fd)
{
	struct worker *worker =
	    slot < LIMIT_CLUSTER_WORKERS && fd >= 0 ? need(cluster, slot) : NULL;

	if (worker == NULL) {
		if (fd >= 0)
			close(fd);
		log_error("worker %u is refused: out of memory, or more than %d workers", slot + 1,
		    LIMIT_CLUSTER_WORKERS);
		return;
	}
	if (worker->state->id != id) {
		workers_end(cluster, worker);
		reset(worker, id);
	}
	close_channel(cluster, worker); /* the engine says it again */
	worker->fd = fd;
	inbox_attach(&worker->inbox, &worker->state->inbox);
	worker->readable = true;
	worker->watched = false;
	worker->full = false; /* if it is, the next attempt tells */
	if (cluster_watch(cluster, WATCH_WORKER, slot, fd, EPOLLIN | EPOLLRDHUP, true) < 0)
		log_error("worker %u is not watched: %s", slot + 1, strerror(errno));
	worker->gap_told = false; /* once too often is no harm */
	if (worker->state->phase == PHASE_GAP)
		cluster_arm(cluster, 0);
}

void workers_end(struct cluster *cluster, struct worker *worker)
{
	if (worker->state->id == 0)
		return;
	if (worker->fd >= 0 && !worker->ended) {
		worker->readable = true;
		workers_read(cluster, worker);
	}
	note_end(cluster, worker);
	close_channel(cluster, worker);
	inbox_attach(&worker->inbox, &worker->state->inbox);
	inbox_clear(&worker->inbox);
	set_phase(worker, PHASE_NONE);
	worker->state->id = 0;
	worker->due = 0;
}

void workers_disconnect(struct cluster *cluster, struct worker *worker, int64_t gap_ns)
{
	if (worker->state->phase >= PHASE_GAP)
		return;
	worker->state->gap_ns = gap_ns;
	worker->state->deadline_ns = clock_boot_ns() + gap_ns;
	set_phase(worker, PHASE_GAP);
	go_on_leaving(cluster, worker, clock_boot_ns());
}

void workers_send_message(
    struct cluster *cluster, struct worker *worker, const char *value, size_t length)
{
	jsonw_reset(&cluster->line);
	jsonw_raw(&cluster->line, value, length);
	jsonw_raw(&cluster->line, "\n", 1);
	if (length == 0 || memchr(value, '\n', length) != NULL || worker->fd < 0 ||
	    workers_send(cluster, worker, -1) < 0)
		log_warning("worker %u: a message for it is dropped: its channel is full",
		    worker->slot + 1);
}

void workers_tell(struct worker *worker)
{
	const struct worker_state *state = worker->state;

	if (state->phase >= PHASE_ONLINE)
		worker->due |= DUE_ONLINE;
	if (state->listening_told)
		worker->due |= DUE_LISTENING;
	if (state->phase == PHASE_LEAVING)
		worker->due |= DUE_LEAVING;
	if (state->phase == PHASE_CLOSED)
		worker->due |= DUE_CLOSED;
	if (worker->stuck)
		worker->due |= DUE_STUCK;
}

void workers_note_event(
    struct cluster *cluster, struct worker *worker, bool writable, bool readable)
{
	if (writable && worker->watched) {
		worker->watched = false;
		worker->full = false;
		workers_unblock(worker);
		queries_pay(cluster, worker);
		cluster->deal_due |= worker->state->member;
		(void)cluster_watch(
		    cluster, WATCH_WORKER, worker->slot, worker->fd, EPOLLIN | EPOLLRDHUP, false);
	}
	if (readable)
		worker->readable = true;
}

void workers_read(struct cluster *cluster, struct worker *worker)
{
	size_t taken = 0;

	while (worker->readable && !worker->ended && !worker->blocked && worker->fd >= 0 &&
	       taken < LIMIT_IPC_BUDGET) {
		size_t room;
		char *to;
		ssize_t got;

		deal_with_lines(cluster, worker); /* of before */
		if (worker->blocked)
			return;
		to = inbox_get_room(&worker->inbox, &room);
		got = ipcread_receive(worker->fd, to, room);
		if (got == -EAGAIN) {
			worker->readable = false;
			return;
		}
		if (got <= 0) {
			note_end(cluster, worker);
			return;
		}
		inbox_add(&worker->inbox, (size_t)got);
		taken += (size_t)got;
		deal_with_lines(cluster, worker);
	}
}

void workers_look_at_time(struct cluster *cluster, struct worker *worker, int64_t now_ns)
{
	struct worker_state *state = worker->state;
	int64_t patience_ns = cluster->options->patience_ns;

	if (worker->retry) {
		worker->retry = false;
		workers_unblock(worker);
		queries_pay(cluster, worker);
	}
	if (worker->asked_ns != 0 && now_ns >= worker->asked_ns + patience_ns)
		workers_unblock(worker); /* to ask again */
	else if (worker->asked_ns != 0)
		cluster_arm(cluster, worker->asked_ns + patience_ns);
	if (state->phase == PHASE_GAP)
		go_on_leaving(cluster, worker, now_ns);
	if (state->phase == PHASE_CLOSED)
		look_at_rest(cluster, worker, now_ns);
	for (uint32_t i = 0; i < LIMIT_CLUSTER_LISTENERS; i++) {
		const struct offer *offer = &worker->offers[i];

		if (offer->fd < 0 || worker->stuck)
			continue;
		if (now_ns < offer->since_ns + patience_ns) {
			cluster_arm(cluster, offer->since_ns + patience_ns);
			continue;
		}
		worker->stuck = true;
		worker->due |= DUE_STUCK;
		log_warning("worker %u has not taken a connection for %lld ms", worker->slot + 1,
		    (long long)(patience_ns / NS_PER_MS));
	}
}

/* One that has closed its channel can be told nothing any more, and is no worker. */
static void look_at_rest(struct cluster *cluster, struct worker *worker, int64_t now_ns)
{
	const struct worker_state *state = worker->state;

	if (now_ns < state->deadline_ns) {
		cluster_arm(cluster, state->deadline_ns);
		return;
	}
	if (worker->stuck)
		return;
	worker->stuck = true;
	worker->due |= DUE_STUCK;
	log_warning("worker %u has closed its channel, and has not ended since", worker->slot + 1);
}

void workers_unblock(struct worker *worker)
{
	if (!worker->blocked)
		return;
	worker->blocked = false;
	worker->readable = true;
}

int workers_send(struct cluster *cluster, struct worker *worker, int fd)
{
	struct iovec part = {.iov_base = cluster->line.data, .iov_len = cluster->line.length};
	union {
		struct cmsghdr align;
		unsigned char space[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
	int error;

	if (jsonw_error(&cluster->line) < 0)
		return jsonw_error(&cluster->line);
	if (worker->full)
		return -EAGAIN;
	if (fd >= 0) {
		struct cmsghdr *cmsg = &control.align;

		header.msg_control = &control;
		header.msg_controllen = sizeof(control.space);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
	}
	error = ipcsend_line(worker->fd, &header, cluster->line.length);
	/* ETOOMANYREFS: too many sockets on their way in the whole system. */
	if (error == -ENOBUFS || error == -ETOOMANYREFS) {
		worker->retry = true;
		cluster_arm(cluster, clock_boot_ns() + LIMIT_CLUSTER_REFUSED_NS);
		return -EAGAIN;
	}
	if (error != -EAGAIN)
		return error;
	worker->full = true;
	worker->watched = true;
	(void)cluster_watch(cluster, WATCH_WORKER, worker->slot, worker->fd,
	    EPOLLIN | EPOLLRDHUP | EPOLLOUT, false);
	return -EAGAIN;
}

bool workers_has_room(const struct worker *worker, uint32_t listener)
{
	return worker->fd >= 0 && worker->state->phase == PHASE_ONLINE && !worker->ended &&
	       (worker->state->member >> listener & 1) && worker->handle.seq == 0 &&
	       worker->state->owed[0].seq == 0 && worker->offers[listener].fd < 0 &&
	       !worker->full && !worker->stuck;
}

static struct worker *need(struct cluster *cluster, uint32_t slot)
{
	struct worker *worker = cluster->workers[slot];

	if (worker != NULL)
		return worker;
	worker = calloc(1, sizeof(*worker));
	if (worker == NULL)
		return NULL;
	worker->slot = slot;
	worker->state = &cluster->state->workers[slot];
	worker->fd = -1;
	for (size_t i = 0; i < LIMIT_CLUSTER_LISTENERS; i++)
		worker->offers[i].fd = -1;
	cluster->workers[slot] = worker;
	return worker;
}

static void reset(struct worker *worker, uint64_t id)
{
	struct worker_state *state = worker->state;

	inbox_attach(&worker->inbox, &state->inbox);
	inbox_clear(&worker->inbox);
	memset(state->owed, 0, sizeof(state->owed));
	state->member = 0;
	state->listening = 0;
	state->listening_told = false;
	state->deadline_ns = 0;
	worker->ended = false;
	worker->blocked = false;
	worker->full = false;
	worker->retry = false;
	worker->stuck = false;
	worker->bind_error = 0;
	worker->asked_ns = 0;
	worker->due = 0;
	worker->handle = (struct handle){0};
	set_phase(worker, PHASE_NEW);
	state->id = id;
}

static void close_channel(struct cluster *cluster, struct worker *worker)
{
	if (worker->fd < 0)
		return;
	cluster_unwatch(cluster, worker->fd);
	close(worker->fd);
	worker->fd = -1;
}

static void set_phase(struct worker *worker, enum worker_phase phase)
{
	atomic_store(&worker->state->phase, phase);
}

static void deal_with_lines(struct cluster *cluster, struct worker *worker)
{
	enum inbox_found found;
	const char *line;
	size_t length;

	while (!worker->blocked) {
		found = inbox_next(&worker->inbox, &line, &length);
		if (found == INBOX_NOTHING)
			return;
		if (found == INBOX_TOO_LONG)
			leave_out(cluster, worker, line);
		else if (deal_with(cluster, worker, line, length))
			inbox_take(&worker->inbox, length);
		else
			worker->blocked = true;
	}
}

/* True when it is done, and is not needed any more. */
static bool deal_with(
    struct cluster *cluster, struct worker *worker, const char *line, size_t length)
{
	struct request request;

	request_read(&cluster->reader, line, length, &request);
	if (request.act == REQUEST_MESSAGE) {
		link_pass_message(cluster, worker, line, length);
		return true;
	}
	return serve(cluster, worker, &request);
}

static bool serve(struct cluster *cluster, struct worker *worker, struct request *request)
{
	switch (request->act) {
	case REQUEST_NONSENSE:
	case REQUEST_MESSAGE:
		return true;
	case REQUEST_SOCKETS:
		ipcmsg_answer(&cluster->line, request->kind, request->key);
		return answer(cluster, worker);
	case REQUEST_HANDLE_ACK:
		deal_note_ack(cluster, worker);
		return true;
	case REQUEST_HANDLE_NACK:
		deal_note_nack(cluster, worker);
		return true;
	case REQUEST_ANSWER:
		deal_note_answer(cluster, worker, request->ack, request->accepted);
		return true;
	case REQUEST_ONLINE:
		if (worker->state->phase == PHASE_NEW)
			set_phase(worker, PHASE_ONLINE);
		worker->due |= DUE_ONLINE;
		return true;
	case REQUEST_QUERY:
		/* As Node's primary: whoever goes gets no more answer. */
		return worker->state->phase == PHASE_LEAVING ||
		       queries_answer(cluster, worker, request);
	case REQUEST_LISTENING:
		note_listening(cluster, worker, request);
		return true;
	case REQUEST_CLOSE:
		listeners_note_close(cluster, worker, request->key);
		return true;
	case REQUEST_LEAVING:
		reply_write_ack(&cluster->line, request->seq, cluster_next_seq(cluster));
		if (!answer(cluster, worker))
			return false;
		if (worker->state->phase < PHASE_LEAVING)
			set_phase(worker, PHASE_LEAVING);
		worker->due |= DUE_LEAVING;
		return true;
	}
	return true;
}

/* One that is too long to be looked at. */
static void leave_out(struct cluster *cluster, struct worker *worker, const char *line)
{
	log_warning("worker %u: a message of more than %d bytes is left out", worker->slot + 1,
	    LIMIT_IPC_LINE);
	/* Without the ACK nothing of it would ever come again. */
	if (strncmp(line, IPCMSG_HANDLE_PREFIX, strlen(IPCMSG_HANDLE_PREFIX)) == 0) {
		ipcmsg_answer(&cluster->line, IPCMSG_HANDLE, "");
		(void)answer(cluster, worker);
	}
}

/* Its channel is at its end, or it is. */
static void note_end(struct cluster *cluster, struct worker *worker)
{
	struct worker_state *state = worker->state;

	if (!worker->ended) {
		worker->ended = true;
		worker->readable = false;
		deal_take_back(cluster, worker);
		set_expected(cluster, worker);
		leave_sockets(cluster, worker);
		state->member = 0;
		memset(state->owed, 0, sizeof(state->owed));
		state->deadline_ns = clock_boot_ns() + cluster->options->patience_ns;
		cluster_arm(cluster, state->deadline_ns);
	}
	set_phase(worker, PHASE_CLOSED);
	worker->due |= DUE_CLOSED;
}

/*
 * What is expected of the next run in its place.  One that was stopped before it was ready (it was
 * waited for, in vain) may be an application that has moved: the next one is measured by it, else
 * it could never be ready again.
 */
static void set_expected(struct cluster *cluster, struct worker *worker)
{
	struct worker_state *state = worker->state;

	if (state->listening_told) {
		state->expected = state->listening;
	} else if (state->phase >= PHASE_GAP && state->listening != 0) {
		expected_tell_missing(cluster, worker);
		state->expected = state->listening;
	}
}

static void leave_sockets(struct cluster *cluster, const struct worker *worker)
{
	for (uint32_t i = 0; i < LIMIT_CLUSTER_LISTENERS; i++)
		if (cluster->listeners[i] != NULL && (worker->state->member >> i & 1))
			listeners_adopt_slot(cluster, cluster->listeners[i], worker->slot);
}

/* False: its channel is full, again later.  Of one that has gone there is nothing to wait for. */
static bool answer(struct cluster *cluster, struct worker *worker)
{
	return workers_send(cluster, worker, -1) != -EAGAIN;
}

static void note_listening(
    struct cluster *cluster, struct worker *worker, const struct request *request)
{
	struct worker_state *state = worker->state;
	const struct listener *listener = expected_find_bound(cluster, worker, request);

	if (listener != NULL)
		state->listening |= 1ULL << listener->number;
	if (state->listening_told || state->phase > PHASE_GAP)
		return;
	/* One of no listener of ours has listened by itself. */
	if (listener == NULL || expected_is_met(cluster, worker)) {
		state->listening_told = true;
		worker->due |= DUE_LISTENING;
	}
}

/* What is to be said, as soon as its channel takes it. */
static void go_on_leaving(struct cluster *cluster, struct worker *worker, int64_t now_ns)
{
	struct worker_state *state = worker->state;
	bool gap = now_ns < state->deadline_ns;

	if (gap && !worker->gap_told)
		worker->gap_told = send_gap(cluster, worker);
	if (gap && worker->gap_told)
		cluster_arm(cluster, state->deadline_ns);
	else if (gap || !send_disconnect(cluster, worker))
		cluster_arm(cluster, now_ns + LIMIT_CLUSTER_REFUSED_NS);
}

/* False, as the next: its channel is full. */
static bool send_gap(struct cluster *cluster, struct worker *worker)
{
	if (worker->fd < 0 || worker->ended)
		return true;
	reply_write_gap(&cluster->line, worker->state->gap_ns / NS_PER_MS);
	return answer(cluster, worker);
}

static bool send_disconnect(struct cluster *cluster, struct worker *worker)
{
	if (worker->fd >= 0 && !worker->ended) {
		reply_write_disconnect(&cluster->line, cluster_next_seq(cluster));
		if (!answer(cluster, worker))
			return false;
	}
	set_phase(worker, PHASE_LEAVING);
	return true;
}
