/* SPDX-License-Identifier: ISC */
/* timesearch.c: see timesearch.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/limits.h"
#include "lib/timestamp.h"
#include "supervisord/logger/timesearch.h"

/* Blocks in which a line with a time is looked for. */
#define BLOCKS_MAX 8
/* Enough of a line for its time. */
#define HEAD_BYTES 64

/* A search for the first line with a time in a part of the file. */
struct window {
	int fd;
	uint64_t at;    /* of the block in the file */
	uint64_t until; /* lines that begin from there on are no matter */
	bool in_line;   /* `at` is not the beginning of a line, or not known to be */
	char *block;    /* LIMIT_LOG_BLOCK bytes */
};

enum found { FOUND_LINE, FOUND_NONE, FOUND_UNSURE };

static int find_line(
    struct window *window, enum found *ret_found, uint64_t *ret_start, int64_t *ret_ns);
static bool find_in_block(struct window *window, size_t got, size_t *ret_position, int64_t *ret_ns);
static bool read_time(const char *line, size_t length, int64_t *ret_ns);

int time_search(int fd, uint64_t size, int64_t since_ns, uint64_t *ret_offset)
{
	struct window window = {.fd = fd, .block = malloc(LIMIT_LOG_BLOCK)};
	uint64_t low = 0, high = size;
	int error = 0;

	if (window.block == NULL)
		return -ENOMEM;
	/* The line at `low` is earlier (or the first), all from `high` on are not. */
	while (high - low > LIMIT_LOG_BLOCK) {
		uint64_t middle = low + (high - low) / 2, start = 0;
		enum found found = FOUND_UNSURE;
		int64_t time_ns = 0;

		window.at = middle;
		window.until = high;
		window.in_line = true;
		error = find_line(&window, &found, &start, &time_ns);
		if (error < 0 || found == FOUND_UNSURE)
			break;
		if (found == FOUND_LINE && time_ns < since_ns)
			low = start;
		else
			high = middle;
	}
	free(window.block);
	if (error == 0)
		*ret_offset = low;
	return error;
}

/* 0 or -errno. */
static int find_line(
    struct window *window, enum found *ret_found, uint64_t *ret_start, int64_t *ret_ns)
{
	for (int i = 0; i < BLOCKS_MAX; i++) {
		ssize_t got = pread(window->fd, window->block, LIMIT_LOG_BLOCK, (off_t)window->at);
		size_t position = 0;

		if (got < 0)
			return -errno;
		if (find_in_block(window, (size_t)got, &position, ret_ns)) {
			*ret_start = window->at + position;
			*ret_found = FOUND_LINE;
			return 0;
		}
		window->at += position;
		if (got < LIMIT_LOG_BLOCK || window->at >= window->until) {
			*ret_found = FOUND_NONE;
			return 0;
		}
	}
	*ret_found = FOUND_UNSURE;
	return 0;
}

/* True: the line at *ret_position has a time; false: the next block is to begin there. */
static bool find_in_block(struct window *window, size_t got, size_t *ret_position, int64_t *ret_ns)
{
	const char *block = window->block;
	size_t at = 0;

	while (at < got) {
		if (window->in_line) {
			const char *end = memchr(block + at, '\n', got - at);

			at = end != NULL ? (size_t)(end - block) + 1 : got;
			window->in_line = end == NULL;
			continue;
		}
		if (window->at + at >= window->until ||
		    (got - at < HEAD_BYTES && got == LIMIT_LOG_BLOCK))
			break;
		if (read_time(block + at, got - at, ret_ns)) {
			*ret_position = at;
			return true;
		}
		window->in_line = true;
	}
	*ret_position = at;
	return false;
}

/* The forms of form.h. */
static bool read_time(const char *line, size_t length, int64_t *ret_ns)
{
	static const char json[] = "{\"time\":\"";
	char end_of_time = ' ';
	const char *end;

	if (length > sizeof(json) - 1 && memcmp(line, json, sizeof(json) - 1) == 0) {
		line += sizeof(json) - 1;
		length -= sizeof(json) - 1;
		end_of_time = '"';
	}
	end = memchr(line, end_of_time, length < HEAD_BYTES ? length : HEAD_BYTES);
	return end != NULL && timestamp_parse(line, (size_t)(end - line), ret_ns) == 0;
}
