/* SPDX-License-Identifier: ISC */
/*
 * engine.c: see engine.h.
 *
 * One round of the loop: libev calls the watchers that are ready, which only change states and put
 * work off; then, before it sleeps, on_round() reads the ledger's news, does what was put off
 * (bounded: a storm of restarts must not starve the control socket), and sets the timer.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/channel.h"
#include "lib/images.h"
#include "lib/ownlog.h"
#include "lib/rundir.h"
#include "supervisord/engine/aim.h"
#include "supervisord/engine/apply.h"
#include "supervisord/engine/boot.h"
#include "supervisord/engine/draft.h"
#include "supervisord/engine/cluster.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/finding.h"
#include "supervisord/engine/instname.h"
#include "supervisord/engine/events.h"
#include "supervisord/engine/lastwords.h"
#include "supervisord/engine/launch.h"
#include "supervisord/engine/onevent.h"
#include "supervisord/engine/op.h"
#include "supervisord/engine/rolling.h"
#include "supervisord/engine/run.h"
#include "supervisord/engine/tty.h"

/* Work of one kind in one round, before the descriptors are looked at again. */
#define ROUND_BATCH 16
/* After shutdown_timeout and KILL to everything, before the engine says it is done all the same. */
#define FORCED_SHUTDOWN_NS (5 * NS_PER_S)
/* For replies that are still to be sent when all is over. */
#define LAST_REPLIES_MS 200

static int set_up(struct engine *engine, const struct engine_options *options);
static int refuse(const struct engine *engine);
static int serve(struct engine *engine);
static void engine_free(struct engine *engine);
static void switch_own_log(const struct engine *engine);
static void on_guardian(struct ev_loop *loop, ev_io *io, int events);
static void on_bell(struct ev_loop *loop, ev_io *io, int events);
static void on_timer(struct ev_loop *loop, ev_io *io, int events);
static void on_round(struct ev_loop *loop, ev_prepare *prepare, int revents);
static bool note_news(struct engine *engine);
static void on_busy(struct ev_loop *loop, ev_idle *idle, int revents);
static bool read_exits(struct engine *engine);
static void do_put_off_work(struct engine *engine);
static void free_program(struct engine *engine, struct program *program);
static void note_drained(struct engine *engine, const struct msg_head *head);
static void reload(struct engine *engine);
static void note_shutdown(struct history_memory *history);
static void begin_shutdown(struct engine *engine);
static void on_shutdown_timeout(struct timer *timer);
static void tell_shutdown(struct timer *timer);
static bool tell_waiting(struct program *program);
static void check_shutdown(struct engine *engine);
static void finish(struct engine *engine, int code);

int engine_run(const struct engine_options *options)
{
	struct engine *engine = calloc(1, sizeof(*engine));
	struct config *config = NULL;
	int code, error;

	if (engine == NULL)
		return 1;
	error = set_up(engine, options);
	if (error < 0) {
		log_error("cannot start: %s", strerror(-error));
		return 1;
	}
	error = boot_load_config(engine, &config);
	if (error == 0)
		error = boot_take_run_dir(engine, config->settings.key_run_dir);
	if (error < 0) {
		config_free(config);
		code = refuse(engine);
	} else if ((error = apply_first(engine, config)) < 0) {
		log_error("cannot apply the configuration: %s", strerror(-error));
		code = 1;
	} else {
		trial_adopt(engine);
		code = serve(engine);
	}
	engine_free(engine);
	return code;
}

enum logspec_format engine_inherit_format(const struct engine *engine)
{
	if (engine->log_format == NULL)
		return engine->config != NULL ? engine->config->settings.key_inherit_format
					      : LOGSPEC_RAW;
	if (strcmp(engine->log_format, "json") == 0)
		return LOGSPEC_JSON;
	return strcmp(engine->log_format, "prefix") == 0 ? LOGSPEC_PREFIX : LOGSPEC_RAW;
}

struct rlimit engine_child_nofile(const struct engine *engine)
{
	return (struct rlimit){
	    .rlim_cur = engine->ledger->header.nofile_soft,
	    .rlim_max = engine->ledger->header.nofile_hard,
	};
}

