/* SPDX-License-Identifier: ISC */
/* notify.c: see notify.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <ev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/limits.h"
#include "lib/ownlog.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/fdstore.h"
#include "supervisord/engine/health.h"
#include "supervisord/engine/notify.h"
#include "supervisord/engine/notifyparse.h"
#include "supervisord/engine/notifysocket.h"
#include "supervisord/engine/procstat.h"

/* No EXTEND_TIMEOUT_USEC= or WATCHDOG_USEC= is taken for more than a year: no sum of it overflows.
 */
#define LONGEST_US (365 * 24 * 3600 * 1000000LL)
#define NS_PER_US  1000LL

struct notify {
	ev_io io; /* first */
	struct program *program;
	int slot;  /* of the socket, -1: none */
	uid_t uid; /* whom the program runs as */
	int error; /* ERRNO= of the present run */
	int64_t
	    reload_us; /* superctl reload has told it then, CLOCK_MONOTONIC; 0: not that we know */
	struct timer reload_timer; /* it is to say READY=1 again by then */
	bool told_refusal; /* one line a run about each of the two */
	bool told_loss;
	unsigned lines; /* about what it sent, since then: see may_log() */
	int64_t lines_since_ns;
	struct fdstore store;
};

static struct notify *need(struct program *program);
static int make_socket(struct program *program, const struct ids *ids);
static void drop_socket(struct program *program);
static void watch(struct notify *notify);
static void on_readable(struct ev_loop *loop, ev_io *io, int events);
static void receive(struct notify *notify, unsigned most, bool is_over);
static bool is_believed(struct notify *notify, const struct notify_datagram *datagram);
static bool has_ended(pid_t pid);
static bool may_log(struct notify *notify);
static void take_fds(
    struct notify *notify, const struct notify_message *message, struct notify_datagram *datagram);
static void take(struct notify *notify, const struct notify_message *message);
static void take_main(struct notify *notify, pid_t pid);
static void take_times(struct notify *notify, const struct notify_message *message);
static void take_state(struct notify *notify, const struct notify_message *message);
static void await_ready(struct notify *notify, int64_t until_ns);
static void on_reload_late(struct timer *timer);
static bool is_old_reload(const struct notify *notify, const struct notify_message *message);
static int64_t monotonic_us(void);
static int64_t to_ns(int64_t us);

bool notify_is_wanted(const struct program *program)
{
	const struct life_config *life = program->config->life;

	return life->key_ready.kind == CHECK_NOTIFY || life->key_watchdog > 0;
}

int notify_prepare(struct program *program)
{
	const struct program_config *config = program->config;
	struct notify *notify;
	const struct ids *ids;
	int error;

	if (!notify_is_wanted(program)) {
		notify_release(program);
		return 0;
	}
	notify = need(program);
	if (notify == NULL)
		return -ENOMEM;
	error = idcache_get(&program->engine->ids, config->key_user, config->key_group, &ids);
	if (error < 0)
		return error;
	/* What is still there is of the run before: it must not make this one ready. */
	receive(notify, LIMIT_NOTIFY_QUEUE, true);
	notify->error = 0;
	notify->reload_us = 0;
	notify->told_refusal = notify->told_loss = false;
	if (notify->slot >= 0 &&
	    notifysocket_is_there(slots_get_fd(&program->engine->slots, notify->slot), ids->uid)) {
		notify->uid = ids->uid;
		return 0;
	}
	drop_socket(program);
	return make_socket(program, ids);
}

int notify_add(struct program *program, char **environment, size_t *count)
{
	int64_t watchdog_ns = program->config->life->key_watchdog;
	struct notify *notify = program->notify;
	struct sockaddr_un address;
	int error;

	if (notify == NULL || notify->slot < 0)
		return 0;
	error = notifysocket_path(slots_get_fd(&program->engine->slots, notify->slot), &address);
	if (error == 0)
		error =
		    launch_add_variable(environment, count, "NOTIFY_SOCKET=%s", address.sun_path);
	if (error == 0 && watchdog_ns > 0)
		error = launch_add_variable(
		    environment, count, "WATCHDOG_USEC=%lld", (long long)(watchdog_ns / NS_PER_US));
	if (error == 0 && watchdog_ns > 0)
		error = launch_add_variable(environment, count, "WATCHDOG_PID=");
	return error;
}

