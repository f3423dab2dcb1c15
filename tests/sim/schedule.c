/* SPDX-License-Identifier: ISC */
/* schedule.c: see schedule.h. */
#include <stdio.h>
#include <string.h>

#include "tests/sim/invariants.h"
#include "tests/sim/schedule.h"
#include "tests/sim/shell.h"

/* No end of faults is followed by more than this; see settle(). */
#define SETTLE_NS (1200 * NS_PER_S)
/* More events of the clock than any schedule has. */
#define INSTANTS_MAX 20000

#define PICK(values, dice)                                                     \
  ((values)[(dice) % (sizeof(values) / sizeof((values)[0]))])

#define KIND_NAME(name) #name,
static const char *const kind_names[] = {SCHEDULE_KINDS(KIND_NAME)};

static struct schedule_event random_event(uint64_t *dice);
static void first_config(struct world *world);
static void next_config(struct world *world);
static void random_stanza(struct world *world, struct stanza *stanza);
static void random_after(struct world *world, struct stanza *stanzas);
static void drop_missing(const struct world *world, struct stanza *stanzas);
static void do_event(struct world *world, const struct schedule_event *event);
static void pass(struct world *world, int64_t until_ns);
static void suspend(struct world *world, int64_t length_ns);
static void settle(struct world *world);

void schedule_make(struct schedule *schedule, uint64_t seed) {
  uint64_t dice = world_mix(seed);

  *schedule = (struct schedule){.seed = seed};
  schedule->count = 4 + (int)(dice % 36);
  for (int i = 0; i < schedule->count; i++)
    schedule->events[i] = random_event(&dice);
}

int schedule_run(const struct schedule *schedule, struct world *world,
                 unsigned tolerate, bool verbose) {
  int i;

  world_init(world, schedule->seed);
  world->tolerate = tolerate;
  world->verbose = verbose;
  first_config(world);
  if (verbose)
    schedule_print_configs(world);
  shell_boot(world, false);
  for (i = 0; i < schedule->count && !world->failed && !world->engine.done;
       i++) {
    if (verbose)
      schedule_print_event(&schedule->events[i]);
    do_event(world, &schedule->events[i]);
  }
  if (verbose && !world->failed)
    printf("  now everything settles\n");
  if (!world->failed && !world->engine.done)
    settle(world);
  return i;
}

/* First halves, then smaller runs, then one by one until nothing more can go.
 */
void schedule_shrink(struct schedule *schedule, unsigned tolerate) {
  static struct world world;
  bool again = true;

  schedule->count = schedule_run(schedule, &world, tolerate, false);
  while (again) {
    again = false;
    for (int size = schedule->count / 2 + 1; size > 0; size /= 2) {
      for (int at = 0; at + size <= schedule->count;) {
        struct schedule smaller = *schedule;

        memmove(smaller.events + at, smaller.events + at + size,
                (size_t)(schedule->count - at - size) *
                    sizeof(smaller.events[0]));
        smaller.count -= size;
        (void)schedule_run(&smaller, &world, tolerate, false);
        if (world.failed) {
          *schedule = smaller;
          again = true;
        } else {
          at++;
        }
      }
    }
  }
}

void schedule_print_event(const struct schedule_event *event) {
  printf("  %-8s", kind_names[event->kind]);
  if (event->kind == SCHEDULE_START || event->kind == SCHEDULE_STOP ||
      event->kind == SCHEDULE_RESTART) {
    printf(" ");
    for (int row = 0; row < WORLD_ROWS; row++)
      if ((event->rows >> row) & 1)
        printf("%c", 'A' + row);
  } else if (event->kind == SCHEDULE_END || event->kind == SCHEDULE_END_SOON) {
    printf(" %c", 'A' + (int)(event->rows % WORLD_ROWS));
  }
  if (event->kind == SCHEDULE_PASS)
    printf(" %u ms", event->amount);
  else if (event->kind == SCHEDULE_SUSPEND)
    printf(" %u s", event->amount);
  else if (event->kind == SCHEDULE_KILL || event->kind == SCHEDULE_END_SOON)
    printf(" after %u steps", event->amount);
  printf("\n");
}

