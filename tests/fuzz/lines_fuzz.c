/* SPDX-License-Identifier: ISC */
/*
 * lines_fuzz.c: libFuzzer target: any bytes as what is in a pipe.  Put together, lines and parts
 * are the bytes again, none is longer than allowed, and the chunks in which the bytes come make no
 * difference.
 *
 * Links supervisord/logger/lines.c, compiled with clang -fsanitize=fuzzer,address,undefined.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "supervisord/logger/lines.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds)
{
	if (!holds)
		abort();
}

/* Compare what a line stands for with the input from `at`; returns where the next one begins. */
static size_t follow(const struct line *line, const uint8_t *data, size_t size, size_t at)
{
	require(line->length <= size - at && memcmp(line->text, data + at, line->length) == 0);
	require(memchr(line->text, '\n', line->length) == NULL);
	at += line->length;
	if (!line->is_continued) {
		require(at < size && data[at] == '\n');
		at++;
	}
	return at;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t max, chunk, whole = 0, in_chunks = 0, count = 0, chunk_count = 0;
	struct lines lines;
	struct line line;

	if (size < 2)
		return 0;
	max = 5 + data[0] % 64;
	/* A pipe that holds no more than a line is what lines_next() needs to go on. */
	chunk = max + 1 + data[1];
	data += 2;
	size -= 2;
	lines_init(&lines, (const char *)data, size, max, true);
	while (lines_next(&lines, &line)) {
		require(line.length <= max && (line.length > 0 || !line.is_continued));
		whole = follow(&line, data, size, whole);
		count++;
	}
	require(whole == size);
	while (in_chunks < size) {
		size_t length = size - in_chunks < chunk ? size - in_chunks : chunk;
		size_t before = in_chunks;

		lines_init(&lines, (const char *)data + in_chunks, length, max,
		    in_chunks + length == size);
		while (lines_next(&lines, &line)) {
			in_chunks = follow(&line, data, size, in_chunks);
			chunk_count++;
		}
		require(in_chunks > before);
	}
	require(count == chunk_count);
	return 0;
}
