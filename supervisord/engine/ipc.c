/* SPDX-License-Identifier: ISC */
/* ipc.c: see ipc.h, socketpair(2), and lib/ipcmsg.h for what Node says. */
#define _GNU_SOURCE
#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/inbox.h"
#include "lib/ipcmsg.h"
#include "lib/ipcread.h"
#include "lib/ipcsend.h"
#include "lib/ownlog.h"
#include "supervisord/engine/cluster.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/instname.h"
#include "supervisord/engine/ipc.h"
#include "supervisord/engine/ipcfollow.h"
#include "supervisord/engine/ipcring.h"

/* The first number in a program that is not a standard stream. */
#define FIRST_FD 3
/* Of a line that is in no inbox. */
#define NO_MARK 0

struct ipc_state {
	struct inbox inbox;
	struct ipcring ring;
	/* The line that was about to be told, and the total of the ring before: when that has
	 * grown, an engine before us has told it, and did not live to take it out. */
	_Atomic uint64_t told_mark, told_total;
};

struct ipc {
	ev_io io; /* first */
	struct program *program;
	int slot;       /* of the channel, -1: none */
	int state_slot; /* of the memfd, -1: none */
	struct ipc_state *state;
	struct inbox_view inbox;
	struct ipc_followers followers;
	bool told_loss; /* once a run */
};

/* One line, read. */
struct message {
	struct jsonr json;
	char text[LIMIT_IPC_LINE + 1];
};

static struct ipc *need(struct program *program);
static int need_state(struct ipc *ipc);
static int map_state(struct ipc *ipc);
static int open_channel(struct ipc *ipc, int *ret_child);
static void close_channel(struct ipc *ipc);
static void watch(struct ipc *ipc);
static int number_of(const struct launch_fd *extra, size_t count);
static bool is_worker(const struct program *program);
static void on_readable(struct ev_loop *loop, ev_io *io, int events);
static bool read_some(struct ipc *ipc, size_t most);
static void deal_with_lines(struct ipc *ipc);
static void deal_with(struct ipc *ipc, uint64_t mark, const char *line, size_t length);
static void take_message(
    struct ipc *ipc, uint64_t mark, struct message *message, const char *line, size_t length);
static bool is_told(struct ipc_state *state, uint64_t mark);
static void route(struct ipc *ipc, const char *line, size_t length);
static void leave_out(struct ipc *ipc, const char *line);
static void answer(struct ipc *ipc, enum ipcmsg_kind kind, const char *key);
static void tell_loss(struct ipc *ipc, const char *what, const char *why);

int ipc_prepare(struct program *program, char **environment, size_t *count, struct launch_fd *extra,
    size_t *extra_count, int *ret_close)
{
	int number = number_of(extra, *extra_count), child = -1, error;
	struct ipc *ipc;

	*ret_close = -1;
	if (!program->config->life->key_ipc && !is_worker(program)) {
		if (program->ipc != NULL)
			close_channel(program->ipc);
		return 0;
	}
	if (*extra_count == LAUNCH_EXTRA)
		return -EMFILE;
	ipc = need(program);
	error = ipc == NULL ? -ENOMEM : need_state(ipc);
	if (error < 0)
		return error;
	ipc_catch_up(program); /* of the run before */
	close_channel(ipc);
	ipc->told_loss = false;
	error = open_channel(ipc, &child);
	if (error < 0)
		return error;
	error = launch_add_variable(environment, count, "NODE_CHANNEL_FD=%d", number);
	if (error == 0)
		error =
		    launch_add_variable(environment, count, "NODE_CHANNEL_SERIALIZATION_MODE=json");
	if (error == 0 && is_worker(program))
		error = launch_add_variable(environment, count, "NODE_UNIQUE_ID=%llu",
		    (unsigned long long)cluster_worker_id(program));
	if (error < 0) {
		close(child);
		return error;
	}
	if (is_worker(program))
		cluster_give_worker(program, ipc_get_channel(program));
	extra[(*extra_count)++] = (struct launch_fd){.fd = child, .number = number};
	*ret_close = child;
	return 0;
}

