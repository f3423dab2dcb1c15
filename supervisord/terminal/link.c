/* SPDX-License-Identifier: ISC */
/* link.c: see link.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/channel.h"
#include "lib/ownlog.h"
#include "lib/ttylink.h"
#include "supervisord/terminal/clients.h"
#include "supervisord/terminal/link.h"
#include "supervisord/terminal/pump.h"

/* Rounds of the pump before news, whose place is behind the output so far. */
#define NEWS_ROUNDS 8

static void take(struct terminal *terminal, const struct msg_head *head, const char *payload,
    size_t length, int fd);
static void catch_up(struct terminal *terminal);

int link_read(struct terminal *terminal)
{
	char payload[sizeof(struct tty_client_wish) + LIMIT_TTY_NEWS];
	struct msg_head head;
	size_t length;
	int got, fd;

	for (;;) {
		got = channel_receive_long(
		    FD_TTY_LINK, &head, payload, sizeof(payload), &length, &fd, MSG_DONTWAIT);
		if (got == -EAGAIN)
			return 0;
		if (got == 0 || got == -ECONNRESET)
			return -EPIPE;
		if (got == -EBADMSG)
			log_error("a message of the engine was cut");
		else if (got < 0)
			return got;
		else
			take(terminal, &head, payload, length, fd);
	}
}

void link_tell_drained(struct terminal *terminal)
{
	struct msg_head head = {.type = TTY_DRAINED, .key = terminal->drain_run};

	terminal->drain_run = 0;
	/* The engine waits for it no longer than it is alive. */
	(void)channel_send_long(FD_TTY_LINK, &head, NULL, 0, -1, MSG_DONTWAIT);
}

static void take(struct terminal *terminal, const struct msg_head *head, const char *payload,
    size_t length, int fd)
{
	struct tty_client_wish wish;

	switch (head->type) {
	case TTY_OUTPUT:
		if (fd >= 0)
			pump_set_output(terminal, fd);
		terminal->last = false; /* there will be another run */
		return;
	case TTY_CLIENT:
		if (fd < 0 || length != sizeof(wish))
			break;
		memcpy(&wish, payload, sizeof(wish));
		clients_add(terminal, fd, &wish);
		return;
	case TTY_NEWS:
		catch_up(terminal);
		clients_tell(terminal, payload, length);
		break;
	case TTY_LAST:
		terminal->last = true;
		break;
	case TTY_DRAIN:
		terminal->drain_run = head->key;
		break;
	default: /* of a newer engine */
		log_warning("message %u of the engine is not understood", head->type);
		break;
	}
	if (fd >= 0)
		close(fd);
}

static void catch_up(struct terminal *terminal)
{
	for (int i = 0; i < NEWS_ROUNDS && pump_run(terminal) == PUMP_AGAIN; i++)
		;
}
