/* SPDX-License-Identifier: ISC */
/*
 * orphans COUNT FILE: makes COUNT processes that end after their parent did, so that somebody else
 * has to reap them.  Writes "done" to FILE when all have ended, and waits for TERM.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void make_orphan(int alive);

int main(int argc, char **argv)
{
	int alive[2], fd;
	char byte;

	if (argc != 3 || pipe2(alive, O_CLOEXEC) < 0)
		return 2;
	for (int count = atoi(argv[1]); count > 0; count--)
		make_orphan(alive[1]);
	/* The end of file comes when the last orphan is gone: each holds the other end. */
	close(alive[1]);
	while (read(alive[0], &byte, 1) > 0)
		;
	fd = open(argv[2], O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	if (fd < 0 || write(fd, "done\n", 5) != 5)
		return 1;
	for (;;)
		pause();
}

static void make_orphan(int alive)
{
	pid_t middle = fork();

	if (middle == 0) {
		pid_t parent = getpid();

		if (fork() == 0) {
			while (getppid() == parent)
				usleep(1000);
			close(alive);
		}
		_exit(0);
	}
	waitpid(middle, NULL, 0);
}
