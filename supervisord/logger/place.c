/* SPDX-License-Identifier: ISC */
/* place.c: see place.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/limits.h"
#include "supervisord/logger/place.h"

/* Of a place as text: a letter for later, and numbers in base 16. */
#define TEXT_FORM    "f%" PRIx64 ".%" PRIx64 ".%" PRIx64 ".%" PRIx64 ".%" PRIx64
#define TEXT_NUMBERS 5

static int open_at(
    struct place *place, const struct archives *archives, size_t index, uint64_t offset);
static int open_first(struct place *place, const struct archives *archives, size_t index);
static int begin_unpacking(struct place *place, int fd, enum logspec_compress form);
static ssize_t read_unpacked(struct place *place, char *ret_bytes, size_t size);
static int go_newer(struct place *place, struct archives *archives, enum place_loss *ret_loss);
static int go_on_in_log(struct place *place, struct archives *archives, enum place_loss *ret_loss);
static int leave(struct place *place, struct archives *archives, enum place_loss *ret_loss);
static int leave_path(
    struct place *place, const struct archives *archives, enum place_loss *ret_loss);
static int find_log(struct place *place, const struct archives *archives, const struct place *was,
    enum place_loss *ret_loss);
static bool parse_text(const char *text, struct place *ret_was);

void place_init(struct place *place)
{
	*place = (struct place){.fd = -1};
}

void place_done(struct place *place)
{
	if (place->fd >= 0)
		close(place->fd);
	unpack_free(place->unpack);
	free(place->text);
	place_init(place);
}

int place_seek_end(struct place *place, struct archives *archives)
{
	struct stat st;
	int error = archives_read(archives);

	if (error == 0)
		error = open_at(place, archives, archives->count, 0);
	if (error == 0)
		error = fstat(place->fd, &st) < 0 ? -errno : 0;
	if (error == 0)
		place->offset = (uint64_t)st.st_size;
	if (error != -ENOENT)
		return error;
	/* There is no file yet: what comes is read from its beginning. */
	place_done(place);
	place->after_us = archives->count > 0 ? archives->list[archives->count - 1].time_us : 0;
	return 0;
}

int place_seek_oldest(struct place *place, struct archives *archives)
{
	int error = archives_read(archives);

	return error < 0 ? error : open_first(place, archives, 0);
}

int place_seek_time(struct place *place, struct archives *archives, int64_t time_us)
{
	struct stat st;
	size_t index;
	int error = archives_read(archives);

	if (error < 0)
		return error;
	index = archives_find_after(archives, time_us - 1);
	error = open_first(place, archives, index);
	if (error < 0 || place->fd < 0 || place->time_us != 0)
		return error;
	if (fstat(place->fd, &st) < 0)
		return -errno;
	if ((int64_t)st.st_mtim.tv_sec * 1000000 + st.st_mtim.tv_nsec / 1000 < time_us)
		place->offset = (uint64_t)st.st_size;
	return 0;
}

int place_seek_text(
    struct place *place, struct archives *archives, const char *text, enum place_loss *ret_loss)
{
	struct place was;
	size_t index;
	int error;

	if (!parse_text(text, &was))
		return -EINVAL;
	*ret_loss = PLACE_LOST_NOTHING;
	error = archives_read(archives);
	if (error < 0)
		return error;
	if (was.time_us == 0)
		return find_log(place, archives, &was, ret_loss);
	index = archives_find_after(archives, was.time_us - 1);
	if (index < archives->count && archives->list[index].time_us == was.time_us) {
		error = open_at(place, archives, index, was.offset);
		if (error != -ENOENT)
			return error;
	}
	*ret_loss = PLACE_LOST_ROTATED;
	return open_first(place, archives, index);
}

int place_go_older(struct place *place, const struct archives *archives)
{
	size_t index = place->time_us == 0 ? archives->count
					   : archives_find_after(archives, place->time_us - 1);

	while (index-- > 0) {
		int error = open_at(place, archives, index, 0);

		if (error != -ENOENT)
			return error;
	}
	return -ENOENT;
}

int place_move(struct place *place, const struct archives *archives, uint64_t offset)
{
	size_t index = archives_find_after(archives, place->time_us - 1);

	if (place->unpack != NULL && offset < place->unpacked - place->length) {
		if (index == archives->count || archives->list[index].time_us != place->time_us)
			return -ENOENT;
		return open_at(place, archives, index, offset);
	}
	place->offset = offset;
	if (place->unpack != NULL)
		place->at = offset < place->unpacked
				? place->length - (size_t)(place->unpacked - offset)
				: place->length;
	return 0;
}

ssize_t place_read(struct place *place, struct archives *archives, char *ret_bytes, size_t size,
    enum place_loss *ret_loss)
{
	*ret_loss = PLACE_LOST_NOTHING;
	for (;;) {
		ssize_t got = place_read_here(place, ret_bytes, size);
		int error;

		if (got > 0)
			return got;
		if (got == -EBADMSG)
			*ret_loss = PLACE_LOST_DAMAGED;
		else if (got < 0)
			return got;
		error = go_newer(place, archives, ret_loss);
		if (error <= 0)
			return error;
	}
}

