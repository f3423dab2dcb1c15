/* SPDX-License-Identifier: ISC */
/* chars.h: which bytes may stand where in a request, as bits in one table (RFC 9110, 9112, 3986).
 */
#ifndef HELLO_CHARS_H
#define HELLO_CHARS_H

#include <stdbool.h>

enum chars_bit {
	CHARS_TOKEN = 1,  /* tchar: methods, field names */
	CHARS_TARGET = 2, /* visible ASCII: the request target */
	CHARS_VALUE = 4,  /* field values: visible ASCII, bytes from 0x80, space, tab */
	CHARS_HOST = 8,   /* a Host value: name, address in brackets, port */
};

extern const unsigned char chars_class[256];

static inline bool chars_has(char byte, enum chars_bit bit)
{
	return (chars_class[(unsigned char)byte] & (unsigned)bit) != 0;
}

static inline bool chars_is_blank(char byte)
{
	return byte == ' ' || byte == '\t';
}

#endif
