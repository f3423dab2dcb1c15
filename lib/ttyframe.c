/* SPDX-License-Identifier: ISC */
/* ttyframe.c: see ttyframe.h. */
#include <errno.h>
#include <string.h>

#include "lib/ttyframe.h"

static void put_number(unsigned char *bytes, size_t size, uint64_t number);

void ttyframe_set(
    struct ttyframe *frame, enum ttyframe_type type, const void *payload, size_t length)
{
	frame->bytes[0] = (unsigned char)type;
	put_number(frame->bytes + 1, 2, length);
	if (length > 0)
		memcpy(frame->bytes + TTYFRAME_HEAD, payload, length);
	frame->length = TTYFRAME_HEAD + length;
	frame->done = 0;
}

void ttyframe_set_window(struct ttyframe *frame, unsigned rows, unsigned columns)
{
	unsigned char payload[4];

	put_number(payload, 2, rows);
	put_number(payload + 2, 2, columns);
	ttyframe_set(frame, TTYFRAME_WINDOW, payload, sizeof(payload));
}

void ttyframe_set_gap(struct ttyframe *frame, uint64_t count)
{
	unsigned char payload[8];

	put_number(payload, sizeof(payload), count);
	ttyframe_set(frame, TTYFRAME_GAP, payload, sizeof(payload));
}

int ttyframe_missing(const struct ttyframe *frame)
{
	size_t length;

	if (frame->length < TTYFRAME_HEAD)
		return (int)(TTYFRAME_HEAD - frame->length);
	length = ttyframe_number(frame->bytes + 1, 2);
	if (length > LIMIT_TTY_FRAME)
		return -EPROTO;
	return (int)(TTYFRAME_HEAD + length - frame->length);
}

enum ttyframe_type ttyframe_type(const struct ttyframe *frame)
{
	return (enum ttyframe_type)frame->bytes[0];
}

const unsigned char *ttyframe_payload(const struct ttyframe *frame, size_t *ret_length)
{
	*ret_length = frame->length - TTYFRAME_HEAD;
	return frame->bytes + TTYFRAME_HEAD;
}

uint64_t ttyframe_number(const unsigned char *bytes, size_t size)
{
	uint64_t number = 0;

	for (size_t i = 0; i < size; i++)
		number = number << 8 | bytes[i];
	return number;
}

static void put_number(unsigned char *bytes, size_t size, uint64_t number)
{
	for (size_t i = size; i-- > 0; number >>= 8)
		bytes[i] = (unsigned char)number;
}
