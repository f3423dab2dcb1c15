/* SPDX-License-Identifier: ISC */
/* place.c: see place.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/archives.h"
#include "supervisord/logger/place.h"

#define SEARCH_BLOCK 16384

static int list_and_find(const struct place *place, struct archives *archives, struct stat *ret_st);
static int open_near(
    const struct archives *archives, int from, int step, int *ret_fd, struct stat *ret_st);
static int go_older(struct place *place, struct archives *archives);
static int go_newer(struct place *place, struct archives *archives, uint64_t *ret_lost);

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
    struct place *place, struct archives *archives, uint64_t bytes, uint64_t *ret_missing)
{
	struct place found = {.fd = -1};
	int error = archives_read(archives), at, fd;
	struct stat st;

	if (error < 0)
		return error;
	for (at = (int)archives->count; at >= 0; at--) {
		at = open_near(archives, at, -1, &fd, &st);
		if (at == -ENOENT)
			break;
		if (at < 0) {
			place_done(&found);
			return at;
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

int place_search(struct place *place, struct archives *archives, struct line_search *search)
{
	char block[SEARCH_BLOCK];
	size_t length = place->offset < sizeof(block) ? (size_t)place->offset : sizeof(block);
	size_t start;
	ssize_t got;
	bool found;

	if (search->lines == 0 || place->fd < 0)
		return 1;
	if (length == 0)
		return go_older(place, archives);
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

ssize_t place_read(struct place *place, struct archives *archives, char *ret_bytes, size_t size,
    uint64_t *ret_lost)
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
		error = go_newer(place, archives, ret_lost);
		if (error <= 0)
			return error;
	}
}

void place_unread(struct place *place, size_t bytes)
{
	place->offset -= bytes;
	place->behind += bytes;
}

/* The index of the file of the place in a fresh list; -ENOENT: it is gone.  Or -errno. */
static int list_and_find(const struct place *place, struct archives *archives, struct stat *ret_st)
{
	int error;

	if (fstat(place->fd, ret_st) < 0)
		return -errno;
	error = archives_read(archives);
	return error < 0 ? error : archives_find_file(archives, ret_st);
}

/* Open the member at index `from`, or the next one in that direction; its index, or -errno. */
static int open_near(
    const struct archives *archives, int from, int step, int *ret_fd, struct stat *ret_st)
{
	for (int at = from; at >= 0 && at <= (int)archives->count; at += step) {
		enum logspec_compress form;
		int error = archives_open(archives, (size_t)at, ret_fd, ret_st, &form);

		if (error == 0 && form == LOGSPEC_PLAIN)
			return at;
		if (error == 0)
			close(*ret_fd);
		else if (error != -ENOENT)
			return error;
	}
	return -ENOENT;
}

/* At the start of a file: stand at the end of the next older one.  Returns 1 if there is none. */
static int go_older(struct place *place, struct archives *archives)
{
	struct stat st;
	int at = list_and_find(place, archives, &st), fd;

	if (at < 0)
		return at == -ENOENT ? 1 : at;
	at = open_near(archives, at - 1, -1, &fd, &st);
	if (at < 0)
		return at == -ENOENT ? 1 : at;
	place_done(place);
	place->fd = fd;
	place->offset = (uint64_t)st.st_size;
	return 0;
}

/* At the end of a file: go where the log goes on.  Returns 1: read there, 0: it does not. */
static int go_newer(struct place *place, struct archives *archives, uint64_t *ret_lost)
{
	int at = -ENOENT, fd, error;
	uint64_t missing;
	struct stat st;

	if (place->fd >= 0) {
		at = list_and_find(place, archives, &st);
		if (at < 0 && at != -ENOENT)
			return at;
	}
	if (at == (int)archives->count && (uint64_t)st.st_size < place->offset) {
		/* Somebody truncated it: what is in it now came afterwards. */
		place->offset = 0;
		place->behind = (uint64_t)st.st_size;
		return st.st_size > 0;
	}
	if (at == (int)archives->count) {
		place->behind = 0;
		return 0;
	}
	if (at >= 0) {
		at = open_near(archives, at + 1, 1, &fd, &st);
		if (at < 0)
			return at == -ENOENT ? 0 : at;
		place_done(place);
		place->fd = fd;
		place->offset = 0;
		return 1;
	}
	/* Rotated away, deleted or moved; or the path is another one now. */
	if (place->behind == 0)
		return 0;
	error = place_seek_end(place, archives, place->behind, &missing);
	if (error < 0 || place->fd < 0)
		return error;
	*ret_lost += missing;
	return 1;
}