void engine_program_changed(struct engine *engine, struct program *program)
{
	trial_note_change(&engine->trial);
	if (config_is_transient(program->config)) /* a look at all of them is due then */
		transient_note_change(&engine->transient);
	engine_defer_linked(program);
	rolling_note_change(program);
	op_note_change(program);
}

void engine_request_shutdown(struct engine *engine)
{
	(void)kill(engine->ledger->header.guardian_pid, SIGTERM);
}

void engine_tell_ready(struct engine *engine)
{
	struct msg_head head = {.type = MSG_READY, .value = engine->safe_mode};

	(void)channel_send_head(FD_GUARDIAN, &head, -1, 0);
}

static int set_up(struct engine *engine, const struct engine_options *options)
{
	sigset_t all;
	int null, error;

	engine->config_path = options->config_path;
	engine->log_format = options->log_format;
	engine->safe_mode = options->safe_mode;
	engine->shutdown_timer.fire = on_shutdown_timeout;
	engine->tell_timer.fire = tell_shutdown;
	engine->rolling_timer.fire = rolling_on_timer;
	engine->intent_timer.fire = program_note_intents;
	TAILQ_INIT(&engine->pending);
	TAILQ_INIT(&engine->pending_tasks);
	LIST_INIT(&engine->accepts.list);
	for (int fd = FD_GUARDIAN; fd < FD_FIRST_UNUSED; fd++)
		if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
			return -errno;
	/* No signal means anything to us, and none may reach a child between clone and exec. */
	sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0)
		return -errno;
	if (dup2(null, STDIN_FILENO) < 0)
		return -errno;
	close(null);
	error = launch_init();
	if (error == 0)
		error = ledger_map(FD_LEDGER, &engine->ledger);
	if (error == 0)
		error = slots_receive(&engine->slots, FD_GUARDIAN);
	if (error == 0)
		error = boot_open_history(engine);
	if (error == 0)
		cgroups_init(&engine->cgroups, engine->ledger->header.nonce);
	if (error == 0)
		error = timers_init(&engine->timers);
	engine->loop = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
	if (error == 0 && engine->loop == NULL)
		error = -ENOMEM;
	return error;
}

/* A start that will not get better by trying again; the reason has been said. */
static int refuse(const struct engine *engine)
{
	struct msg_head head = {.type = MSG_REFUSED, .value = 1};

	if (atomic_load(&engine->ledger->header.served) != 0)
		return 1;
	(void)channel_send_head(FD_GUARDIAN, &head, -1, 0);
	return EXIT_REFUSED;
}

static int serve(struct engine *engine)
{
	struct slots *slots = &engine->slots;

	helpers_init(&engine->doctors, LIMIT_DOCTORS);
	helpers_init(&engine->feeds, LIMIT_HELPERS);
	drift_init(&engine->drift);
	control_start(&engine->control, engine,
	    slots_get_fd(slots, slots_find(slots, held_key(HELD_CONTROL, 0, 0))));
	ev_io_init(&engine->guardian_io, on_guardian, FD_GUARDIAN, EV_READ);
	ev_io_init(&engine->bell_io, on_bell, FD_BELL, EV_READ);
	ev_io_init(&engine->timer_io, on_timer, engine->timers.fd, EV_READ);
	/* After what others bring: what came in time counts, however late we are. */
	ev_set_priority(&engine->timer_io, EV_MINPRI);
	ev_prepare_init(&engine->prepare, on_round);
	ev_idle_init(&engine->busy, on_busy);
	engine->guardian_io.data = engine->bell_io.data = engine->timer_io.data =
	    engine->prepare.data = engine;
	ev_io_start(engine->loop, &engine->guardian_io);
	ev_io_start(engine->loop, &engine->bell_io);
	ev_io_start(engine->loop, &engine->timer_io);
	ev_prepare_start(engine->loop, &engine->prepare);
	lastwords_start(engine);
	finding_begin(engine);

	if (engine->cgroups.base < 0)
		log_notice("no cgroups (%s): the processes of a run are known by session and group",
		    engine->cgroups.reason);
	(void)read_exits(engine);
	for (size_t i = 0; i < engine->program_count; i++)
		program_resume(engine->programs[i]);
	switch_own_log(engine);
	log_notice("serving %zu program%s on %s/" RUNDIR_SOCKET "%s", engine->program_count,
	    engine->program_count == 1 ? "" : "s", engine->config->settings.key_run_dir,
	    engine->safe_mode ? " in safe mode" : "");
	engine_tell_ready(engine);
	if (atomic_load(&engine->ledger->header.shutdown))
		begin_shutdown(engine);
	images_let_go(); /* the configuration has been read, and more */
	ev_run(engine->loop, 0);
	return 0;
}

