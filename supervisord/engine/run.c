/* SPDX-License-Identifier: ISC */
/* run.c: see run.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/ownlog.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/expand.h"
#include "supervisord/engine/launch.h"
#include "supervisord/engine/members.h"
#include "supervisord/engine/run.h"

#ifndef PIDFD_SIGNAL_PROCESS_GROUP
#define PIDFD_SIGNAL_PROCESS_GROUP (1U << 2) /* Linux 6.9 */
#endif

struct member_watch {
	ev_io io;
	struct program *program;
};

/* The three streams of a launch; descriptors in `opened` are ours to close. */
struct open_streams {
	int fds[3];
	int opened[3];
	int opened_count;
};

static int open_streams(struct program *program, const struct ids *ids,
    struct open_streams *streams, enum launch_step *step);
static int open_stream(struct program *program, const struct ids *ids, int index,
    const struct stdio *stdio, struct open_streams *streams);
static int open_path(
    struct program *program, const struct ids *ids, const struct stdio *stdio, int *ret_fd);
static int open_leader(const struct program *program);
static bool is_end_unread(const struct program *program);
static bool may_linger(struct program *program);
static size_t mark_members(struct program *program);
static void stop_rest(struct program *program, size_t left);
static void watch_one(struct program *program);
static void on_member_end(struct ev_loop *loop, ev_io *io, int events);

void run_launch(struct program *program)
{
	struct engine *engine = program->engine;
	struct ledger_row *row = &engine->ledger->table[program->row];
	struct open_streams streams = {.opened_count = 0};
	uint64_t run = program_state(program)->starts;
	enum launch_step step = LAUNCH_USER;
	const struct ids *ids;
	int error =
	    idcache_get(&engine->ids, program->config->key_user, program->config->key_group, &ids);

	if (error == 0)
		error = open_streams(program, ids, &streams, &step);
	/* News that an engine before us acted on and did not live to clear: they are not this
	 * run's. */
	if (engine->ledger->exits[program->row].run == program_state(program)->run_acted)
		ledger_clear_exit(engine->ledger, program->row);
	atomic_store(&row->run, run); /* what the guardian will say of its end */
	if (error == 0) {
		struct launch_request request = {
		    .config = program->config,
		    .ids = ids,
		    .name = program_name(program),
		    .run_dir = engine->config->settings.key_run_dir,
		    .run = run,
		    .nonce = engine->ledger->header.nonce,
		    .nofile = engine_child_nofile(engine),
		    .streams = {streams.fds[0], streams.fds[1], streams.fds[2]},
		};

		error = launch_program(&request, engine->ledger, program->row, &step);
	}
	for (int i = 0; i < streams.opened_count; i++)
		close(streams.opened[i]);
	if (error < 0) {
		atomic_store(&row->failure.error, -error);
		atomic_store(&row->failure.step, step);
		program_defer(program, PENDING_FAILED);
	}
}

void run_signal(struct program *program, int number)
{
	pid_t pid = program_pid(program);
	int fd;

	if (pid != 0) {
		fd = open_leader(program);
		if (fd < 0)
			return; /* it has just ended: EXIT is on its way */
		if (syscall(SYS_pidfd_send_signal, fd, number, NULL, PIDFD_SIGNAL_PROCESS_GROUP) <
			0 &&
		    errno == EINVAL)
			(void)kill(-pid, number);
		if (syscall(SYS_pidfd_send_signal, fd, SIGCONT, NULL, PIDFD_SIGNAL_PROCESS_GROUP) <
			0 &&
		    errno == EINVAL)
			(void)kill(-pid, SIGCONT);
		close(fd);
		return;
	}
	if (!may_linger(program) || mark_members(program) == 0)
		return;
	(void)members_signal(&program->engine->members, number);
	(void)members_signal(&program->engine->members, SIGCONT);
}

