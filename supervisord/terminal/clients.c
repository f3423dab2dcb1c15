/* SPDX-License-Identifier: ISC */
/* clients.c: see clients.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "lib/ownlog.h"
#include "supervisord/terminal/clients.h"
#include "supervisord/terminal/pump.h"

/* Frames that one client may send before the others are looked at. */
#define FRAMES 16

static void answer(struct client *client, const struct tty_client_wish *wish);
static void refuse(int fd);
static void receive(struct terminal *terminal, struct client *client);
static int receive_some(struct client *client);
static void take_frame(struct terminal *terminal, struct client *client);
static void type(struct terminal *terminal, struct client *client);
static void set_window(struct terminal *terminal);
static void show(struct terminal *terminal, struct client *client);
static bool prepare_frame(const struct state *state, struct client *client);
static void watch(struct terminal *terminal, struct client *client, bool out_full);
static void drop(struct terminal *terminal, struct client *client);

void clients_init(struct terminal *terminal)
{
	for (uint32_t i = 0; i < LIMIT_TTY_CLIENTS; i++)
		terminal->clients[i].fd = -1;
}

void clients_done(struct terminal *terminal)
{
	for (uint32_t i = 0; i < LIMIT_TTY_CLIENTS; i++)
		if (terminal->clients[i].fd >= 0)
			drop(terminal, &terminal->clients[i]);
}

void clients_add(struct terminal *terminal, int fd, const struct tty_client_wish *wish)
{
	const struct state *state = terminal->state;
	struct client *client = terminal->clients;
	const struct client *end = client + LIMIT_TTY_CLIENTS;

	while (client < end && client->fd >= 0)
		client++;
	if (client == end || fcntl(fd, F_SETFL, O_NONBLOCK) < 0) {
		refuse(fd);
		return;
	}
	client->fd = fd;
	client->may_type = wish->may_type != 0;
	client->begun = client->in_full = false;
	client->events = 0;
	client->rows = client->columns = 0;
	client->news_length = 0;
	client->in.length = client->in.done = 0;
	client->sent = pump_replay(state);
	if (wish->from >= 0 && (uint64_t)wish->from <= state->total)
		client->sent = (uint64_t)wish->from;
	answer(client, wish);
	watch(terminal, client, false);
	show(terminal, client);
}

void clients_note_event(struct terminal *terminal, uint32_t number, uint32_t events)
{
	struct client *client = &terminal->clients[number];

	if (client->fd < 0)
		return;
	if (events & EPOLLIN)
		receive(terminal, client);
	else if (events & (EPOLLHUP | EPOLLERR))
		drop(terminal, client);
	if (client->fd >= 0 && (events & EPOLLOUT))
		show(terminal, client);
}

void clients_type(struct terminal *terminal)
{
	for (uint32_t i = 0; i < LIMIT_TTY_CLIENTS; i++) {
		struct client *client = &terminal->clients[i];

		if (client->fd < 0 || !client->in_full)
			continue;
		type(terminal, client);
		if (!client->in_full)
			receive(terminal, client);
	}
}

bool clients_wait(const struct terminal *terminal)
{
	for (uint32_t i = 0; i < LIMIT_TTY_CLIENTS; i++)
		if (terminal->clients[i].fd >= 0 && terminal->clients[i].in_full)
			return true;
	return false;
}

void clients_show(struct terminal *terminal)
{
	for (uint32_t i = 0; i < LIMIT_TTY_CLIENTS; i++)
		if (terminal->clients[i].fd >= 0)
			show(terminal, &terminal->clients[i]);
}

void clients_tell(struct terminal *terminal, const char *text, size_t length)
{
	if (length > LIMIT_TTY_NEWS)
		length = LIMIT_TTY_NEWS;
	for (uint32_t i = 0; i < LIMIT_TTY_CLIENTS; i++) {
		struct client *client = &terminal->clients[i];

		if (client->fd < 0)
			continue;
		memcpy(client->news, text, length);
		client->news_length = length;
		client->news_at = terminal->state->total;
	}
}

/* What Varlink has for the call; frames follow it. */
static void answer(struct client *client, const struct tty_client_wish *wish)
{
	struct ttyframe *out = &client->out;
	int length = snprintf((char *)out->bytes, sizeof(out->bytes),
	    "{\"parameters\":{\"tty\":true,\"position\":%" PRIu64 ",\"state\":\"%.*s\"}}",
	    client->sent, (int)sizeof(wish->state), wish->state);

	out->length = (size_t)length + 1; /* its NUL ends a message */
	out->done = 0;
}

static void refuse(int fd)
{
	static const char reply[] = "{\"error\":\"io.superctl.Busy\",\"parameters\":{\"reason\":"
				    "\"too many are attached\"}}";

	(void)send(fd, reply, sizeof(reply), MSG_NOSIGNAL | MSG_DONTWAIT);
	close(fd);
}

static void receive(struct terminal *terminal, struct client *client)
{
	for (int i = 0; i < FRAMES && client->fd >= 0 && !client->in_full; i++) {
		int missing = receive_some(client);

		if (missing == -EAGAIN)
			break;
		if (missing < 0)
			drop(terminal, client);
		else if (missing == 0)
			take_frame(terminal, client);
	}
	if (client->fd >= 0)
		watch(terminal, client, (client->events & EPOLLOUT) != 0);
}

