/* SPDX-License-Identifier: ISC */
/*
 * field.h: the header fields that decide how a request is framed and whether the connection goes
 * on: Host, Content-Length, Transfer-Encoding, Connection, Expect.  Used by request.c only.  Pure.
 *
 * Values are taken as they come, in pieces of any size; of a list, one member at a time is held in
 * the scratch word, lower case.  A member too long for the word is one that we do not know.
 */
#ifndef HELLO_FIELD_H
#define HELLO_FIELD_H

#include "hello/request.h"

/* The name is complete in the scratch word. */
void field_begin(struct request *request);

/* More bytes of the value.  May end the request (request_fail). */
void field_add_value(struct request *request, const char *bytes, size_t length);

/* The value is complete.  May end the request. */
void field_end(struct request *request);

/* All fields together, at the end of the head: 0, or the status to refuse with. */
int field_check(const struct request *request);

/* Appends to the scratch word; what does not fit only makes it too long to match anything. */
static inline void field_add_byte(struct request *request, char byte)
{
	if (request->word_length < REQUEST_WORD)
		request->word[request->word_length++] = byte;
	else
		request->word_length = REQUEST_WORD + 1;
}

#endif
