/* SPDX-License-Identifier: ISC */
/* limits.h: the guardian's own resource limits, which the programs must not inherit. */
#ifndef GUARDIAN_LIMITS_H
#define GUARDIAN_LIMITS_H

#include <stdint.h>

/*
 * Raise RLIMIT_NOFILE as far as the kernel lets us.  Gives the limits found, which the engine gives
 * back to each program.
 */
void limits_raise_nofile(uint64_t *ret_soft, uint64_t *ret_hard);

#endif