/* How much is missing after that, or -errno. */
static int receive_some(struct client *client)
{
	int missing = ttyframe_missing(&client->in);
	ssize_t got;

	if (missing <= 0)
		return missing;
	got = recv(client->fd, client->in.bytes + client->in.length, (size_t)missing, 0);
	if (got < 0)
		return errno == EINTR ? missing : -errno;
	if (got == 0)
		return -ECONNRESET;
	client->in.length += (size_t)got;
	return ttyframe_missing(&client->in);
}

static void take_frame(struct terminal *terminal, struct client *client)
{
	size_t length;
	const unsigned char *payload = ttyframe_payload(&client->in, &length);
	unsigned type_of = ttyframe_type(&client->in);

	if (type_of == TTYFRAME_WINDOW && length == 4) {
		client->rows = (unsigned)ttyframe_number(payload, 2);
		client->columns = (unsigned)ttyframe_number(payload + 2, 2);
		client->begun = true;
		client->in.length = 0;
		set_window(terminal);
		show(terminal, client);
	} else if (type_of == TTYFRAME_INPUT && client->may_type) {
		client->in.done = 0;
		type(terminal, client);
	} else if (type_of == TTYFRAME_END && client->may_type) {
		drop(terminal, client); /* all that came before has been passed on */
	} else {
		log_warning("a client is dropped: it sent what is no frame, or may not type");
		drop(terminal, client);
	}
}

static void type(struct terminal *terminal, struct client *client)
{
	size_t length;
	const unsigned char *payload = ttyframe_payload(&client->in, &length);

	(void)terminal;
	client->in_full = false;
	while (client->in.done < length) {
		long taken =
		    pump_type((const char *)payload + client->in.done, length - client->in.done);

		if (taken == -EAGAIN) {
			client->in_full = true;
			return;
		}
		if (taken < 0) {
			log_error("what was typed cannot be passed on: %s", strerror((int)-taken));
			break;
		}
		client->in.done += (size_t)taken;
	}
	client->in.length = 0;
}

/* As large as all who may type can see; the kernel tells the program when it changes. */
static void set_window(struct terminal *terminal)
{
	struct winsize size = {0}, now;

	for (uint32_t i = 0; i < LIMIT_TTY_CLIENTS; i++) {
		const struct client *client = &terminal->clients[i];

		if (client->fd < 0 || !client->may_type || client->rows == 0 ||
		    client->columns == 0)
			continue;
		if (size.ws_row == 0 || client->rows < size.ws_row)
			size.ws_row = (unsigned short)client->rows;
		if (size.ws_col == 0 || client->columns < size.ws_col)
			size.ws_col = (unsigned short)client->columns;
	}
	if (size.ws_row == 0 || ioctl(FD_TTY_MASTER, TIOCGWINSZ, &now) < 0 ||
	    (now.ws_row == size.ws_row && now.ws_col == size.ws_col))
		return;
	if (ioctl(FD_TTY_MASTER, TIOCSWINSZ, &size) < 0)
		log_warning("TIOCSWINSZ: %s", strerror(errno));
}

static void show(struct terminal *terminal, struct client *client)
{
	struct ttyframe *out = &client->out;

	for (;;) {
		ssize_t sent;

		if (out->done == out->length && !prepare_frame(terminal->state, client))
			break;
		sent = send(client->fd, out->bytes + out->done, out->length - out->done,
		    MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0 && errno != EAGAIN) {
			drop(terminal, client);
			return;
		}
		if (sent < 0) {
			watch(terminal, client, true);
			return;
		}
		out->done += (size_t)sent;
	}
	watch(terminal, client, false);
}

/* The next frame for it.  False: there is none. */
static bool prepare_frame(const struct state *state, struct client *client)
{
	uint64_t oldest = pump_oldest(state);
	char piece[LIMIT_TTY_FRAME];
	size_t size = sizeof(piece);

	if (!client->begun)
		return false;
	if (client->sent < oldest) {
		ttyframe_set_gap(&client->out, oldest - client->sent);
		client->sent = oldest;
		return true;
	}
	if (client->news_length > 0 && client->sent >= client->news_at) {
		ttyframe_set(&client->out, TTYFRAME_NEWS, client->news, client->news_length);
		client->news_length = 0;
		return true;
	}
	if (client->news_length > 0 && client->news_at - client->sent < size)
		size = client->news_at - client->sent;
	size = pump_copy(state, client->sent, piece, size);
	if (size == 0)
		return false;
	ttyframe_set(&client->out, TTYFRAME_OUTPUT, piece, size);
	client->sent += size;
	return true;
}

static void watch(struct terminal *terminal, struct client *client, bool out_full)
{
	uint32_t number = (uint32_t)(client - terminal->clients);
	uint32_t want = (client->in_full ? 0 : EPOLLIN) | (out_full ? EPOLLOUT : 0) | EPOLLERR;

	if (terminal_watch(terminal, WATCH_CLIENT, number, client->fd, &client->events, want) < 0)
		drop(terminal, client);
}

/* Its window counts no more. */
static void drop(struct terminal *terminal, struct client *client)
{
	uint32_t number = (uint32_t)(client - terminal->clients);

	(void)terminal_watch(terminal, WATCH_CLIENT, number, client->fd, &client->events, 0);
	close(client->fd);
	client->fd = -1;
	client->in_full = false;
	set_window(terminal);
}