/* Not for the kernel's sake: so that a leak checker sees only what was really forgotten. */
static void engine_free(struct engine *engine)
{
	control_stop(&engine->control);
	drift_done(engine);
	helpers_done(&engine->feeds, engine->loop);
	helpers_done(&engine->doctors, engine->loop);
	task_forget_all(engine);
	while (engine->program_count > 0)
		program_free(engine->programs[--engine->program_count]);
	free(engine->programs);
	timers_done(&engine->timers);
	accept_done(engine);
	sockets_done(&engine->sockets);
	slots_done(&engine->slots);
	config_free(engine->config);
	trial_done(&engine->trial);
	idcache_clear(&engine->ids);
	cgroups_done(&engine->cgroups);
	filelooks_done(&engine->filelooks);
	ev_loop_destroy(engine->loop);
	free(engine);
}

/* -d: until here descriptor 2 was that of whoever started us. */
static void switch_own_log(const struct engine *engine)
{
	int fd = slots_get_fd(
	    &engine->slots, slots_find(&engine->slots, held_key(HELD_OWN_WRITE, 0, 0)));

	if (fd < 0)
		return;
	(void)dup2(fd, STDOUT_FILENO);
	(void)dup2(fd, STDERR_FILENO);
}

static void on_guardian(struct ev_loop *loop, ev_io *io, int events)
{
	struct engine *engine = io->data;
	struct msg msg;
	int got = channel_receive(FD_GUARDIAN, &msg, MSG_DONTWAIT);

	(void)events;
	if (got == -EAGAIN || got == -EBADMSG)
		return;
	if (got <= 0) {
		log_error("the guardian is gone: nobody is left to work for");
		engine->done = true;
		ev_break(loop, EVBREAK_ALL);
		return;
	}
	if (msg.head.type == MSG_RELOAD)
		reload(engine);
	else if (msg.head.type == MSG_SHUTDOWN)
		begin_shutdown(engine);
	else if (msg.head.type == MSG_DRAINED)
		note_drained(engine, &msg.head);
	channel_drop_fds(&msg);
}

static void on_bell(struct ev_loop *loop, ev_io *io, int events)
{
	uint64_t count;

	(void)loop;
	(void)events;
	(void)!read(io->fd, &count, sizeof(count)); /* on_round() looks at the ledger anyway */
}

static void on_timer(struct ev_loop *loop, ev_io *io, int events)
{
	struct engine *engine = io->data;

	(void)loop;
	(void)events;
	/* So do ends: no bell says more than that there may be some. */
	run_end_round(engine);
	(void)read_exits(engine);
	run_end_round(engine);
	timers_run(&engine->timers, clock_boot_ns(), ROUND_BATCH);
}

static void on_round(struct ev_loop *loop, ev_prepare *prepare, int revents)
{
	struct engine *engine = prepare->data;
	bool more;

	(void)revents;
	if (engine->done)
		return;
	run_end_round(engine);
	more = control_run(&engine->control, ROUND_BATCH);
	more |= read_exits(engine);
	run_end_round(
	    engine); /* what was read of /proc before these exits says nothing about them */
	do_put_off_work(engine);
	more |= trial_review(engine);
	more |= transient_review(engine);
	more |= task_work(engine, ROUND_BATCH);
	run_end_round(engine);
	if (engine->shutdown)
		check_shutdown(engine);
	accept_settle(engine);
	timers_settle(&engine->timers);
	if (events_are_new(engine))
		more |= note_news(engine);
	if (more || !TAILQ_EMPTY(&engine->pending) || !TAILQ_EMPTY(&engine->control.due))
		ev_idle_start(loop, &engine->busy);
	else
		ev_idle_stop(loop, &engine->busy);
}

/* To those who follow, and those that are run because of it. */
static bool note_news(struct engine *engine)
{
	control_wake_watches(&engine->control);
	return onevent_run(engine);
}