void run_kill(struct program *program)
{
	size_t left = mark_members(program);

	if (left == 0)
		return;
	log_warning("%s: KILL to %zu process%s that did not end", program_name(program), left,
	    left == 1 ? "" : "es");
	(void)members_signal(&program->engine->members, SIGKILL);
}

int run_signal_leader(const struct program *program, int number)
{
	int fd = open_leader(program);
	int error = 0;

	if (fd < 0)
		return -ESRCH;
	if (syscall(SYS_pidfd_send_signal, fd, number, NULL, 0) < 0)
		error = -errno;
	close(fd);
	return error;
}

bool run_has_group(const struct program *program)
{
	return program_pid(program) == 0 &&
	       members_group_exists(program->engine->ledger->table[program->row].last_pid);
}

bool run_has_leftovers(struct program *program)
{
	return program_pid(program) == 0 && program_state(program)->starts > 0 &&
	       may_linger(program) && mark_members(program) > 0;
}

void run_forget_leader(struct program *program)
{
	struct ledger_row *row = &program->engine->ledger->table[program->row];

	if (program_pid(program) == 0 && row->last_pid != 0 && !members_group_exists(row->last_pid))
		row->last_pid = 0;
}

bool run_is_gone(struct program *program)
{
	size_t left;

	if (program_pid(program) != 0 || is_end_unread(program))
		return false; /* its EXIT brings the next probe */
	run_forget_watch(program);
	run_forget_leader(program);
	if (!may_linger(program))
		return true;
	left = mark_members(program);
	if (left > 0) {
		stop_rest(program, left);
		watch_one(program);
	}
	return left == 0;
}

/* The guardian has taken the pid out, and what it says of the end has yet to be acted on. */
static bool is_end_unread(const struct program *program)
{
	const struct ledger_state *state = program_state(program);

	return program->engine->ledger->exits[program->row].run == state->starts &&
	       state->run_acted != state->starts;
}

void run_end_round(struct engine *engine)
{
	members_done(&engine->members);
	engine->members_read = engine->linger_known = false;
}

void run_forget_watch(struct program *program)
{
	if (program->watch == NULL)
		return;
	ev_io_stop(program->engine->loop, &program->watch->io);
	close(program->watch->io.fd);
	free(program->watch);
	program->watch = NULL;
}

static int open_streams(struct program *program, const struct ids *ids,
    struct open_streams *streams, enum launch_step *step)
{
	const struct program_config *config = program->config;
	const struct stdio *wanted[3] = {
	    &config->key_stdin, &config->key_stdout, &config->key_stderr};
	int error;

	error = streams_prepare_logs(
	    &program->streams, &program->engine->slots, program->row, config, step);
	for (int i = 0; i < 3 && error == 0; i++) {
		*step = (enum launch_step)(LAUNCH_STDIN + i);
		error = open_stream(program, ids, i, wanted[i], streams);
	}
	return error;
}

static int open_stream(struct program *program, const struct ids *ids, int index,
    const struct stdio *stdio, struct open_streams *streams)
{
	struct slots *slots = &program->engine->slots;
	struct program *target;
	int error = 0, fd = -1;

	if (index == 0 && program->is_target) {
		error = streams_need_stdin(&program->streams, slots, program->row);
		streams->fds[0] = slots_get_fd(slots, program->streams.stdin_read);
		return error;
	}
	switch (stdio->kind) {
	case STDIO_NULL:
		fd = STDIN_FILENO; /* ours is /dev/null */
		break;
	case STDIO_INHERIT:
		fd = index;
		break;
	case STDIO_LOG:
		fd = slots_get_fd(slots, program->streams.log_write[index - 1]);
		break;
	case STDIO_STDOUT:
		fd = streams->fds[1];
		break;
	case STDIO_FILE:
	case STDIO_APPEND:
	case STDIO_FIFO:
		error = open_path(program, ids, stdio, &fd);
		if (error == 0)
			streams->opened[streams->opened_count++] = fd;
		break;
	case STDIO_PROGRAM:
		target = engine_find(program->engine, stdio->target);
		if (target == NULL)
			return -ENOENT;
		error = streams_need_stdin(&target->streams, slots, target->row);
		fd = slots_get_fd(slots, target->streams.stdin_write);
		break;
	}
	streams->fds[index] = fd;
	return error != 0 ? error : fd < 0 ? -EBADF : 0;
}

