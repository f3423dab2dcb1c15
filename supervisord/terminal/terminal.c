/* SPDX-License-Identifier: ISC */
/*
 * terminal.c: see terminal.h.
 *
 * Each turn of the loop pumps first, then shows: so nobody who is attached sees anything that is
 * not on its way to the log.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "lib/ownlog.h"
#include "lib/ttylink.h"
#include "supervisord/terminal/clients.h"
#include "supervisord/terminal/link.h"
#include "supervisord/terminal/pump.h"

#define EVENTS 32

static int set_up(struct terminal *terminal, int *ret_signals);
static int watch_signals(struct terminal *terminal, int *ret_signals);
static int take_turn(struct terminal *terminal, int signals, bool *busy);
static int dispatch(struct terminal *terminal, const struct epoll_event *event, int signals);
static int note_pumped(struct terminal *terminal, int result, bool *busy);
static void end(struct terminal *terminal);
static void open_slave(struct terminal *terminal);
static int watch_master(struct terminal *terminal, int pumped);

int terminal_run(void)
{
	struct terminal *terminal = calloc(1, sizeof(*terminal));
	int signals = -1, error;
	bool busy = true; /* what somebody who was killed has left */

	if (terminal == NULL)
		return EXIT_FAILURE;
	error = set_up(terminal, &signals);
	while (error == 0)
		error = take_turn(terminal, signals, &busy);
	clients_done(terminal);
	if (error != -ESHUTDOWN)
		log_error("%s", strerror(-error));
	free(terminal);
	return error == -ESHUTDOWN ? EXIT_SUCCESS : EXIT_FAILURE;
}

int terminal_watch(struct terminal *terminal, enum watch_kind kind, uint32_t number, int fd,
    uint32_t *have, uint32_t want)
{
	struct epoll_event event = {.events = want, .data.u64 = (uint64_t)kind << 32 | number};
	int what = want == 0 ? EPOLL_CTL_DEL : *have == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;

	if (*have == want)
		return 0;
	if (epoll_ctl(terminal->epoll, what, fd, &event) < 0)
		return -errno;
	*have = want;
	return 0;
}

static int set_up(struct terminal *terminal, int *ret_signals)
{
	uint32_t none = 0;
	int error;

	clients_init(terminal);
	terminal->output = terminal->slave = -1;
	error = state_open(FD_TTY_STATE, &terminal->state);
	if (error < 0)
		return error;
	terminal->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (terminal->epoll < 0)
		return -errno;
	error = watch_signals(terminal, ret_signals);
	if (error == 0)
		error = terminal_watch(terminal, WATCH_LINK, 0, FD_TTY_LINK, &none, EPOLLIN);
	if (error < 0)
		return error;
	open_slave(terminal);
	/* Where the output goes was told before we began. */
	error = link_read(terminal);
	return error == -EPIPE ? 0 : error;
}

static int watch_signals(struct terminal *terminal, int *ret_signals)
{
	uint32_t none = 0;
	sigset_t set;

	(void)signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	*ret_signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (*ret_signals < 0)
		return -errno;
	return terminal_watch(terminal, WATCH_SIGNAL, 0, *ret_signals, &none, EPOLLIN);
}

static int take_turn(struct terminal *terminal, int signals, bool *busy)
{
	struct epoll_event events[EVENTS];
	int count = epoll_wait(terminal->epoll, events, EVENTS, *busy ? 0 : -1);
	int error = 0;

	if (count < 0 && errno != EINTR)
		return -errno;
	for (int i = 0; i < count && error == 0; i++)
		error = dispatch(terminal, &events[i], signals);
	if (error < 0)
		return error;
	error = note_pumped(terminal, pump_run(terminal), busy);
	if (error == 0 || error == -ESHUTDOWN)
		clients_show(terminal);
	return error;
}

static int dispatch(struct terminal *terminal, const struct epoll_event *event, int signals)
{
	uint32_t number = (uint32_t)event->data.u64, have = EPOLLIN;
	struct signalfd_siginfo info;
	int error;

	switch ((enum watch_kind)(event->data.u64 >> 32)) {
	case WATCH_LINK:
		error = link_read(terminal);
		if (error != -EPIPE)
			return error;
		/* Nobody is left who could start another one: see what is said to its end. */
		terminal->last = true;
		(void)terminal_watch(terminal, WATCH_LINK, 0, FD_TTY_LINK, &have, 0);
		end(terminal);
		break;
	case WATCH_SIGNAL:
		if (read(signals, &info, sizeof(info)) != sizeof(info))
			break;
		if (terminal->ending)
			return -ESHUTDOWN;
		end(terminal);
		break;
	case WATCH_MASTER:
		if (event->events & EPOLLOUT)
			clients_type(terminal);
		break;
	case WATCH_OUTPUT:
		break;
	case WATCH_CLIENT:
		clients_note_event(terminal, number, event->events);
		break;
	}
	return 0;
}

static int note_pumped(struct terminal *terminal, int result, bool *busy)
{
	*busy = result == PUMP_AGAIN;
	if (result < 0)
		return result;
	terminal->hung = result == PUMP_HUNG_UP;
	if (terminal->drain_run != 0 && (result == PUMP_EMPTY || result == PUMP_HUNG_UP))
		link_tell_drained(terminal);
	if (terminal->ending && (terminal->hung || (result == PUMP_EMPTY && !terminal->last)))
		return -ESHUTDOWN;
	/* Some program has hung up the terminal under us (vhangup(2)). */
	if (terminal->hung) {
		open_slave(terminal);
		*busy = terminal->slave >= 0;
	}
	return watch_master(terminal, result);
}

/* When the last one of the program's processes has closed it, too, it is told as hung up, behind
 * all that they said.  Mostly there will be another relay, and nothing has to be waited for. */
static void end(struct terminal *terminal)
{
	terminal->ending = true;
	if (terminal->slave >= 0)
		close(terminal->slave);
	terminal->slave = -1;
}

static void open_slave(struct terminal *terminal)
{
	if (terminal->slave >= 0)
		close(terminal->slave);
	terminal->slave = ioctl(FD_TTY_MASTER, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (terminal->slave < 0)
		log_error("the terminal cannot be opened: %s", strerror(errno));
}

/* What cannot be passed on is left there; what hangs up is reported without end, so it is not
 * watched. */
static int watch_master(struct terminal *terminal, int pumped)
{
	uint32_t want =
	    (pumped == PUMP_BLOCKED ? 0 : EPOLLIN) | (clients_wait(terminal) ? EPOLLOUT : 0);

	if (terminal->hung && terminal->slave < 0)
		want = 0;
	return terminal_watch(
	    terminal, WATCH_MASTER, 0, FD_TTY_MASTER, &terminal->master_events, want);
}
