/* SPDX-License-Identifier: ISC */
/* field.c: see field.h. */
#include <string.h>

#include "hello/chars.h"
#include "hello/field.h"

static void add_host(struct request *r, const char *bytes, size_t length);
static void add_length(struct request *r, const char *bytes, size_t length);
static void add_list(struct request *r, const char *bytes, size_t length);
static void end_member(struct request *r);
static bool word_is(const struct request *r, const char *text);

void field_begin(struct request *r)
{
	r->field = FIELD_OTHER;
	if (r->trailers) /* they come too late to mean anything */
		return;
	if (word_is(r, "host")) {
		r->field = FIELD_HOST;
		if (r->host)
			request_fail(r, 400);
		r->host = true;
	} else if (word_is(r, "content-length")) {
		r->field = FIELD_LENGTH;
		if (r->length)
			request_fail(r, 400);
		r->length = true;
	} else if (word_is(r, "transfer-encoding")) {
		r->field = FIELD_CODING;
		r->coding = true;
	} else if (word_is(r, "connection")) {
		r->field = FIELD_CONNECTION;
	} else if (word_is(r, "expect")) {
		r->field = FIELD_EXPECT;
	}
	r->word_length = 0;
	r->gap = false;
}

void field_add_value(struct request *r, const char *bytes, size_t length)
{
	switch (r->field) {
	case FIELD_OTHER:
		return;
	case FIELD_HOST:
		add_host(r, bytes, length);
		return;
	case FIELD_LENGTH:
		add_length(r, bytes, length);
		return;
	case FIELD_CODING:
	case FIELD_CONNECTION:
	case FIELD_EXPECT:
		add_list(r, bytes, length);
		return;
	}
}

void field_end(struct request *r)
{
	switch (r->field) {
	case FIELD_OTHER:
	case FIELD_HOST:
		return;
	case FIELD_LENGTH:
		if (r->word_length == 0)
			request_fail(r, 400);
		return;
	case FIELD_CODING:
	case FIELD_CONNECTION:
	case FIELD_EXPECT:
		end_member(r);
		return;
	}
}

int field_check(const struct request *r)
{
	if (!r->host && !r->is_old)
		return 400;
	if (!r->coding)
		return 0;
	/* RFC 9112 6.1 and 6.3: each of these is how a request is smuggled past another server. */
	if (r->length || r->is_old || !r->chunked)
		return 400;
	return r->foreign ? 501 : 0;
}

/* Of the value only its bytes are looked at: every host is this one. */
static void add_host(struct request *r, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (chars_is_blank(bytes[i])) {
			r->gap = r->word_length > 0;
		} else if (r->gap || !chars_has(bytes[i], CHARS_HOST)) {
			request_fail(r, 400);
			return;
		} else {
			r->word_length = 1;
		}
	}
}

/* Digits only; what is too large for the type is too large for us as well. */
static void add_length(struct request *r, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		unsigned digit = (unsigned)(unsigned char)bytes[i] - '0';

		if (chars_is_blank(bytes[i])) {
			r->gap = r->word_length > 0;
			continue;
		}
		if (r->gap || digit > 9) {
			request_fail(r, 400);
			return;
		}
		r->word_length = 1;
		if (r->body_left > (UINT64_MAX - 9) / 10)
			r->body_left = UINT64_MAX;
		else
			r->body_left = r->body_left * 10 + digit;
	}
}

static void add_list(struct request *r, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (bytes[i] == ',') {
			end_member(r);
		} else if (chars_is_blank(bytes[i])) {
			r->gap = r->word_length > 0;
		} else {
			if (r->gap) /* two words in one member: nothing that we know */
				r->word_length = REQUEST_WORD + 1;
			field_add_byte(r, bytes[i] >= 'A' && bytes[i] <= 'Z'
					      ? (char)(bytes[i] | 0x20)
					      : bytes[i]);
		}
	}
}

static void end_member(struct request *r)
{
	if (r->word_length == 0)
		return;
	if (r->field == FIELD_CONNECTION) {
		r->close = r->close || word_is(r, "close");
		r->keep = r->keep || word_is(r, "keep-alive");
	} else if (r->field == FIELD_EXPECT) {
		r->expects = r->expects || (word_is(r, "100-continue") && !r->is_old);
	} else if (r->chunked) {
		request_fail(r, 400); /* chunked must be the last coding, and there once */
	} else if (word_is(r, "chunked")) {
		r->chunked = true;
	} else {
		r->foreign = true;
	}
	r->word_length = 0;
	r->gap = false;
}

static bool word_is(const struct request *r, const char *text)
{
	return r->word_length == strlen(text) && !memcmp(r->word, text, r->word_length);
}
