/* SPDX-License-Identifier: ISC */
/* utf8.h: one character at a time, see RFC 3629.  Pure. */
#ifndef LIB_UTF8_H
#define LIB_UTF8_H

#include <stddef.h>
#include <stdint.h>

/*
 * Decode the character that `bytes` begins with.  Returns how many of the `length` bytes it takes,
 * 0 when they are not well-formed: overlong, a surrogate, past U+10FFFF, cut off, or length is 0.
 */
size_t utf8_decode(const char *bytes, size_t length, uint32_t *ret_character);

/* Encode a character below 0x110000 into up to 4 bytes; returns how many. */
size_t utf8_encode(uint32_t character, char *bytes);

#endif
