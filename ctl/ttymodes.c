/* SPDX-License-Identifier: ISC */
/* ttymodes.c: see ttymodes.h. */
#include <stdbool.h>
#include <stdio.h>

#include "ctl/ttymodes.h"

#define ESCAPE 0x1b

/* In the order in which they are set back.  `usual`: what it is without any program. */
static const struct {
	unsigned number;
	bool usual;
} known[] = {
    {1, false},                               /* cursor keys of applications */
    {1000, false},                            /* mouse: clicks */
    {1002, false},                            /* and drags */
    {1003, false},                            /* and moves */
    {1004, false},                            /* focus */
    {1006, false},                            /* the mouse's coordinates */
    {1015, false}, {2004, false},             /* bracketed paste */
    {47, false},                              /* alternate screen, three kinds */
    {1047, false}, {1049, false}, {25, true}, /* the cursor is seen */
};
#define KNOWN (sizeof(known) / sizeof(known[0]))

static void end_number(struct ttymodes *modes);

void ttymodes_note(struct ttymodes *modes, const unsigned char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		unsigned char c = bytes[i];

		if (c == ESCAPE) {
			modes->place = 1;
		} else if (modes->place == 1 && c == '[') {
			modes->place = 2;
		} else if (modes->place == 2 && c == '?') {
			modes->place = 3;
			modes->pending = 0;
			modes->number = 0;
		} else if (modes->place == 3 && c >= '0' && c <= '9') {
			modes->number =
			    modes->number < 100000 ? modes->number * 10 + c - '0' : 100000;
		} else if (modes->place == 3 && c == ';') {
			end_number(modes);
		} else if (modes->place == 3 && (c == 'h' || c == 'l')) {
			end_number(modes);
			for (size_t k = 0; k < KNOWN; k++)
				if (modes->pending >> k & 1 && (c == 'h') != known[k].usual)
					modes->changed |= 1U << k;
				else if (modes->pending >> k & 1)
					modes->changed &= ~(1U << k);
			modes->place = 0;
		} else {
			modes->place = 0;
		}
	}
}

const char *ttymodes_reset(const struct ttymodes *modes, char buffer[TTYMODES_RESET])
{
	size_t at = 0;

	buffer[0] = '\0';
	/* All of them together, with the colours, are shorter than the buffer. */
	for (size_t k = 0; k < KNOWN; k++)
		if (modes->changed >> k & 1)
			at += (size_t)snprintf(buffer + at, TTYMODES_RESET - at, "\033[?%u%c",
			    known[k].number, known[k].usual ? 'h' : 'l');
	if (at > 0)
		(void)snprintf(buffer + at, TTYMODES_RESET - at, "\033[m");
	return buffer;
}

static void end_number(struct ttymodes *modes)
{
	for (size_t k = 0; k < KNOWN; k++)
		if (known[k].number == modes->number)
			modes->pending |= 1U << k;
	modes->number = 0;
}
