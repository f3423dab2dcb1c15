/* SPDX-License-Identifier: ISC */
/*
 * instance.c: see instance.h.  The functions have the names of those of
 * program.c and run.c, with instance_ instead of program_ where others call
 * them.
 */
#include "tests/sim/instance.h"
#include "supervisord/engine/depend.h"
#include "supervisord/engine/launch.h"
#include "tests/sim/invariants.h"
#include "tests/sim/known.h"

#define NOT_LAUNCHED_STATUS (127 << 8)

static const struct cause no_cause = {REASON_NONE, 0, 0};

static void resume_launch(struct world *world, int row);
static void forget_leader(struct world *world, int row);
static void program_changed(struct world *world, int row);
static void event_of(struct world *world, int row, enum event event,
                     const struct cause *cause);
static void happen(struct world *world, int row, struct happening *happening);
static void act(struct world *world, int row, unsigned actions);
static void stop_by_step(struct world *world, int row);
static void run_launch(struct world *world, int row);
static void run_signal(struct world *world, int row);
static bool run_is_gone(struct world *world, int row);

bool instance_knows(const struct world *world, unsigned known) {
  return (world->tolerate & known) != 0;
}

void instance_resume(struct world *world, int row) {
  struct sim_row *slot = &world->rows[row];
  const struct ledger_state *state = world_state(world, row);
  bool lost = slot->pid == 0 && state->run_acted != state->starts &&
              slot->end.run != state->starts;

  if (slot->pid != 0)
    slot->last_pid = slot->pid;
  world_program(world, row)->deadline_ns = state->deadline_ns;
  switch ((enum state)state->state) {
  case STATE_STARTING:
  case STATE_RUNNING:
    if (lost)
      resume_launch(world, row);
    else
      instance_defer(world, row, PENDING_CHECK);
    break;
  case STATE_STOPPING:
    if (slot->pid != 0 && !(state->flags & LEDGER_FLAG_KILLED))
      run_signal(world, row);
    instance_defer(world, row, PENDING_PROBE);
    break;
  case STATE_STOPPED:
  case STATE_WAITING:
  case STATE_BACKOFF:
    instance_defer(world, row, PENDING_CHECK);
    break;
  case STATE_PREPARING: /* no hooks here */
  case STATE_SETTLING:
  case STATE_ENDING:
  case STATE_CLEANING:
  case STATE_EXITED:
  case STATE_FATAL:
  case STATE_COUNT:
    break;
  }
}

static void resume_launch(struct world *world, int row) {
  struct sim_row *slot = &world->rows[row];

  if (!world->engine.safe_mode && !world_program(world, row)->removed &&
      !world->shutdown) {
    act(world, row, ACTION_LAUNCH);
    return;
  }
  slot->failure_step = LAUNCH_CLONE;
  instance_defer(world, row, PENDING_FAILED);
}

void instance_wish(struct world *world, int row, enum wanted wanted,
                   bool bounce) {
  struct ledger_state state = *world_state(world, row);

  state.wanted = (uint8_t)wanted;
  if (bounce && step_is_live((enum state)state.state))
    state.flags |= LEDGER_FLAG_BOUNCE;
  else if (wanted == WANTED_DOWN)
    state.flags &= (uint16_t)~LEDGER_FLAG_BOUNCE;
  world_commit(world, row, &state);
  instance_point(world);
}

void instance_start(struct world *world, int row, enum reason reason) {
  const struct ledger_state *state = world_state(world, row);

  if ((state->state == STATE_STARTING || state->state == STATE_RUNNING) &&
      state->config_hash != world_program(world, row)->stanza->config.hash) {
    instance_restart(world, row, reason);
    return;
  }
  instance_wish(world, row, WANTED_UP,
                step_is_stopping((enum state)state->state));
  event_of(world, row, EVENT_START, &(struct cause){.reason = reason});
}

void instance_stop(struct world *world, int row, enum reason reason) {
  instance_wish(world, row, WANTED_DOWN, false);
  event_of(world, row, EVENT_STOP, &(struct cause){.reason = reason});
}

void instance_restart(struct world *world, int row, enum reason reason) {
  instance_wish(world, row, WANTED_UP, true);
  event_of(world, row, EVENT_STOP, &(struct cause){.reason = reason});
}