void schedule_print_configs(const struct world *world) {
  static const char *const policies[] = {"never", "on-failure", "on-abnormal",
                                         "always"};

  for (int row = 0; row < world->row_count; row++) {
    const struct stanza *stanza = &world->configs[world->held][row];
    const struct program_config *config = &stanza->config;

    if (!stanza->present)
      continue;
    printf("  program %c: restart %s, delay %lld..%lld ms x %.1f, reset %lld "
           "ms, limit "
           "%u in %lld "
           "ms, stable %lld ms, stop %lld ms%s, after",
           'A' + row, policies[config->key_restart],
           (long long)(config->key_restart_delay / NS_PER_MS),
           (long long)(config->key_restart_delay_max / NS_PER_MS),
           config->key_restart_factor,
           (long long)(config->key_restart_reset_after / NS_PER_MS),
           config->key_start_limit,
           (long long)(config->key_start_limit_interval / NS_PER_MS),
           (long long)(config->key_stable_after / NS_PER_MS),
           (long long)(config->key_stop_timeout / NS_PER_MS),
           config->key_autostart ? "" : ", no autostart");
    for (int first = 0; first < world->row_count; first++)
      if ((stanza->after >> first) & 1)
        printf(" %c", 'A' + first);
    printf("\n");
  }
}

static struct schedule_event random_event(uint64_t *dice) {
  static const uint8_t kinds[] = {
      SCHEDULE_PASS,     SCHEDULE_PASS,    SCHEDULE_PASS,  SCHEDULE_PASS,
      SCHEDULE_PASS,     SCHEDULE_PASS,    SCHEDULE_PASS,  SCHEDULE_PASS,
      SCHEDULE_START,    SCHEDULE_START,   SCHEDULE_STOP,  SCHEDULE_STOP,
      SCHEDULE_RESTART,  SCHEDULE_RESTART, SCHEDULE_END,   SCHEDULE_END,
      SCHEDULE_END_SOON, SCHEDULE_APPLY,   SCHEDULE_APPLY, SCHEDULE_KILL,
      SCHEDULE_KILL,     SCHEDULE_BOOT,    SCHEDULE_BOOT,  SCHEDULE_BOOT};
  static const uint8_t rare[] = {SCHEDULE_SUSPEND, SCHEDULE_SAFE,
                                 SCHEDULE_SHUTDOWN};
  static const unsigned lengths[] = {1, 20, 100, 300, 1000, 3000, 12000, 70000};
  struct schedule_event event;
  uint64_t roll;

  *dice = roll = world_mix(*dice);
  event.kind = (enum schedule_kind)(roll % 25 == 0 ? PICK(rare, roll >> 8)
                                                   : PICK(kinds, roll >> 8));
  event.rows = (unsigned)(roll >> 16) & 0xff;
  if ((roll >> 24) % 2)
    event.rows = 1U << (event.rows % WORLD_ROWS);
  event.amount = (unsigned)(roll >> 32) % 40 + 1;
  if (event.kind == SCHEDULE_PASS)
    event.amount = PICK(lengths, roll >> 40) + (unsigned)(roll >> 50) % 10;
  event.salt = world_mix(roll);
  return event;
}

static void first_config(struct world *world) {
  struct stanza *stanzas = world->configs[0];

  world->dice = world_mix(world->seed + 1);
  world->row_count = 1 + (int)world_roll(world, WORLD_ROWS);
  world->shutdown_timeout_ns =
      world_roll(world, 2) ? 60 * NS_PER_S : 2 * NS_PER_S;
  for (int row = 0; row < world->row_count; row++) {
    random_stanza(world, &stanzas[row]);
    stanzas[row].present = world_roll(world, 10) > 0;
  }
  random_after(world, stanzas);
  drop_missing(world, stanzas);
}

