/* SPDX-License-Identifier: ISC */
/*
 * looper FILE: fails at once, and proves that no two of its runs overlap.
 *
 * Takes a lock on FILE for its whole life, appends "RUN PID", or "overlap RUN PID" when another run
 * has the lock, and exits 1.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	const char *run = getenv("SUPERVISORD_RUN");
	char line[128];
	int fd, length;

	if (argc != 2)
		return 2;
	fd = open(argv[1], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	if (fd < 0)
		return 3;
	length = snprintf(line, sizeof(line), "%s%s %d\n",
	    flock(fd, LOCK_EX | LOCK_NB) < 0 ? "overlap " : "", run != NULL ? run : "-",
	    (int)getpid());
	return write(fd, line, (size_t)length) == length ? 1 : 4;
}
