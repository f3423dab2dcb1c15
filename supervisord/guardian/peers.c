/* SPDX-License-Identifier: ISC */
/* peers.c: see peers.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/channel.h"
#include "lib/ownlog.h"
#include "lib/wstatus.h"
#include "supervisord/guardian/context.h"
#include "supervisord/guardian/notify.h"
#include "supervisord/guardian/peers.h"
#include "supervisord/guardian/reap.h"
#include "supervisord/guardian/shutdown.h"

static int open_ledger_readonly(const struct guardian *g);
static bool read_engine_message(struct guardian *g);
static void hold(struct guardian *g, struct msg *msg);
static void engine_ready(struct guardian *g);
static void pass_on_drained(struct guardian *g, const struct msg_head *head);
static bool is_machine_init(void);

void peers_start_engine(struct guardian *g)
{
	static char safe[] = "--safe";
	const int inherited[] = {g->peer[0], g->ledger_fd, g->bell_fd};
	int error;

	g->engine.argv[g->engine_argc] = g->safe_mode ? safe : NULL;
	g->engine.restart_ns = 0;
	atomic_fetch_add(&g->ledger->header.engine_starts, 1);
	error = role_start(&g->engine, inherited, 3);
	if (error < 0) {
		log_error("%s: %s", g->engine.path, strerror(-error));
		(void)role_note_crash(&g->engine, clock_boot_ns());
		if (atomic_load(&g->ledger->header.served) == 0 && !is_machine_init()) {
			g->exit_code = 1;
			g->engine.restart_ns = 0;
			shutdown_finish(g);
		}
		return;
	}
	atomic_store(&g->ledger->header.engine_pid, g->engine.pid);
	held_restart_peer(&g->held, HELD_ENGINE);
	g->held_end_due = true;
}

void peers_start_logger(struct guardian *g)
{
	int ledger_fd = open_ledger_readonly(g);
	const int inherited[] = {g->peer[1], ledger_fd};
	int error;

	g->logger.restart_ns = 0;
	atomic_fetch_add(&g->ledger->header.logger_starts, 1);
	error = role_start(&g->logger, inherited, 2);
	if (ledger_fd != g->ledger_fd)
		close(ledger_fd);
	if (error < 0) {
		log_error("%s: %s", g->logger.path, strerror(-error));
		(void)role_note_crash(&g->logger, clock_boot_ns());
		return;
	}
	atomic_store(&g->ledger->header.logger_pid, g->logger.pid);
	held_restart_peer(&g->held, HELD_LOGGER);
}

void peers_start_due(struct guardian *g, int64_t now_ns)
{
	if (g->logger.restart_ns != 0 && g->logger.restart_ns <= now_ns)
		peers_start_logger(g);
	if (g->engine.restart_ns != 0 && g->engine.restart_ns <= now_ns && !g->engine.ended)
		peers_start_engine(g);
}

/* Bounded: a flood of messages must not keep us from reaping. */
void peers_read_engine(struct guardian *g)
{
	for (unsigned i = 0; i < LIMIT_REAP_BATCH; i++)
		if (g->engine.channel < 0 || !read_engine_message(g))
			break;
}

void peers_read_logger(struct guardian *g)
{
	static struct msg msg;
	int got = channel_receive(g->logger.channel, &msg, MSG_DONTWAIT);

	if (got == -EAGAIN || got == -EBADMSG)
		return;
	if (got > 0) {
		if (msg.head.type == MSG_DRAINED)
			pass_on_drained(g, &msg.head);
		channel_drop_fds(&msg);
		return;
	}
	close(g->logger.channel);
	g->logger.channel = -1;
	if (g->logger.pid != 0 && g->phase != PHASE_FINISH)
		kill(g->logger.pid, SIGKILL);
}

/* The engine may use the slot, and the row, for something else now. */
static void pass_on_drained(struct guardian *g, const struct msg_head *head)
{
	held_note_drained(&g->held, head->slot, head->key);
	/* Should it not fit: the engine goes without that slot until the next one is told what is
	 * held. */
	if (g->engine.channel >= 0)
		(void)channel_send_head(g->engine.channel, head, -1, MSG_DONTWAIT);
}

