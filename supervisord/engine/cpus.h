/* SPDX-License-Identifier: ISC */
/*
 * cpus.h: how many CPUs are ours, for instances = "cpus": those that sched_setaffinity(2) leaves
 * us, and no more than the quotas of our cgroups (cpu.max of cgroups(7), version 2) are worth.
 */
#ifndef ENGINE_CPUS_H
#define ENGINE_CPUS_H

#include <stdint.h>

/* At least 1, at most LIMIT_INSTANCES. */
uint32_t cpus_count(void);

/* What the text of a cpu.max ("150000 100000", "max 100000") is worth, rounded up; UINT32_MAX: no
 * quota, or not understood.  Pure. */
uint32_t cpus_of_quota(const char *text);

#endif