/* The other of the two: mostly the same, as people edit. */
static void next_config(struct world *world) {
  struct stanza *stanzas = world->configs[!world->held];

  memcpy(stanzas, world->configs[world->held], sizeof(world->configs[0]));
  for (int row = 0; row < world->row_count; row++) {
    uint64_t hash = stanzas[row].config.hash;
    bool present = stanzas[row].present;

    switch (world_roll(world, 8)) {
    case 0: /* keys that take effect at once */
      random_stanza(world, &stanzas[row]);
      stanzas[row].config.hash = hash;
      stanzas[row].present = present;
      break;
    case 1:
      stanzas[row].config.hash = ++world->next_hash;
      break;
    case 2:
      stanzas[row].present = !present;
      break;
    default:
      break;
    }
  }
  if (world_roll(world, 3) == 0)
    random_after(world, stanzas);
  drop_missing(world, stanzas);
}

static void random_stanza(struct world *world, struct stanza *stanza) {
  static const int64_t delays[] = {0, 10, 200, 1000},
                       most[] = {200, 1000, 30000};
  static const double factors[] = {1, 1.5, 2, 10};
  static const int64_t resets[] = {0, 500, 5000, 60000},
                       intervals[] = {500, 10000, 60000};
  static const uint32_t limits[] = {1, 2, 3, 5, 0};
  static const int64_t stables[] = {0, 100, 1000}, stops[] = {10, 500, 5000};
  struct program_config *config = &stanza->config;
  unsigned after = stanza->after;

  *stanza = (struct stanza){.after = after};
  config->hash = ++world->next_hash;
  config->life = &plain_life;
  config->key_autostart = world_roll(world, 4) > 0;
  config->key_restart = (enum restart_policy)world_roll(world, 4);
  config->key_success_exit.codes[0] =
      world_roll(world, 3) ? 1 : 1 | 1 << 2 | 1ULL << 42;
  config->key_success_exit.signals = world_roll(world, 3) ? 0 : 1ULL << 14;
  config->key_restart_delay = PICK(delays, world_roll(world, 64)) * NS_PER_MS;
  config->key_restart_delay_max = PICK(most, world_roll(world, 64)) * NS_PER_MS;
  config->key_restart_factor = PICK(factors, world_roll(world, 64));
  config->key_restart_reset_after =
      PICK(resets, world_roll(world, 64)) * NS_PER_MS;
  config->key_start_limit = PICK(limits, world_roll(world, 64));
  config->key_start_limit_interval =
      PICK(intervals, world_roll(world, 64)) * NS_PER_MS;
  config->key_stable_after = PICK(stables, world_roll(world, 64)) * NS_PER_MS;
  config->key_stop_signal = 15;
  config->key_stop_timeout = PICK(stops, world_roll(world, 64)) * NS_PER_MS;
  /* What never gives up and never waits would fill the schedule alone. */
  if (config->key_start_limit == 0 &&
      config->key_restart_delay < 200 * NS_PER_MS)
    config->key_restart_delay = 200 * NS_PER_MS;
}

/* Edges along a random order, so there is no cycle; and one graph that may have
 * some, for order.c.
 */
static void random_after(struct world *world, struct stanza *stanzas) {
  unsigned place[WORLD_ROWS], after[WORLD_ROWS], any[WORLD_ROWS];
  unsigned density = 1 + world_roll(world, 4);

  for (int row = 0; row < world->row_count; row++)
    place[row] = world_roll(world, 1000) * WORLD_ROWS + (unsigned)row;
  for (int row = 0; row < world->row_count; row++) {
    after[row] = any[row] = 0;
    for (int first = 0; first < world->row_count; first++) {
      unsigned roll = world_roll(world, 16);

      if (place[first] < place[row] && roll < 2 * density)
        after[row] |= 1U << first;
      if (roll < density)
        any[row] |= 1U << first;
    }
    stanzas[row].after = after[row];
  }
  check_order(world, after, world->row_count);
  check_order(world, any, world->row_count);
}

