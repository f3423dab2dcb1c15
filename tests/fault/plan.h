/* SPDX-License-Identifier: ISC */
/*
 * plan.h: what shall go wrong, in a file that the test (logger_guardian.c) and the library that is
 * loaded into the logger (shim.c) both map.  All zero: nothing.  The order of the members is the
 * order of plan_names.
 */
#ifndef FAULT_PLAN_H
#define FAULT_PLAN_H

#include <stdatomic.h>

/*
 * A call fails with CALL_errno each time that its number can be divided by CALL_every; what it is
 * done with is a regular file, but for splice(2), whose pipe it is the same with.  CALL_most: bytes
 * that are moved at the most.
 */
#define PLAN_MEMBERS(MEMBER)                                                                       \
	MEMBER(splice_every)                                                                       \
	MEMBER(splice_errno)                                                                       \
	MEMBER(splice_most)                                                                        \
	MEMBER(write_every)                                                                        \
	MEMBER(write_errno)                                                                        \
	MEMBER(write_most)                                                                         \
	MEMBER(rename_every)                                                                       \
	MEMBER(rename_errno)                                                                       \
	MEMBER(open_every) /* of those that may create */                                          \
	MEMBER(open_errno)                                                                         \
	MEMBER(clock_step_s) /* added to CLOCK_REALTIME */                                         \
	MEMBER(hits)         /* calls that failed or were cut */

#define PLAN_MEMBER(name) _Atomic long name;
struct plan {
	PLAN_MEMBERS(PLAN_MEMBER)
};
#undef PLAN_MEMBER

#define PLAN_NAME(name) #name,
static const char *const plan_names[] = {PLAN_MEMBERS(PLAN_NAME)};
#undef PLAN_NAME

#define PLAN_COUNT (sizeof(plan_names) / sizeof(plan_names[0]))

#endif
