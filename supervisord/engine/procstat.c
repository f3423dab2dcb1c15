/* SPDX-License-Identifier: ISC */
/* procstat.c: see procstat.h. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "supervisord/engine/procstat.h"

bool procstat_read(pid_t pid, struct procstat *ret_stat)
{
	struct procstat stat = {0};
	char path[48], text[1024];
	const char *rest;
	ssize_t got;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	got = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (got <= 0)
		return false;
	text[got] = '\0';
	/* Field 2, the command name, may contain anything: what counts starts behind its last ')'.
	 */
	rest = strrchr(text, ')');
	if (rest == NULL ||
	    sscanf(rest + 1,
		" %c %d %d %d %*d %*d %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64
		" %*d %*d %*d %*d %ld %*d %" SCNu64 " %*u %" SCNd64,
		&stat.state, &stat.parent, &stat.group, &stat.session, &stat.user_ticks,
		&stat.system_ticks, &stat.threads, &stat.start, &stat.resident_pages) != 9)
		return false;
	*ret_stat = stat;
	return true;
}

bool procstat_read_name(pid_t pid, char name[PROCSTAT_NAME])
{
	char path[48];
	ssize_t got;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	got = read(fd, name, PROCSTAT_NAME - 1);
	close(fd);
	if (got <= 0)
		return false;
	if (name[got - 1] == '\n')
		got--;
	name[got] = '\0';
	for (char *c = name; *c != '\0'; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	return true;
}