ssize_t place_read_here(struct place *place, char *ret_bytes, size_t size)
{
	ssize_t got = 0;

	if (place->unpack != NULL)
		got = read_unpacked(place, ret_bytes, size);
	else if (place->fd >= 0 &&
		 (got = pread(place->fd, ret_bytes, size, (off_t)place->offset)) < 0)
		got = -errno;
	if (got > 0)
		place->offset += (uint64_t)got;
	return got;
}

void place_unread(struct place *place, size_t bytes)
{
	place->offset -= bytes;
	if (place->unpack != NULL)
		place->at -= bytes;
}

void place_note_rotated(struct place *place, const struct archive *archive)
{
	if (place->fd >= 0 && place->time_us == 0 && !place->leaves &&
	    archive->ino == (uint64_t)place->ino)
		place->time_us = archive->time_us;
	else if (place->next_us == 0 && (place->time_us != 0 || place->leaves))
		place->next_us = archive->time_us;
}

void place_note_removed(struct place *place)
{
	place->removed++;
}

void place_note_cleared(struct place *place)
{
	if (place->fd >= 0 && place->time_us == 0 && !place->leaves)
		place->offset = 0;
	place->next_us = 0;
	place->removed = 0;
}

void place_note_moved(struct place *place, uint64_t size)
{
	place->leaves = true;
	place->enter_at = size;
	place->next_us = 0;
}

int place_find_end(struct archives *archives, struct place_end *ret_end)
{
	struct stat st;
	int error = archives_read(archives);

	if (error < 0)
		return error;
	ret_end->after_us = archives->count > 0 ? archives->list[archives->count - 1].time_us : 0;
	ret_end->size = stat(archives->path, &st) == 0 ? (uint64_t)st.st_size : 0;
	return 0;
}

uint64_t place_count_to(const struct place *place, const struct place_end *end)
{
	if (place->time_us != 0 && place->time_us <= end->after_us)
		return UINT64_MAX;
	return place->offset < end->size ? end->size - place->offset : 0;
}

const char *place_format(const struct place *place, char *buffer, size_t size)
{
	(void)snprintf(buffer, size, TEXT_FORM, (uint64_t)place->time_us, (uint64_t)place->after_us,
	    (uint64_t)place->dev, (uint64_t)place->ino, place->offset);
	return buffer;
}

/* Stand in one member; the place stays as it was when that fails. */
static int open_at(
    struct place *place, const struct archives *archives, size_t index, uint64_t offset)
{
	struct place found;
	enum logspec_compress form;
	struct stat st;
	int fd, error;

	place_init(&found);
	error = archives_open(archives, index, &fd, &st, &form);
	if (error < 0)
		return error;
	found.offset = offset;
	found.time_us = index < archives->count ? archives->list[index].time_us : 0;
	found.after_us = index > 0 ? archives->list[index - 1].time_us : 0;
	found.next_us = index + 1 < archives->count ? archives->list[index + 1].time_us : 0;
	if (form == LOGSPEC_PLAIN) {
		found.fd = fd;
		found.dev = st.st_dev;
		found.ino = st.st_ino;
	} else {
		error = begin_unpacking(&found, fd, form);
	}
	if (error < 0)
		return error;
	place_done(place);
	*place = found;
	return 0;
}

/* The first one from `index` on that is there; none at all is no error. */
static int open_first(struct place *place, const struct archives *archives, size_t index)
{
	int error = -ENOENT;

	for (; error == -ENOENT && index <= archives->count; index++)
		error = open_at(place, archives, index, 0);
	if (error != -ENOENT)
		return error;
	place_done(place);
	place->after_us = archives->count > 0 ? archives->list[archives->count - 1].time_us : 0;
	return 0;
}

static int begin_unpacking(struct place *place, int fd, enum logspec_compress form)
{
	int error = unpack_new(fd, form, &place->unpack);

	if (error < 0) {
		close(fd);
		return error;
	}
	place->text = malloc(LIMIT_LOG_BLOCK);
	if (place->text != NULL)
		return 0;
	unpack_free(place->unpack);
	place->unpack = NULL;
	return -ENOMEM;
}

/* What lies before the offset is unpacked and forgotten. */
static ssize_t read_unpacked(struct place *place, char *ret_bytes, size_t size)
{
	size_t length;
	ssize_t got;

	if (place->at == place->length) {
		got = unpack_read(place->unpack, place->text, LIMIT_LOG_BLOCK);
		if (got <= 0)
			return got;
		place->at = place->length = (size_t)got;
		place->unpacked += (uint64_t)got;
		if (place->unpacked <= place->offset)
			return -EAGAIN;
		place->at = place->length - (size_t)(place->unpacked - place->offset);
	}
	length = place->length - place->at < size ? place->length - place->at : size;
	memcpy(ret_bytes, place->text + place->at, length);
	place->at += length;
	return (ssize_t)length;
}

