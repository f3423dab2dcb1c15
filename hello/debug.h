/* SPDX-License-Identifier: ISC */
/*
 * debug.h: the paths that misbehave on demand (--debug), for trying out a supervisor: /crash,
 * /exit?code=N, /hang.  Pure: says what is asked for, does nothing.
 */
#ifndef HELLO_DEBUG_H
#define HELLO_DEBUG_H

#include "hello/request.h"

enum debug_act {
	DEBUG_NONE,
	DEBUG_CRASH,
	DEBUG_EXIT,
	DEBUG_HANG,
	DEBUG_MALFORMED, /* /exit without a code of 0 to 255 */
};

/* `request` has the verdict 200.  *ret_code only with DEBUG_EXIT. */
enum debug_act debug_find_act(const struct request *request, int *ret_code);

#endif
