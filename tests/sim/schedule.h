/* SPDX-License-Identifier: ISC */
/*
 * schedule.h: a list of events from a seed, and taking events out of it until none can be spared.
 */
#ifndef SIM_SCHEDULE_H
#define SIM_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#define SCHEDULE_EVENTS 64

/* X(name, how often among the others) */
#define SCHEDULE_KINDS(X)                                                                          \
	X(PASS, 36) /* time passes: `amount` ms */                                                 \
	X(START, 8) /* commands on the programs in `programs` */                                   \
	X(STOP, 8)                                                                                 \
	X(RESTART, 6)                                                                              \
	X(RELOAD, 2)                                                                               \
	X(RUN, 5) /* superctl run and the like, on one program */                                  \
	X(FORGET, 2)                                                                               \
	X(SET, 4)                                                                                  \
	X(UNSET, 2)                                                                                \
	X(ENABLE, 2)                                                                               \
	X(END, 8)      /* a main process ends now */                                               \
	X(END_SOON, 4) /* a main process ends in the middle of what comes */                       \
	X(SAY, 5)      /* a program says something by sd_notify(3) */                              \
	X(CONNECT, 8)  /* somebody connects to a program's socket */                               \
	X(APPLY, 8)    /* another configuration */                                                 \
	X(KILL, 8)     /* the engine dies in the middle of what comes */                           \
	X(BOOT, 12)    /* an engine starts, if none is there */                                    \
	X(SLOW, 4)     /* the guardian takes its time */                                           \
	X(CLOCK, 2)    /* the wall clock jumps */                                                  \
	X(SUSPEND, 2)  /* the machine sleeps for `amount` s */                                     \
	X(SAFE, 2)     /* the engine dies and starts in safe mode */                               \
	X(SHUTDOWN, 2)                                                                             \
	X(MACHINE, 1) /* the machine is switched off and on */

#define SCHEDULE_ENUM(name, weight) SCHEDULE_##name,
enum schedule_kind { SCHEDULE_KINDS(SCHEDULE_ENUM) SCHEDULE_COUNT };

struct schedule_event {
	enum schedule_kind kind;
	unsigned programs; /* bit a program; for END and the like one of them */
	unsigned amount;
	uint64_t salt;
};

struct schedule {
	uint64_t seed;
	bool still; /* the wall clock does not jump: nothing else may be different then */
	int count;
	struct schedule_event events[SCHEDULE_EVENTS];
};

void schedule_make(struct schedule *schedule, uint64_t seed);

/* Take events out of one that has just failed, as long as what is left fails in the same way. */
void schedule_shrink(struct schedule *schedule);

void schedule_print_event(const struct schedule_event *event);

#endif