const struct fdstore *notify_store(const struct program *program)
{
	const struct notify *notify = program->notify;

	return notify != NULL && notify->slot >= 0 ? &notify->store : NULL;
}

void notify_catch_up(struct program *program)
{
	if (program->notify != NULL)
		receive(program->notify, LIMIT_NOTIFY_QUEUE, false);
}

void notify_note_reload(struct program *program)
{
	if (program->notify != NULL)
		program->notify->reload_us = monotonic_us();
}

int notify_errno(const struct program *program)
{
	return program->notify != NULL ? program->notify->error : 0;
}

void notify_adopt(struct program *program, uint64_t key, int slot)
{
	struct slots *slots = &program->engine->slots;
	struct notify *notify = need(program);
	const struct ids *ids;

	if (notify == NULL || (held_key_kind(key) == HELD_NOTIFY && notify->slot >= 0)) {
		slots_release(slots, slot); /* the later of two has the name */
		return;
	}
	if (held_key_kind(key) != HELD_NOTIFY) {
		fdstore_adopt(&notify->store, key, slot);
		return;
	}
	notify->slot = slot;
	notify->uid = notifysocket_owner(slots_get_fd(slots, slot));
	if (notify->uid == (uid_t)-1 && /* somebody has removed its name */
	    idcache_get(&program->engine->ids, program->config->key_user,
		program->config->key_group, &ids) == 0)
		notify->uid = ids->uid;
	watch(notify);
	if (program_state(program)->flags & LEDGER_FLAG_RELOADING) /* with a whole interval */
		await_ready(notify, 0);
}

void notify_forget_store(struct program *program)
{
	if (program->notify != NULL)
		fdstore_clear(&program->notify->store);
}

void notify_release(struct program *program)
{
	struct notify *notify = program->notify;

	if (notify == NULL)
		return;
	timers_cancel(&program->engine->timers, &notify->reload_timer);
	fdstore_clear(&notify->store);
	drop_socket(program);
	program->notify = NULL;
	free(notify);
}

static struct notify *need(struct program *program)
{
	struct notify *notify = program->notify;

	if (notify != NULL)
		return notify;
	notify = calloc(1, sizeof(*notify));
	if (notify == NULL)
		return NULL;
	notify->program = program;
	notify->slot = -1;
	notify->reload_timer.fire = on_reload_late;
	fdstore_init(&notify->store, &program->engine->slots, program->run.row);
	program->notify = notify;
	return notify;
}

static int make_socket(struct program *program, const struct ids *ids)
{
	struct engine *engine = program->engine;
	struct notify *notify = program->notify;
	int fd = -1, slot;
	int error = notifysocket_make(
	    engine->config->settings.key_run_dir, program_name(program), ids->uid, ids->gid, &fd);

	if (error < 0)
		return error;
	slot = slots_hold(&engine->slots, held_key(HELD_NOTIFY, (uint32_t)program->run.row, 0), fd);
	if (slot < 0) {
		notifysocket_remove(fd);
		close(fd);
		return slot;
	}
	notify->slot = slot;
	notify->uid = ids->uid;
	watch(notify);
	return 0;
}

static void drop_socket(struct program *program)
{
	struct slots *slots = &program->engine->slots;
	struct notify *notify = program->notify;

	if (notify->slot < 0)
		return;
	ev_io_stop(program->engine->loop, &notify->io);
	notifysocket_remove(slots_get_fd(slots, notify->slot));
	slots_release(slots, notify->slot);
	notify->slot = -1;
}

static void watch(struct notify *notify)
{
	struct engine *engine = notify->program->engine;

	ev_io_init(&notify->io, on_readable, slots_get_fd(&engine->slots, notify->slot), EV_READ);
	ev_io_start(engine->loop, &notify->io);
}

