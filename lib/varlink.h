/* SPDX-License-Identifier: ISC */
/*
 * varlink.h: Varlink framing: a stream of bytes <-> messages that end with a NUL, see varlink.org.
 *
 * Framing only: what a message says is its user's business.  Both directions have a limit, never
 * block whatever the mode of the descriptor (a connected stream socket), never raise SIGPIPE, and
 * hold no memory at all while nothing is in transit, so that idle connections cost nothing.
 * Descriptors that a peer passes along are closed by the kernel: they are never asked for.
 */
#ifndef LIB_VARLINK_H
#define LIB_VARLINK_H

#include <stdbool.h>
#include <stddef.h>

/* ---- receiving: fill once for each wake-up, then take messages until there is none ------------
 */

struct varlink_input {
	char *data;
	size_t size;    /* allocated */
	size_t start;   /* first byte that is not taken */
	size_t end;     /* past the last byte received */
	size_t scanned; /* up to here no NUL was found: a long message is searched once */
	size_t limit;   /* of one message, without its NUL */
};

/* `limit`: LIMIT_VARLINK_BYTES where the peer is not trusted. */
void varlink_input_init(struct varlink_input *in, size_t limit);
void varlink_input_done(struct varlink_input *in);

/*
 * One recv(2) of a bounded size.  Returns > 0 bytes received, 0 at end of file, -EAGAIN nothing
 * there yet, -EMSGSIZE an unfinished message is past the limit (or messages were not taken),
 * -ENOMEM, or what recv(2) said.  Invalidates messages taken before.
 */
int varlink_input_fill(struct varlink_input *in, int fd);

/*
 * Take the next complete message: 1 with a NUL-terminated text of `*ret_length` bytes, in place and
 * writable, valid until the next call on `in`; 0 when there is none.
 */
int varlink_input_next(struct varlink_input *in, char **ret_message, size_t *ret_length);

/* The limit is reached: nothing can be received before a message is taken. */
bool varlink_input_is_full(const struct varlink_input *in);

/* Bytes of a message were received but not its end: at end of file the peer was cut off. */
bool varlink_input_is_partial(const struct varlink_input *in);

/* ---- sending --------------------------------------------------------------------------------- */

struct varlink_output {
	char *data;
	size_t size;
	size_t start; /* first byte that is not sent */
	size_t end;
	size_t limit; /* of bytes waiting */
};

/* `limit`: LIMIT_CONTROL_QUEUE.  A peer that lets more pile up is to be disconnected. */
void varlink_output_init(struct varlink_output *out, size_t limit);
void varlink_output_done(struct varlink_output *out);

/*
 * Queue bytes; the caller includes the NUL.  Borrows `bytes`.  Returns 0, -ENOBUFS past the limit
 * or -ENOMEM, and then nothing was queued.
 */
int varlink_output_append(struct varlink_output *out, const char *bytes, size_t length);

/* Send what waits.  Returns 0 all sent, -EAGAIN there is a rest, or what send(2) said (-EPIPE ...).
 */
int varlink_output_flush(struct varlink_output *out, int fd);

/*
 * Append and flush in one, without copying what the socket takes at once: for long replies. Returns
 * as varlink_output_flush(), or -ENOBUFS or -ENOMEM: part may be out, so the connection is to be
 * closed.
 */
int varlink_output_send(struct varlink_output *out, int fd, const char *bytes, size_t length);

/* Bytes that wait. */
size_t varlink_output_pending(const struct varlink_output *out);

#endif
