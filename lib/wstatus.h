/* SPDX-License-Identifier: ISC */
/*
 * wstatus.h: the status of wait(2) taken apart.  The same as WIFEXITED() and its kin on Linux, but
 * without <sys/wait.h>, so that pure code can use it.
 */
#ifndef LIB_WSTATUS_H
#define LIB_WSTATUS_H

#include <stdbool.h>

static inline bool wstatus_is_exit(int wstatus)
{
	return (wstatus & 0x7f) == 0;
}

/* Of an exit: 0 to 255. */
static inline int wstatus_code(int wstatus)
{
	return wstatus >> 8 & 0xff;
}

/* Of a death by signal: its number. */
static inline int wstatus_signal(int wstatus)
{
	return wstatus & 0x7f;
}

static inline bool wstatus_is_core_dumped(int wstatus)
{
	return wstatus & 0x80;
}

#endif
