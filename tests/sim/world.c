/* SPDX-License-Identifier: ISC */
/* world.c: see world.h: the clock, the fake kernel, the guardian's part and the
 * ledger. */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "supervisord/engine/launch.h"
#include "tests/sim/invariants.h"
#include "tests/sim/world.h"

/* How a run behaves, out of a hundred. */
#define CHANCE_NO_PROCESS 7
#define CHANCE_NO_EXEC 13
#define CHANCE_SHORT_LIVED 55
#define CHANCE_DEAF 20
#define CHANCE_CHILDREN 30
#define CHANCE_SLUGGISH 6

const struct life_config plain_life;

static uint64_t run_dice(const struct world *world, int row, unsigned topic);
static struct sim_process *new_process(struct world *world, int row);
static void spawn_children(struct world *world, int row, int group);
static int some_wstatus(uint64_t dice);

uint64_t world_mix(uint64_t value) {
  value += 0x9e3779b97f4a7c15ULL;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ULL;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebULL;
  return value ^ (value >> 31);
}

unsigned world_roll(struct world *world, unsigned limit) {
  world->dice = world_mix(world->dice);
  return (unsigned)((world->dice >> 8) % limit);
}

void world_init(struct world *world, uint64_t seed) {
  struct reached *reached = world->reached;

  memset(world, 0, sizeof(*world));
  world->reached = reached;
  world->seed = seed;
  world->now_ns = 1000 * NS_PER_S;
  world->last_pid = 100;
}

void world_fail(struct world *world, const char *format, ...) {
  va_list args;

  if (world->failed)
    return;
  world->failed = true;
  va_start(args, format);
  (void)vsnprintf(world->message, sizeof(world->message), format, args);
  va_end(args);
  world_say(world, "VIOLATION: %s", world->message);
}

void world_say(const struct world *world, const char *format, ...) {
  va_list args;

  if (!world->verbose)
    return;
  printf("    %10.3f  ", (double)(world->now_ns - 1000 * NS_PER_S) / NS_PER_S);
  va_start(args, format);
  (void)vprintf(format, args);
  va_end(args);
  printf("\n");
}

const struct ledger_state *world_state(const struct world *world, int row) {
  return &world->rows[row].state[world->rows[row].active];
}

void world_commit(struct world *world, int row,
                  const struct ledger_state *state) {
  struct sim_row *slot = &world->rows[row];
  struct ledger_state copy = *state;

  slot->state[!slot->active] = copy;
  slot->active = !slot->active;
}

struct sim_process *world_leader(struct world *world, int row) {
  for (int i = 0; i < WORLD_PROCESSES; i++) {
    struct sim_process *process = &world->processes[i];

    if (process->pid != 0 && process->leader && !process->zombie &&
        process->row == row && process->life == world->rows[row].life)
      return process;
  }
  return NULL;
}

bool world_group_exists(const struct world *world, int group) {
  for (int i = 0; i < WORLD_PROCESSES; i++)
    if (world->processes[i].pid != 0 && !world->processes[i].zombie &&
        world->processes[i].group == group)
      return true;
  return false;
}

bool world_is_member(const struct world *world,
                     const struct sim_process *process, int row) {
  return process->pid != 0 && !process->zombie && process->row == row &&
         ((process->group == world->rows[row].last_pid &&
           process->group != 0) ||
          (process->run == world_state(world, row)->starts &&
           process->life == world->rows[row].life));
}

int world_count_members(const struct world *world, int row) {
  int count = 0;

  for (int i = 0; i < WORLD_PROCESSES; i++)
    count += world_is_member(world, &world->processes[i], row);
  return count;
}

bool world_launch_fails(struct world *world, int row) {
  uint64_t dice = run_dice(world, row, 1);
  static const int errors[] = {EAGAIN, ENOMEM, EMFILE, ENOENT, EACCES, EPERM};

  if (world->calm || dice % 100 >= CHANCE_NO_PROCESS)
    return false;
  world->rows[row].failure_step = LAUNCH_PREPARE + (int)((dice >> 8) % 7);
  world->rows[row].failure_error = errors[(dice >> 16) % 6];
  return true;
}

void world_spawn(struct world *world, int row) {
  struct sim_row *slot = &world->rows[row];
  struct sim_process *process = new_process(world, row);
  uint64_t dice = run_dice(world, row, 2);
  unsigned kind = (unsigned)(dice % 100);

  if (process == NULL)
    return;
  process->leader = true;
  process->group = process->pid;
  process->wstatus = some_wstatus(dice >> 8);
  process->deaf = (dice >> 16) % 100 < CHANCE_DEAF;
  process->sluggish = (dice >> 24) % 100 < CHANCE_SLUGGISH;
  slot->pid = process->pid; /* CLONE_PARENT_SETTID */
  check_spawn(world, row);
  if (world->calm)
    return;
  if (kind < CHANCE_NO_EXEC) {
    slot->failure_step = LAUNCH_DESCRIPTORS + (int)((dice >> 32) % 9);
    slot->failure_error = ENOENT;
    process->wstatus = 127 << 8;
    process->deaf = false;
    process->end_ns = world->now_ns + NS_PER_MS;
    return;
  }
  if (kind < CHANCE_SHORT_LIVED)
    process->end_ns =
        world->now_ns +
        NS_PER_MS * (1 + (int64_t)((dice >> 40) % (kind < 30 ? 50 : 3000)));
  if ((dice >> 52) % 100 < CHANCE_CHILDREN)
    spawn_children(world, row, process->pid);
}

