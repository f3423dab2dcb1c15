/* SPDX-License-Identifier: ISC */
/*
 * fakeloop.c: the event loop (libev), the timer, the bell, and the channel to the guardian.
 *
 * ev_run() is where the schedule goes on: whenever the engine has nothing more to do, driver.c lets
 * the world go on until it has.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <ev.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>

#include "lib/channel.h"
#include "tests/sim/checks.h"
#include "tests/sim/driver.h"
#include "tests/sim/fake.h"
#include "tests/sim/kernel.h"
#include "tests/sim/steps.h"
#include "tests/sim/world.h"

/* More rounds at one instant than anything sensible takes. */
#define ROUNDS_MAX 2000

int __wrap_clock_gettime(clockid_t id, struct timespec *ret_time);
int __wrap_timerfd_create(int clock, int flags);
int __wrap_timerfd_settime(
    int fd, int flags, const struct itimerspec *value, struct itimerspec *old);
ssize_t __wrap_read(int fd, void *buffer, size_t size);
int __wrap_fcntl(int fd, int command, ...);
int __wrap_dup2(int from, int to);
int __wrap_sigprocmask(int how, const sigset_t *set, sigset_t *old);
uint32_t __wrap_arc4random(void);

static bool is_ready(const ev_io *io);
static void poll_ios(struct ev_loop *loop);

/* Never the same twice: so no two tasks have one number. */
int __wrap_clock_gettime(clockid_t id, struct timespec *ret_time)
{
	int64_t now_ns = ++world->now_ns;

	if (id == CLOCK_REALTIME)
		now_ns += world->wall_offset_ns;
	*ret_time = (struct timespec){
	    .tv_sec = (time_t)(now_ns / NS_PER_S), .tv_nsec = (long)(now_ns % NS_PER_S)};
	return 0;
}

uint32_t __wrap_arc4random(void)
{
	return world_roll(8) == 0 ? UINT32_MAX : world_roll(1U << 31) * 2U;
}

int __wrap_timerfd_create(int clock, int flags)
{
	(void)clock;
	(void)flags;
	return FAKE_TIMERFD;
}

int __wrap_timerfd_settime(
    int fd, int flags, const struct itimerspec *value, struct itimerspec *old)
{
	(void)fd;
	(void)flags;
	(void)old;
	world->engine.timer_ns =
	    (int64_t)value->it_value.tv_sec * NS_PER_S + value->it_value.tv_nsec;
	return 0;
}

ssize_t __wrap_read(int fd, void *buffer, size_t size)
{
	errno = EAGAIN;
	if (fd == FD_BELL && world->bell) {
		world->bell = false;
		return 8;
	}
	if (fd == FAKE_TIMERFD && world->engine.timer_ns != 0 &&
	    world->engine.timer_ns <= world->now_ns) {
		world->engine.timer_ns = 0;
		return 8;
	}
	if (fd >= FAKE_PID_FILE && fd < FAKE_PID_FILE + STANZA_PROGRAMS)
		return fake_read_pid_file(fd - FAKE_PID_FILE, buffer, size);
	return -1;
}

int __wrap_fcntl(int fd, int command, ...)
{
	(void)fd;
	(void)command;
	return 0;
}

int __wrap_dup2(int from, int to)
{
	(void)from;
	return to;
}

int __wrap_sigprocmask(int how, const sigset_t *set, sigset_t *old)
{
	(void)how;
	(void)set;
	(void)old;
	return 0;
}

/* ---- the channel to the guardian ---- */

int channel_receive(int fd, struct msg *ret_msg, int flags)
{
	(void)fd;
	(void)flags;
	if (world->message_count == 0)
		return -EAGAIN;
	ret_msg->head = world->messages[0];
	if (ret_msg->head.type == MSG_RELOAD) {
		static const struct sim_command apply = {.kind = COMMAND_APPLY};

		world->engine.operation = COMMAND_APPLY;
		check_text_command(&apply);
	}
	ret_msg->length = ret_msg->fd_count = 0;
	memmove(world->messages, world->messages + 1,
	    (size_t)--world->message_count * sizeof(world->messages[0]));
	return 1;
}

void channel_drop_fds(struct msg *msg)
{
	(void)msg;
}

int channel_send_head(int fd, const struct msg_head *head, int passed_fd, int flags)
{
	(void)fd;
	(void)passed_fd;
	(void)flags;
	steps_effect();
	if (head->type == MSG_READY)
		world->ledger->header.served = 1;
	else if (head->type == MSG_DONE) {
		world->end = (struct sim_end){.done = true, .code = (int)head->value};
		check_finished();
	}
	return 0;
}