/* Being active is all it is for. */
static void on_busy(struct ev_loop *loop, ev_idle *idle, int revents)
{
	(void)loop;
	(void)idle;
	(void)revents;
}

/* Returns whether there are more than fit in a round. */
static bool read_exits(struct engine *engine)
{
	/* From where the last round ended: under a storm every row has its turn. */
	for (int i = 0; i < ROUND_BATCH; i++) {
		int row = ledger_next_exit(engine->ledger, engine->exit_cursor);

		if (row < 0 && engine->exit_cursor > 0)
			row = ledger_next_exit(engine->ledger, 0);
		if (row < 0)
			return false;
		engine->exit_cursor = row + 1 < LIMIT_ROWS ? row + 1 : 0;
		if (engine->by_row[row] == NULL)
			ledger_clear_exit(engine->ledger, row);
		else if (engine->by_row[row]->kind == RUN_TASK)
			task_note_exit((struct task *)(void *)engine->by_row[row]);
		else
			program_note_exit((struct program *)(void *)engine->by_row[row]);
	}
	return true;
}

static void do_put_off_work(struct engine *engine)
{
	for (int i = 0; i < ROUND_BATCH; i++) {
		struct program *program = TAILQ_FIRST(&engine->pending);

		if (program == NULL)
			break;
		TAILQ_REMOVE(&engine->pending, program, pending_link);
		if ((program->pending & PENDING_FREE) && program_is_over(program) &&
		    program_pid(program) == 0) {
			program->pending = 0;
			free_program(engine, program);
		} else {
			program_work(program);
		}
	}
}

/*
 * Its row, and with it the place of its logs, is kept until the logger has written what it said
 * last; MSG_DRAINED brings us here again.
 */
static void free_program(struct engine *engine, struct program *program)
{
	struct instname parts;
	struct program *other;
	char name[LIMIT_NAME];
	size_t index = 0;
	int row;

	op_note_removed(program);
	if (tty_is_relaying(program))
		return; /* tty_note_gone() brings us here again */
	streams_release(&program->streams, &engine->slots);
	if (slots_is_draining(&engine->slots, program->run.row))
		return;
	cluster_shut(program);
	instname_split(program_name(program), &parts);
	(void)snprintf(name, sizeof(name), "%s", program_name(program));
	row = program->run.row;
	engine_remove(engine, program);
	run_release(&program->run);
	history_prepare_removal(engine->history, engine->ledger, row);
	ledger_free_row(engine->ledger, row);
	history_publish_removal(engine->history, row);
	program_free(program);
	tty_note_gone(engine, name);
	/* A rolling update may have waited for its name. */
	other = engine_next_named(engine, parts.program, &index);
	if (other == NULL)
		return;
	rolling_note_change(other);
	cluster_note_change(other);
}

static void note_drained(struct engine *engine, const struct msg_head *head)
{
	uint32_t row = held_key_row(head->key);
	struct program *program = engine_program_of_row(engine, (int)row);

	slots_note_drained(&engine->slots, head->slot, head->key);
	if (program != NULL && program_is_over(program))
		program_defer(program, PENDING_FREE);
}

static void reload(struct engine *engine)
{
	const struct draft_names everything = {0};
	struct draft_problem problem = {0};
	struct config *config = NULL;
	int error;

	if (engine->shutdown)
		return;
	log_notice("applying %s", engine->config_path);
	error = draft_from_files(engine, &everything, &config, &problem);
	if (error == 0) {
		error = apply_config(engine,
		    &(struct apply_request){
			.uid = HISTORY_NO_UID, .by = APPLIED_BY_HANGUP, .errors = &problem.errors},
		    config);
		if (error < 0)
			config_free(config);
	}
	for (size_t i = 0; i < problem.errors.count; i++) {
		char *text = config_error_text(&problem.errors.list[i]);

		log_error("%s", text != NULL ? text : "out of memory");
		free(text);
	}
	if (error < 0)
		log_error("nothing was applied%s%s", problem.errors.count == 0 ? ": " : "",
		    problem.errors.count == 0 ? strerror(-error) : "");
	draft_problem_done(&problem);
}