void ipc_catch_up(struct program *program)
{
	struct ipc *ipc = program->ipc;

	/* A channel has only so much in it, whoever still writes: others may. */
	for (int i = 0; i < 4 && ipc != NULL && ipc->slot >= 0 && !is_worker(program); i++)
		if (!read_some(ipc, LIMIT_IPC_BUDGET))
			break;
}

void ipc_adopt(struct program *program, uint64_t key, int slot)
{
	struct ipc *ipc = need(program);
	int *place = ipc == NULL                      ? NULL
		     : held_key_kind(key) == HELD_IPC ? &ipc->slot
						      : &ipc->state_slot;

	if (place == NULL || *place >= 0) {
		slots_release(&program->engine->slots, slot);
		return;
	}
	*place = slot;
	if (place == &ipc->state_slot && map_state(ipc) < 0)
		return;
	if (ipc->slot < 0 || ipc->state == NULL)
		return;
	watch(ipc);
	/* What the engine before has read and not dealt with waits for no further byte. */
	if (!is_worker(program))
		ev_feed_event(program->engine->loop, &ipc->io, EV_READ);
}

void ipc_release(struct program *program)
{
	struct ipc *ipc = program->ipc;

	if (ipc == NULL)
		return;
	ipc_followers_done(&ipc->followers);
	close_channel(ipc);
	if (ipc->state != NULL)
		munmap(ipc->state, sizeof(*ipc->state));
	if (ipc->state_slot >= 0)
		slots_release(&program->engine->slots, ipc->state_slot);
	program->ipc = NULL;
	free(ipc);
}

int ipc_get_channel(const struct program *program)
{
	return program->ipc != NULL && program->ipc->slot >= 0
		   ? slots_get_fd(&program->engine->slots, program->ipc->slot)
		   : -1;
}

void ipc_take(struct program *program, const char *line, size_t length)
{
	struct ipc *ipc = program->ipc;

	if (ipc == NULL || ipc->state == NULL)
		return;
	/* It would be two lines to whom it is routed. */
	if (memchr(line, '\n', length) != NULL)
		tell_loss(ipc, "a message of it", "it is not one line");
	else
		deal_with(ipc, NO_MARK, line, length);
}

int ipc_send(struct program *program, const char *text, size_t length)
{
	struct ipc *ipc = program->ipc;
	char newline = '\n';
	struct iovec parts[2] = {{.iov_base = (void *)(uintptr_t)text, .iov_len = length},
	    {.iov_base = &newline, .iov_len = 1}};
	struct msghdr header = {.msg_iov = parts, .msg_iovlen = 2};
	int error;

	if (ipc == NULL || ipc->slot < 0)
		return -ENOTCONN;
	if (is_worker(program))
		return cluster_send(program, text, length);
	if (length > LIMIT_IPC_LINE)
		return -EMSGSIZE;
	error = ipcsend_line(slots_get_fd(&program->engine->slots, ipc->slot), &header, length + 1);
	if (error == 0 || error == -EAGAIN || error == -EMSGSIZE)
		return error;
	return error == -ENOBUFS ? -EAGAIN : -ENOTCONN;
}

const struct ipcring *ipc_get_ring(const struct program *program)
{
	return program->ipc != NULL && program->ipc->state != NULL ? &program->ipc->state->ring
								   : NULL;
}

struct ipc_followers *ipc_get_followers(struct program *program)
{
	struct ipc *ipc = need(program);

	return ipc != NULL ? &ipc->followers : NULL;
}

static struct ipc *need(struct program *program)
{
	struct ipc *ipc = program->ipc;

	if (ipc != NULL)
		return ipc;
	ipc = calloc(1, sizeof(*ipc));
	if (ipc == NULL)
		return NULL;
	ipc->program = program;
	ipc->slot = -1;
	ipc->state_slot = -1;
	ipc_followers_init(&ipc->followers, program->engine->loop);
	ev_init(&ipc->io, on_readable);
	program->ipc = ipc;
	return ipc;
}