/* The guardian's part of a shutdown: see shutdown_begin(). */
void fake_request_shutdown(void)
{
	if (world->ledger->header.shutdown)
		return;
	world_say("the guardian shuts down");
	world->ledger->header.shutdown = 1;
	check_shutdown_begins();
	if (world->engine.alive && world->message_count < WORLD_MESSAGES)
		world->messages[world->message_count++] = (struct msg_head){.type = MSG_SHUTDOWN};
}

/* ---- libev ---- */

struct ev_loop *ev_loop_new(unsigned flags)
{
	static int loop;

	(void)flags;
	return (struct ev_loop *)(void *)&loop;
}

void ev_loop_destroy(struct ev_loop *loop)
{
	(void)loop;
}

void ev_io_start(struct ev_loop *loop, ev_io *io)
{
	(void)loop;
	if (io->active)
		return;
	io->active = 1;
	if (world->engine.io_count == WORLD_IOS)
		world_fail("too many descriptors are watched");
	else
		world->engine.ios[world->engine.io_count++] = io;
}

void ev_io_stop(struct ev_loop *loop, ev_io *io)
{
	(void)loop;
	if (!io->active)
		return;
	io->active = 0;
	for (int i = 0; i < world->engine.io_count; i++)
		if (world->engine.ios[i] == io)
			world->engine.ios[i] = world->engine.ios[--world->engine.io_count];
}

void ev_prepare_start(struct ev_loop *loop, ev_prepare *prepare)
{
	(void)loop;
	world->engine.prepare = prepare;
}

void ev_idle_start(struct ev_loop *loop, ev_idle *idle)
{
	(void)loop;
	(void)idle;
	world->engine.busy = true;
}

void ev_idle_stop(struct ev_loop *loop, ev_idle *idle)
{
	(void)loop;
	(void)idle;
	world->engine.busy = false;
}

void ev_break(struct ev_loop *loop, int how)
{
	(void)loop;
	(void)how;
	world->engine.broken = true;
}

int ev_run(struct ev_loop *loop, int flags)
{
	int rounds = 0;

	(void)flags;
	world->engine.serving = true;
	while (!world->engine.broken && !world->failed && !world->over) {
		world->engine.prepare->cb(loop, world->engine.prepare, EV_PREPARE);
		if (world->engine.broken)
			break;
		if (!world->engine.busy && !loop_is_ready()) {
			rounds = 0;
			driver_advance();
		} else if (++rounds > ROUNDS_MAX) {
			world_fail("the engine is never done at this instant");
		}
		poll_ios(loop);
	}
	/* Nothing is left that anybody wants to know of it. */
	if (world->failed || world->over)
		steps_kill();
	return 0;
}

bool loop_is_ready(void)
{
	if (world->command.given || world->engine.wake_ops || fake_has_notes())
		return true;
	for (int i = 0; i < world->engine.io_count; i++)
		if (is_ready(world->engine.ios[i]))
			return true;
	return false;
}

static bool is_ready(const ev_io *io)
{
	if (io->fd == FD_GUARDIAN)
		return world->message_count > 0;
	if (io->fd == FD_BELL)
		return world->bell;
	if (io->fd == FAKE_TIMERFD)
		return world->engine.timer_ns != 0 && world->engine.timer_ns <= world->now_ns;
	if (io->fd >= FAKE_SOCKET && io->fd < FAKE_SOCKET + STANZA_PROGRAMS)
		return world->callers[io->fd - FAKE_SOCKET] > 0;
	if (io->fd >= FAKE_PIDFD)
		return kernel_find_alive(io->fd - FAKE_PIDFD) == NULL;
	return false;
}

/* In any order; what one of them stops is not called any more. */
static void poll_ios(struct ev_loop *loop)
{
	ev_io *ready[WORLD_IOS];
	int count = 0;

	for (int i = 0; i < world->engine.io_count; i++)
		if (is_ready(world->engine.ios[i]))
			ready[count++] = world->engine.ios[i];
	if (fake_has_notes() && world_roll(2))
		fake_deliver_notes(NULL);
	while (count > 0 && !world->failed) {
		int at = (int)world_roll((unsigned)count);
		ev_io *io = ready[at];
		bool there = false;

		ready[at] = ready[--count];
		for (int i = 0; i < world->engine.io_count; i++)
			there = there || world->engine.ios[i] == io;
		if (there)
			io->cb(loop, io, EV_READ);
		world->engine.operation = COMMAND_NONE;
	}
	fake_deliver_notes(NULL);
}
