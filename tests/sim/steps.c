/* SPDX-License-Identifier: ISC */
/* steps.c: see steps.h. */
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <stdint.h>

#include "tests/sim/kernel.h"
#include "tests/sim/steps.h"
#include "tests/sim/world.h"

#define NEVER INT64_MAX

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

static struct {
	int64_t countdown; /* blocks until something is to be done */
	int64_t kill_in;   /* blocks, likewise */
	int64_t end_in;
	int64_t guardian_in;
	int64_t counted; /* from which those three are counted */
	unsigned kill_effects;
	unsigned guardian_every;
	int end_program;
	int end_wstatus;
	bool held;
} steps = {NEVER, NEVER, NEVER, NEVER, NEVER, 0, 0, 0, 0, false};

void __sanitizer_cov_trace_pc(void);

static void recount(void);
static int64_t least(int64_t a, int64_t b);
static void interrupt(void);
static void on_crash(int number);

void steps_plan_kill(unsigned amount, bool effects)
{
	recount();
	if (effects)
		steps.kill_effects = amount;
	else
		steps.kill_in = amount;
	recount();
}

void steps_plan_end(unsigned amount, int program, int wstatus)
{
	recount();
	steps.end_in = amount;
	steps.end_program = program;
	steps.end_wstatus = wstatus;
	recount();
}

void steps_plan_guardian(unsigned every)
{
	recount();
	steps.guardian_every = every;
	steps.guardian_in = every > 0 ? every : NEVER;
	recount();
}

void steps_forget_plans(void)
{
	steps.kill_in = steps.end_in = steps.guardian_in = NEVER;
	steps.kill_effects = steps.guardian_every = 0;
	steps.countdown = steps.counted = NEVER;
}

void steps_hold(void)
{
	recount();
	steps.held = true;
	steps.countdown = steps.counted = NEVER;
}

void steps_go_on(void)
{
	steps.held = false;
	recount();
}

void steps_effect(void)
{
	if (steps.kill_effects > 0 && --steps.kill_effects == 0 && world->engine.alive)
		steps_kill();
}

void steps_kill(void)
{
	steps.kill_effects = 0;
	steps.kill_in = NEVER;
	longjmp(world->killed, 1);
}

void steps_catch_crashes(void)
{
	static const int numbers[] = {SIGSEGV, SIGBUS, SIGFPE, SIGABRT};
	struct sigaction action = {.sa_handler = on_crash, .sa_flags = SA_NODEFER};

	for (size_t i = 0; !SANITIZED && i < sizeof(numbers) / sizeof(numbers[0]); i++)
		(void)sigaction(numbers[i], &action, NULL);
}

static void on_crash(int number)
{
	bool alive = world->engine.alive;

	world_fail("the engine crashes: signal %d", number);
	if (!alive) {
		(void)signal(number, SIG_DFL);
		return;
	}
	steps_kill();
}

/* The compiler's hook. */
void __sanitizer_cov_trace_pc(void)
{
	if (--steps.countdown <= 0)
		interrupt();
}

/* Take off what has been counted since, and count to the next of them. */
static void recount(void)
{
	int64_t passed = steps.counted - steps.countdown;

	if (steps.counted != NEVER) {
		steps.kill_in -= steps.kill_in != NEVER ? passed : 0;
		steps.end_in -= steps.end_in != NEVER ? passed : 0;
		steps.guardian_in -= steps.guardian_in != NEVER ? passed : 0;
	}
	steps.counted = steps.countdown =
	    least(steps.kill_in, least(steps.end_in, steps.guardian_in));
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static void interrupt(void)
{
	recount();
	if (steps.end_in <= 0) {
		steps.end_in = NEVER;
		kernel_end_main(steps.end_program, steps.end_wstatus);
	}
	if (steps.guardian_in <= 0) {
		steps.guardian_in = steps.guardian_every;
		(void)kernel_guardian_step();
	}
	if (steps.kill_in <= 0) {
		steps.kill_in = NEVER;
		if (world->engine.alive)
			steps_kill();
	}
	recount();
}
