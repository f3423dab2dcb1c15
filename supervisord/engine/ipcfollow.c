/* SPDX-License-Identifier: ISC */
/* ipcfollow.c: see ipcfollow.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/timestamp.h"
#include "supervisord/engine/ipcfollow.h"
#include "supervisord/engine/record.h"

static void on_readable(struct ev_loop *loop, ev_io *io, int events);
static void drop(struct ev_loop *loop, ev_io *end);

void ipc_followers_init(struct ipc_followers *followers, struct ev_loop *loop)
{
	followers->loop = loop;
	for (size_t i = 0; i < LIMIT_IPC_FOLLOWERS; i++)
		ev_io_init(&followers->ends[i], on_readable, -1, EV_READ);
}

void ipc_followers_done(struct ipc_followers *followers)
{
	for (size_t i = 0; i < LIMIT_IPC_FOLLOWERS; i++)
		drop(followers->loop, &followers->ends[i]);
}

int ipc_followers_add(struct ipc_followers *followers, int fd)
{
	for (size_t i = 0; i < LIMIT_IPC_FOLLOWERS; i++) {
		if (followers->ends[i].fd >= 0)
			continue;
		ev_io_set(&followers->ends[i], fd, EV_READ);
		ev_io_start(followers->loop, &followers->ends[i]);
		return 0;
	}
	return -EAGAIN;
}

void ipc_followers_tell(struct ipc_followers *followers, const struct ipcring_message *message)
{
	struct jsonw w = {0};

	for (size_t i = 0; i < LIMIT_IPC_FOLLOWERS; i++) {
		ev_io *end = &followers->ends[i];

		if (end->fd < 0)
			continue;
		if (w.limit == 0) {
			jsonw_init(&w, LIMIT_VARLINK_BYTES);
			jsonw_begin_object(&w);
			jsonw_key(&w, "parameters");
			jsonw_begin_object(&w);
			jsonw_key(&w, "messages");
			jsonw_begin_array(&w);
			ipc_write_message(&w, message);
			jsonw_end_array(&w);
			jsonw_end_object(&w);
			jsonw_member_bool(&w, "continues", true);
			jsonw_end_object(&w);
			jsonw_raw(&w, "", 1);
		}
		if (jsonw_error(&w) < 0 || send(end->fd, w.data, w.length,
					       MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)w.length)
			drop(followers->loop, end);
	}
	jsonw_done(&w);
}

void ipc_write_message(struct jsonw *w, const struct ipcring_message *message)
{
	char time[RECORD_TIME];

	jsonw_begin_object(w);
	jsonw_member_int(w, "number", (int64_t)message->number);
	jsonw_member_string(w, "time", record_time(message->wall_ns, time, sizeof(time)));
	jsonw_key(w, "message");
	jsonw_string_n(w, message->text, message->length);
	jsonw_end_object(w);
}

/* It has nothing more to say: it is gone, or does not know how to follow. */
static void on_readable(struct ev_loop *loop, ev_io *io, int events)
{
	(void)events;
	drop(loop, io);
}

static void drop(struct ev_loop *loop, ev_io *end)
{
	if (end->fd < 0)
		return;
	ev_io_stop(loop, end);
	close(end->fd);
	ev_io_set(end, -1, EV_READ);
}
