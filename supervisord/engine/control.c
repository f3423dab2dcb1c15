/* SPDX-License-Identifier: ISC */
/* control.c: see control.h, unix(7). */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/limits.h"
#include "lib/ownlog.h"
#include "supervisord/engine/access.h"
#include "supervisord/engine/api.h"
#include "supervisord/engine/control.h"
#include "supervisord/engine/controlplace.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/events.h"
#include "supervisord/engine/op.h"

#define BACKLOG 128
/* Connections taken, and calls answered for one connection, in one round of the loop. */
#define ACCEPT_BATCH 16
#define CALL_BATCH   16
/* When there was no descriptor for a connection. */
#define ACCEPT_AGAIN_NS (1 * NS_PER_S)
/* A reply of this size has left a hole in the heap, whose pages malloc(3) keeps. */
#define LARGE_REPLY (128 * 1024)

static bool is_alive(const struct sockaddr_un *address);
static void on_accept(struct ev_loop *loop, ev_io *io, int events);
static void add_client(struct control *control, int fd, const struct ucred *peer);
static bool may_read(const struct control_client *client);
static bool is_stuck(const struct control_client *client);
static bool is_too_much(const struct control_client *client);
static void on_read(struct ev_loop *loop, ev_io *io, int events);
static void on_write(struct ev_loop *loop, ev_io *io, int events);
static void serve_held(struct control_client *client);
static void serve(struct control_client *client);
static void note_end(struct control_client *client);
static void make_due(struct control_client *client);
static void pause_accept(struct control *control);
static void on_accept_timer(struct timer *timer);
static void give_back(void);

int control_bind(const char *path, int *ret_fd)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	mode_t mask;
	int fd, error = 0;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path) + 1);
	if (is_alive(&address))
		return -EADDRINUSE;
	(void)unlink(path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	mask = umask(0177);
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(fd, BACKLOG) < 0)
		error = -errno;
	(void)umask(mask);
	if (error < 0) {
		close(fd);
		return error;
	}
	*ret_fd = fd;
	return 0;
}

int control_set_owner(int listen_fd, gid_t gid, mode_t mode)
{
	struct sockaddr_un address = {0};
	socklen_t size = sizeof(address) - 1; /* a NUL stays behind the path */
	const char *path = address.sun_path;
	struct stat now;
	int error = 0;

	if (getsockname(listen_fd, (struct sockaddr *)&address, &size) < 0 || lstat(path, &now) < 0)
		return -errno;
	if (!S_ISSOCK(now.st_mode))
		return -ENOTSOCK;
	if (now.st_gid == gid && (now.st_mode & 07777) == mode)
		return 0;
	/* In this order nobody gets what is meant for others. */
	if (chmod(path, 0600) < 0)
		return -errno;
	if (now.st_gid != gid && lchown(path, (uid_t)-1, gid) < 0) {
		error = -errno;
		mode &= 0700;
	}
	return chmod(path, mode) < 0 && error == 0 ? -errno : error;
}

void control_start(struct control *control, struct engine *engine, int listen_fd)
{
	*control = (struct control){.engine = engine, .listen_fd = listen_fd};
	TAILQ_INIT(&control->clients);
	TAILQ_INIT(&control->due);
	control->accept_timer.fire = on_accept_timer;
	ev_io_init(&control->acceptor, on_accept, listen_fd, EV_READ);
	ev_io_start(engine->loop, &control->acceptor);
}

void control_stop(struct control *control)
{
	struct control_client *client, *next;

	if (control->engine == NULL)
		return;
	ev_io_stop(control->engine->loop, &control->acceptor);
	TAILQ_FOREACH_SAFE(client, &control->clients, link, next)
	{
		client->dead = true;
		control_free_if_dead(client);
	}
}

void control_reply(struct control_client *client, struct jsonw *w)
{
	int error = jsonw_error(w);

	jsonw_raw(w, "", 1);
	if (error == 0)
		error = jsonw_error(w);
	client->large |= w->length >= LARGE_REPLY;
	if (error == 0 && !client->oneway && !client->dead)
		error = varlink_output_send(&client->output, client->reader.fd, w->data, w->length);
	jsonw_reset(w);
	if (error == -EAGAIN && is_too_much(client))
		error = -ENOBUFS;
	if (error == -EAGAIN) {
		ev_io_start(client->engine->loop, &client->writer);
	} else if (error < 0) {
		if (error != -EPIPE && error != -ECONNRESET)
			log_warning("control: a client is disconnected: %s", strerror(-error));
		client->dead = true;
		make_due(client);
	}
}

/* Root and our own user know what they do; of the others many may ask for much and read nothing. */
static bool is_too_much(const struct control_client *client)
{
	const struct control_client *other;
	size_t unsent = 0;

	if (access_is_master(client->uid))
		return false;
	TAILQ_FOREACH (other, &client->engine->control.clients, link)
		if (!access_is_master(other->uid))
			unsent += varlink_output_pending(&other->output);
	return unsent > LIMIT_CONTROL_UNSENT;
}

