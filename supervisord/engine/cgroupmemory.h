/* SPDX-License-Identifier: ISC */
/*
 * cgroupmemory.h: what the memory controller says of a leaf (cgroup.h), where there is one: how
 * much its processes have had together, and whether the kernel has killed some for want of more.
 *
 * A leaf is made anew for each run where there is the controller, as none of its counts can be set
 * back; so they are those of the run.  See cgroups(7), memory.events.
 */
#ifndef ENGINE_CGROUPMEMORY_H
#define ENGINE_CGROUPMEMORY_H

#include "supervisord/engine/cgroup.h"

struct cgroup_memory {
	uint64_t oom_kills;  /* processes that were killed */
	int64_t peak_bytes;  /* 0: not known (before Linux 5.19) */
	int64_t limit_bytes; /* of it or of what it is in; 0: none */
};

/* Ask for the controller in the directory `base` of ours, and say whether leaves will have it. */
bool cgroup_memory_enable(int base);

/* 0, or -errno (-ENOENT: no leaf, or no controller). */
int cgroup_memory_look(
    const struct cgroups *cgroups, int row, const char *name, struct cgroup_memory *ret_memory);

#endif
