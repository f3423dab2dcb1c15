/* SPDX-License-Identifier: ISC */
/*
 * shell.c: see shell.h: start, apply, commands, shutdown and the loop. Function
 * by function what engine.c, apply.c and api.c do, in the same order and by the
 * same names; the rest is instance.c.
 */
#include <limits.h>
#include <string.h>

#include "tests/sim/instance.h"
#include "tests/sim/invariants.h"
#include "tests/sim/known.h"
#include "tests/sim/shell.h"

#define ROUND_BATCH 16
#define FORCED_SHUTDOWN_NS (5 * NS_PER_S)
/* More rounds at one instant than anything sensible takes. */
#define ROUNDS_MAX 400

static void boot(struct world *world, bool safe_mode);
static void adopt_rows(struct world *world);
static void command(struct world *world, enum command command, unsigned rows);
static void apply(struct world *world);
static void retire(struct world *world, int row);
static void add_new(struct world *world);
static void link_programs(struct world *world);
static void act_on_all(struct world *world);
static bool is_outdated(struct world *world, int row);
static void act_on(struct world *world, int row);
static void begin_shutdown(struct world *world);
static void on_shutdown_timeout(struct world *world);
static void run_timers(struct world *world);
static void run_rounds(struct world *world);
static bool round_once(struct world *world);
static void read_exits(struct world *world);
static bool watch_members(struct world *world);
static void do_put_off_work(struct world *world);
static bool is_at_rest(const struct world *world);

/* Run something that the engine does, up to its end or the engine's. */
#define WHILE_ALIVE(world, what)                                               \
  do {                                                                         \
    if (setjmp((world)->killed) == 0) {                                        \
      what;                                                                    \
      run_rounds(world);                                                       \
    } else {                                                                   \
      (world)->engine.alive = false;                                           \
    }                                                                          \
    if (!(world)->engine.alive || (world)->engine.done)                        \
      world_guardian_finish(world);                                            \
  } while (0)

void shell_boot(struct world *world, bool safe_mode) {
  WHILE_ALIVE(world, boot(world, safe_mode));
}

void shell_command(struct world *world, enum command kind, unsigned rows) {
  /* As the control interface refuses it. */
  if (kind != COMMAND_STOP &&
      (world->engine.shutdown || world->engine.safe_mode))
    return;
  WHILE_ALIVE(world, command(world, kind, rows));
}

void shell_apply(struct world *world) {
  if (world->engine.shutdown)
    return;
  WHILE_ALIVE(world, apply(world));
}

void shell_shutdown(struct world *world) {
  WHILE_ALIVE(world, begin_shutdown(world));
}

void shell_wake(struct world *world) { WHILE_ALIVE(world, run_timers(world)); }

int64_t shell_next_deadline_ns(const struct world *world) {
  int64_t next_ns =
      world->engine.shutdown ? world->engine.shutdown_ns : INT64_MAX;

  for (int row = 0; row < world->row_count; row++) {
    const struct sim_program *program = &world->engine.programs[row];

    if (program->used && program->deadline_ns != 0 &&
        program->deadline_ns < next_ns)
      next_ns = program->deadline_ns;
  }
  return next_ns;
}

/* ---- boot and apply ---- */

static void boot(struct world *world, bool safe_mode) {
  world->engine = (struct sim_engine){.alive = true, .safe_mode = safe_mode};
  adopt_rows(world);
  instance_point(world);
  add_new(world);
  link_programs(world);
  act_on_all(world);
  read_exits(world);
  for (int row = 0; row < world->row_count; row++)
    if (world_program(world, row)->used)
      instance_resume(world, row);
  if (world->shutdown)
    begin_shutdown(world);
}

static void adopt_rows(struct world *world) {
  for (int row = 0; row < world->row_count; row++) {
    struct sim_program *program = world_program(world, row);

    if (!world->rows[row].used)
      continue;
    program->used = true;
    program->stanza = &world->configs[world->held][row];
    if (program->stanza->present)
      continue;
    program->last = (struct stanza){
        .config.life = &plain_life,
        .config.key_restart = RESTART_NEVER,
        .config.key_stop_signal = 15,
        .config.key_stop_timeout = 10 * NS_PER_S,
    };
    program->stanza = &program->last;
    program->removed = true;
  }
}

static void apply(struct world *world) {
  world->engine.safe_mode = false;
  world->held = !world->held;
  instance_point(world);
  for (int row = 0; row < world->row_count; row++) {
    struct sim_program *program = world_program(world, row);
    const struct stanza *stanza = &world->configs[world->held][row];

    if (!program->used)
      continue;
    if (!stanza->present) {
      if (!program->removed)
        retire(world, row);
      continue;
    }
    program->is_back = program->removed && stanza->config.key_autostart;
    if (program->pending & PENDING_FREE)
      program->pending = (program->pending & ~PENDING_FREE) | PENDING_CHECK;
    program->removed = false;
    program->stanza = stanza;
  }
  add_new(world);
  link_programs(world);
  act_on_all(world);
}

