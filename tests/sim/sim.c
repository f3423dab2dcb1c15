/* SPDX-License-Identifier: ISC */
/*
 * sim.c: the engine in a world of its own, for a great many schedules, on all processors.
 *
 *   sim [--first SEED] [--from SEED] [--count N] [--jobs N] [--quiet]
 *   sim --go-on ...          name all that fail, and shrink none
 *   sim --seed SEED          one schedule, with everything that happens in it
 *
 * --first is a schedule to begin with: one that is known to fail.
 *
 * Stops at the first schedule that breaks an invariant: prints the smallest list of events that
 * still does, and exits with 1.  2: it was not asked in the right way, or one of its processes
 * died.
 */
#include <errno.h>
#include <getopt.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/sim/driver.h"
#include "tests/sim/schedule.h"
#include "tests/sim/steps.h"
#include "tests/sim/world.h"

#define DEFAULT_COUNT 200000
#define JOBS_MAX      64
/* Every so many schedules one is run again with a wall clock that stands still. */
#define AGAIN_EVERY 64

struct options {
	uint64_t first; /* 0: none */
	uint64_t from;
	uint64_t count;
	long jobs;
	bool one;
	bool quiet;
	bool go_on;
};

/* What one process has done, for all to see. */
struct job {
	struct reached reached;
	uint64_t schedules;
	uint64_t events;
	uint64_t bad;
};

struct board {
	_Atomic uint64_t first_bad; /* the lowest seed that failed: nobody goes past it */
	struct job jobs[JOBS_MAX];
};

static int parse_options(int argc, char **argv, struct options *options);
static int run_all(const struct options *options);
static void run_share(const struct options *options, long number, struct board *board);
static bool wait_for_jobs(long count);
static void add_up(const struct options *options, const struct board *board, struct job *sum);
static void print_sum(const struct job *sum, double seconds);
static void print_unreached(const struct reached *reached);
static bool is_good(uint64_t seed);
static bool run_seed(uint64_t seed, struct schedule *schedule);
static bool is_same_without_jumps(struct schedule *schedule);
static int run_one(const struct options *options);
static int show_bad(const struct options *options, uint64_t seed);
static void report(struct schedule *schedule);
static double now_s(void);

int main(int argc, char **argv)
{
	struct options options = {.count = DEFAULT_COUNT, .jobs = sysconf(_SC_NPROCESSORS_ONLN)};

	if (parse_options(argc, argv, &options) < 0)
		return 2;
	steps_catch_crashes();
	if (options.one)
		return run_one(&options);
	return options.first != 0 && !is_good(options.first) ? show_bad(&options, options.first)
							     : run_all(&options);
}

static int parse_options(int argc, char **argv, struct options *options)
{
	static const struct option names[] = {{"seed", required_argument, NULL, 's'},
	    {"first", required_argument, NULL, 'F'}, {"from", required_argument, NULL, 'f'},
	    {"count", required_argument, NULL, 'n'}, {"jobs", required_argument, NULL, 'j'},
	    {"quiet", no_argument, NULL, 'q'}, {"go-on", no_argument, NULL, 'g'},
	    {NULL, 0, NULL, 0}};
	int option;

	while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
		switch (option) {
		case 's':
			options->one = true;
			options->from = strtoull(optarg, NULL, 10);
			break;
		case 'F':
			options->first = strtoull(optarg, NULL, 10);
			break;
		case 'f':
			options->from = strtoull(optarg, NULL, 10);
			break;
		case 'n':
			options->count = strtoull(optarg, NULL, 10);
			break;
		case 'j':
			options->jobs = strtol(optarg, NULL, 10);
			break;
		case 'q':
			options->quiet = true;
			break;
		case 'g':
			options->go_on = true;
			break;
		default:
			return -EINVAL;
		}
	}
	if (options->jobs < 1)
		options->jobs = 1;
	if (options->jobs > JOBS_MAX)
		options->jobs = JOBS_MAX;
	return optind == argc ? 0 : -EINVAL;
}

/* ---- many of them ---- */

static int run_all(const struct options *options)
{
	struct board *board =
	    mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct job sum = {.bad = 0};
	double begin_s = now_s();

	if (board == MAP_FAILED)
		return 2;
	atomic_store(&board->first_bad, UINT64_MAX);
	(void)fflush(stdout);
	for (long number = 0; number < options->jobs; number++) {
		switch (fork()) {
		case -1:
			return 2;
		case 0:
			run_share(options, number, board);
			(void)fflush(stdout);
			_exit(0);
		default:
			break;
		}
	}
	if (!wait_for_jobs(options->jobs))
		return 2;
	if (!options->go_on && atomic_load(&board->first_bad) != UINT64_MAX)
		return show_bad(options, atomic_load(&board->first_bad));
	add_up(options, board, &sum);
	print_sum(&sum, now_s() - begin_s);
	if (!options->quiet)
		print_unreached(&sum.reached);
	return sum.bad > 0;
}

