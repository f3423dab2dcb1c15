/* SPDX-License-Identifier: ISC */
/* ipcring.c: see ipcring.h. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisord/engine/ipcring.h"

static uint64_t put(struct ipcring *ring, uint64_t at, const char *bytes, size_t length);

uint64_t ipcring_add(struct ipcring *ring, int64_t wall_ns, const char *text, size_t length)
{
	uint64_t number = atomic_load(&ring->numbers) + 1;
	uint64_t at = atomic_load(&ring->total);
	char head[48];
	int head_length = snprintf(head, sizeof(head), "%" PRIu64 " %" PRId64 " ", number, wall_ns);

	if (length + sizeof(head) > sizeof(ring->bytes))
		return number - 1;
	at = put(ring, at, head, (size_t)head_length);
	at = put(ring, at, text, length);
	at = put(ring, at, "\n", 1);
	/* Killed in between the number is used up, and the message is told again under the next. */
	atomic_store(&ring->numbers, number);
	atomic_store(&ring->total, at);
	return number;
}

size_t ipcring_copy(const struct ipcring *ring, char *buffer)
{
	uint64_t total = atomic_load(&ring->total);
	size_t split = total % sizeof(ring->bytes), begin;
	const char *newline;

	if (total <= sizeof(ring->bytes)) {
		memcpy(buffer, ring->bytes, total);
		return total;
	}
	memcpy(buffer, ring->bytes + split, sizeof(ring->bytes) - split);
	memcpy(buffer + sizeof(ring->bytes) - split, ring->bytes, split);
	/* The oldest has lost its beginning. */
	newline = memchr(buffer, '\n', sizeof(ring->bytes));
	begin = newline != NULL ? (size_t)(newline + 1 - buffer) : sizeof(ring->bytes);
	memmove(buffer, buffer + begin, sizeof(ring->bytes) - begin);
	return sizeof(ring->bytes) - begin;
}

bool ipcring_next(
    const char *buffer, size_t length, size_t *at, struct ipcring_message *ret_message)
{
	const char *line = buffer + *at;
	const char *newline = *at < length ? memchr(line, '\n', length - *at) : NULL;
	char *end;

	if (newline == NULL)
		return false;
	*at = (size_t)(newline + 1 - buffer);
	ret_message->number = strtoull(line, &end, 10);
	ret_message->wall_ns = strtoll(end, &end, 10);
	ret_message->text = end < newline ? end + 1 : newline;
	ret_message->length = (size_t)(newline - ret_message->text);
	return true;
}

static uint64_t put(struct ipcring *ring, uint64_t at, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length;) {
		size_t place = (at + i) % sizeof(ring->bytes);
		size_t part = sizeof(ring->bytes) - place;

		if (part > length - i)
			part = length - i;
		memcpy(ring->bytes + place, bytes + i, part);
		i += part;
	}
	return at + length;
}