static void on_readable(struct ev_loop *loop, ev_io *io, int events)
{
	(void)loop;
	(void)events;
	/* What is left keeps it readable: the others have their turn first. */
	receive((struct notify *)(void *)io, LIMIT_NOTIFY_BATCH, false);
}

/* `is_over`: the run that said it is gone, only what it left behind counts. */
static void receive(struct notify *notify, unsigned most, bool is_over)
{
	struct program *program = notify->program;

	/* What a message brings about may drop the socket. */
	while (most-- > 0 && program->notify == notify && notify->slot >= 0) {
		struct notify_datagram datagram;
		struct notify_message message;
		int got = notifysocket_receive(
		    slots_get_fd(&program->engine->slots, notify->slot), &datagram);

		if (got == 0)
			return;
		if (got < 0) {
			if (!notify->told_loss)
				log_warning("%s: a notification was lost: %s",
				    program_name(program), strerror(-got));
			notify->told_loss = true;
			if (got != -EBADMSG)
				return;
			continue;
		}
		if (is_believed(notify, &datagram)) {
			notify_parse(datagram.text, datagram.length, &message);
			take_fds(notify, &message, &datagram);
			/* Before anything else: the sender of BARRIER=1 waits for that. */
			notifysocket_drop_fds(&datagram);
			if (!is_over)
				take(notify, &message);
		}
		notifysocket_drop_fds(&datagram);
	}
}

static bool is_believed(struct notify *notify, const struct notify_datagram *datagram)
{
	struct program *program = notify->program;
	pid_t pid = datagram->pid;
	bool own = datagram->uid == notify->uid || datagram->uid == 0;
	bool member =
	    pid > 0 && (pid == program_pid(program) || run_has_member(&program->run, pid));
	const char *why = own || member ? "it is not of this program" : "that is another user";

	/* A program of root may have become somebody else by itself. */
	if (member ? own || notify->uid == 0 : own && pid > 0 && has_ended(pid))
		return true;
	if (!notify->told_refusal)
		log_warning("%s: a notification by process %d of user %u was refused: %s",
		    program_name(program), (int)pid, (unsigned)datagram->uid, why);
	notify->told_refusal = true;
	return false;
}

/* Nothing can be asked any more about a helper that sent its message and ended. */
static bool has_ended(pid_t pid)
{
	struct procstat stat;

	return !procstat_read(pid, &stat) || stat.state == 'Z' || stat.state == 'X';
}

/* Another line about what it sent.  That there are no more is the last one. */
static bool may_log(struct notify *notify)
{
	int64_t now_ns = clock_boot_ns();

	if (now_ns - notify->lines_since_ns >= LIMIT_NOTIFY_LINES_S * NS_PER_S) {
		notify->lines_since_ns = now_ns;
		notify->lines = 0;
	}
	if (notify->lines > LIMIT_NOTIFY_LINES)
		return false;
	if (notify->lines++ < LIMIT_NOTIFY_LINES)
		return true;
	log_warning("%s: sends so many notifications that not all of them are logged",
	    program_name(notify->program));
	return false;
}

static void take_fds(
    struct notify *notify, const struct notify_message *message, struct notify_datagram *datagram)
{
	struct program *program = notify->program;
	uint32_t most = program->config->life->key_fdstore_max;

	if (message->fdstore_remove && message->fdname[0] != '\0')
		(void)fdstore_remove(&notify->store, message->fdname);
	if (!message->fdstore || program_state_of(program) == STATE_STOPPED)
		return;
	for (size_t i = 0; i < datagram->fd_count; i++) {
		int error = fdstore_add(&notify->store, datagram->fds[i], message->fdname, most);

		if (error == 0)
			datagram->fds[i] = -1;
		if (error == 0 || error == -EEXIST || !may_log(notify))
			continue;
		if (error == -ENOSPC)
			log_warning("%s: a descriptor was not stored: fdstore_max is %u",
			    program_name(program), (unsigned)most);
		else
			log_warning("%s: a descriptor was not stored: %s", program_name(program),
			    strerror(-error));
	}
}

