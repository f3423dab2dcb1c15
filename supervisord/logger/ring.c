/* SPDX-License-Identifier: ISC */
/* ring.c: see ring.h.  Byte P of the log is data[P % size]; a record may wrap anywhere. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "supervisord/logger/ring.h"

/* Before the text of each record. */
struct head {
	int64_t wall_ns;
	uint64_t run;
	uint32_t length;
	uint32_t spare;
};

_Static_assert(RING_RECORD_MAX + sizeof(struct head) <= LIMIT_LOG_RING_MIN, "a record fits");

static void add_record(struct ring *ring, const struct head *head, const char *text);
static void make_room(struct ring *ring, size_t bytes);
static void drop_oldest(struct ring *ring);
static bool have_memory(struct ring *ring);
static bool halve_largest(struct rings *rings, const struct ring *except);
static bool resize(struct ring *ring, size_t size);
static size_t room_left(const struct rings *rings);
static void get_bytes(const struct ring *ring, uint64_t position, void *ret_bytes, size_t length);
static void put_bytes(struct ring *ring, uint64_t position, const void *bytes, size_t length);

void rings_init(struct rings *rings, size_t limit)
{
	*rings = (struct rings){.limit = limit};
	LIST_INIT(&rings->list);
}

void rings_set_limit(struct rings *rings, size_t limit, size_t reserved)
{
	struct ring *ring;

	rings->limit = limit;
	rings->reserved = reserved;
	while (rings->used + reserved > limit && halve_largest(rings, NULL))
		continue;
	LIST_FOREACH (ring, &rings->list, link) {
		if (rings->used + reserved <= limit)
			return;
		(void)resize(ring, 0);
	}
}

void ring_init(struct ring *ring, struct rings *rings)
{
	*ring = (struct ring){.rings = rings};
	LIST_INSERT_HEAD(&rings->list, ring, link);
}

void ring_done(struct ring *ring)
{
	(void)resize(ring, 0);
	LIST_REMOVE(ring, link);
}

void ring_append(struct ring *ring, int64_t wall_ns, uint64_t run, const char *text, size_t length)
{
	struct head head = {.wall_ns = wall_ns, .run = run};

	if (!have_memory(ring)) {
		ring->end += length;
		ring->begin = ring->end;
		return;
	}
	while (length > 0) {
		size_t part = length;

		if (part > RING_RECORD_MAX) {
			const char *newline = memrchr(text, '\n', RING_RECORD_MAX);

			part = newline != NULL ? (size_t)(newline - text) + 1 : RING_RECORD_MAX;
		}
		head.length = (uint32_t)part;
		add_record(ring, &head, text);
		text += part;
		length -= part;
	}
}

bool ring_read(const struct ring *ring, uint64_t position, struct ring_record *ret_record,
    char *ret_text, bool *ret_lost)
{
	struct head head;

	/* Past the end: a position of a former logger's ring. */
	*ret_lost = position < ring->begin || position > ring->end;
	if (*ret_lost)
		position = ring->begin;
	if (position == ring->end)
		return false;
	get_bytes(ring, position, &head, sizeof(head));
	get_bytes(ring, position + sizeof(head), ret_text, head.length);
	*ret_record = (struct ring_record){
	    .wall_ns = head.wall_ns,
	    .run = head.run,
	    .next = position + sizeof(head) + head.length,
	    .length = head.length,
	};
	return true;
}

static void add_record(struct ring *ring, const struct head *head, const char *text)
{
	size_t bytes = sizeof(*head) + head->length;

	make_room(ring, bytes);
	put_bytes(ring, ring->end, head, sizeof(*head));
	put_bytes(ring, ring->end + sizeof(*head), text, head->length);
	ring->end += bytes;
}

static void make_room(struct ring *ring, size_t bytes)
{
	while (ring->end - ring->begin + bytes > ring->size && ring->size < LIMIT_LOG_RING &&
	       room_left(ring->rings) >= ring->size)
		if (!resize(ring, ring->size * 2))
			break;
	while (ring->end - ring->begin + bytes > ring->size)
		drop_oldest(ring);
}

static void drop_oldest(struct ring *ring)
{
	struct head head;

	get_bytes(ring, ring->begin, &head, sizeof(head));
	ring->begin += sizeof(head) + head.length;
}

static bool have_memory(struct ring *ring)
{
	if (ring->data != NULL)
		return true;
	while (room_left(ring->rings) < LIMIT_LOG_RING_MIN)
		if (!halve_largest(ring->rings, ring))
			return false;
	return resize(ring, LIMIT_LOG_RING_MIN);
}

static bool halve_largest(struct rings *rings, const struct ring *except)
{
	struct ring *ring, *largest = NULL;

	LIST_FOREACH (ring, &rings->list, link)
		if (ring != except && ring->size > LIMIT_LOG_RING_MIN &&
		    (largest == NULL || ring->size > largest->size))
			largest = ring;
	return largest != NULL && resize(largest, largest->size / 2);
}

/* With what still fits of the newest.  Returns whether the ring has that size now. */
static bool resize(struct ring *ring, size_t size)
{
	struct ring fresh = *ring;

	fresh.size = size;
	fresh.data = size > 0 ? malloc(size) : NULL;
	if (size > 0 && fresh.data == NULL)
		return false;
	while (ring->end - ring->begin > size)
		drop_oldest(ring);
	fresh.begin = ring->begin;
	for (uint64_t at = ring->begin; at < ring->end;) {
		size_t index = (size_t)(at % ring->size), run = ring->size - index;

		if (run > ring->end - at)
			run = (size_t)(ring->end - at);
		put_bytes(&fresh, at, ring->data + index, run);
		at += run;
	}
	free(ring->data);
	ring->rings->used = ring->rings->used - ring->size + size;
	ring->data = fresh.data;
	ring->size = size;
	return true;
}

static size_t room_left(const struct rings *rings)
{
	size_t taken = rings->used + rings->reserved;

	return taken < rings->limit ? rings->limit - taken : 0;
}

static void get_bytes(const struct ring *ring, uint64_t position, void *ret_bytes, size_t length)
{
	size_t index = (size_t)(position % ring->size), first = ring->size - index;

	if (first > length)
		first = length;
	memcpy(ret_bytes, ring->data + index, first);
	memcpy((char *)ret_bytes + first, ring->data, length - first);
}

static void put_bytes(struct ring *ring, uint64_t position, const void *bytes, size_t length)
{
	size_t index = (size_t)(position % ring->size), first = ring->size - index;

	if (first > length)
		first = length;
	memcpy(ring->data + index, bytes, first);
	memcpy(ring->data, (const char *)bytes + first, length - first);
}
