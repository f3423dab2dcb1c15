/* SPDX-License-Identifier: ISC */
/* procstat.h: what /proc/PID/stat says of a process, see proc(5). */
#ifndef ENGINE_PROCSTAT_H
#define ENGINE_PROCSTAT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct procstat {
	char state; /* R S D T Z X …; of the first thread, see procstat_is_alive() */
	pid_t parent;
	pid_t group;
	pid_t session;
	uint64_t user_ticks;
	uint64_t system_ticks;
	long threads;
	uint64_t start; /* in clock ticks since boot: tells a reused pid */
	int64_t resident_pages;
};

/* False when there is no such process (any more). */
bool procstat_read(pid_t pid, struct procstat *ret_stat);

/* Not a zombie.  One whose first thread has ended looks like a zombie while other threads go on. */
static inline bool procstat_is_alive(const struct procstat *stat)
{
	return (stat->state != 'Z' && stat->state != 'X') || stat->threads > 1;
}

/* Its name (comm), with '?' for what is not printable ASCII.  False when there is no such process.
 */
#define PROCSTAT_NAME 17
bool procstat_read_name(pid_t pid, char name[PROCSTAT_NAME]);

#endif
