/* SPDX-License-Identifier: ISC */
/*
 * probeworld.h: for tests of what looks at a program: an engine with a loop, timers, a ledger of
 * one program and a guardian that only receives; and in place of program.c, task.c and run.c stubs
 * that write down what they were told.
 */
#ifndef TESTS_ENGINE_PROBEWORLD_H
#define TESTS_ENGINE_PROBEWORLD_H

#include <errno.h>
#include <ev.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/clock.h"
#include "lib/ownlog.h"
#include "supervisord/engine/engine.h"

/* What should take no time; only a test that fails waits that long. */
#define PATIENCE_NS (10 * NS_PER_S)
#define TICK_S      0.01

struct probeworld {
	struct engine *engine;
	struct config config;
	struct life_config life;
	struct program_config stanza;
	struct program *program;
	int guardian; /* the other end of the slots' channel */
	int ledger_fd;
	ev_io timer_io;
	ev_prepare prepare;
	ev_timer tick;
	char directory[64];
	char log[80];
	/* What program.c has been told; it ends what looks at the program, as the real one does. */
	void (*end)(struct program *program);
	int ready_count;
	enum check_kind ready_kind;
	int fail_count;
	enum reason fail_reason;
	int32_t fail_detail;
	unsigned deferred;
	char acts[256]; /* in order: "B" verdicts, "F" fail, "S10" signal */
	/* Of a process. */
	pid_t pid;
	bool leftovers;
	pid_t only_one;     /* run_find_main() */
	pid_t member;       /* that program_set_main() accepts */
	int set_main_error; /* else */
	int set_main_count;
	/* Of tasks. */
	struct task task;
	bool task_lives;
	int task_starts;
	int task_cancels;
	enum task_kind task_kind;
	char *const *task_words;
	int64_t task_timeout_ns;
};

static struct probeworld world;

/* ---- in place of program.c ------------------------------------------------------------------- */

const char *program_name(const struct program *program)
{
	return program->engine->ledger->table[program->run.row].name;
}

const struct ledger_state *program_state(const struct program *program)
{
	return ledger_get_state(program->engine->ledger, program->run.row);
}

pid_t program_pid(const struct program *program)
{
	(void)program;
	return world.pid;
}

static inline void world_act(const char *what)
{
	assert_true(strlen(world.acts) + strlen(what) < sizeof(world.acts));
	memcpy(world.acts + strlen(world.acts), what, strlen(what) + 1);
}

void program_note_ready(struct program *program, enum check_kind kind)
{
	world.ready_count++;
	world.ready_kind = kind;
	if (world.end != NULL)
		world.end(program);
}

void program_fail(struct program *program, enum reason reason, int32_t detail)
{
	world.fail_count++;
	world.fail_reason = reason;
	world.fail_detail = detail;
	world_act("F");
	if (world.end != NULL)
		world.end(program);
}

void program_defer(struct program *program, enum program_pending what)
{
	(void)program;
	world.deferred |= what;
}

void program_note_health(struct program *program, enum ledger_health health)
{
	struct ledger_state state = *program_state(program);

	if (state.health == health)
		return;
	state.health = (uint8_t)health;
	ledger_commit_state(program->engine->ledger, program->run.row, &state);
	world_act(health == LEDGER_HEALTH_GOOD ? "G" : health == LEDGER_HEALTH_BAD ? "B" : "U");
}

int program_signal_main(const struct program *program, int number)
{
	char text[8];

	(void)program;
	snprintf(text, sizeof(text), "S%d", number);
	world_act(text);
	return 0;
}

int program_set_main(struct program *program, pid_t pid, uid_t voucher)
{
	(void)program;
	(void)voucher;
	world.set_main_count++;
	if (pid != world.member)
		return world.set_main_error;
	world.pid = pid;
	return 0;
}

/* ---- in place of task.c, run.c and config.c -------------------------------------------------- */

void task_start(struct program *owner, enum task_kind kind, char *const *words,
    char *const *environment, int64_t timeout_ns)
{
	assert_false(world.task_lives);
	assert_null(environment);
	world.task = (struct task){.owner = owner, .kind = kind};
	world.task_lives = true;
	world.task_starts++;
	world.task_kind = kind;
	world.task_words = words;
	world.task_timeout_ns = timeout_ns;
}

struct task *task_find(const struct program *owner, enum task_kind kind)
{
	return world.task_lives && world.task.owner == owner && world.task.kind == kind
		   ? &world.task
		   : NULL;
}

void task_cancel(struct task *task)
{
	assert_ptr_equal(task, &world.task);
	world.task_lives = false;
	world.task_cancels++;
}

bool run_has_leftovers(struct run *run)
{
	(void)run;
	return world.leftovers;
}

pid_t run_find_main(struct run *run)
{
	(void)run;
	return world.only_one;
}

char *config_log_path(const struct config *config, const struct program_config *program, int stream)
{
	(void)config;
	(void)program;
	assert_int_equal(stream, 0);
	return strdup(world.log);
}

/* ---- the loop -------------------------------------------------------------------------------- */

static inline void world_on_timer(struct ev_loop *loop, ev_io *io, int events)
{
	(void)loop;
	(void)io;
	(void)events;
	timers_run(&world.engine->timers, clock_boot_ns(), 16);
}