/* Every seed has its process, so which one fails first does not depend on who is faster. */
static void run_share(const struct options *options, long number, struct board *board)
{
	struct job *job = &board->jobs[number];
	uint64_t end = options->from + options->count;
	struct schedule schedule;

	world->reached = &job->reached;
	for (uint64_t seed = options->from + (uint64_t)number; seed < end;
	     seed += (uint64_t)options->jobs) {
		uint64_t first = atomic_load(&board->first_bad);

		if (seed > first && !options->go_on)
			return;
		job->schedules++;
		if (run_seed(seed, &schedule)) {
			job->events += (uint64_t)world->next;
			continue;
		}
		job->bad++;
		if (options->go_on)
			printf("seed %llu: %s\n", (unsigned long long)seed, world->message);
		while (
		    seed < first && !atomic_compare_exchange_weak(&board->first_bad, &first, seed))
			;
	}
}

static bool wait_for_jobs(long count)
{
	bool good = true;

	for (long number = 0; number < count; number++) {
		int wstatus;

		good = wait(&wstatus) > 0 && wstatus == 0 && good;
	}
	return good;
}

static void add_up(const struct options *options, const struct board *board, struct job *sum)
{
	for (long number = 0; number < options->jobs; number++) {
		const struct job *job = &board->jobs[number];

		sum->schedules += job->schedules;
		sum->events += job->events;
		sum->bad += job->bad;
		sum->reached.boots += job->reached.boots;
		sum->reached.kills += job->reached.kills;
		for (int state = 0; state < STATE_COUNT; state++)
			for (int event = 0; event < EVENT_COUNT; event++)
				sum->reached.cells[state][event] +=
				    job->reached.cells[state][event];
	}
}

static void print_sum(const struct job *sum, double seconds)
{
	printf("%llu schedules, %llu events, %llu engines, %llu of them killed, %.1f s, %.0f "
	       "schedules/s\n",
	    (unsigned long long)sum->schedules, (unsigned long long)sum->events,
	    (unsigned long long)sum->reached.boots, (unsigned long long)sum->reached.kills, seconds,
	    (double)sum->schedules / (seconds > 0 ? seconds : 1));
}

/* Cells that decide something and were never asked: what no schedule says anything about. */
static void print_unreached(const struct reached *reached)
{
	struct step step;

	for (int state = 0; state < STATE_COUNT; state++)
		for (int event = 0; event < EVENT_COUNT; event++)
			if (reached->cells[state][event] == 0 &&
			    step_decide((enum state)state, (enum event)event, 0, &step) == 0)
				printf("never reached: %s.%s\n",
				    world_state_name((enum state)state),
				    world_event_name((enum event)event));
}

/* ---- one of them ---- */

static bool is_good(uint64_t seed)
{
	struct schedule schedule;

	return run_seed(seed, &schedule);
}

static bool run_seed(uint64_t seed, struct schedule *schedule)
{
	schedule_make(schedule, seed);
	driver_run(schedule, false);
	return !world->failed && (seed % AGAIN_EVERY != 0 || is_same_without_jumps(schedule));
}

/* Whatever the wall clock does, nothing else is different. */
static bool is_same_without_jumps(struct schedule *schedule)
{
	uint64_t trace = world->trace;

	schedule->still = true;
	driver_run(schedule, false);
	schedule->still = false;
	if (!world->failed && world->trace != trace)
		world_fail("something depends on the wall clock");
	return !world->failed;
}

static int run_one(const struct options *options)
{
	struct schedule schedule;

	if (!run_seed(options->from, &schedule))
		return show_bad(options, options->from);
	driver_run(&schedule, true);
	printf("seed %llu: nothing is wrong\n", (unsigned long long)options->from);
	return 0;
}

/* Once more, in this process: it comes out in the same way. */
static int show_bad(const struct options *options, uint64_t seed)
{
	struct schedule schedule;

	if (run_seed(seed, &schedule)) {
		printf("seed %llu: it failed, and does not now\n", (unsigned long long)seed);
		return 1;
	}
	printf("seed %llu: %s\n", (unsigned long long)seed, world->message);
	if (!options->quiet)
		report(&schedule);
	return 1;
}

static void report(struct schedule *schedule)
{
	int before = schedule->count;

	if (world->next < schedule->count)
		schedule->count = world->next;
	schedule_shrink(schedule);
	printf("shrunk from %d to %d events:\n", before, schedule->count);
	driver_run(schedule, true);
	printf("again: sim --seed %llu\n", (unsigned long long)schedule->seed);
}

/* Ours, not the world's: that one's clock_gettime() is in its place. */
static double now_s(void)
{
	struct timespec now;

	(void)timespec_get(&now, TIME_UTC);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}
