/* SPDX-License-Identifier: ISC */
/* helper.c: see helper.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include "lib/vclone.h"
#include "supervisord/engine/helper.h"
#include "supervisord/engine/launchfd.h"

/* What the child between clone and exec needs. */
struct child {
	char **argv;
	struct launch_fd fds[HELPER_FDS + 1]; /* the last one is its end of the pipe */
	size_t count;
	sigset_t no_signals;
};

static int launch(struct child *child);
static int child_main(void *argument);
static void on_end(struct ev_loop *loop, ev_io *watcher, int events);

void helpers_init(struct helpers *helpers, size_t most)
{
	helpers->most = most;
	for (size_t i = 0; i < most; i++)
		ev_io_init(&helpers->ends[i], on_end, -1, EV_READ);
	helpers->on_end = NULL;
	for (size_t i = 0; i < most; i++)
		helpers->ends[i].data = helpers;
}

void helpers_done(struct helpers *helpers, struct ev_loop *loop)
{
	for (size_t i = 0; i < helpers->most; i++)
		if (helpers->ends[i].fd >= 0)
			on_end(loop, &helpers->ends[i], 0);
}

int helper_start(
    struct helpers *helpers, struct ev_loop *loop, char **argv, const int *fds, size_t count)
{
	struct child child = {.argv = argv, .count = count + 1};
	size_t place = 0;
	int ends[2], error;

	while (place < helpers->most && helpers->ends[place].fd >= 0)
		place++;
	if (place == helpers->most)
		return -EUSERS;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	for (size_t i = 0; i < count; i++)
		child.fds[i] = (struct launch_fd){fds[i], HELPER_FD + (int)i};
	child.fds[count] = (struct launch_fd){ends[1], HELPER_FD + (int)count};
	sigemptyset(&child.no_signals);
	error = launch(&child);
	close(ends[1]);
	if (error < 0) {
		close(ends[0]);
		return error;
	}
	ev_io_set(&helpers->ends[place], ends[0], EV_READ);
	ev_io_start(loop, &helpers->ends[place]);
	return 0;
}

static int launch(struct child *child)
{
	const int streams[3] = {STDIN_FILENO, STDERR_FILENO, STDERR_FILENO};
	int error = launch_fd_stage(streams, child->fds, child->count);
	pid_t pid;

	if (error < 0)
		return error;
	pid = vclone(child_main, child, CLONE_PARENT, NULL);
	launch_fd_unstage(streams, child->count);
	return pid < 0 ? (int)pid : 0;
}

VCLONE_CHILD static int child_main(void *argument)
{
	const struct child *child = argument;

	if (vclone_keep_below(LAUNCH_FD_END(child->count)) == 0 &&
	    launch_fd_place(child->fds, child->count) == 0 && setsid() >= 0 &&
	    sigprocmask(SIG_SETMASK, &child->no_signals, NULL) == 0)
		execve("/proc/self/exe", child->argv, environ);
	_exit(127);
}

/* Nothing is ever written to it: this is the end. */
static void on_end(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct helpers *helpers = watcher->data;

	ev_io_stop(loop, watcher);
	close(watcher->fd);
	ev_io_set(watcher, -1, EV_READ);
	if (events != 0 && helpers->on_end != NULL)
		helpers->on_end(helpers);
}