static void take(struct notify *notify, const struct notify_message *message)
{
	struct program *program = notify->program;

	if (message->main_pid > 0)
		take_main(notify, (pid_t)message->main_pid);
	if (message->has_status)
		program_set_status_text(program, message->status);
	if (message->error >= 0) {
		notify->error = (int)message->error;
		if (may_log(notify))
			log_notice("%s: says errno %d: %s", program_name(program), notify->error,
			    strerror(notify->error));
	}
	take_times(notify, message);
	take_state(notify, message);
}

static void take_main(struct notify *notify, pid_t pid)
{
	struct program *program = notify->program;
	int error;

	/* On its way down, what it leaves is looked after as a whole. */
	if (pid == program_pid(program) || !step_is_up(program_state_of(program)))
		return;
	error = program_set_main(program, pid, RUN_NO_VOUCHER);
	if (!may_log(notify))
		return;
	if (error == 0)
		log_notice("%s: its main process is %d", program_name(program), (int)pid);
	else
		log_warning("%s: MAINPID=%d: %s", program_name(program), (int)pid,
		    error == -EPERM ? "that process is not of this program"
		    : error == -ECHILD
			? "its parent is another process, which would not tell us of its end"
			: strerror(-error));
}

static void take_times(struct notify *notify, const struct notify_message *message)
{
	struct program *program = notify->program;

	if (message->extend_us >= 0) {
		int64_t until_ns = clock_boot_ns() + to_ns(message->extend_us);

		program_extend(program, until_ns);
		if (step_is_up(program_state_of(program))) /* max_runtime is of both */
			health_extend(program, until_ns);
		if (program_state(program)->flags & LEDGER_FLAG_RELOADING)
			await_ready(notify, until_ns);
	}
	if (message->watchdog_us >= 0) /* "infinity" turns it off */
		health_set_watchdog(
		    program, message->watchdog_us == INT64_MAX ? 0 : to_ns(message->watchdog_us));
	if (message->watchdog_trigger)
		health_trigger(program);
	else if (message->watchdog)
		health_ping(program);
}

static void take_state(struct notify *notify, const struct notify_message *message)
{
	struct program *program = notify->program;

	if (message->reloading && !is_old_reload(notify, message) &&
	    program_note_reloading(program)) {
		await_ready(notify, 0);
		if (may_log(notify))
			log_notice("%s: reloads", program_name(program));
	}
	if (message->ready)
		timers_cancel(&program->engine->timers, &notify->reload_timer);
	/* In STARTING it is the answer to ready = "notify" only. */
	if (message->ready && (program_state_of(program) != STATE_STARTING ||
				  program->config->life->key_ready.kind == CHECK_NOTIFY))
		program_note_ready(program, CHECK_NOTIFY);
	if (message->stopping && step_is_up(program_state_of(program)) && may_log(notify))
		log_notice("%s: says that it is stopping", program_name(program));
}

/* A reload is a start as far as the time for it goes; `until_ns`: not before that. */
static void await_ready(struct notify *notify, int64_t until_ns)
{
	struct program *program = notify->program;
	struct timer *timer = &notify->reload_timer;
	int64_t timeout_ns = program->config->life->key_start_timeout;
	int64_t deadline_ns = clock_boot_ns() + timeout_ns;

	if (until_ns != 0)
		deadline_ns = until_ns > timer->deadline_ns ? until_ns : timer->deadline_ns;
	if (timeout_ns > 0 && timers_arm(&program->engine->timers, timer, deadline_ns) < 0)
		log_error("%s: out of memory for a timer", program_name(program));
}

static void on_reload_late(struct timer *timer)
{
	struct notify *notify =
	    (struct notify *)(void *)((char *)timer - offsetof(struct notify, reload_timer));

	program_note_reload_late(notify->program);
}

static bool is_old_reload(const struct notify *notify, const struct notify_message *message)
{
	return message->monotonic_us >= 0 && message->monotonic_us < notify->reload_us;
}

static int64_t monotonic_us(void)
{
	return clock_read_ns(CLOCK_MONOTONIC) / NS_PER_US;
}

static int64_t to_ns(int64_t us)
{
	return (us < LONGEST_US ? us : LONGEST_US) * NS_PER_US;
}