void control_resume(struct control_client *client)
{
	client->op = NULL;
	make_due(client);
}

void control_wake_ops(struct control *control)
{
	struct control_client *client;

	TAILQ_FOREACH (client, &control->clients, link)
		if (client->op != NULL)
			make_due(client);
}

void control_wake_watches(struct control *control)
{
	struct control_client *client;

	TAILQ_FOREACH (client, &control->clients, link)
		if (client->watch != NULL)
			make_due(client);
}

bool control_run(struct control *control, unsigned most)
{
	struct control_client *client;

	while (most-- > 0 && (client = TAILQ_FIRST(&control->due)) != NULL) {
		TAILQ_REMOVE(&control->due, client, due_link);
		client->due = false;
		if (client->op != NULL && !client->dead)
			op_review(client->op);
		events_serve(client);
		serve_held(client);
		serve(client);
		control_free_if_dead(client);
	}
	return !TAILQ_EMPTY(&control->due);
}

int control_hold(struct control_client *client, const char *message, size_t length)
{
	client->held = malloc(length + 1);
	if (client->held == NULL)
		return -ENOMEM;
	memcpy(client->held, message, length);
	client->held[length] = '\0';
	client->held_length = length;
	return 0;
}

void control_wake_held(struct control *control)
{
	struct control_client *client;

	TAILQ_FOREACH (client, &control->clients, link) {
		client->was_held = client->held != NULL;
		if (client->was_held)
			make_due(client);
	}
}

void control_replace_listener(struct control *control, int listen_fd)
{
	struct ev_loop *loop = control->engine->loop;

	ev_io_stop(loop, &control->acceptor);
	control->listen_fd = listen_fd;
	ev_io_set(&control->acceptor, listen_fd, EV_READ);
	ev_io_start(loop, &control->acceptor);
}

int control_hand_over(
    struct control_client *client, int (*send)(void *context, int fd), void *context)
{
	int error;

	if (varlink_output_pending(&client->output) > 0)
		return -EBUSY;
	error = send(context, client->reader.fd);
	if (error == 0)
		client->dead = true;
	return error;
}

void control_flush(struct control *control, int timeout_ms)
{
	struct control_client *client;

	if (control->engine == NULL)
		return;
	TAILQ_FOREACH (client, &control->clients, link) {
		struct pollfd out = {.fd = client->reader.fd, .events = POLLOUT};

		while (!client->dead &&
		       varlink_output_flush(&client->output, client->reader.fd) == -EAGAIN &&
		       timeout_ms > 0) {
			timeout_ms -= 10;
			(void)poll(&out, 1, 10);
		}
	}
}

bool control_is_at_work(const struct control_client *client)
{
	return client->op != NULL || client->watch != NULL || client->held != NULL;
}

bool control_is_gone(const struct control_client *client)
{
	struct pollfd peer = {.fd = client->reader.fd};

	return poll(&peer, 1, 0) == 1 && (peer.revents & POLLHUP);
}

void control_free_if_dead(struct control_client *client)
{
	struct control *control = &client->engine->control;
	bool large = client->large;

	if (!client->dead)
		return;
	if (client->op != NULL)
		op_cancel(client->op);
	events_forget(client);
	free(client->held);
	ev_io_stop(client->engine->loop, &client->reader);
	ev_io_stop(client->engine->loop, &client->writer);
	ev_clear_pending(client->engine->loop, &client->reader);
	ev_clear_pending(client->engine->loop, &client->writer);
	if (client->due)
		TAILQ_REMOVE(&control->due, client, due_link);
	TAILQ_REMOVE(&control->clients, client, link);
	control->client_count--;
	if (control->accept_timer.index != 0) { /* here is a descriptor */
		timers_cancel(&client->engine->timers, &control->accept_timer);
		ev_io_start(client->engine->loop, &control->acceptor);
	}
	varlink_input_done(&client->input);
	varlink_output_done(&client->output);
	close(client->reader.fd);
	free(client);
	if (large)
		give_back();
}

static void give_back(void)
{
#ifdef __GLIBC__
	(void)malloc_trim(0);
#endif
}

/* We hold the lock of this run directory, so a socket that nobody answers on is left over. */
static bool is_alive(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool alive;

	if (fd < 0)
		return false;
	alive =
	    connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 || errno == EAGAIN;
	close(fd);
	return alive;
}

static void on_accept(struct ev_loop *loop, ev_io *io, int events)
{
	struct control *control =
	    (struct control *)(void *)((char *)io - offsetof(struct control, acceptor));

	(void)loop;
	(void)events;
	for (int i = 0; i < ACCEPT_BATCH; i++) {
		int fd = accept4(control->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		struct ucred peer;
		socklen_t size = sizeof(peer);
		const char *full;

		if (fd < 0) {
			if (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
			    errno == ENOBUFS)
				pause_accept(control);
			return;
		}
		if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0) {
			close(fd);
			continue;
		}
		full = controlplace_find(control, peer.uid);
		if (full == NULL)
			add_client(control, fd, &peer);
		else
			controlplace_turn_away(fd, full);
	}
}