/* Once, whichever engine it is that shuts down. */
static void note_shutdown(struct history_memory *history)
{
	if (history->shutdown_told)
		return;
	history->shutdown_told = 1;
	history_note(history, &(struct history_event){
				  .kind = HISTORY_SHUTDOWN,
				  .row = HISTORY_NO_ROW,
				  .delay_ms = UINT32_MAX,
				  .uid = HISTORY_NO_UID,
			      });
}

static void begin_shutdown(struct engine *engine)
{
	if (engine->shutdown)
		return;
	engine->shutdown = true;
	note_shutdown(engine->history);
	(void)timers_arm(&engine->timers, &engine->shutdown_timer,
	    clock_boot_ns() + engine->config->settings.key_shutdown_timeout);
	(void)timers_arm(&engine->timers, &engine->tell_timer, clock_boot_ns() + OP_TELL_FIRST_NS);
	for (size_t i = 0; i < engine->program_count; i++)
		program_wish(engine->programs[i], WANTED_DOWN, false);
	for (size_t i = 0; i < engine->program_count; i++)
		program_stop(engine->programs[i], &(struct cause){.reason = REASON_SHUTDOWN});
}

static void on_shutdown_timeout(struct timer *timer)
{
	struct engine *engine =
	    (struct engine *)(void *)((char *)timer - offsetof(struct engine, shutdown_timer));

	if (engine->shutdown_forced) {
		finish(engine, 1);
		return;
	}
	log_warning("shutdown_timeout is over: KILL to everything that is left");
	engine->shutdown_forced = true;
	(void)timers_arm(&engine->timers, timer, clock_boot_ns() + FORCED_SHUTDOWN_NS);
	for (size_t i = 0; i < engine->program_count; i++) {
		struct program *program = engine->programs[i];
		struct task *task;

		program_defer(program, PENDING_CHECK);
		if (step_is_live(program_state_of(program)))
			run_kill(&program->run, program_name(program));
		LIST_FOREACH (task, &program->tasks, owner_link)
			task_kill(task);
	}
}

/* In the own log, which is what is left to look at when superctl cannot connect any more. */
static void tell_shutdown(struct timer *timer)
{
	struct engine *engine =
	    (struct engine *)(void *)((char *)timer - offsetof(struct engine, tell_timer));
	int told = 0;

	for (size_t i = 0; i < engine->program_count && told < OP_TELL_PROGRAMS; i++)
		told += tell_waiting(engine->programs[i]);
	if (engine->task_count > 0)
		log_notice("waiting for %zu command%s that programs have left to run",
		    engine->task_count, engine->task_count == 1 ? "" : "s");
	(void)timers_arm(&engine->timers, timer, clock_boot_ns() + OP_TELL_AGAIN_NS);
}

static bool tell_waiting(struct program *program)
{
	const struct aim aim = {.program = program, .goal = OP_ENDED};
	char reason[REASON_TEXT], left[AIM_LEFT_TEXT], kill[32] = "";
	int64_t kill_ns = aim_kill_ns(&aim);

	if (step_is_at_rest(program_state_of(program)) ||
	    !aim_describe_waiting(&aim, reason, sizeof(reason), left, sizeof(left)))
		return false;
	if (kill_ns != 0)
		(void)snprintf(kill, sizeof(kill), ", KILL in %lld s",
		    (long long)((kill_ns - clock_boot_ns() + NS_PER_S - 1) / NS_PER_S));
	log_notice("waiting for %s: %s%s%s", program_name(program),
	    left[0] != '\0' ? "still there: " : "", left[0] != '\0' ? left : reason, kill);
	return true;
}

static void check_shutdown(struct engine *engine)
{
	for (size_t i = 0; i < engine->program_count; i++)
		if (!step_is_at_rest(program_state_of(engine->programs[i])))
			return;
	if (engine->task_count > 0)
		return; /* what on_failure has started; each has a deadline */
	finish(engine, atomic_load(&engine->ledger->header.exit_code));
}

static void finish(struct engine *engine, int code)
{
	struct msg_head head = {.type = MSG_DONE, .value = code};

	engine->done = true;
	log_notice("every program has ended");
	cgroups_remove(&engine->cgroups);
	sockets_remove_files(engine);
	control_flush(&engine->control, LAST_REPLIES_MS);
	(void)channel_send_head(FD_GUARDIAN, &head, -1, 0);
	ev_break(engine->loop, EVBREAK_ALL);
}