void instance_note_exit(struct world *world, int row) {
  struct sim_row *slot = &world->rows[row];
  const struct ledger_state *state = world_state(world, row);
  struct happening happening = {
      .event = EVENT_EXIT,
      .cause = {.reason = REASON_EXIT, .detail = slot->end.wstatus},
      .run = slot->end.run,
      .wstatus = slot->end.wstatus,
      .launched = slot->failure_step == LAUNCH_NONE,
  };

  slot->last_pid = slot->end.pid;
  if (slot->end.run == state->run_acted ||
      !step_is_live((enum state)state->state)) {
    check_drop(world, row);
    slot->news = false;
    return;
  }
  instance_defer(world, row, PENDING_CHECK);
  if (state->state == STATE_STOPPING)
    happening.cause = no_cause;
  happen(world, row, &happening);
}

void instance_work(struct world *world, int row) {
  struct sim_program *program = world_program(world, row);
  unsigned pending = program->pending;

  program->pending = 0;
  if ((pending & PENDING_FAILED) &&
      step_is_live((enum state)world_state(world, row)->state)) {
    struct happening happening = {
        .event = EVENT_EXIT,
        .cause = {.reason = REASON_LAUNCH,
                  .step = world->rows[row].failure_step,
                  .detail = world->rows[row].failure_error},
        .run = world_state(world, row)->starts,
        .wstatus = NOT_LAUNCHED_STATUS,
    };

    happen(world, row, &happening);
  }
  forget_leader(world, row);
  if (pending & PENDING_CHECK)
    event_of(world, row, EVENT_CHECK, &no_cause);
  if ((pending & PENDING_PROBE) &&
      world_state(world, row)->state == STATE_STOPPING &&
      run_is_gone(world, row))
    event_of(world, row, EVENT_GONE, &no_cause);
  if (program->removed &&
      step_is_at_rest((enum state)world_state(world, row)->state))
    instance_defer(world, row, PENDING_FREE);
}

void instance_on_timer(struct world *world, int row) {
  const struct ledger_state *state = world_state(world, row);
  struct cause cause = no_cause;

  if (state->state == STATE_STARTING)
    cause.reason = REASON_STABLE;
  else if (state->state == STATE_STOPPING)
    cause.reason = REASON_KILLED;
  else if (state->state == STATE_BACKOFF)
    cause.reason = REASON_RETRY;
  event_of(world, row, EVENT_TIMER, &cause);
}

void instance_defer(struct world *world, int row, unsigned what) {
  struct sim_program *program = world_program(world, row);

  if (program->pending == 0)
    world->engine.queue[world->engine.queue_count++] = row;
  program->pending |= what;
}

static void event_of(struct world *world, int row, enum event event,
                     const struct cause *cause) {
  struct happening happening = {.event = event, .cause = *cause};

  happen(world, row, &happening);
}

static void happen(struct world *world, int row, struct happening *happening) {
  struct sim_program *program = world_program(world, row);
  struct sim_row *slot = &world->rows[row];
  struct ledger_state before = *world_state(world, row);
  struct transition transition;
  int error;

  happening->may_start =
      !world->engine.safe_mode && !world->engine.shutdown && !program->removed;
  if (world->shutdown)
    happening->may_start = false;
  for (int first = 0; first < world->row_count && happening->may_start; first++)
    if (((program->stanza->after >> first) & 1) &&
        world_program(world, first)->used)
      happening->may_start =
          !depend_blocks_start(DEPEND_AFTER, DEPEND_DEFAULT,
                               &world_program(world, first)->stanza->config,
                               world_state(world, first));
  happening->may_stop = true;
  for (int last = 0; last < world->row_count && happening->may_stop; last++)
    if (!world->engine.forced && ((program->dependents >> last) & 1))
      happening->may_stop = !depend_blocks_stop(
          DEPEND_AFTER, DEPEND_DEFAULT, &program->stanza->config,
          world_state(world, row), world_state(world, last));
  if (happening->event == EVENT_EXIT || happening->event == EVENT_TIMER)
    happening->leftovers =
        slot->pid == 0 && world_group_exists(world, slot->last_pid);
  else if (happening->event == EVENT_START || happening->event == EVENT_STOP)
    happening->leftovers = slot->pid == 0 && before.starts > 0 &&
                           world_count_members(world, row) > 0;
  happening->config_hash = program->stanza->config.hash;
  happening->now_ns = happening->wall_ns = world->now_ns;
  error = transition_decide(&before, &program->stanza->config, happening,
                            &transition);
  if (error == 0)
    world_commit(world, row, &transition.state);
  check_step(world, row, happening, &before, &transition, error);
  instance_point(world);
  if (happening->event == EVENT_EXIT) {
    slot->news = false;
    instance_point(world);
  }
  if (error < 0)
    return;
  program->deadline_ns = transition.state.deadline_ns;
  act(world, row, transition.actions);
  instance_point(world);
  if (program->removed && step_is_at_rest((enum state)transition.state.state))
    instance_defer(world, row, PENDING_FREE);
  if (transition.moved || happening->event == EVENT_START ||
      happening->event == EVENT_STOP)
    program_changed(world, row);
}

