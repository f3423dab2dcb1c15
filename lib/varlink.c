/* SPDX-License-Identifier: ISC */
/* varlink.c: see varlink.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/varlink.h"

/* A common message fits in the first buffer; one read takes no more than the second, for fairness.
 */
#define FIRST_BYTES 4096
#define READ_BYTES  (128 * 1024)

static int make_room(struct varlink_input *in);
static int grow_output(struct varlink_output *out, size_t length);
static int send_bytes(int fd, const char *bytes, size_t length, size_t *ret_sent);

void varlink_input_init(struct varlink_input *in, size_t limit)
{
	*in = (struct varlink_input){.limit = limit};
}

void varlink_input_done(struct varlink_input *in)
{
	free(in->data);
	*in = (struct varlink_input){.limit = in->limit};
}

int varlink_input_fill(struct varlink_input *in, int fd)
{
	size_t room;
	ssize_t got;
	int r = make_room(in);

	if (r < 0)
		return r;
	room = in->size - in->end;
	if (room > READ_BYTES)
		room = READ_BYTES;
	do
		got = recv(fd, in->data + in->end, room, MSG_DONTWAIT);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	in->end += (size_t)got;
	return (int)got;
}

int varlink_input_next(struct varlink_input *in, char **ret_message, size_t *ret_length)
{
	char *nul = NULL;

	if (in->scanned < in->end)
		nul = memchr(in->data + in->scanned, '\0', in->end - in->scanned);
	if (nul != NULL) {
		*ret_message = in->data + in->start;
		*ret_length = (size_t)(nul - *ret_message);
		in->start += *ret_length + 1;
		in->scanned = in->start;
		return 1;
	}
	in->scanned = in->end;
	if (in->start == in->end)
		varlink_input_done(in);
	return 0;
}

bool varlink_input_is_full(const struct varlink_input *in)
{
	return in->end - in->start > in->limit;
}

bool varlink_input_is_partial(const struct varlink_input *in)
{
	return in->start < in->end;
}

void varlink_output_init(struct varlink_output *out, size_t limit)
{
	*out = (struct varlink_output){.limit = limit};
}

void varlink_output_done(struct varlink_output *out)
{
	free(out->data);
	*out = (struct varlink_output){.limit = out->limit};
}

int varlink_output_append(struct varlink_output *out, const char *bytes, size_t length)
{
	size_t waiting = out->end - out->start;
	int r;

	if (length > out->limit || waiting > out->limit - length)
		return -ENOBUFS;
	if (length == 0)
		return 0;
	r = grow_output(out, length);
	if (r < 0)
		return r;
	memcpy(out->data + out->end, bytes, length);
	out->end += length;
	return 0;
}

int varlink_output_flush(struct varlink_output *out, int fd)
{
	size_t sent = 0;
	int r;

	if (out->start == out->end)
		return 0;
	r = send_bytes(fd, out->data + out->start, out->end - out->start, &sent);
	out->start += sent;
	if (out->start == out->end)
		varlink_output_done(out);
	return r;
}

int varlink_output_send(struct varlink_output *out, int fd, const char *bytes, size_t length)
{
	size_t sent = 0;
	int r;

	if (out->start < out->end) {
		r = varlink_output_append(out, bytes, length);
		return r < 0 ? r : varlink_output_flush(out, fd);
	}
	r = send_bytes(fd, bytes, length, &sent);
	if (r != -EAGAIN)
		return r;
	r = varlink_output_append(out, bytes + sent, length - sent);
	return r < 0 ? r : -EAGAIN;
}

size_t varlink_output_pending(const struct varlink_output *out)
{
	return out->end - out->start;
}

/* Make sure that there is at least one byte free past `end`. */
static int make_room(struct varlink_input *in)
{
	size_t most = in->limit + 1;
	size_t size;
	char *data;

	if (in->start > 0) {
		memmove(in->data, in->data + in->start, in->end - in->start);
		in->end -= in->start;
		in->scanned -= in->start;
		in->start = 0;
	}
	if (in->end < in->size)
		return 0;
	if (in->size >= most)
		return -EMSGSIZE;
	size = in->size > 0 ? in->size * 2 : FIRST_BYTES;
	if (size > most)
		size = most;
	data = realloc(in->data, size);
	if (data == NULL)
		return -ENOMEM;
	in->data = data;
	in->size = size;
	return 0;
}

/* Make room for `length` bytes past `end`. */
static int grow_output(struct varlink_output *out, size_t length)
{
	size_t waiting = out->end - out->start;
	size_t size = out->size > 0 ? out->size : FIRST_BYTES;
	char *data;

	if (length <= out->size - out->end)
		return 0;
	while (size < waiting + length)
		size *= 2;
	/* Moving costs what was sent already: only when at least half the buffer was. */
	if (size == out->size && out->start >= out->size / 2) {
		memmove(out->data, out->data + out->start, waiting);
	} else {
		if (size == out->size)
			size *= 2;
		data = malloc(size);
		if (data == NULL)
			return -ENOMEM;
		if (waiting > 0)
			memcpy(data, out->data + out->start, waiting);
		free(out->data);
		out->data = data;
		out->size = size;
	}
	out->start = 0;
	out->end = waiting;
	return 0;
}

/* Send until all is out or the socket is full; `*ret_sent` is set in any case. */
static int send_bytes(int fd, const char *bytes, size_t length, size_t *ret_sent)
{
	size_t at = 0;
	int r = 0;

	while (at < length && r == 0) {
		ssize_t sent = send(fd, bytes + at, length - at, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (sent >= 0)
			at += (size_t)sent;
		else if (errno != EINTR)
			r = -errno;
	}
	*ret_sent = at;
	return r;
}
