/* SPDX-License-Identifier: ISC */
/*
 * polluted SOFT COMMAND [WORD…]: runs COMMAND in its place with everything a careless caller can
 * leave behind: a file as standard input, open descriptors, ignored and blocked signals, a strict
 * umask, secrets in the environment, and SOFT as the limit of descriptors.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	static const unsigned long raw_ignore[4] = {1}; /* the kernel's struct sigaction: SIG_IGN */
	static const int ignored[] = {SIGHUP, SIGPIPE, SIGUSR2, SIGCHLD, SIGTTOU};
	static const int blocked[] = {SIGTERM, SIGHUP, SIGCHLD, SIGUSR1, SIGALRM};
	struct rlimit limit;
	sigset_t mask;
	int null;

	if (argc < 3)
		return 2;
	null = open("/dev/null", O_RDWR);
	(void)dup2(null, 7);
	(void)dup2(open(argv[0], O_RDONLY), STDIN_FILENO);
	(void)dup2(null, 42);
	(void)dup2(socket(AF_UNIX, SOCK_STREAM, 0), 100);
	sigemptyset(&mask);
	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
	/* What the C library keeps for itself can still come ignored from another one's hands: 32 and 33. */
	for (int number = 32; number <= 33; number++)
		syscall(SYS_rt_sigaction, number, raw_ignore, NULL, 8);
	for (size_t i = 0; i < sizeof(blocked) / sizeof(blocked[0]); i++)
		sigaddset(&mask, blocked[i]);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	umask(077);
	setenv("POLLUTED_SECRET", "hunter2", 1);
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return 1;
	limit.rlim_cur = (rlim_t)atol(argv[1]);
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		return 1;
	execvp(argv[2], argv + 2);
	perror(argv[2]);
	return 127;
}