static void program_changed(struct world *world, int row) {
  const struct sim_program *program = world_program(world, row);

  for (int other = 0; other < world->row_count; other++)
    if ((program->dependents >> other) & 1)
      instance_defer(world, other, PENDING_CHECK);
  for (int other = 0; other < world->row_count; other++)
    if (((program->stanza->after >> other) & 1) &&
        world_program(world, other)->used)
      instance_defer(world, other, PENDING_CHECK);
}

static void act(struct world *world, int row, unsigned actions) {
  if (actions & ACTION_LAUNCH)
    run_launch(world, row);
  if (actions & (ACTION_SIGNAL | ACTION_ESCALATE))
    stop_by_step(world, row);
  if (actions & ACTION_PROBE)
    instance_defer(world, row, PENDING_PROBE);
}

static void stop_by_step(struct world *world, int row) {
  const struct ledger_state *state = world_state(world, row);
  struct transition_stop stop =
      transition_stop_step(&world_program(world, row)->stanza->config, state);

  if (state->state == STATE_BACKOFF || stop.signal == TRANSITION_KILL)
    instance_kill(world, row);
  else
    run_signal(world, row);
}

static void run_launch(struct world *world, int row) {
  struct sim_row *slot = &world->rows[row];

  check_launch(world, row);
  if (slot->end.run == world_state(world, row)->run_acted)
    slot->news = false; /* no process: nothing is being posted */
  slot->run = world_state(world, row)->starts;
  instance_point(world);
  if (world_launch_fails(world, row)) {
    instance_defer(world, row, PENDING_FAILED);
    return;
  }
  slot->failure_step = slot->failure_error = 0;
  instance_point(world);
  world_spawn(world, row);
  instance_point(world);
  if (slot->pid != 0)
    slot->last_pid = slot->pid;
}

static void run_signal(struct world *world, int row) {
  int pid = world->rows[row].pid;

  check_signal(world, row, false);
  for (int i = 0; i < WORLD_PROCESSES; i++) {
    struct sim_process *process = &world->processes[i];

    if (process->pid != 0 && !process->zombie &&
        (pid != 0 ? process->group == pid
                  : world_is_member(world, process, row)))
      world_signal(world, process, false);
  }
}

void instance_kill(struct world *world, int row) {
  check_signal(world, row, true);
  for (int i = 0; i < WORLD_PROCESSES; i++)
    if (world_is_member(world, &world->processes[i], row))
      world_signal(world, &world->processes[i], true);
}

static bool run_is_gone(struct world *world, int row) {
  struct sim_program *program = world_program(world, row);
  struct ledger_state state = *world_state(world, row);

  if (world->rows[row].pid != 0)
    return false;
  /* The pid goes before the news come; the EXIT brings the next probe. */
  if (world->rows[row].end.run == state.starts &&
      state.run_acted != state.starts)
    return false;
  program->watch = 0;
  forget_leader(world, row);
  if (world_count_members(world, row) == 0)
    return true;
  if (!(state.flags & (LEDGER_FLAG_REST | LEDGER_FLAG_KILLED))) {
    run_signal(world, row);
    instance_point(world);
    state.flags |= LEDGER_FLAG_REST;
    world_commit(world, row, &state);
  }
  for (int i = 0; i < WORLD_PROCESSES; i++)
    if (world_is_member(world, &world->processes[i], row))
      program->watch = world->processes[i].pid;
  if (program->watch == 0)
    instance_defer(world, row, PENDING_PROBE);
  return false;
}

/* Its number may be anybody's when the group is gone. */
static void forget_leader(struct world *world, int row) {
  struct sim_row *slot = &world->rows[row];

  if (slot->pid == 0 && !world_group_exists(world, slot->last_pid))
    slot->last_pid = 0;
}

/* The engine is between two steps: others may take theirs, and this may be its
 * end. */
void instance_point(struct world *world) {
  struct sim_process *leader;

  if (world->end_in > 0 && --world->end_in == 0) {
    leader = world_leader(world, world->end_row);
    if (leader != NULL)
      world_end(world, leader, world->end_wstatus);
  }
  if (world_roll(world, 2) == 0)
    (void)world_guardian_step(world);
  if (world->kill_in > 0 && --world->kill_in == 0 && world->engine.alive) {
    world->kills++;
    world_say(world, "the engine is killed");
    longjmp(world->killed, 1);
  }
}
