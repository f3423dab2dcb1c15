/* SPDX-License-Identifier: ISC */
/* place.c: see place.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "supervisord/logger/chain.h"
#include "supervisord/logger/place.h"

#define SEARCH_BLOCK 16384

static int go_older(struct place *place, const char *path, unsigned keep);
static int go_newer(struct place *place, const char *path, unsigned keep, uint64_t *ret_lost);

void place_init(struct place *place)
{
	*place = (struct place){.fd = -1};
}

void place_done(struct place *place)
{
	if (place->fd >= 0)
		close(place->fd);
	place->fd = -1;
}

int place_seek_end(
    struct place *place, const char *path, unsigned keep, uint64_t bytes, uint64_t *ret_missing)
{
	struct place found = {.fd = -1};
	struct stat st;
	int fd, number, error;

	for (int from = 0;; from = number + 1) {
		error = chain_open(path, keep, from, 1, &fd, &st, &number);
		if (error == -ENOENT)
			break;
		if (error < 0) {
			place_done(&found);
			return error;
		}
		place_done(&found);
		found.fd = fd;
		if ((uint64_t)st.st_size >= bytes - found.behind) {
			found.offset = (uint64_t)st.st_size - (bytes - found.behind);
			found.behind = bytes;
			break;
		}
		found.offset = 0;
		found.behind += (uint64_t)st.st_size;
	}
	place_done(place);
	*place = found;
	*ret_missing = bytes - found.behind;
	return 0;
}

int place_search(struct place *place, const char *path, unsigned keep, struct line_search *search)
{
	char block[SEARCH_BLOCK];
	size_t length = place->offset < sizeof(block) ? (size_t)place->offset : sizeof(block);
	size_t start;
	ssize_t got;
	bool found;

	if (search->lines == 0 || place->fd < 0)
		return 1;
	if (length == 0)
		return go_older(place, path, keep);
	got = pread(place->fd, block, length, (off_t)(place->offset - length));
	if (got < 0)
		return -errno;
	if ((size_t)got < length)
		return 1; /* truncated under our hands: start here */
	found = line_search_block(search, block, length, &start);
	if (!found)
		start = 0;
	place->offset -= length - start;
	place->behind += length - start;
	return found;
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

ssize_t place_read(struct place *place, const char *path, unsigned keep, char *ret_bytes,
    size_t size, uint64_t *ret_lost)
{
	*ret_lost = 0;
	for (;;) {
		ssize_t got = 0;
		int error;

		if (place->fd >= 0)
			got = pread(place->fd, ret_bytes, size, (off_t)place->offset);
		if (got < 0)
			return -errno;
		if (got > 0) {
			place->offset += (uint64_t)got;
			place->behind -=
			    place->behind < (uint64_t)got ? place->behind : (uint64_t)got;
			return got;
		}
		error = go_newer(place, path, keep, ret_lost);
		if (error <= 0)
			return error;
	}
}

void place_unread(struct place *place, size_t bytes)
{
	place->offset -= bytes;
	place->behind += bytes;
}

/* At the start of a file: stand at the end of the next older one.  Returns 1 if there is none. */
static int go_older(struct place *place, const char *path, unsigned keep)
{
	struct stat st;
	int number, fd, error;

	if (fstat(place->fd, &st) < 0)
		return -errno;
	number = chain_find(path, keep, &st);
	if (number < 0)
		return 1;
	error = chain_open(path, keep, number + 1, 1, &fd, &st, &number);
	if (error < 0)
		return error == -ENOENT ? 1 : error;
	place_done(place);
	place->fd = fd;
	place->offset = (uint64_t)st.st_size;
	return 0;
}

/* At the end of a file: go where the log goes on.  Returns 1: read there, 0: it does not. */
static int go_newer(struct place *place, const char *path, unsigned keep, uint64_t *ret_lost)
{
	uint64_t missing;
	struct stat st;
	int number = -ENOENT, fd, error;

	if (place->fd >= 0) {
		if (fstat(place->fd, &st) < 0)
			return -errno;
		number = chain_find(path, keep, &st);
	}
	if (number == 0 && (uint64_t)st.st_size < place->offset) {
		/* Somebody truncated it: what is in it now came afterwards. */
		place->offset = 0;
		place->behind = (uint64_t)st.st_size;
		return st.st_size > 0;
	}
	if (number == 0) {
		place->behind = 0;
		return 0;
	}
	if (number > 0) {
		error = chain_open(path, keep, number - 1, -1, &fd, &st, &number);
		if (error < 0)
			return error == -ENOENT ? 0 : error;
		place_done(place);
		place->fd = fd;
		place->offset = 0;
		return 1;
	}
	/* Rotated away, deleted or moved; or the path is another one now. */
	if (place->behind == 0)
		return 0;
	error = place_seek_end(place, path, keep, place->behind, &missing);
	if (error < 0 || place->fd < 0)
		return error;
	*ret_lost += missing;
	return 1;
}
