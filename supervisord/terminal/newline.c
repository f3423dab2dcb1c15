/* SPDX-License-Identifier: ISC */
/* newline.c: see newline.h. */
#include "supervisord/terminal/newline.h"

size_t newline_convert(const char *from, size_t length, bool *carry, char *to)
{
	bool held = *carry;
	size_t at = 0;

	for (size_t i = 0; i < length; i++) {
		if (from[i] == '\r') {
			held = true;
			continue;
		}
		if (held && from[i] != '\n')
			to[at++] = '\r';
		held = false;
		to[at++] = from[i];
	}
	*carry = held;
	return at;
}
