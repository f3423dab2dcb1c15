/* SPDX-License-Identifier: ISC */
/* held.c: see held.h. */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/channel.h"
#include "supervisord/guardian/held.h"

static void mark(struct held *held, uint32_t slot, enum held_peer peer, unsigned due);
static int tell(const struct held_slot *entry, uint32_t slot, enum msg_type type, int channel);

int held_put(struct held *held, uint32_t slot, uint64_t key, int fd)
{
	struct held_slot *entry;

	if (slot >= LIMIT_HELD || key == 0)
		return -EINVAL;
	entry = &held->slots[slot];
	if (entry->released)
		return -EBUSY;
	if (entry->key != 0)
		close(entry->fd);
	*entry = (struct held_slot){.key = key, .fd = fd};
	if (slot >= held->high)
		held->high = slot + 1;
	if (held_is_for_logger(key))
		mark(held, slot, HELD_LOGGER, HELD_DUE_LOGGER);
	return 0;
}

int held_release(struct held *held, uint32_t slot)
{
	struct held_slot *entry;

	if (slot >= LIMIT_HELD || held->slots[slot].key == 0 || held->slots[slot].released)
		return -EINVAL;
	entry = &held->slots[slot];
	entry->due &= (uint8_t)~HELD_DUE_ENGINE;
	if (held_is_for_logger(entry->key)) {
		entry->released = true;
		mark(held, slot, HELD_LOGGER, HELD_DUE_RELEASE);
		return 0;
	}
	close(entry->fd);
	*entry = (struct held_slot){.key = 0};
	return 0;
}

void held_note_drained(struct held *held, uint32_t slot, uint64_t key)
{
	struct held_slot *entry = &held->slots[slot < LIMIT_HELD ? slot : 0];

	if (slot >= LIMIT_HELD || entry->key != key || !entry->released)
		return;
	close(entry->fd);
	*entry = (struct held_slot){.key = 0};
}

void held_restart_peer(struct held *held, enum held_peer peer)
{
	for (uint32_t slot = 0; slot < held->high; slot++) {
		struct held_slot *entry = &held->slots[slot];

		if (entry->key == 0)
			continue;
		if (peer == HELD_ENGINE) {
			mark(held, slot, HELD_ENGINE, HELD_DUE_ENGINE);
		} else if (held_is_for_logger(entry->key)) {
			mark(held, slot, HELD_LOGGER,
			    HELD_DUE_LOGGER | (entry->released ? HELD_DUE_RELEASE : 0U));
		}
	}
}

int held_deliver(struct held *held, enum held_peer peer, int channel)
{
	uint32_t *slot = &held->cursor[peer];

	for (; *slot < held->high; (*slot)++) {
		struct held_slot *entry = &held->slots[*slot];
		int error;

		if (entry->due & 1U << peer) {
			/* The engine only has to know that a released one is not free yet. */
			error = tell(entry, *slot,
			    peer == HELD_ENGINE && entry->released ? MSG_RELEASED : MSG_HELD,
			    channel);
			if (error < 0)
				return error;
			entry->due &= (uint8_t) ~(1U << peer);
		}
		if (peer == HELD_LOGGER && (entry->due & HELD_DUE_RELEASE)) {
			error = tell(entry, *slot, MSG_RELEASED, channel);
			if (error < 0)
				return error;
			entry->due &= (uint8_t)~HELD_DUE_RELEASE;
		}
	}
	return 0;
}

static void mark(struct held *held, uint32_t slot, enum held_peer peer, unsigned due)
{
	held->slots[slot].due |= (uint8_t)due;
	if (held->cursor[peer] > slot)
		held->cursor[peer] = slot;
}

static int tell(const struct held_slot *entry, uint32_t slot, enum msg_type type, int channel)
{
	struct msg_head head = {.type = type, .slot = slot, .key = entry->key};

	return channel_send_head(channel, &head, type == MSG_HELD ? entry->fd : -1, MSG_DONTWAIT);
}
