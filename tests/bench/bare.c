/* SPDX-License-Identifier: ISC */
/*
 * bare.c: the physical limit.  Starts N programs with vfork and exec, waits, and starts again at
 * once whatever has ended; nothing else a supervisor does is done here.  On TERM it passes TERM on,
 * waits for all of them and ends.
 *
 *   bare STAMP BOARD N MODE
 */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define BARE_MAX 16384

struct bare_program {
	char index[12];
	char *argv[5];
};

/* Static because the signal handler reads it. */
static struct {
	volatile pid_t pids[BARE_MAX];
	volatile int count;
	volatile sig_atomic_t stopping;
	struct bare_program programs[BARE_MAX];
} bare;

/* unistd.h has it only with _GNU_SOURCE. */
extern char **environ;

static void bare_on_term(int signo)
{
	bare.stopping = 1;
	for (int i = 0; i < bare.count; i++) {
		if (bare.pids[i] > 0)
			kill(bare.pids[i], signo);
	}
}

static void bare_start(int i)
{
	pid_t pid = vfork();

	if (pid == 0) {
		execve(bare.programs[i].argv[0], bare.programs[i].argv, environ);
		_exit(127);
	}
	bare.pids[i] = pid;
	/* TERM may have come between the vfork and the line above. */
	if (bare.stopping && pid > 0)
		kill(pid, SIGTERM);
}

static int bare_find(pid_t pid)
{
	for (int i = 0; i < bare.count; i++) {
		if (bare.pids[i] == pid)
			return i;
	}
	return -1;
}

static void bare_prepare(char **words, int count)
{
	for (int i = 0; i < count; i++) {
		struct bare_program *program = &bare.programs[i];

		snprintf(program->index, sizeof(program->index), "%d", i);
		program->argv[0] = words[0];
		program->argv[1] = words[1];
		program->argv[2] = program->index;
		program->argv[3] = words[3];
	}
	bare.count = count;
}

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = bare_on_term};
	int count = argc == 5 ? (int)strtol(argv[3], NULL, 10) : 0;
	pid_t pid;

	if (count < 1 || count > BARE_MAX) {
		fprintf(stderr, "usage: bare STAMP BOARD N MODE\n");
		return 2;
	}
	bare_prepare(argv + 1, count);
	sigaction(SIGTERM, &action, NULL);
	for (int i = 0; i < count; i++)
		bare_start(i);
	while ((pid = waitpid(-1, NULL, 0)) > 0 || errno == EINTR) {
		int i = pid > 0 ? bare_find(pid) : -1;

		if (i < 0)
			continue;
		bare.pids[i] = 0;
		if (!bare.stopping)
			bare_start(i);
	}
	return 0;
}
