/* SPDX-License-Identifier: ISC */
/* foreground.c: see foreground.h, signal(7). */
#include <stddef.h>
#include <unistd.h>

#include "ctl/foreground.h"

static const int keys[] = {SIGINT, SIGQUIT};
#define KEYS (sizeof(keys) / sizeof(keys[0]))

static void pass_on(pid_t pid);

void foreground_begin(struct foreground *foreground)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < KEYS; i++)
		sigaddset(&set, keys[i]);
	(void)sigprocmask(SIG_BLOCK, &set, &foreground->mask);
	(void)sigaction(SIGINT, NULL, &foreground->interrupt);
	(void)sigaction(SIGQUIT, NULL, &foreground->quit);
	/* What is ignored need not wait, though it is blocked (sigaction(3p)). */
	for (size_t i = 0; i < KEYS; i++)
		(void)signal(keys[i], SIG_DFL);
}

pid_t foreground_fork(const struct foreground *foreground)
{
	pid_t pid = fork();

	if (pid == 0)
		(void)sigprocmask(SIG_SETMASK, &foreground->mask, NULL);
	if (pid > 0)
		pass_on(pid);
	return pid;
}

/* What waits came before the fork, or came to both; twice is no harm. */
static void pass_on(pid_t pid)
{
	sigset_t waiting;

	if (sigpending(&waiting) < 0)
		return;
	for (size_t i = 0; i < KEYS; i++)
		if (sigismember(&waiting, keys[i]) == 1)
			(void)kill(pid, keys[i]);
}

void foreground_end(const struct foreground *foreground)
{
	/* That forgets what waits. */
	for (size_t i = 0; i < KEYS; i++)
		(void)signal(keys[i], SIG_IGN);
	(void)sigaction(SIGINT, &foreground->interrupt, NULL);
	(void)sigaction(SIGQUIT, &foreground->quit, NULL);
	(void)sigprocmask(SIG_SETMASK, &foreground->mask, NULL);
}