/* At the end of a file: go where the log goes on.  Returns 1: read there, 0: it does not. */
static int go_newer(struct place *place, struct archives *archives, enum place_loss *ret_loss)
{
	if (place->leaves)
		return leave_path(place, archives, ret_loss);
	if (place->time_us == 0)
		return go_on_in_log(place, archives, ret_loss);
	return leave(place, archives, ret_loss);
}

/* It was the log when it was opened, and nobody has told of a rotation. */
static int go_on_in_log(struct place *place, struct archives *archives, enum place_loss *ret_loss)
{
	struct stat log, own;
	int index, error;

	if (stat(archives->path, &log) < 0)
		return 0;
	if (place->fd < 0)
		return leave(place, archives, ret_loss);
	if (log.st_ino == place->ino && log.st_dev == place->dev) {
		if ((uint64_t)log.st_size >= place->offset)
			return 0;
		/* Somebody truncated it: what is in it now came afterwards. */
		place->offset = 0;
		return log.st_size > 0;
	}
	/* Moved by somebody else: the open line is still finished there before the new file gets
	 * anything. */
	if (log.st_size == 0)
		return 0;
	error = archives_read(archives);
	if (error < 0 || fstat(place->fd, &own) < 0)
		return error < 0 ? error : -errno;
	index = archives_find_file(archives, &own);
	if (index >= 0 && (size_t)index < archives->count)
		place->time_us = archives->list[index].time_us;
	return leave(place, archives, ret_loss);
}

/* To the file that was written next. */
static int leave(struct place *place, struct archives *archives, enum place_loss *ret_loss)
{
	int64_t time_us = place->time_us != 0 ? place->time_us : place->after_us;
	int64_t next_us = place->next_us;
	bool missed = place->removed > (place->time_us == 0 && place->fd >= 0);
	int error = archives_read(archives);

	if (error < 0)
		return error;
	for (size_t index = archives_find_after(archives, time_us);; index++) {
		error = open_at(place, archives, index, 0);
		if (error == 0)
			break;
		if (error != -ENOENT)
			return error;
		if (index >= archives->count)
			return 0; /* the next file is not there yet */
	}
	missed |= next_us != 0 && place->time_us != next_us;
	if (missed && *ret_loss == PLACE_LOST_NOTHING)
		*ret_loss = PLACE_LOST_ROTATED;
	return 1;
}

/* To the log at its new path, at the point where it went there. */
static int leave_path(
    struct place *place, const struct archives *archives, enum place_loss *ret_loss)
{
	int64_t next_us = place->next_us;
	uint64_t enter_at = place->enter_at;
	size_t index = archives->count;
	struct stat st;

	if (next_us != 0)
		index = archives_find_after(archives, next_us - 1);
	else if (stat(archives->path, &st) < 0 || (uint64_t)st.st_size <= enter_at)
		return 0;
	if (open_at(place, archives, index, enter_at) < 0)
		return 0;
	if (next_us != 0 && place->time_us != next_us) {
		place->offset = 0;
		*ret_loss = PLACE_LOST_ROTATED;
	}
	return 1;
}

/* Where a file is that was the log once. */
static int find_log(struct place *place, const struct archives *archives, const struct place *was,
    enum place_loss *ret_loss)
{
	size_t index = archives_find_after(archives, was->after_us);
	int error = open_first(place, archives, index);
	struct stat st;

	if (error < 0)
		return error;
	if (place->unpack != NULL) {
		/* It has no inode to know it by, but the one before it is there. */
		if (index > 0 && archives->list[index - 1].time_us == was->after_us)
			return place_move(place, archives, was->offset);
		*ret_loss = PLACE_LOST_UNSURE;
		return 0;
	}
	if (place->fd < 0 || was->ino == 0)
		return 0; /* there was none, or there is none now */
	if (place->ino != was->ino || place->dev != was->dev) {
		*ret_loss = PLACE_LOST_UNSURE;
		return 0;
	}
	if (fstat(place->fd, &st) < 0)
		return -errno;
	/* Truncated meanwhile: what is in it came afterwards. */
	place->offset = (uint64_t)st.st_size >= was->offset ? was->offset : 0;
	return 0;
}

static bool parse_text(const char *text, struct place *ret_was)
{
	uint64_t numbers[TEXT_NUMBERS];
	char *end;

	if (*text++ != 'f')
		return false;
	for (size_t i = 0; i < TEXT_NUMBERS; i++) {
		size_t length = strspn(text, "0123456789abcdef");

		errno = 0;
		numbers[i] = strtoull(text, &end, 16);
		/* strtoull(3) takes blanks, signs and 0x as well. */
		if (length == 0 || end != text + length || errno != 0 ||
		    *end != (i + 1 < TEXT_NUMBERS ? '.' : '\0'))
			return false;
		text = end + 1;
	}
	if (numbers[0] > INT64_MAX || numbers[1] > INT64_MAX || numbers[4] > INT64_MAX)
		return false;
	place_init(ret_was);
	ret_was->time_us = (int64_t)numbers[0];
	ret_was->after_us = (int64_t)numbers[1];
	ret_was->dev = (dev_t)numbers[2];
	ret_was->ino = (ino_t)numbers[3];
	ret_was->offset = numbers[4];
	return true;
}
