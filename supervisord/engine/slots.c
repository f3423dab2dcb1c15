/* SPDX-License-Identifier: ISC */
/* slots.c: see slots.h. */
#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "supervisord/engine/slots.h"

/* Descriptors that the guardian needs for itself: its own, below 16, and some to receive with. */
#define GUARDIAN_OWN 32

static int take_message(struct slots *slots, struct msg *msg);
static void note_free(struct slots *slots, size_t slot);
static int reserve(struct slots *slots, size_t count);
static int pick(struct slots *slots, uint64_t key);

int slots_receive(struct slots *slots, int channel)
{
	struct rlimit limit;
	struct msg msg;
	int got, error;

	*slots = (struct slots){.channel = channel, .next = HELD_SINGLE_MAX};
	error = reserve(slots, HELD_SINGLE_MAX);
	if (error < 0)
		return error;
	slots->count = HELD_SINGLE_MAX;
	/* The guardian's limit is ours, too: it passed it on.  What it cannot hold, we must not
	 * rely on. */
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return -errno;
	slots->capacity = limit.rlim_cur > GUARDIAN_OWN ? (size_t)limit.rlim_cur - GUARDIAN_OWN : 0;
	while ((got = channel_receive(channel, &msg, 0)) > 0) {
		if (msg.head.type == MSG_HELD_END)
			return 0;
		error = take_message(slots, &msg);
		if (error < 0)
			return error;
		channel_drop_fds(&msg);
	}
	return got < 0 ? got : -ECONNRESET;
}

static int take_message(struct slots *slots, struct msg *msg)
{
	bool is_held = msg->head.type == MSG_HELD && msg->fd_count == 1;
	int error;

	if ((!is_held && msg->head.type != MSG_RELEASED) || msg->head.slot >= LIMIT_HELD)
		return 0;
	error = reserve(slots, msg->head.slot + 1);
	if (error < 0)
		return error;
	if (msg->head.slot >= slots->count)
		slots->count = msg->head.slot + 1;
	slots->list[msg->head.slot] = (struct slot){
	    .key = msg->head.key,
	    .fd = is_held ? msg->fds[0] : -1,
	    .draining = !is_held,
	};
	slots->used++;
	if (is_held)
		msg->fd_count = 0;
	return 0;
}

void slots_note_drained(struct slots *slots, uint32_t slot, uint64_t key)
{
	if (slot >= slots->count || !slots->list[slot].draining || slots->list[slot].key != key)
		return;
	slots->list[slot] = (struct slot){.fd = -1};
	note_free(slots, slot);
}

bool slots_is_draining(const struct slots *slots, int row)
{
	for (size_t i = HELD_SINGLE_MAX; i < slots->count; i++)
		if (slots->list[i].draining && held_key_row(slots->list[i].key) == (uint32_t)row)
			return true;
	return false;
}

void slots_done(struct slots *slots)
{
	for (size_t i = 0; i < slots->count; i++)
		if (slots->list[i].key != 0 && slots->list[i].fd >= 0)
			close(slots->list[i].fd);
	free(slots->list);
	*slots = (struct slots){.channel = -1};
}

int slots_find(const struct slots *slots, uint64_t key)
{
	for (size_t i = 0; i < slots->count; i++)
		if (slots->list[i].key == key)
			return (int)i;
	return -1;
}

int slots_get_fd(const struct slots *slots, int slot)
{
	return slot >= 0 && (size_t)slot < slots->count && slots->list[slot].key != 0
		   ? slots->list[slot].fd
		   : -1;
}

int slots_hold(struct slots *slots, uint64_t key, int fd)
{
	struct msg_head head = {.type = MSG_HOLD, .key = key};
	int slot = pick(slots, key);
	int error;

	if (slot < 0)
		return slot;
	/* What exists once replaces itself, and without it nothing works. */
	if (slots->used >= slots->capacity && slot >= HELD_SINGLE_MAX)
		return -EMFILE;
	head.slot = (uint32_t)slot;
	error = channel_send_head(slots->channel, &head, fd, 0);
	if (error < 0)
		return error;
	if (slots->list[slot].key == 0)
		slots->used++;
	else if (slots->list[slot].fd >= 0)
		close(slots->list[slot].fd);
	slots->list[slot] = (struct slot){.key = key, .fd = fd};
	return slot;
}

void slots_forget_fd(struct slots *slots, int slot)
{
	if (slots_get_fd(slots, slot) < 0)
		return;
	close(slots->list[slot].fd);
	slots->list[slot].fd = -1;
}

void slots_release(struct slots *slots, int slot)
{
	struct msg_head head = {.type = MSG_RELEASE, .slot = (uint32_t)slot};

	if (slot < 0 || (size_t)slot >= slots->count || slots->list[slot].key == 0 ||
	    slots->list[slot].draining)
		return;
	slots_forget_fd(slots, slot);
	/* The guardian keeps a log pipe until the logger has written what is in it. */
	if (held_is_for_logger(slots->list[slot].key)) {
		slots->list[slot].draining = true;
	} else {
		slots->list[slot].key = 0;
		note_free(slots, (size_t)slot);
	}
	(void)channel_send_head(slots->channel, &head, -1, 0);
}

static void note_free(struct slots *slots, size_t slot)
{
	slots->used--;
	if (slot >= HELD_SINGLE_MAX && slot < slots->next)
		slots->next = slot;
}

static int reserve(struct slots *slots, size_t count)
{
	struct slot *list;
	size_t size = slots->size > 0 ? slots->size : 64;

	if (count <= slots->size)
		return 0;
	while (size < count)
		size *= 2;
	list = realloc(slots->list, size * sizeof(*list));
	if (list == NULL)
		return -ENOMEM;
	for (size_t i = slots->size; i < size; i++)
		list[i] = (struct slot){.fd = -1};
	slots->list = list;
	slots->size = size;
	return 0;
}

/* The slot a key belongs in: its own number for those that exist once, else a free one. */
static int pick(struct slots *slots, uint64_t key)
{
	size_t slot = held_key_kind(key);

	if (slot >= HELD_SINGLE_MAX) {
		slot = slots->next;
		while (slot < slots->count && slots->list[slot].key != 0)
			slot++;
		slots->next = slot;
	}
	if (slot >= LIMIT_HELD)
		return -ENOSPC;
	if (slot >= slots->count) {
		int error = reserve(slots, slot + 1);

		if (error < 0)
			return error;
		slots->count = slot + 1;
	}
	return (int)slot;
}