static void retire(struct world *world, int row) {
  struct sim_program *program = world_program(world, row);

  program->last = (struct stanza){
      .after = program->stanza->after,
      .config.life = &plain_life,
      .config.key_restart = RESTART_NEVER,
      .config.key_stop_signal = program->stanza->config.key_stop_signal,
      .config.key_stop_timeout = program->stanza->config.key_stop_timeout,
  };
  program->stanza = &program->last;
  program->removed = true;
}

static void add_new(struct world *world) {
  for (int row = 0; row < world->row_count; row++) {
    const struct stanza *stanza = &world->configs[world->held][row];
    struct sim_row *slot = &world->rows[row];
    bool start = !world->engine.shutdown && stanza->config.key_autostart;
    struct ledger_state state = {
        .state = start ? STATE_WAITING : STATE_STOPPED,
        .wanted = start ? WANTED_UP : WANTED_DOWN,
        .since_ns = world->now_ns,
    };

    if (world_program(world, row)->used || !stanza->present)
      continue;
    *slot = (struct sim_row){.used = true,
                             .life = slot->life + 1,
                             .pid = slot->pid,
                             .state = {state}};
    check_claim(world, row);
    *world_program(world, row) =
        (struct sim_program){.used = true, .stanza = stanza};
    instance_point(world);
  }
}

static void link_programs(struct world *world) {
  for (int row = 0; row < world->row_count; row++)
    world_program(world, row)->dependents = 0;
  for (int row = 0; row < world->row_count; row++)
    for (int first = 0; first < world->row_count; first++)
      if (world_program(world, row)->used &&
          world_program(world, first)->used &&
          (world_program(world, row)->stanza->after >> first) & 1)
        world_program(world, first)->dependents |= 1U << row;
}

static void act_on_all(struct world *world) {
  for (int row = 0; row < world->row_count && !world->engine.safe_mode; row++) {
    if (!world_program(world, row)->used)
      continue;
    if (world_program(world, row)->removed)
      instance_wish(world, row, WANTED_DOWN, false);
    else if (is_outdated(world, row))
      instance_wish(world, row, WANTED_UP, true);
  }
  for (int row = 0; row < world->row_count; row++)
    if (world_program(world, row)->used)
      act_on(world, row);
}

static bool is_outdated(struct world *world, int row) {
  const struct ledger_state *state = world_state(world, row);

  return state->starts > 0 && state->wanted == WANTED_UP &&
         state->config_hash != world_program(world, row)->stanza->config.hash &&
         (state->state == STATE_STARTING || state->state == STATE_RUNNING ||
          state->state == STATE_BACKOFF || state->state == STATE_FATAL);
}

static void act_on(struct world *world, int row) {
  struct sim_program *program = world_program(world, row);

  if (world->engine.safe_mode) {
    instance_defer(world, row, PENDING_CHECK);
  } else if (program->removed) {
    instance_stop(world, row, REASON_REMOVED);
  } else if (program->is_back) {
    program->is_back = false;
    instance_start(world, row, REASON_ADDED);
  } else if (is_outdated(world, row)) {
    if (step_is_live((enum state)world_state(world, row)->state))
      instance_restart(world, row, REASON_CHANGED);
    else
      instance_start(world, row, REASON_CHANGED);
  } else {
    instance_defer(world, row, PENDING_CHECK);
  }
}

/* ---- the loop ---- */

static void command(struct world *world, enum command kind, unsigned rows) {
  for (int row = 0; row < world->row_count; row++)
    if (world_program(world, row)->removed && kind != COMMAND_STOP)
      rows &= ~(1U << row);
  for (int row = 0; row < world->row_count; row++)
    if (((rows >> row) & 1) && world_program(world, row)->used)
      instance_wish(world, row, kind == COMMAND_STOP ? WANTED_DOWN : WANTED_UP,
                    kind == COMMAND_RESTART);
  for (int row = 0; row < world->row_count; row++) {
    if (!((rows >> row) & 1) || !world_program(world, row)->used)
      continue;
    switch (kind) {
    case COMMAND_START:
      instance_start(world, row, REASON_STARTED);
      break;
    case COMMAND_STOP:
      instance_stop(world, row, REASON_STOPPED);
      break;
    case COMMAND_RESTART:
      instance_restart(world, row, REASON_RESTARTED);
      break;
    }
  }
}

static void begin_shutdown(struct world *world) {
  world->shutdown = true;
  if (world->engine.shutdown)
    return;
  world->engine.shutdown = true;
  world->engine.shutdown_ns = world->now_ns + world->shutdown_timeout_ns;
  for (int row = 0; row < world->row_count; row++)
    if (world_program(world, row)->used)
      instance_wish(world, row, WANTED_DOWN, false);
  for (int row = 0; row < world->row_count; row++)
    if (world_program(world, row)->used)
      instance_stop(world, row, REASON_SHUTDOWN);
}

