/* SPDX-License-Identifier: ISC */
/* client.c: see client.h. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/clock.h"
#include "tests/bench/client.h"

/* unistd.h has it only with _GNU_SOURCE. */
extern char **environ;

static int64_t client_timeval_ns(struct timeval tv)
{
	return tv.tv_sec * NS_PER_S + tv.tv_usec * 1000LL;
}

int client_open_pidfd(pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	return fd < 0 ? -errno : fd;
}

int client_await_end(int pidfd, int64_t deadline_ns)
{
	struct pollfd poller = {.fd = pidfd, .events = POLLIN};

	for (;;) {
		int64_t left = deadline_ns - clock_read_ns(CLOCK_MONOTONIC);
		int n = poll(&poller, 1, left > 0 ? (int)(left / NS_PER_MS) + 1 : 0);

		if (n > 0)
			return 0;
		if (n == 0)
			return -ETIMEDOUT;
		if (errno != EINTR)
			return -errno;
	}
}

int client_start(char **argv, struct client_run *ret_run)
{
	struct client_run run = {.begin_ns = clock_read_ns(CLOCK_MONOTONIC)};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int r;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
	posix_spawnattr_setpgroup(&attributes, 0);
	r = -posix_spawnp(&run.pid, argv[0], &actions, &attributes, argv, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	if (r < 0)
		return r;
	run.pidfd = client_open_pidfd(run.pid);
	*ret_run = run;
	return 0;
}

int client_wait(struct client_run *run, int timeout_ms, struct client_result *ret_result)
{
	int64_t deadline = run->begin_ns + timeout_ms * NS_PER_MS;
	struct client_result result;
	struct rusage usage;
	int status, r;

	r = run->pidfd < 0 ? run->pidfd : client_await_end(run->pidfd, deadline);
	result.wall_ns = clock_read_ns(CLOCK_MONOTONIC) - run->begin_ns;
	if (r < 0)
		kill(-run->pid, SIGKILL);
	if (run->pidfd >= 0)
		close(run->pidfd);
	if (wait4(run->pid, &status, 0, &usage) != run->pid)
		return -errno;
	result.cpu_ns = client_timeval_ns(usage.ru_utime) + client_timeval_ns(usage.ru_stime);
	result.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	if (r < 0)
		result.status = -1;
	*ret_result = result;
	return 0;
}
