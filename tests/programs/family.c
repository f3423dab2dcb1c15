/* SPDX-License-Identifier: ISC */
/*
 * family stubborn | leader-quits | orphan FILE: a program that is hard to stop.
 *
 *   stubborn      leader, child and a grandchild in a session of its own, and all ignore TERM (3
 * processes) leader-quits  the leader ends on TERM, its child ignores it (2) orphan        a
 * double-forked grandchild in a session of its own, ignoring TERM, whose parent is gone (2)
 *
 * "ready" is written to FILE when the whole family is there.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void live(int there);
static void grow_child(int there);
static void grow_grandchild(int there);

int main(int argc, char **argv)
{
	int there[2], fd, expected = 0;
	char byte;

	if (argc != 3 || pipe2(there, O_CLOEXEC) < 0)
		return 2;
	if (strcmp(argv[1], "stubborn") == 0) {
		signal(SIGTERM, SIG_IGN);
		grow_child(there[1]);
		grow_grandchild(there[1]);
		expected = 2;
	} else if (strcmp(argv[1], "leader-quits") == 0) {
		grow_child(there[1]);
		expected = 1;
	} else if (strcmp(argv[1], "orphan") == 0) {
		grow_grandchild(there[1]);
		expected = 1;
	}
	while (expected-- > 0)
		if (read(there[0], &byte, 1) != 1)
			return 1;
	fd = open(argv[2], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	if (fd < 0 || write(fd, "ready\n", 6) != 6)
		return 1;
	for (;;)
		pause();
}

/* Says that it is there, then nothing but KILL ends it. */
static void live(int there)
{
	signal(SIGTERM, SIG_IGN);
	if (write(there, "", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

static void grow_child(int there)
{
	if (fork() == 0)
		live(there);
}

static void grow_grandchild(int there)
{
	pid_t middle = fork();

	if (middle == 0) {
		if (fork() == 0) {
			setsid();
			live(there);
		}
		_exit(0);
	}
	waitpid(middle, NULL, 0);
}
