/* SPDX-License-Identifier: ISC */
/* logtail.c: see logtail.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/logtail.h"

#define FIRST_SIZE 16

static void drop_first(struct logtail *tail);
static int grow(struct logtail *tail);

void logtail_init(struct logtail *tail, uint64_t most)
{
	*tail = (struct logtail){.most = most};
}

void logtail_done(struct logtail *tail)
{
	while (tail->count > 0)
		drop_first(tail);
	free(tail->lines);
	tail->lines = NULL;
	tail->size = 0;
}

int logtail_add(struct logtail *tail, const char *bytes, size_t length, bool is_note)
{
	char *copy;

	if (tail->most == 0)
		return 0;
	while (tail->count > 0 &&
	       (tail->count >= tail->most || tail->bytes + length > LIMIT_LOG_TAIL)) {
		tail->is_cut |= tail->count < tail->most;
		drop_first(tail);
	}
	if (tail->count == tail->size && grow(tail) < 0)
		return -ENOMEM;
	copy = malloc(length > 0 ? length : 1);
	if (copy == NULL)
		return -ENOMEM;
	memcpy(copy, bytes, length);
	tail->lines[(tail->first + tail->count) % tail->size] =
	    (struct logtail_line){copy, length, is_note};
	tail->count++;
	tail->bytes += length;
	return 0;
}

bool logtail_take(struct logtail *tail, struct logtail_line *ret_line)
{
	if (tail->count == 0)
		return false;
	*ret_line = tail->lines[tail->first];
	tail->bytes -= ret_line->length;
	tail->first = (tail->first + 1) % tail->size;
	tail->count--;
	return true;
}

static void drop_first(struct logtail *tail)
{
	struct logtail_line line;

	if (logtail_take(tail, &line))
		free(line.bytes);
}

static int grow(struct logtail *tail)
{
	size_t size = tail->size > 0 ? tail->size * 2 : FIRST_SIZE;
	struct logtail_line *lines = calloc(size, sizeof(*lines));

	if (lines == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < tail->count; i++)
		lines[i] = tail->lines[(tail->first + i) % tail->size];
	free(tail->lines);
	tail->lines = lines;
	tail->size = size;
	tail->first = 0;
	return 0;
}
