/* SPDX-License-Identifier: ISC */
/*
 * response.h: every answer that hello can give, written out beforehand.  To answer is to copy one
 * of them; only the Date in them changes, at most once a second and never while nothing happens.
 */
#ifndef HELLO_RESPONSE_H
#define HELLO_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

/* No answer is longer (asserted when they are made). */
#define RESPONSE_BYTES 256
#define RESPONSE_KINDS 9

enum response_connection {
	RESPONSE_KEEP,     /* HTTP/1.1 stays open unsaid */
	RESPONSE_KEEP_OLD, /* HTTP/1.0 has to be told */
	RESPONSE_CLOSE,
	RESPONSE_CONNECTIONS,
};

struct response {
	size_t head_length; /* with the empty line */
	size_t length;
	char text[RESPONSE_BYTES];
};

/* The context: filled by responses_init(), dated by responses_date(). */
struct responses {
	time_t second;
	struct response items[RESPONSE_KINDS][RESPONSE_CONNECTIONS];
};

void responses_init(struct responses *responses, time_t now);

/* Brings the Date up to `now`; costs nothing within the same second. */
void responses_date(struct responses *responses, time_t now);

/* Writes the answer to `out`, which has RESPONSE_BYTES left.  Returns its length. */
size_t responses_put(const struct responses *responses, int status,
    enum response_connection connection, bool is_head, char *out);

/* "HTTP/1.1 100 Continue". */
size_t responses_put_continue(char *out);

#endif
