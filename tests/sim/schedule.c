/* SPDX-License-Identifier: ISC */
/* schedule.c: see schedule.h. */
#include <stdio.h>
#include <string.h>

#include "tests/sim/driver.h"
#include "tests/sim/schedule.h"
#include "tests/sim/world.h"

#define PICK(values, dice) ((values)[(dice) % (sizeof(values) / sizeof((values)[0]))])

#define KIND_NAME(name, weight) #name,
static const char *const kind_names[] = {SCHEDULE_KINDS(KIND_NAME)};
#undef KIND_NAME
#define KIND_WEIGHT(name, weight) weight,
static const unsigned weights[] = {SCHEDULE_KINDS(KIND_WEIGHT)};
#undef KIND_WEIGHT

static struct schedule_event random_event(uint64_t *dice);
static enum schedule_kind random_kind(uint64_t roll);
static bool still_fails(const struct schedule *schedule, const char *message);

void schedule_make(struct schedule *schedule, uint64_t seed)
{
	uint64_t dice = world_mix(seed);

	*schedule = (struct schedule){.seed = seed};
	schedule->count = 4 + (int)(dice % 40);
	for (int i = 0; i < schedule->count; i++)
		schedule->events[i] = random_event(&dice);
}

/* First halves, then smaller runs, then one by one until nothing more can go. */
void schedule_shrink(struct schedule *schedule)
{
	char message[WORLD_TEXT];
	bool again = true;

	memcpy(message, world->message, sizeof(message));
	while (again) {
		again = false;
		for (int size = schedule->count / 2 + 1; size > 0; size /= 2) {
			for (int at = 0; at + size <= schedule->count;) {
				struct schedule smaller = *schedule;

				memmove(smaller.events + at, smaller.events + at + size,
				    (size_t)(schedule->count - at - size) *
					sizeof(smaller.events[0]));
				smaller.count -= size;
				if (still_fails(&smaller, message)) {
					*schedule = smaller;
					again = true;
				} else {
					at++;
				}
			}
		}
	}
}

/* In the same way: in brackets stands how it came. */
static bool still_fails(const struct schedule *schedule, const char *message)
{
	driver_run(schedule, false);
	return world->failed && strncmp(world->message, message, strcspn(message, "(")) == 0;
}

void schedule_print_event(const struct schedule_event *event)
{
	printf("  %-8s", kind_names[event->kind]);
	switch (event->kind) {
	case SCHEDULE_START:
	case SCHEDULE_STOP:
	case SCHEDULE_RESTART:
	case SCHEDULE_RELOAD:
		printf(" ");
		for (int program = 0; program < STANZA_PROGRAMS; program++)
			if ((event->programs >> program) & 1)
				printf("%s", stanza_name(program));
		break;
	case SCHEDULE_RUN:
	case SCHEDULE_FORGET:
	case SCHEDULE_SET:
	case SCHEDULE_UNSET:
	case SCHEDULE_ENABLE:
	case SCHEDULE_END:
	case SCHEDULE_END_SOON:
	case SCHEDULE_SAY:
	case SCHEDULE_CONNECT:
		printf(" %s", stanza_name((int)(event->programs % STANZA_PROGRAMS)));
		break;
	case SCHEDULE_PASS:
		printf(" %u ms", event->amount);
		break;
	case SCHEDULE_SUSPEND:
		printf(" %u s", event->amount);
		break;
	case SCHEDULE_KILL:
		printf(" after %u", event->amount);
		break;
	case SCHEDULE_APPLY:
	case SCHEDULE_BOOT:
	case SCHEDULE_SLOW:
	case SCHEDULE_CLOCK:
	case SCHEDULE_SAFE:
	case SCHEDULE_SHUTDOWN:
	case SCHEDULE_MACHINE:
	case SCHEDULE_COUNT:
		break;
	}
	printf("\n");
}

static struct schedule_event random_event(uint64_t *dice)
{
	static const unsigned lengths[] = {1, 20, 100, 300, 1000, 3000, 12000, 70000};
	struct schedule_event event;
	uint64_t roll;

	*dice = roll = world_mix(*dice);
	event.kind = random_kind(roll >> 8);
	event.programs = (unsigned)(roll >> 24) & 0xff;
	if ((roll >> 32) % 2)
		event.programs = 1U << (event.programs % STANZA_PROGRAMS);
	event.amount = (unsigned)(roll >> 34) % 40 + 1;
	if (event.kind == SCHEDULE_PASS)
		event.amount = PICK(lengths, roll >> 40) + (unsigned)(roll >> 50) % 10;
	event.salt = world_mix(roll);
	return event;
}

static enum schedule_kind random_kind(uint64_t roll)
{
	unsigned all = 0, kind = 0;

	for (int i = 0; i < SCHEDULE_COUNT; i++)
		all += weights[i];
	for (unsigned at = (unsigned)(roll % all); at >= weights[kind]; kind++)
		at -= weights[kind];
	return (enum schedule_kind)kind;
}
