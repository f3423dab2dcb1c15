/* SPDX-License-Identifier: ISC */
/*
 * request.h: an HTTP/1.1 request (RFC 9110, RFC 9112) as a machine: bytes in, verdict out.  Pure.
 *
 * No byte is kept but a short scratch word: every answer of this server is known beforehand, so
 * what matters of a request is where it ends, its method, and whether it is malformed.  However
 * the input is cut into pieces, the verdict is the same, and so is the number of bytes taken
 * (unless broken).
 *
 * Strict where leniency lets two parsers disagree about where a request ends: bare CR or LF,
 * folded lines, blanks before the colon, more than one Content-Length, Content-Length together
 * with Transfer-Encoding, and a coding other than chunked are refused and end the connection.
 */
#ifndef HELLO_REQUEST_H
#define HELLO_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum request_method {
	METHOD_UNKNOWN,
	METHOD_GET,
	METHOD_HEAD,
	METHOD_CONNECT,
	METHOD_OPTIONS,
	METHOD_OTHER, /* known, not offered: POST, PUT, DELETE, TRACE, PATCH */
};

enum request_field {
	FIELD_OTHER,
	FIELD_HOST,
	FIELD_LENGTH,
	FIELD_CODING,
	FIELD_CONNECTION,
	FIELD_EXPECT,
};

/* In the order of the input.  All but STATE_BODY, STATE_CHUNK_DATA and STATE_DONE use up `room`. */
enum request_state {
	STATE_START,
	STATE_START_LF,
	STATE_METHOD,
	STATE_TARGET,
	STATE_VERSION,
	STATE_LINE_CR,
	STATE_LINE_LF,
	STATE_FIELD,
	STATE_NAME,
	STATE_VALUE,
	STATE_VALUE_LF,
	STATE_HEAD_LF,
	STATE_BODY,
	STATE_CHUNK_SIZE,
	STATE_CHUNK_BLANK,
	STATE_CHUNK_EXTENSION,
	STATE_CHUNK_LF,
	STATE_CHUNK_DATA,
	STATE_CHUNK_END_CR,
	STATE_CHUNK_END_LF,
	STATE_DONE,
};

#define REQUEST_WORD   32
#define REQUEST_TARGET 64

struct request {
	enum request_state state;
	enum request_method method;
	enum request_field field;
	int status;   /* the verdict: 200, or what the peer did wrong */
	bool close;   /* the connection ends after the answer */
	bool broken;  /* nobody can tell where the next request would start (implies close) */
	bool is_old;  /* HTTP/1.0 */
	bool keep;    /* "Connection: keep-alive" was seen */
	bool expects; /* "Expect: 100-continue", and no byte of the body has come */
	bool host;    /* which fields were seen */
	bool length;
	bool coding;
	bool chunked;  /* the last transfer coding is chunked */
	bool foreign;  /* there is another transfer coding */
	bool trailers; /* the fields being read come after the body */
	bool gap;      /* a blank was seen after the word */
	uint32_t room; /* bytes that may still come before the end of the head, line or trailers */
	uint32_t word_length;   /* may exceed REQUEST_WORD by one: too long to be known */
	uint32_t target_length; /* may exceed REQUEST_TARGET: `target` then has its beginning */
	uint64_t body_left;     /* bytes of the body, or of the chunk */
	uint64_t body_bytes;    /* all chunks so far */
	char word[REQUEST_WORD];
	char target[REQUEST_TARGET];
};

/* Makes ready for the first or the next request. */
void request_reset(struct request *request);

/*
 * Takes bytes up to the end of the request and no further; *ret_used says how many.  True when
 * there is a verdict: `status`, `close`, `broken` and `method` are then valid, and request_reset()
 * is to be called before the next byte.  False: all bytes were taken, more are needed.
 */
bool request_feed(struct request *request, const char *data, size_t length, size_t *ret_used);

/* No byte of a request has come (empty lines before it do not count). */
bool request_is_idle(const struct request *request);

/* The head is complete and the body is not. */
bool request_is_in_body(const struct request *request);

/* True once, when the peer waits for "100 Continue" before it sends the body. */
bool request_take_continue(struct request *request);

/* For field.c and body.c: ends the request with a status after which the connection must close. */
void request_fail(struct request *request, int status);

#endif