/* The configuration has made it absolute already. */
static int open_path(
    struct program *program, const struct ids *ids, const struct stdio *stdio, int *ret_fd)
{
	struct expand_words words = {
	    .name = program_name(program),
	    .program = program->config->name,
	    .instance = "1",
	    .user = ids->user,
	    .home = ids->home,
	    .run_dir = program->engine->config->settings.key_run_dir,
	};
	char *path;
	int error = expand_string(stdio->target, &words, &path);

	if (error < 0)
		return error;
	error = streams_open_path(stdio->kind, path, ret_fd);
	free(path);
	return error;
}

/*
 * A pidfd of the live leader, or -1.  The guardian takes the pid out of the ledger before it reaps:
 * if it is still there after the open, the descriptor is of our process.
 */
static int open_leader(const struct program *program)
{
	pid_t pid = program_pid(program);
	int fd;

	if (pid <= 0)
		return -1;
	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (fd >= 0 && program_pid(program) == pid)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

/* Whether anything of a run whose leader is dead can be left; one look at the guardian's children
 * serves a round. */
static bool may_linger(struct program *program)
{
	struct engine *engine = program->engine;

	if (run_has_group(program))
		return true;
	if (!engine->linger_known) {
		engine->may_linger = members_may_linger(engine->ledger);
		engine->linger_known = true;
	}
	return engine->may_linger;
}

/* Marks the run in engine->members, which is read once a round; returns how many there are. */
static size_t mark_members(struct program *program)
{
	struct engine *engine = program->engine;
	const struct ledger_row *row = &engine->ledger->table[program->row];
	char mark[LAUNCH_MARK];

	if (!engine->members_read) {
		int error = members_read(&engine->members);

		if (error < 0)
			log_error(
			    "%s: cannot read /proc: %s", program_name(program), strerror(-error));
		engine->members_read = true;
	}
	launch_mark(program_name(program), program_state(program)->starts,
	    engine->ledger->header.nonce, mark, sizeof(mark));
	return members_mark(
	    &engine->members, engine->ledger, row->last_pid, program_pid(program) != 0, mark);
}

/* The leader heard the stop signal; what it left behind hears it now, once. */
static void stop_rest(struct program *program, size_t left)
{
	struct engine *engine = program->engine;
	struct ledger_state state = *program_state(program);

	if (state.flags & (LEDGER_FLAG_REST | LEDGER_FLAG_KILLED))
		return;
	log_notice("%s: its main process has ended, %zu other%s left", program_name(program), left,
	    left == 1 ? " is" : "s are");
	(void)members_signal(&engine->members, program->config->key_stop_signal);
	(void)members_signal(&engine->members, SIGCONT);
	state.flags |= LEDGER_FLAG_REST; /* done, so not again */
	ledger_commit_state(engine->ledger, program->row, &state);
}

static void watch_one(struct program *program)
{
	int fd = members_open_one(&program->engine->members);

	if (fd < 0) { /* it ended under our eyes */
		program_defer(program, PENDING_PROBE);
		return;
	}
	program->watch = malloc(sizeof(*program->watch));
	if (program->watch == NULL) {
		close(fd);
		return; /* the timer's KILL probes again */
	}
	program->watch->program = program;
	ev_io_init(&program->watch->io, on_member_end, fd, EV_READ);
	ev_io_start(program->engine->loop, &program->watch->io);
}

static void on_member_end(struct ev_loop *loop, ev_io *io, int events)
{
	struct program *program = ((struct member_watch *)io)->program;

	(void)loop;
	(void)events;
	run_forget_watch(program);
	program_defer(program, PENDING_PROBE);
}
