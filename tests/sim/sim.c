/* SPDX-License-Identifier: ISC */
/*
 * sim.c: run the engine's decisions through random schedules; see world.h.
 *
 *   sim [--from SEED] [--count N] [--as-is NAME|all] [--quiet]
 *   sim --seed SEED [--as-is NAME|all]       one schedule, with everything that
 * happens in it sim --known                              what is known to be
 * wrong, and not repaired yet
 *
 * Stops at the first schedule that breaks an invariant: prints the smallest
 * list of events that still does, and exits with 1.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/sim/known.h"
#include "tests/sim/schedule.h"

#define DEFAULT_COUNT 200000

struct options {
  uint64_t from;
  uint64_t count;
  unsigned tolerate;
  bool one;
  bool quiet;
};

#define KNOWN_NAME(name, seed, text) {#name, seed, text},
static const struct {
  const char *name;
  uint64_t seed;
  const char *text;
} known[] = {KNOWN(KNOWN_NAME){NULL, 0, NULL}};

static int parse_options(int argc, char **argv, struct options *options);
static int take_as_is(struct options *options, const char *name);
static int run_one(const struct options *options, struct schedule *schedule,
                   struct world *world);
static void report(const struct options *options, struct schedule *schedule,
                   struct world *world);
static void print_unreached(const struct reached *reached);

int main(int argc, char **argv) {
  static struct world world;
  static struct reached reached;
  struct options options = {.count = DEFAULT_COUNT, .tolerate = ~0U};
  struct schedule schedule;
  uint64_t events = 0;
  clock_t begin = clock();
  double seconds;

  if (parse_options(argc, argv, &options) < 0)
    return 2;
  world.reached = &reached;
  if (options.one)
    return run_one(&options, &schedule, &world);
  for (uint64_t seed = options.from; seed < options.from + options.count;
       seed++) {
    schedule_make(&schedule, seed);
    events +=
        (uint64_t)schedule_run(&schedule, &world, options.tolerate, false);
    if (!world.failed)
      continue;
    printf("seed %llu, schedule %llu of %llu: %s\n", (unsigned long long)seed,
           (unsigned long long)(seed - options.from + 1),
           (unsigned long long)options.count, world.message);
    if (!options.quiet)
      report(&options, &schedule, &world);
    return 1;
  }
  seconds = (double)(clock() - begin) / CLOCKS_PER_SEC;
  printf("%llu schedules, %llu events, %.1f s, %.0f schedules/s\n",
         (unsigned long long)options.count, (unsigned long long)events, seconds,
         (double)options.count / (seconds > 0 ? seconds : 1));
  if (!options.quiet)
    print_unreached(&reached);
  return 0;
}

/* Cells that decide something and were never asked: what no schedule says
 * anything about. */
static void print_unreached(const struct reached *reached) {
  struct step step;

  for (int state = 0; state < STATE_COUNT; state++)
    for (int event = 0; event < EVENT_COUNT; event++)
      if (reached->cells[state][event] == 0 &&
          step_decide((enum state)state, (enum event)event, 0, &step) == 0)
        printf("never reached: %s.%s\n", step_state_name((enum state)state),
               step_event_name((enum event)event));
}

static int parse_options(int argc, char **argv, struct options *options) {
  static const struct option names[] = {{"seed", required_argument, NULL, 's'},
                                        {"from", required_argument, NULL, 'f'},
                                        {"count", required_argument, NULL, 'n'},
                                        {"as-is", required_argument, NULL, 'a'},
                                        {"quiet", no_argument, NULL, 'q'},
                                        {"known", no_argument, NULL, 'k'},
                                        {NULL, 0, NULL, 0}};
  int option;

  while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
    switch (option) {
    case 's':
      options->one = true;
      options->from = strtoull(optarg, NULL, 10);
      break;
    case 'f':
      options->from = strtoull(optarg, NULL, 10);
      break;
    case 'n':
      options->count = strtoull(optarg, NULL, 10);
      break;
    case 'a':
      if (take_as_is(options, optarg) < 0)
        return -EINVAL;
      break;
    case 'q':
      options->quiet = true;
      break;
    case 'k':
      for (int i = 0; known[i].name != NULL; i++)
        printf("%s\t%llu\t%s\n", known[i].name,
               (unsigned long long)known[i].seed, known[i].text);
      exit(0);
    default:
      return -EINVAL;
    }
  }
  return optind == argc ? 0 : -EINVAL;
}

static int take_as_is(struct options *options, const char *name) {
  bool found = strcmp(name, "all") == 0;

  for (int i = 0; known[i].name != NULL; i++) {
    if (strcmp(name, "all") != 0 && strcmp(name, known[i].name) != 0)
      continue;
    options->tolerate &= ~(1U << i);
    found = true;
  }
  if (!found)
    fprintf(stderr, "sim: %s: not known; sim --known lists what is\n", name);
  return found ? 0 : -EINVAL;
}

static int run_one(const struct options *options, struct schedule *schedule,
                   struct world *world) {
  schedule_make(schedule, options->from);
  (void)schedule_run(schedule, world, options->tolerate, false);
  if (world->failed) {
    printf("seed %llu: %s\n", (unsigned long long)options->from,
           world->message);
    report(options, schedule, world);
    return 1;
  }
  (void)schedule_run(schedule, world, options->tolerate, true);
  printf("seed %llu: nothing is wrong\n", (unsigned long long)options->from);
  return 0;
}

static void report(const struct options *options, struct schedule *schedule,
                   struct world *world) {
  int before = schedule->count;

  schedule_shrink(schedule, options->tolerate);
  printf("shrunk from %d to %d events:\n", before, schedule->count);
  (void)schedule_run(schedule, world, options->tolerate, true);
  printf("again: sim --seed %llu", (unsigned long long)schedule->seed);
  for (int i = 0; known[i].name != NULL; i++)
    if (!(options->tolerate & (1U << i)))
      printf(" --as-is %s", known[i].name);
  printf("\n");
}