static inline void world_on_prepare(struct ev_loop *loop, ev_prepare *prepare, int events)
{
	(void)loop;
	(void)prepare;
	(void)events;
	timers_settle(&world.engine->timers);
}

static inline void world_on_tick(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)timer;
	(void)events;
}

/* Let the engine work until something is so. */
static inline void world_wait(bool (*is_so)(void))
{
	int64_t deadline_ns = clock_boot_ns() + PATIENCE_NS;

	while (!is_so() && clock_boot_ns() < deadline_ns)
		ev_run(world.engine->loop, EVRUN_ONCE);
	assert_true(is_so());
}

static int64_t world_pass_until_ns;

static inline bool world_has_passed(void)
{
	return clock_boot_ns() >= world_pass_until_ns;
}

/* Let the engine work so long: for what must not happen meanwhile. */
static inline void world_pass(int64_t ns)
{
	world_pass_until_ns = clock_boot_ns() + ns;
	world_wait(world_has_passed);
}

static inline bool world_is_ready(void)
{
	return world.ready_count > 0;
}

static inline bool world_has_failed(void)
{
	return world.fail_count > 0;
}

/* ---- making and ending it -------------------------------------------------------------------- */

static inline void world_set_state(enum state state)
{
	struct ledger_state next = *program_state(world.program);

	next.state = (uint8_t)state;
	ledger_commit_state(world.engine->ledger, world.program->run.row, &next);
}

static inline bool world_is_free(const void *context, int row)
{
	(void)context;
	(void)row;
	return true;
}

static inline int world_setup(void **context)
{
	const struct ledger_state state = {
	    .state = STATE_STARTING, .starts = 1, .run_start_ns = clock_boot_ns()};
	const struct msg_head end = {.type = MSG_HELD_END};
	struct engine *engine = calloc(1, sizeof(*engine));
	int pair[2];

	(void)context;
	memset(&world, 0, sizeof(world));
	ownlog_init("test", OWNLOG_ERROR);
	(void)signal(SIGPIPE, SIG_IGN);
	snprintf(world.directory, sizeof(world.directory), "/tmp/probeworld.XXXXXX");
	assert_non_null(mkdtemp(world.directory));
	snprintf(world.log, sizeof(world.log), "%s/p.log", world.directory);
	assert_non_null(engine);
	world.engine = engine;
	assert_int_equal(channel_pair(pair), 0);
	assert_int_equal(channel_send_head(pair[1], &end, -1, 0), 0);
	assert_int_equal(slots_receive(&engine->slots, pair[0]), 0);
	world.guardian = pair[1];
	assert_int_equal(timers_init(&engine->timers), 0);
	assert_int_equal(ledger_create(&world.ledger_fd, &engine->ledger), 0);
	engine->loop = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
	assert_non_null(engine->loop);
	ev_io_init(&world.timer_io, world_on_timer, engine->timers.fd, EV_READ);
	ev_io_start(engine->loop, &world.timer_io);
	ev_prepare_init(&world.prepare, world_on_prepare);
	ev_prepare_start(engine->loop, &world.prepare);
	ev_timer_init(&world.tick, world_on_tick, TICK_S, TICK_S);
	ev_timer_start(engine->loop, &world.tick);

	world.config.settings.key_run_dir = world.directory;
	engine->config = &world.config;
	world.life.key_ready_interval = 20 * NS_PER_MS;
	world.life.key_start_timeout = 60 * NS_PER_S;
	world.life.key_health_interval = 20 * NS_PER_MS;
	world.life.key_health_timeout = 5 * NS_PER_S;
	world.life.key_health_failures = 3;
	world.life.key_health_successes = 1;
	world.stanza.name = world.directory;
	world.stanza.life = &world.life;
	world.stanza.key_log_keep = 5;
	world.program = calloc(1, sizeof(*world.program));
	assert_non_null(world.program);
	world.program->engine = engine;
	world.program->config = &world.stanza;
	world.program->streams.log_write[0] = -1;
	world.program->run.engine = engine;
	world.program->run.row =
	    ledger_claim_row(engine->ledger, "p", NULL, &state, world_is_free, NULL);
	assert_true(world.program->run.row >= 0);
	world.pid = getpid();
	world.leftovers = true;
	world.set_main_error = -EPERM;
	return 0;
}

static inline int world_teardown(void **context)
{
	struct engine *engine = world.engine;
	char command[128];

	(void)context;
	assert_null(world.program->readiness);
	assert_null(world.program->health);
	assert_int_equal(engine->timers.count, 0);
	ev_loop_destroy(engine->loop);
	filelooks_done(&engine->filelooks);
	timers_done(&engine->timers);
	slots_done(&engine->slots);
	idcache_clear(&engine->ids);
	close(engine->slots.channel);
	close(world.guardian);
	close(world.ledger_fd);
	free(world.program);
	free(engine);
	snprintf(command, sizeof(command), "rm -rf '%s'", world.directory);
	return system(command) == 0 ? 0 : -1;
}

/* A path in the world's own directory; valid until the next call but three. */
static inline char *world_path(const char *name)
{
	static char paths[4][128];
	static unsigned next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", world.directory, name);
	return path;
}

static inline void world_write(const char *path, const char *mode, const char *text)
{
	FILE *file = fopen(path, mode);

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

#endif
