/* SPDX-License-Identifier: ISC */
/* linesearch.c: see linesearch.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "supervisord/logger/linesearch.h"

#define BLOCK 16384

static int step_back(
    struct line_search *search, struct place *place, const struct archives *archives);
static int step_count(
    struct line_search *search, struct place *place, const struct archives *archives);
static int end_count(
    struct line_search *search, struct place *place, const struct archives *archives);
static int step_skip(struct line_search *search, struct place *place);
static int go_older(
    struct line_search *search, struct place *place, const struct archives *archives);
static const char *find_newline(const char *block, size_t length, uint64_t *number);

int line_search_step(
    struct line_search *search, struct place *place, const struct archives *archives)
{
	if (search->lines == 0)
		return 1;
	switch (search->phase) {
	case SEARCH_BACK:
		return step_back(search, place, archives);
	case SEARCH_COUNT:
		return step_count(search, place, archives);
	case SEARCH_SKIP:
		return step_skip(search, place);
	}
	return -EINVAL;
}

bool line_search_block(
    struct line_search *search, const char *block, size_t length, size_t *ret_start)
{
	const char *newline;

	if (length == 0)
		return false;
	/* The newline that ends the last line starts no other one. */
	if (!search->begun && block[length - 1] == '\n')
		search->lines++;
	search->begun = true;
	while ((newline = memrchr(block, '\n', length)) != NULL) {
		length = (size_t)(newline - block);
		if (--search->lines == 0) {
			*ret_start = length + 1;
			return true;
		}
	}
	return false;
}

static int step_back(
    struct line_search *search, struct place *place, const struct archives *archives)
{
	char block[BLOCK];
	size_t length = place->offset < sizeof(block) ? (size_t)place->offset : sizeof(block);
	size_t start;
	ssize_t got;
	bool found;

	if (place->fd < 0 || length == 0)
		return go_older(search, place, archives);
	got = pread(place->fd, block, length, (off_t)(place->offset - length));
	if (got < 0)
		return -errno;
	if ((size_t)got < length)
		return 1; /* truncated under our hands: start here */
	found = line_search_block(search, block, length, &start);
	if (!found)
		start = 0;
	place->offset -= length - start;
	search->passed += length - start;
	return found;
}

static int step_count(
    struct line_search *search, struct place *place, const struct archives *archives)
{
	char block[BLOCK];
	ssize_t got = place_read_here(place, block, sizeof(block));
	uint64_t most = UINT64_MAX;

	if (got == -EAGAIN)
		return 0;
	/* What comes before the damage is still worth finding. */
	if (got == 0 || got == -EBADMSG)
		return end_count(search, place, archives);
	if (got < 0)
		return (int)got;
	(void)find_newline(block, (size_t)got, &most);
	search->newlines += UINT64_MAX - most;
	search->passed += (uint64_t)got;
	search->last = block[got - 1];
	return 0;
}

/* The whole archive was counted: is the wanted line in it? */
static int end_count(
    struct line_search *search, struct place *place, const struct archives *archives)
{
	if (!search->begun && place->offset > 0) {
		search->lines += search->last == '\n';
		search->begun = true;
	}
	if (search->newlines < search->lines) {
		int done;

		search->lines -= search->newlines;
		done = go_older(search, place, archives);
		return done == 1 ? place_move(place, archives, 0) < 0 ? -EIO : 1 : done;
	}
	search->newlines -= search->lines - 1;
	search->phase = SEARCH_SKIP;
	return place_move(place, archives, 0);
}

/* To behind so many newlines. */
static int step_skip(struct line_search *search, struct place *place)
{
	char block[BLOCK];
	ssize_t got = place_read_here(place, block, sizeof(block));
	const char *newline;

	if (got == -EAGAIN)
		return 0;
	if (got <= 0)
		return got < 0 && got != -EBADMSG ? (int)got : 1;
	newline = find_newline(block, (size_t)got, &search->newlines);
	if (newline == NULL)
		return 0;
	place_unread(place, (size_t)(block + got - (newline + 1)));
	return 1;
}

/* Returns 0 in the next older file, 1 when there is none, -errno. */
static int go_older(
    struct line_search *search, struct place *place, const struct archives *archives)
{
	int error = place_go_older(place, archives);
	struct stat st;

	if (error < 0)
		return error == -ENOENT ? 1 : error;
	search->newlines = 0;
	search->phase = place->fd >= 0 ? SEARCH_BACK : SEARCH_COUNT;
	if (place->fd < 0)
		return 0;
	if (fstat(place->fd, &st) < 0)
		return -errno;
	place->offset = (uint64_t)st.st_size;
	return 0;
}

/* The newline of this number, from 1; or NULL, and it is counted down by those that are there. */
static const char *find_newline(const char *block, size_t length, uint64_t *number)
{
	const char *end = block + length;

	while (block < end && (block = memchr(block, '\n', (size_t)(end - block))) != NULL) {
		if (--*number == 0)
			return block;
		block++;
	}
	return NULL;
}