void peers_deliver(struct guardian *g)
{
	int channel = g->engine.channel;

	if (g->logger.channel >= 0 && held_deliver(&g->held, HELD_LOGGER, g->logger.channel) == 0 &&
	    g->finish_due &&
	    channel_send_head(
		g->logger.channel, &(struct msg_head){.type = MSG_FINISH}, -1, MSG_DONTWAIT) == 0)
		g->finish_due = false;
	if (channel < 0 || held_deliver(&g->held, HELD_ENGINE, channel) < 0)
		return;
	if (g->held_end_due && channel_send_head(channel, &(struct msg_head){.type = MSG_HELD_END},
				   -1, MSG_DONTWAIT) == 0)
		g->held_end_due = false;
	if (g->held_end_due)
		return;
	if (g->reload_due && channel_send_head(channel, &(struct msg_head){.type = MSG_RELOAD}, -1,
				 MSG_DONTWAIT) == 0)
		g->reload_due = false;
	if (g->shutdown_due && channel_send_head(channel, &(struct msg_head){.type = MSG_SHUTDOWN},
				   -1, MSG_DONTWAIT) == 0)
		g->shutdown_due = false;
}

void peers_note_engine_end(struct guardian *g, int wstatus)
{
	char how[REAP_STATUS_TEXT];
	int64_t now_ns = clock_boot_ns(), delay_ns;
	bool served = atomic_load(&g->ledger->header.served) != 0;

	g->engine.pid = 0; /* reaped: the number is no longer its own */
	/* What it said before it died still counts. */
	while (g->engine.channel >= 0 && read_engine_message(g))
		;
	atomic_store(&g->ledger->header.engine_pid, 0);
	delay_ns = role_note_crash(&g->engine, now_ns);
	if (g->phase >= PHASE_LAST_TERM) {
		g->engine.restart_ns = 0;
		return;
	}
	if (wstatus_is_exit(wstatus) && wstatus_code(wstatus) == EXIT_REFUSED && !served &&
	    !g->safe_mode) {
		if (is_machine_init()) {
			log_error("the engine refused to start: starting it in safe mode");
			g->safe_mode = true;
			g->engine.restart_ns = now_ns;
			return;
		}
		g->exit_code = g->exit_code != 0 ? g->exit_code : 1;
		g->engine.restart_ns = 0;
		shutdown_finish(g);
		return;
	}
	log_error("engine %s; starting it again in %lld s",
	    reap_status_text(wstatus, how, sizeof(how)), (long long)(delay_ns / NS_PER_S));
	if (role_is_crash_looping(&g->engine, now_ns) && !served && !is_machine_init()) {
		log_error(
		    "the engine crashed %d times and never served: giving up", ROLE_CRASH_LIMIT);
		g->exit_code = 1;
		g->engine.restart_ns = 0;
		shutdown_finish(g);
		return;
	}
	if (role_is_crash_looping(&g->engine, now_ns) && !g->safe_mode) {
		log_error("engine crashed %d times in %d s: it starts in safe mode, which adopts "
			  "what runs and "
			  "starts nothing; `superctl apply` leaves it",
		    ROLE_CRASH_LIMIT, (int)(ROLE_CRASH_WINDOW_NS / NS_PER_S));
		g->safe_mode = true;
		if (g->phase == PHASE_SHUTDOWN)
			shutdown_force(g, "the engine keeps crashing");
	}
}

void peers_note_logger_end(struct guardian *g, int wstatus)
{
	char how[REAP_STATUS_TEXT];
	bool finished = g->phase == PHASE_FINISH && !g->finish_due && wstatus == 0;
	int64_t delay_ns;

	g->logger.pid = 0;
	atomic_store(&g->ledger->header.logger_pid, 0);
	if (g->phase != PHASE_FINISH && wstatus_is_exit(wstatus) &&
	    wstatus_code(wstatus) == EXIT_AGAIN && role_note_again(&g->logger, clock_boot_ns()))
		return;
	delay_ns = role_note_crash(&g->logger, clock_boot_ns());
	if (finished) {
		g->logger.restart_ns = 0;
		g->logger.ended = true;
		return;
	}
	/* On the way down there is no time to wait: what is in the pipes is still to be written. */
	if (g->phase == PHASE_FINISH) {
		g->logger.restart_ns = clock_boot_ns();
		g->finish_due = true;
		delay_ns = 0;
	}
	log_error("logger %s; starting it again in %lld s",
	    reap_status_text(wstatus, how, sizeof(how)), (long long)(delay_ns / NS_PER_S));
}