/* The connection stays in the backlog, and its readiness must not turn the loop. */
static void pause_accept(struct control *control)
{
	struct engine *engine = control->engine;

	log_warning("control: cannot accept a connection: %s; trying again", strerror(errno));
	ev_io_stop(engine->loop, &control->acceptor);
	(void)timers_arm(
	    &engine->timers, &control->accept_timer, clock_boot_ns() + ACCEPT_AGAIN_NS);
}

static void on_accept_timer(struct timer *timer)
{
	struct control *control =
	    (struct control *)(void *)((char *)timer - offsetof(struct control, accept_timer));

	ev_io_start(control->engine->loop, &control->acceptor);
}

static void add_client(struct control *control, int fd, const struct ucred *peer)
{
	struct control_client *client = calloc(1, sizeof(*client));

	if (client == NULL) {
		close(fd);
		return;
	}
	client->engine = control->engine;
	client->uid = peer->uid;
	client->gid = peer->gid;
	client->active_ns = clock_boot_ns();
	varlink_input_init(&client->input, LIMIT_VARLINK_BYTES);
	varlink_output_init(&client->output, LIMIT_CONTROL_QUEUE);
	ev_io_init(&client->reader, on_read, fd, EV_READ);
	ev_io_init(&client->writer, on_write, fd, EV_WRITE);
	ev_io_start(control->engine->loop, &client->reader);
	TAILQ_INSERT_TAIL(&control->clients, client, link);
	control->client_count++;
}

static void on_read(struct ev_loop *loop, ev_io *io, int events)
{
	struct control_client *client =
	    (struct control_client *)(void *)((char *)io - offsetof(struct control_client, reader));

	(void)loop;
	if (events & EV_READ) {
		int got = varlink_input_fill(&client->input, client->reader.fd);

		if (got > 0)
			client->active_ns = clock_boot_ns();
		if (got == 0) {
			client->eof = true;
			ev_io_stop(client->engine->loop, &client->reader);
		} else if (got < 0 && got != -EAGAIN) {
			if (got == -EMSGSIZE)
				log_warning("control: a client of uid %u sent a message longer "
					    "than %d bytes",
				    (unsigned)client->uid, LIMIT_VARLINK_BYTES);
			client->dead = true;
		}
	}
	serve(client);
	control_free_if_dead(client);
}

static void on_write(struct ev_loop *loop, ev_io *io, int events)
{
	struct control_client *client =
	    (struct control_client *)(void *)((char *)io - offsetof(struct control_client, writer));
	int error = varlink_output_flush(&client->output, client->reader.fd);

	(void)events;
	client->active_ns = clock_boot_ns();
	if (error == 0) {
		ev_io_stop(loop, &client->writer);
		make_due(client); /* what has waited until this was read */
	} else if (error != -EAGAIN) {
		client->dead = true;
	}
	control_free_if_dead(client);
}

/* A call that was put off, and is to be put off no more. */
static void serve_held(struct control_client *client)
{
	char *message = client->held;

	if (message == NULL || !client->was_held || client->dead)
		return;
	client->held = NULL;
	api_dispatch(client, message, client->held_length);
	client->was_held = false;
	free(message);
}

static void serve(struct control_client *client)
{
	char *message;
	size_t length;

	for (int i = 0; i < CALL_BATCH; i++) {
		if (client->dead || control_is_at_work(client) || is_stuck(client) ||
		    varlink_input_next(&client->input, &message, &length) != 1)
			break;
		client->more = client->oneway = false;
		api_dispatch(client, message, length);
		if (i + 1 == CALL_BATCH)
			make_due(client); /* others have their turn first */
	}
	if (client->eof)
		note_end(client);
	else if (!client->dead && may_read(client))
		ev_io_start(client->engine->loop, &client->reader);
	else
		ev_io_stop(client->engine->loop, &client->reader);
}

/* While a call is waited for it is read on, as far as there is room, to notice the end. */
static bool may_read(const struct control_client *client)
{
	if (is_stuck(client))
		return false;
	return control_is_at_work(client) ? !varlink_input_is_full(&client->input) : !client->due;
}

/* It has not read what it was told. */
static bool is_stuck(const struct control_client *client)
{
	return varlink_output_pending(&client->output) > 0;
}

/* It will send no more; it may still be reading (`printf … | nc -U`), so what it asked for is
 * answered. */
static void note_end(struct control_client *client)
{
	bool idle = !control_is_at_work(client) && !is_stuck(client) && !client->due;

	if (idle || control_is_gone(client))
		client->dead = true;
}

static void make_due(struct control_client *client)
{
	if (client->due)
		return;
	client->due = true;
	TAILQ_INSERT_TAIL(&client->engine->control.due, client, due_link);
}
