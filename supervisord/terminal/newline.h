/* SPDX-License-Identifier: ISC */
/*
 * newline.h: from what a terminal shows to lines of a log.
 *
 * A terminal is sent CR LF for each newline that a program writes (ONLCR of termios(3)), and a log
 * should have the newline alone.  So CRs right before a LF are left out, and of others in a row
 * one is kept: a progress bar stays as it is.  All other bytes are passed on.  Pure.
 */
#ifndef TERMINAL_NEWLINE_H
#define TERMINAL_NEWLINE_H

#include <stdbool.h>
#include <stddef.h>

/* `to` has room for length + 1.  *carry: a CR is held back, from before and to the next time. */
size_t newline_convert(const char *from, size_t length, bool *carry, char *to);

#endif
