/* SPDX-License-Identifier: ISC */
/* procstat.h: what /proc/PID/stat says of a process, see proc(5). */
#ifndef ENGINE_PROCSTAT_H
#define ENGINE_PROCSTAT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct procstat {
	char state; /* R S D T Z X … */
	pid_t parent;
	pid_t group;
	pid_t session;
	uint64_t user_ticks;
	uint64_t system_ticks;
	uint64_t start; /* in clock ticks since boot: tells a reused pid */
	int64_t resident_pages;
};

/* False when there is no such process (any more). */
bool procstat_read(pid_t pid, struct procstat *ret_stat);

#endif
