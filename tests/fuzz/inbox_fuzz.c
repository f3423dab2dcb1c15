/* SPDX-License-Identifier: ISC */
/*
 * inbox_fuzz.c: libFuzzer target: any bytes as what workers send, in any pieces, with a death of
 * the process after any of them.  The lines are those of the input; each is read as a request.
 *
 * Links supervisord/cluster/request.c, compiled with clang -fsanitize=fuzzer,address,undefined.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/inbox.h"
#include "supervisord/cluster/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct inbox box;
static struct request_reader reader;

static void require(int holds)
{
	if (!holds)
		abort();
}

/* Take out what is there; returns how far the input has been seen. */
static size_t follow(struct inbox_view *view, const uint8_t *data, size_t size, size_t at)
{
	char key[LIMIT_CLUSTER_KEY];
	struct request request;
	const char *line;
	size_t length;

	while (inbox_next(view, &line, &length) == INBOX_LINE) {
		require(at + length < size && memcmp(line, data + at, length) == 0);
		require(data[at + length] == '\n');
		request_read(&reader, line, length, &request);
		if (request.act == REQUEST_QUERY)
			(void)request_make_key(&request, key);
		at += length + 1;
		inbox_take(view, length);
	}
	return at;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t chunk, fed = 0, seen = 0;
	struct inbox_view view;
	int dies;

	/* A zero ends what a later process finds. */
	if (size < 3 || memchr(data + 2, 0, size - 2) != NULL || size > LIMIT_IPC_LINE)
		return 0;
	chunk = 1U + data[0];
	dies = data[1] & 1;
	data += 2;
	size -= 2;
	memset(&box, 0, sizeof(box));
	inbox_attach(&view, &box);
	while (fed < size) {
		size_t room, part = size - fed < chunk ? size - fed : chunk;
		char *to = inbox_get_room(&view, &room);

		require(room > 0);
		part = part < room ? part : room;
		memcpy(to, data + fed, part);
		fed += part;
		if (dies)
			inbox_attach(&view, &box);
		else
			inbox_add(&view, part);
		seen = follow(&view, data, size, seen);
	}
	require(memchr(data + seen, '\n', size - seen) == NULL);
	return 0;
}
