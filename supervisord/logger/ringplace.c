/* SPDX-License-Identifier: ISC */
/* ringplace.c: see ringplace.h. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisord/logger/lines.h"
#include "supervisord/logger/ringplace.h"

static uint64_t count_lines(const char *text, size_t length);
static bool parse_number(const char **text, char after, uint64_t *ret_number);

void ringplace_seek_lines(struct ringplace *place, const struct ring *ring, uint64_t lines)
{
	char text[RING_RECORD_MAX];
	struct ring_record record;
	uint64_t all = 0;
	bool lost;

	for (uint64_t at = ring->begin; ring_read(ring, at, &record, text, &lost); at = record.next)
		all += count_lines(text, record.length);
	*place = (struct ringplace){.position = ring->begin, .skip = all > lines ? all - lines : 0};
	while (place->skip > 0 && ring_read(ring, place->position, &record, text, &lost)) {
		uint64_t here = count_lines(text, record.length);

		if (here > place->skip)
			return;
		place->skip -= here;
		place->position = record.next;
	}
}

void ringplace_seek_time(struct ringplace *place, const struct ring *ring, int64_t wall_ns)
{
	char text[RING_RECORD_MAX];
	struct ring_record record;
	bool lost;

	*place = (struct ringplace){.position = ring->begin};
	while (ring_read(ring, place->position, &record, text, &lost) && record.wall_ns < wall_ns)
		place->position = record.next;
}

int ringplace_seek_text(struct ringplace *place, const struct ring *ring, uint64_t life,
    const char *text, enum place_loss *ret_loss)
{
	uint64_t of_life, position;

	if (*text++ != 'm' || !parse_number(&text, '.', &of_life) ||
	    !parse_number(&text, '\0', &position))
		return -EINVAL;
	*place = (struct ringplace){.position = position};
	if (of_life == life && position <= ring->end)
		return 0;
	place->position = ring->begin;
	*ret_loss = PLACE_LOST_UNSURE;
	return 0;
}

const char *ringplace_format(
    const struct ringplace *place, uint64_t life, char *buffer, size_t size)
{
	(void)snprintf(buffer, size, "m%" PRIx64 ".%" PRIx64, life, place->position);
	return buffer;
}

bool ringplace_read(struct ringplace *place, const struct ring *ring, uint64_t end,
    const char *name, uint16_t stream, struct jsonw *out, enum place_loss *ret_loss)
{
	char text[RING_RECORD_MAX];
	struct ring_record record;
	struct form form = {0};
	struct lines lines;
	struct line line;
	bool lost;

	if (place->position >= end || !ring_read(ring, place->position, &record, text, &lost))
		return false;
	if (lost) {
		*ret_loss = PLACE_LOST_ROTATED;
		place->skip = 0;
	}
	form_begin(&form, LOGSPEC_STAMP,
	    &(struct origin){
		.name = name, .run = record.run, .stream = stream, .wall_ns = record.wall_ns});
	lines_init(&lines, text, record.length, sizeof(text), true);
	while (lines_next(&lines, &line)) {
		if (place->skip > 0)
			place->skip--;
		else
			form_write(&form, out, &line);
	}
	place->skip = 0;
	place->position = record.next;
	return true;
}

static uint64_t count_lines(const char *text, size_t length)
{
	struct lines lines;
	struct line line;
	uint64_t count = 0;

	lines_init(&lines, text, length, RING_RECORD_MAX, true);
	while (lines_next(&lines, &line))
		count++;
	return count;
}

static bool parse_number(const char **text, char after, uint64_t *ret_number)
{
	size_t length = strspn(*text, "0123456789abcdef");
	char *end;

	errno = 0;
	*ret_number = strtoull(*text, &end, 16);
	/* strtoull(3) takes blanks, signs and 0x as well. */
	if (length == 0 || end != *text + length || errno != 0 || *end != after)
		return false;
	*text = end + 1;
	return true;
}
