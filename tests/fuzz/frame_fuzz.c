/* SPDX-License-Identifier: ISC */
/*
 * frame_fuzz.c: libFuzzer target: any bytes in any pieces through Varlink framing, both ways.
 *
 * The first byte says how long the pieces are; the rest goes through a socket pair.  What comes out
 * must be what a plain search for NULs finds.  Links lib/varlink.c.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/varlink.h"

#define LIMIT 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds)
{
	if (!holds)
		abort();
}

/* Take what is complete; false: the input is over its limit. */
static int take(struct varlink_input *in, int fd, const uint8_t **at, const uint8_t *end)
{
	char *message;
	size_t length;
	int got;

	do {
		got = varlink_input_fill(in, fd);
		require(got > 0 || got == -EAGAIN || got == -EMSGSIZE);
		while (varlink_input_next(in, &message, &length) == 1) {
			require(length <= LIMIT && (size_t)(end - *at) > length);
			require(memcmp(message, *at, length) == 0 && (*at)[length] == '\0');
			require(message[length] == '\0' && strlen(message) == length);
			*at += length + 1;
		}
	} while (got > 0);
	/* All that was complete is taken, so what is too much is one message. */
	if (got == -EMSGSIZE)
		require(varlink_input_is_full(in) && memchr(*at, '\0', LIMIT + 1) == NULL);
	return got != -EMSGSIZE;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct varlink_input in;
	struct varlink_output out;
	const uint8_t *at, *end;
	size_t piece, sent = 0;
	int fds[2], going = 1;

	if (size < 2 || size > 4096 || socketpair(AF_UNIX, SOCK_STREAM, 0, fds) < 0)
		return 0;
	piece = (size_t)data[0] + 1;
	at = ++data;
	end = data + --size;
	varlink_input_init(&in, LIMIT);
	varlink_output_init(&out, 4096);
	while (sent < size && going) {
		size_t length = size - sent < piece ? size - sent : piece;

		require(varlink_output_append(&out, (const char *)data + sent, length / 2) == 0);
		require(varlink_output_pending(&out) == length / 2);
		require(varlink_output_send(&out, fds[0], (const char *)data + sent + length / 2,
			    length - length / 2) == 0);
		require(varlink_output_pending(&out) == 0);
		sent += length;
		going = take(&in, fds[1], &at, end);
	}
	if (going)
		require(memchr(at, '\0', (size_t)(end - at)) == NULL &&
			varlink_input_is_partial(&in) == (at < end));
	varlink_input_done(&in);
	varlink_output_done(&out);
	close(fds[0]);
	close(fds[1]);
	return 0;
}