void peers_tell_started(struct guardian *g, int code)
{
	unsigned char byte = (unsigned char)code;

	if (g->started_told || g->options->started_fd < 0)
		return;
	g->started_told = true;
	(void)!write(g->options->started_fd, &byte, 1);
	close(g->options->started_fd);
}

/* Above the roles' fixed descriptors.  Without a /proc yet it is ours: the logger only reads. */
static int open_ledger_readonly(const struct guardian *g)
{
	int fd, raised;

	if (ledger_open_readonly(g->ledger_fd, &fd) < 0)
		return g->ledger_fd;
	raised = fcntl(fd, F_DUPFD_CLOEXEC, 16);
	close(fd);
	return raised < 0 ? g->ledger_fd : raised;
}

/* Returns whether there may be another one. */
static bool read_engine_message(struct guardian *g)
{
	static struct msg msg;
	int got = channel_receive(g->engine.channel, &msg, MSG_DONTWAIT);

	if (got == -EAGAIN)
		return false;
	if (got == -EBADMSG) {
		log_error("a message of the engine was cut: too many open files?");
		return true;
	}
	if (got <= 0) {
		/* It closed the channel: it is dead, or as good as dead. */
		close(g->engine.channel);
		g->engine.channel = -1;
		if (g->engine.pid != 0)
			kill(g->engine.pid, SIGKILL);
		return false;
	}
	switch (msg.head.type) {
	case MSG_HOLD:
		hold(g, &msg);
		break;
	case MSG_RELEASE:
		(void)held_release(&g->held, msg.head.slot);
		break;
	case MSG_READY:
		g->safe_mode = msg.head.value != 0;
		engine_ready(g);
		break;
	case MSG_DONE:
		g->exit_code = (int)msg.head.value;
		g->engine.ended = true;
		shutdown_finish(g);
		break;
	case MSG_REFUSED:
		g->exit_code = (int)msg.head.value;
		break;
	}
	channel_drop_fds(&msg);
	return true;
}

static void hold(struct guardian *g, struct msg *msg)
{
	int fd;

	if (msg->fd_count != 1)
		return;
	/* Not below FD_FIRST_UNUSED, where the roles' descriptors are put at their start. */
	fd = fcntl(msg->fds[0], F_DUPFD_CLOEXEC, 16);
	if (fd < 0) {
		log_error("cannot hold a descriptor for the engine: %s", strerror(errno));
		return;
	}
	if (held_put(&g->held, msg->head.slot, msg->head.key, fd) < 0) {
		log_error(
		    "the engine gave a descriptor for slot %u, which is taken", msg->head.slot);
		close(fd);
	}
}

static void engine_ready(struct guardian *g)
{
	struct held_slot *own = &g->held.slots[HELD_OWN_WRITE];
	bool first = atomic_exchange(&g->ledger->header.served, 1) == 0;

	if (first && own->key != 0 && own->fd >= 0) {
		if (dup2(own->fd, STDERR_FILENO) < 0 || dup2(own->fd, STDOUT_FILENO) < 0)
			log_error("cannot redirect own messages: %s", strerror(errno));
	}
	if (first)
		notify_send("READY=1\nSTATUS=serving");
	peers_tell_started(g, 0);
}

/*
 * PID 1 of the machine, not of a container: only there must we never exit.  The initial pid
 * namespace has a fixed inode number (PROC_PID_INIT_INO); without /proc nothing has been mounted
 * yet, so it is the machine.
 */
static bool is_machine_init(void)
{
	char link[64];
	ssize_t length;

	if (getpid() != 1)
		return false;
	length = readlink("/proc/self/ns/pid", link, sizeof(link) - 1);
	if (length < 0)
		return true;
	link[length] = '\0';
	return strcmp(link, "pid:[4026531836]") == 0;
}
