/* SPDX-License-Identifier: ISC */
/* body.c: see body.h. */
#include "hello/body.h"
#include "hello/chars.h"
#include "lib/limits.h"

static void begin_chunk(struct request *r);
static const char *skip(struct request *r, const char *p, const char *end);
static int hex_digit(char byte);

void body_begin(struct request *r)
{
	if (r->chunked) {
		begin_chunk(r);
	} else if (r->body_left > LIMIT_HELLO_BODY) {
		request_fail(r, 413);
	} else {
		r->state = r->body_left > 0 ? STATE_BODY : STATE_DONE;
	}
}

const char *body_step(struct request *r, const char *p, const char *end)
{
	p = skip(r, p, end);
	if (r->body_left == 0)
		r->state = STATE_DONE;
	return p;
}

const char *body_step_size(struct request *r, const char *p, const char *end)
{
	int digit = hex_digit(*p);

	(void)end;
	r->expects = false;
	if (digit >= 0) {
		r->word_length = 1;
		r->body_left = r->body_left * 16 + (unsigned)digit;
		if (r->body_left > LIMIT_HELLO_BODY - r->body_bytes)
			request_fail(r, 413);
	} else if (r->word_length == 0) {
		request_fail(r, 400);
	} else if (*p == '\r') {
		r->state = STATE_CHUNK_LF;
	} else if (*p == ';') {
		r->state = STATE_CHUNK_EXTENSION;
	} else if (chars_is_blank(*p)) {
		r->state = STATE_CHUNK_BLANK;
	} else {
		request_fail(r, 400);
	}
	return p + 1;
}

/* Blanks are allowed here only before an extension. */
const char *body_step_blank(struct request *r, const char *p, const char *end)
{
	(void)end;
	if (*p == ';')
		r->state = STATE_CHUNK_EXTENSION;
	else if (!chars_is_blank(*p))
		request_fail(r, 400);
	return p + 1;
}

const char *body_step_extension(struct request *r, const char *p, const char *end)
{
	while (p < end && chars_has(*p, CHARS_VALUE))
		p++;
	if (p == end)
		return p;
	if (*p == '\r')
		r->state = STATE_CHUNK_LF;
	else
		request_fail(r, 400);
	return p + 1;
}

const char *body_step_lf(struct request *r, const char *p, const char *end)
{
	(void)end;
	if (*p != '\n') {
		request_fail(r, 400);
	} else if (r->body_left > 0) {
		r->body_bytes += r->body_left;
		r->state = STATE_CHUNK_DATA;
	} else {
		r->trailers = true;
		r->room = LIMIT_HELLO_HEAD + 1; /* the loop still counts this LF */
		r->state = STATE_FIELD;
	}
	return p + 1;
}

const char *body_step_data(struct request *r, const char *p, const char *end)
{
	p = skip(r, p, end);
	if (r->body_left == 0) {
		/* Two bytes: the room of the line was used up by the line. */
		r->room = 2;
		r->state = STATE_CHUNK_END_CR;
	}
	return p;
}

const char *body_step_end_cr(struct request *r, const char *p, const char *end)
{
	(void)end;
	if (*p == '\r')
		r->state = STATE_CHUNK_END_LF;
	else
		request_fail(r, 400);
	return p + 1;
}

const char *body_step_end_lf(struct request *r, const char *p, const char *end)
{
	(void)end;
	if (*p == '\n')
		begin_chunk(r);
	else
		request_fail(r, 400);
	return p + 1;
}

/* Called for the LF before the line, which the loop still counts. */
static void begin_chunk(struct request *r)
{
	r->body_left = 0;
	r->word_length = 0;
	r->room = LIMIT_HELLO_CHUNK_LINE + 1;
	r->state = STATE_CHUNK_SIZE;
}

static const char *skip(struct request *r, const char *p, const char *end)
{
	uint64_t there = (uint64_t)(end - p);

	if (there > r->body_left)
		there = r->body_left;
	r->body_left -= there;
	r->expects = false;
	return p + there;
}

static int hex_digit(char byte)
{
	if (byte >= '0' && byte <= '9')
		return byte - '0';
	byte = (char)(byte | 0x20);
	return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}
