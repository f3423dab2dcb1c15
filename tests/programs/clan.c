/* SPDX-License-Identifier: ISC */
/*
 * clan hidden FILE: a program that only a cgroup can hold together.  The leader ends on TERM, its
 * child ignores TERM, and a grandchild ignores it, too, in a session of its own, adopted by
 * somebody else, and with an empty environment (3 processes).
 *
 * clan many COUNT FILE: processes that make processes until there are COUNT; all ignore TERM.
 *
 * "ready" is written to FILE when all are there.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static void sit(int there);
static void grow_child(int there);
static void hide_grandchild(const char *self, int there);
static void multiply(atomic_int *left, int there);
static int say_ready(const char *file);

int main(int argc, char **argv)
{
	int there[2], expected = 2;
	char byte;

	if (argc == 3 && strcmp(argv[1], "sit") == 0)
		sit(atoi(argv[2]));
	if (argc < 3 || pipe(there) < 0)
		return 2;
	if (strcmp(argv[1], "hidden") == 0) {
		grow_child(there[1]);
		hide_grandchild(argv[0], there[1]);
	} else if (strcmp(argv[1], "many") == 0 && argc == 4) {
		atomic_int *left = mmap(
		    NULL, sizeof(*left), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

		if (left == MAP_FAILED)
			return 1;
		expected = atoi(argv[2]) - 1;
		atomic_init(left, expected);
		signal(SIGTERM, SIG_IGN);
		multiply(left, there[1]);
	} else {
		return 2;
	}
	while (expected-- > 0)
		if (read(there[0], &byte, 1) != 1)
			return 1;
	if (say_ready(argv[argc - 1]) < 0)
		return 1;
	for (;;)
		pause();
}

/* Says that it is there, then nothing but KILL ends it. */
static void sit(int there)
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
		sit(there);
}

/* Only exec(3) makes the kernel show another environment. */
static void hide_grandchild(const char *self, int there)
{
	static char *const nothing[] = {NULL};
	char number[16];
	pid_t middle = fork();

	if (middle != 0) {
		waitpid(middle, NULL, 0);
		return;
	}
	if (fork() == 0) {
		setsid();
		(void)snprintf(number, sizeof(number), "%d", there);
		execle(self, self, "sit", number, (char *)NULL, nothing);
	}
	_exit(0);
}

/* Two children each, as long as there are some left to be made. */
static void multiply(atomic_int *left, int there)
{
	for (int i = 0; i < 2; i++) {
		if (atomic_fetch_sub(left, 1) <= 0)
			return;
		if (fork() == 0) {
			multiply(left, there);
			sit(there);
		}
	}
}

static int say_ready(const char *file)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);

	return fd < 0 || write(fd, "ready\n", 6) != 6 ? -1 : 0;
}