void world_signal(struct world *world, struct sim_process *process, bool kill) {
  uint64_t dice = world_mix(world->seed ^ (uint64_t)process->pid);
  int64_t delay_ns =
      kill ? (process->sluggish ? 2500 * NS_PER_MS : 0)
           : (dice % 3 == 0 ? 0 : (int64_t)(dice % 400) * NS_PER_MS);
  int wstatus = kill ? SIGKILL : (dice >> 16) % 3 == 0 ? 0 : SIGTERM;

  process->told = process->told || !kill;
  if (process->killed || (process->deaf && !kill))
    return;
  process->killed = kill;
  if (delay_ns == 0) {
    world_end(world, process, wstatus);
    return;
  }
  if (process->end_ns == 0 || process->end_ns > world->now_ns + delay_ns) {
    process->end_ns = world->now_ns + delay_ns;
    process->wstatus = wstatus;
  }
}

void world_end(struct world *world, struct sim_process *process, int wstatus) {
  world_say(world, "process %d of %c run %llu ends, status %#x", process->pid,
            'A' + process->row, (unsigned long long)process->run,
            (unsigned)wstatus);
  if (!process->leader) {
    process->pid = 0;
    return;
  }
  process->zombie = true;
  process->wstatus = wstatus;
}

int64_t world_next_end_ns(const struct world *world) {
  int64_t next_ns = INT64_MAX;

  for (int i = 0; i < WORLD_PROCESSES; i++) {
    const struct sim_process *process = &world->processes[i];

    if (process->pid != 0 && !process->zombie && process->end_ns != 0 &&
        process->end_ns < next_ns)
      next_ns = process->end_ns;
  }
  return next_ns;
}

void world_end_due(struct world *world) {
  for (int i = 0; i < WORLD_PROCESSES; i++) {
    struct sim_process *process = &world->processes[i];

    if (process->pid != 0 && !process->zombie && process->end_ns != 0 &&
        process->end_ns <= world->now_ns)
      world_end(world, process, process->wstatus);
  }
}

/* The order of ledger_post_exit(): what it was, no pid any more, news. */
bool world_guardian_step(struct world *world) {
  for (int i = 0; i < WORLD_PROCESSES; i++) {
    struct sim_process *process = &world->processes[i];
    struct sim_row *row = &world->rows[process->row];

    if (process->pid == 0 || !process->zombie)
      continue;
    if (process->posted == 0 && row->pid != process->pid) {
      process->pid = 0; /* not in the ledger: nobody is told */
      return true;
    }
    switch (process->posted++) {
    case 0:
      if (row->news)
        world_fail(world, "%c: an exit is posted over one nobody has read",
                   'A' + process->row);
      row->end = (struct ledger_exit){.run = row->run,
                                      .end_ns = world->now_ns,
                                      .pid = process->pid,
                                      .wstatus = process->wstatus};
      break;
    case 1:
      row->pid = 0;
      break;
    default:
      row->news = true;
      process->pid = 0;
      break;
    }
    return true;
  }
  return false;
}

void world_guardian_finish(struct world *world) {
  while (world_guardian_step(world))
    ;
}

static uint64_t run_dice(const struct world *world, int row, unsigned topic) {
  return world_mix(world->seed ^
                   world_mix((uint64_t)row << 48 |
                             (uint64_t)world->rows[row].life << 32 |
                             (world_state(world, row)->starts << 4) | topic));
}

static struct sim_process *new_process(struct world *world, int row) {
  for (int i = 0; i < WORLD_PROCESSES; i++) {
    if (world->processes[i].pid != 0)
      continue;
    world->processes[i] = (struct sim_process){
        .pid = ++world->last_pid,
        .row = row,
        .life = world->rows[row].life,
        .run = world->rows[row].run,
    };
    return &world->processes[i];
  }
  world_fail(world, "too many processes");
  return NULL;
}

/* Some stay in the group, some have a session of their own; most outlive their
 * leader. */
static void spawn_children(struct world *world, int row, int group) {
  uint64_t dice = run_dice(world, row, 3);
  unsigned count = 1 + (unsigned)(dice % 2), present = 0;

  for (int i = 0; i < WORLD_PROCESSES; i++)
    present += world->processes[i].pid != 0;
  if (present > WORLD_PROCESSES / 2)
    return;
  for (unsigned i = 0; i < count; i++, dice = world_mix(dice)) {
    struct sim_process *child = new_process(world, row);

    if (child == NULL)
      return;
    child->group = (dice >> 8) % 2 ? group : child->pid;
    child->deaf = (dice >> 16) % 100 < CHANCE_DEAF;
    child->sluggish = (dice >> 24) % 100 < CHANCE_SLUGGISH;
    if ((dice >> 32) % 2)
      child->end_ns =
          world->now_ns + NS_PER_MS * (int64_t)(1 + (dice >> 36) % 5000);
  }
}

static int some_wstatus(uint64_t dice) {
  static const int statuses[] = {0,       0,       1 << 8,   1 << 8,
                                 2 << 8,  42 << 8, 127 << 8, SIGSEGV | 0x80,
                                 SIGTERM, SIGKILL};

  return statuses[dice % (sizeof(statuses) / sizeof(statuses[0]))];
}