static int need_state(struct ipc *ipc)
{
	struct program *program = ipc->program;
	int fd, slot, error;

	if (ipc->state != NULL)
		return 0;
	fd = memfd_create("ipc", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	error = ftruncate(fd, sizeof(struct ipc_state)) < 0 ? -errno : 0;
	slot = error < 0 ? error
			 : slots_hold(&program->engine->slots,
			       held_key(HELD_IPC_STATE, (uint32_t)program->run.row, 0), fd);
	if (slot < 0) {
		close(fd);
		return slot;
	}
	ipc->state_slot = slot;
	return map_state(ipc);
}

/* What is in its slot; where that fails the slot is free again. */
static int map_state(struct ipc *ipc)
{
	struct slots *slots = &ipc->program->engine->slots;
	int fd = slots_get_fd(slots, ipc->state_slot), error;
	void *memory = MAP_FAILED;

	/* Of an engine of another build it may be shorter. */
	if (ftruncate(fd, sizeof(struct ipc_state)) == 0)
		memory =
		    mmap(NULL, sizeof(struct ipc_state), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED) {
		error = -errno;
		slots_release(slots, ipc->state_slot);
		ipc->state_slot = -1;
		return error;
	}
	ipc->state = memory;
	inbox_attach(&ipc->inbox, &ipc->state->inbox);
	slots_forget_fd(slots, ipc->state_slot);
	return 0;
}

static int open_channel(struct ipc *ipc, int *ret_child)
{
	struct program *program = ipc->program;
	int fds[2], slot;

	inbox_clear(&ipc->inbox); /* an unfinished line of the run before */
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	slot = slots_hold(
	    &program->engine->slots, held_key(HELD_IPC, (uint32_t)program->run.row, 0), fds[0]);
	if (slot < 0) {
		close(fds[0]);
		close(fds[1]);
		return slot;
	}
	ipc->slot = slot;
	watch(ipc);
	*ret_child = fds[1];
	return 0;
}

static void close_channel(struct ipc *ipc)
{
	if (ipc->slot < 0)
		return;
	ev_io_stop(ipc->program->engine->loop, &ipc->io);
	slots_release(&ipc->program->engine->slots, ipc->slot);
	ipc->slot = -1;
}

static void watch(struct ipc *ipc)
{
	struct engine *engine = ipc->program->engine;

	ev_io_stop(engine->loop, &ipc->io);
	if (is_worker(ipc->program)) /* its primary reads it */
		return;
	ev_io_set(&ipc->io, slots_get_fd(&engine->slots, ipc->slot), EV_READ);
	ev_io_start(engine->loop, &ipc->io);
}

static bool is_worker(const struct program *program)
{
	return program->config->life->key_cluster != CLUSTER_NONE;
}

/* Behind LISTEN_FDS, which have no gap, and fd:N. */
static int number_of(const struct launch_fd *extra, size_t count)
{
	int number = FIRST_FD;

	for (size_t i = 0; i < count; i++)
		if (extra[i].number >= number)
			number = extra[i].number + 1;
	return number;
}

static void on_readable(struct ev_loop *loop, ev_io *io, int events)
{
	(void)loop;
	(void)events;
	(void)read_some((struct ipc *)(void *)io, LIMIT_IPC_BUDGET);
}

/* False: nothing more is there now. */
static bool read_some(struct ipc *ipc, size_t most)
{
	struct program *program = ipc->program;
	size_t taken = 0;

	deal_with_lines(ipc); /* of an engine before */
	while (taken < most && program->ipc == ipc && ipc->slot >= 0) {
		size_t room;
		char *to = inbox_get_room(&ipc->inbox, &room);
		ssize_t got =
		    ipcread_receive(slots_get_fd(&program->engine->slots, ipc->slot), to, room);

		if (got == -EAGAIN)
			return false;
		if (got <= 0) {
			close_channel(ipc);
			return false;
		}
		inbox_add(&ipc->inbox, (size_t)got);
		taken += (size_t)got;
		deal_with_lines(ipc);
	}
	return program->ipc == ipc && ipc->slot >= 0;
}

static void deal_with_lines(struct ipc *ipc)
{
	struct program *program = ipc->program;
	enum inbox_found found;
	const char *line;
	size_t length;

	/* What a message brings about may end all of this. */
	while (program->ipc == ipc) {
		found = inbox_next(&ipc->inbox, &line, &length);
		if (found == INBOX_NOTHING)
			return;
		if (found == INBOX_TOO_LONG) {
			leave_out(ipc, line);
			continue;
		}
		deal_with(ipc, inbox_get_mark(&ipc->inbox), line, length);
		if (program->ipc == ipc)
			inbox_take(&ipc->inbox, length);
	}
}

static void deal_with(struct ipc *ipc, uint64_t mark, const char *line, size_t length)
{
	struct message *message = malloc(sizeof(*message));
	const char *cmd;
	enum ipcmsg_kind kind;

	if (message == NULL) {
		tell_loss(ipc, "a message of it", "out of memory");
		return;
	}
	jsonr_init(&message->json);
	memcpy(message->text, line, length);
	message->text[length] = '\0';
	if (jsonr_parse(&message->json, message->text, length, LIMIT_IPC_DEPTH) < 0) {
		tell_loss(ipc, "a message of it", "it is not JSON");
	} else {
		kind = ipcmsg_read(&message->json, &cmd);
		if (kind == IPCMSG_APPLICATION)
			take_message(ipc, mark, message, line, length);
		else if (kind != IPCMSG_INTERNAL)
			answer(ipc, kind, ipcmsg_get_key(&message->json));
	}
	jsonr_done(&message->json);
	free(message);
}

static void take_message(
    struct ipc *ipc, uint64_t mark, struct message *message, const char *line, size_t length)
{
	struct program *program = ipc->program;
	int64_t now_ns = clock_wall_ns();
	struct ipcring_message told = {.wall_ns = now_ns, .text = line, .length = length};

	/* Who follows has been told by then, or asks this engine for what has come since. */
	if (mark == NO_MARK || !is_told(ipc->state, mark)) {
		told.number = ipcring_add(&ipc->state->ring, now_ns, line, length);
		ipc_followers_tell(&ipc->followers, &told);
	}
	route(ipc, line, length);
	/* Last: it may end all of this. */
	if (ipcmsg_is_ready(&message->json) && program->config->life->key_ready.kind == CHECK_IPC)
		program_note_ready(program, CHECK_IPC);
}

/* By an engine before us; if not, it is about to be. */
static bool is_told(struct ipc_state *state, uint64_t mark)
{
	uint64_t total = atomic_load(&state->ring.total);

	if (atomic_load(&state->told_mark) == mark && atomic_load(&state->told_total) != total)
		return true;
	/* In this order: killed in between, neither fits. */
	atomic_store(&state->told_mark, NO_MARK);
	atomic_store(&state->told_total, total);
	atomic_store(&state->told_mark, mark);
	return false;
}

/* ipc_to: to each instance of that program, or to the one that is named. */
static void route(struct ipc *ipc, const char *line, size_t length)
{
	const struct program *program = ipc->program;
	struct engine *engine = program->engine;
	const char *to = program->config->life->key_ipc_to;

	if (to == NULL)
		return;
	to += strlen(IPC_TO_PROGRAM);
	for (size_t i = 0; i < engine->program_count; i++) {
		struct program *target = engine->programs[i];
		int error;

		if (target == program || !instname_is_meant(program_name(target), to))
			continue;
		error = ipc_send(target, line, length);
		if (error < 0)
			tell_loss(ipc, "a message of it",
			    error == -EAGAIN ? "the channel of the program in ipc_to is full"
					     : "the program in ipc_to has no channel now");
	}
}

static void leave_out(struct ipc *ipc, const char *line)
{
	tell_loss(ipc, "a message of it", "it is too long");
	if (strncmp(line, IPCMSG_HANDLE_PREFIX, strlen(IPCMSG_HANDLE_PREFIX)) == 0)
		answer(ipc, IPCMSG_HANDLE, "");
}

static void answer(struct ipc *ipc, enum ipcmsg_kind kind, const char *key)
{
	struct jsonw w;

	jsonw_init(&w, LIMIT_IPC_LINE);
	ipcmsg_answer(&w, kind, key);
	if (jsonw_error(&w) == 0 && ipc_send(ipc->program, w.data, w.length - 1) < 0)
		tell_loss(ipc, "an answer to it", "its channel is full");
	jsonw_done(&w);
}

static void tell_loss(struct ipc *ipc, const char *what, const char *why)
{
	if (!ipc->told_loss)
		log_warning("%s: ipc: %s is dropped: %s; of this run no more is said about that",
		    program_name(ipc->program), what, why);
	ipc->told_loss = true;
}