/* A configuration that names what it does not have is not taken. */
static void drop_missing(const struct world *world, struct stanza *stanzas) {
  for (int row = 0; row < world->row_count; row++)
    for (int first = 0; first < world->row_count; first++)
      if (!stanzas[first].present)
        stanzas[row].after &= ~(1U << first);
}

static void do_event(struct world *world, const struct schedule_event *event) {
  struct sim_process *leader =
      world_leader(world, (int)(event->rows % WORLD_ROWS));
  static const int statuses[] = {0, 1 << 8, 2 << 8, 15, 11 | 0x80, 9};

  world->dice = event->salt;
  switch (event->kind) {
  case SCHEDULE_PASS:
    pass(world, world->now_ns + event->amount * NS_PER_MS);
    break;
  case SCHEDULE_SUSPEND:
    suspend(world, event->amount * NS_PER_S);
    break;
  case SCHEDULE_START:
  case SCHEDULE_STOP:
  case SCHEDULE_RESTART:
    if (world->engine.alive)
      shell_command(
          world, (enum command)(event->kind - SCHEDULE_START + COMMAND_START),
          event->rows);
    break;
  case SCHEDULE_END:
    if (leader != NULL)
      world_end(world, leader, PICK(statuses, event->amount));
    world_guardian_finish(world);
    if (world->engine.alive)
      shell_wake(world);
    break;
  case SCHEDULE_END_SOON:
    world->end_in = (int)event->amount;
    world->end_row = (int)(event->rows % WORLD_ROWS);
    world->end_wstatus = PICK(statuses, event->amount);
    break;
  case SCHEDULE_APPLY:
    if (!world->engine.alive || world->engine.shutdown)
      break;
    next_config(world);
    shell_apply(world);
    break;
  case SCHEDULE_KILL:
    world->kill_in = (int)event->amount;
    break;
  case SCHEDULE_BOOT:
    if (!world->engine.alive)
      shell_boot(world, false);
    break;
  case SCHEDULE_SAFE:
    world->kills++;
    shell_boot(world, true);
    break;
  case SCHEDULE_SHUTDOWN:
    world->shutdown = true;
    if (world->engine.alive)
      shell_shutdown(world);
    break;
  case SCHEDULE_COUNT:
    break;
  }
}

/* From one instant at which something happens to the next. */
static void pass(struct world *world, int64_t until_ns) {
  int instants = 0;

  while (!world->failed && !world->engine.done) {
    int64_t next_ns = world_next_end_ns(world);

    if (world->engine.alive && shell_next_deadline_ns(world) < next_ns)
      next_ns = shell_next_deadline_ns(world);
    if (next_ns > until_ns)
      break;
    if (++instants > INSTANTS_MAX) {
      world_fail(world, "too much happens");
      break;
    }
    if (next_ns > world->now_ns)
      world->now_ns = next_ns;
    world_end_due(world);
    /* With an engine, now and then the guardian is as slow as can be. */
    if (!world->engine.alive || world_roll(world, 4) > 0)
      world_guardian_finish(world);
    if (world->engine.alive)
      shell_wake(world);
  }
  if (until_ns > world->now_ns)
    world->now_ns = until_ns;
}

static void suspend(struct world *world, int64_t length_ns) {
  world->now_ns += length_ns;
  for (int i = 0; i < WORLD_PROCESSES; i++)
    if (world->processes[i].end_ns != 0)
      world->processes[i].end_ns += length_ns;
  if (world->engine.alive)
    shell_wake(world);
}

/* No more faults: what is wanted must come true. */
static void settle(struct world *world) {
  world->dice = world_mix(world->seed + 2);
  world->calm = true;
  world->kill_in = world->end_in = 0;
  if (!world->engine.alive)
    shell_boot(world, false);
  if (world->engine.safe_mode && !world->shutdown) {
    memcpy(world->configs[!world->held], world->configs[world->held],
           sizeof(world->configs[0]));
    shell_apply(world);
  }
  pass(world, world->now_ns + SETTLE_NS);
  if (world->failed)
    return;
  if (!world->shutdown)
    check_settled(world);
  else if (!world->engine.done)
    world_fail(world, "the shutdown never ends");
}