static void on_shutdown_timeout(struct world *world) {
  if (world->engine.forced) {
    world->engine.done = true;
    return;
  }
  world_say(world, "shutdown_timeout is over");
  world->engine.forced = true;
  world->engine.shutdown_ns = world->now_ns + FORCED_SHUTDOWN_NS;
  for (int row = 0; row < world->row_count; row++) {
    if (!world_program(world, row)->used)
      continue;
    instance_defer(world, row, PENDING_CHECK);
    if (step_is_live((enum state)world_state(world, row)->state))
      instance_kill(world, row);
  }
}

static void run_timers(struct world *world) {
  /* What has ended by now did not live until its deadline. */
  read_exits(world);
  for (;;) {
    struct sim_program *first = NULL;
    int first_row = 0;

    if (world->engine.shutdown && world->engine.shutdown_ns <= world->now_ns) {
      on_shutdown_timeout(world);
      if (world->engine.done)
        return;
    }
    for (int row = 0; row < world->row_count; row++) {
      struct sim_program *program = world_program(world, row);

      if (program->used && program->deadline_ns != 0 &&
          program->deadline_ns <= world->now_ns &&
          (first == NULL || program->deadline_ns < first->deadline_ns)) {
        first = program;
        first_row = row;
      }
    }
    if (first == NULL || world->failed)
      return;
    first->deadline_ns = 0;
    instance_on_timer(world, first_row);
    /* What is due at once again fires in the next round. */
    if (first->deadline_ns != 0 && first->deadline_ns <= world->now_ns)
      return;
  }
}

static void run_rounds(struct world *world) {
  int rounds = 0;

  while (!world->failed && !world->engine.done && round_once(world)) {
    if (++rounds > ROUNDS_MAX)
      world_fail(world, "the engine is never done at this instant");
    if (shell_next_deadline_ns(world) <= world->now_ns)
      run_timers(world);
  }
  if (!world->failed && !world->engine.done)
    check_quiet(world);
}

/* Returns whether there is something left to do. */
static bool round_once(struct world *world) {
  bool news = false;

  instance_point(world);
  read_exits(world);
  do_put_off_work(world);
  if (world->engine.shutdown && is_at_rest(world)) {
    world->engine.done = true;
    check_finished(world);
    return false;
  }
  if (world->engine.queue_count == 0)
    world_guardian_finish(world);
  if (watch_members(world))
    news = true;
  for (int row = 0; row < world->row_count; row++)
    news = news || world->rows[row].news;
  return news || world->engine.queue_count > 0 ||
         shell_next_deadline_ns(world) <= world->now_ns;
}

static void read_exits(struct world *world) {
  for (int row = 0; row < world->row_count; row++) {
    if (!world->rows[row].news)
      continue;
    if (world_program(world, row)->used)
      instance_note_exit(world, row);
    else
      world->rows[row].news = false;
    instance_point(world);
  }
}

static bool watch_members(struct world *world) {
  bool ended = false;

  for (int row = 0; row < world->row_count; row++) {
    struct sim_program *program = world_program(world, row);
    bool there = false;

    if (!program->used || program->watch == 0)
      continue;
    for (int i = 0; i < WORLD_PROCESSES; i++)
      there = there || (world->processes[i].pid == program->watch &&
                        !world->processes[i].zombie);
    if (there)
      continue;
    program->watch = 0;
    instance_defer(world, row, PENDING_PROBE);
    ended = true;
  }
  return ended;
}

static void do_put_off_work(struct world *world) {
  for (int i = 0;
       i < ROUND_BATCH && world->engine.queue_count > 0 && !world->failed;
       i++) {
    int row = world->engine.queue[0];
    struct sim_program *program = world_program(world, row);

    memmove(world->engine.queue, world->engine.queue + 1,
            sizeof(world->engine.queue) - sizeof(world->engine.queue[0]));
    world->engine.queue_count--;
    instance_point(world);
    if (!(program->pending & PENDING_FREE) || !program->removed ||
        world->rows[row].pid != 0 ||
        !step_is_at_rest((enum state)world_state(world, row)->state)) {
      instance_work(world, row);
      continue;
    }
    world->rows[row].news = false;
    world->rows[row].used = false;
    *program = (struct sim_program){0};
    for (int other = 0; other < world->row_count; other++)
      world_program(world, other)->dependents &= ~(1U << row);
  }
}

static bool is_at_rest(const struct world *world) {
  for (int row = 0; row < world->row_count; row++)
    if (world->engine.programs[row].used &&
        !step_is_at_rest((enum state)world_state(world, row)->state))
      return false;
  return true;
}
