/* SPDX-License-Identifier: ISC */
/*
 * ttymodes.h: what a program has switched on in the person's terminal and has to be switched off
 * when the two part: the alternate screen, the mouse, a hidden cursor (CSI ? number h and l, as
 * xterm has them).  Pure.
 */
#ifndef CTL_TTYMODES_H
#define CTL_TTYMODES_H

#include <stddef.h>
#include <stdint.h>

#define TTYMODES_RESET 128

struct ttymodes {
	uint32_t changed; /* a bit for each of the known ones */
	uint32_t pending; /* those of the sequence at hand */
	unsigned number;
	int place; /* in the sequence: 0 outside, 1 behind ESC, 2 behind [, 3 behind ? */
};

/* Output that the terminal is shown. */
void ttymodes_note(struct ttymodes *modes, const unsigned char *bytes, size_t length);

/* What makes it as before, NUL-terminated; "" when nothing was changed. */
const char *ttymodes_reset(const struct ttymodes *modes, char buffer[TTYMODES_RESET]);

#endif
