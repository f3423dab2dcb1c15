/* SPDX-License-Identifier: ISC */
/* utf8.c: see utf8.h. */
#include "lib/utf8.h"

size_t utf8_decode(const char *bytes, size_t length, uint32_t *ret_character)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned char first;
	uint32_t character;
	size_t need;

	if (length == 0)
		return 0;
	first = (unsigned char)bytes[0];
	if (first < 0x80) {
		*ret_character = first;
		return 1;
	}
	need = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
	if (first < 0xc2 || first > 0xf4 || length < need)
		return 0;
	character = first & (0x7fU >> need);
	for (size_t i = 1; i < need; i++) {
		if (((unsigned char)bytes[i] & 0xc0) != 0x80)
			return 0;
		character = character << 6 | ((unsigned char)bytes[i] & 0x3f);
	}
	if (character < smallest[need] || character > 0x10ffff ||
	    (character >= 0xd800 && character <= 0xdfff))
		return 0;
	*ret_character = character;
	return need;
}

size_t utf8_encode(uint32_t character, char *bytes)
{
	if (character < 0x80) {
		bytes[0] = (char)character;
		return 1;
	}
	if (character < 0x800) {
		bytes[0] = (char)(0xc0 | character >> 6);
		bytes[1] = (char)(0x80 | (character & 0x3f));
		return 2;
	}
	if (character < 0x10000) {
		bytes[0] = (char)(0xe0 | character >> 12);
		bytes[1] = (char)(0x80 | (character >> 6 & 0x3f));
		bytes[2] = (char)(0x80 | (character & 0x3f));
		return 3;
	}
	bytes[0] = (char)(0xf0 | character >> 18);
	bytes[1] = (char)(0x80 | (character >> 12 & 0x3f));
	bytes[2] = (char)(0x80 | (character >> 6 & 0x3f));
	bytes[3] = (char)(0x80 | (character & 0x3f));
	return 4;
}
