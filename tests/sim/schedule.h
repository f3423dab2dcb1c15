/* SPDX-License-Identifier: ISC */
/*
 * schedule.h: what happens to a world: a first configuration and a list of
 * events, both from a seed; running it; and taking events out until none can be
 * spared.
 */
#ifndef SIM_SCHEDULE_H
#define SIM_SCHEDULE_H

#include "tests/sim/world.h"

#define SCHEDULE_EVENTS 64

#define SCHEDULE_KINDS(X)                                                      \
  X(PASS)    /* time passes: as many ms as `amount` */                         \
  X(SUSPEND) /* the clock jumps, the processes stand still: s */               \
  X(START)   /* of the instances in `rows` */                                  \
  X(STOP)                                                                      \
  X(RESTART)                                                                   \
  X(END)      /* the leader of `rows` ends now */                              \
  X(END_SOON) /* the leader of `rows` ends in the middle of what comes,        \
                 `amount` steps on */                                          \
  X(APPLY)    /* another configuration */                                      \
  X(KILL)     /* the engine dies, `amount` steps on */                         \
  X(BOOT)     /* an engine starts, if none is there */                         \
  X(SAFE)     /* the engine dies and starts in safe mode */                    \
  X(SHUTDOWN)

#define SCHEDULE_ENUM(name) SCHEDULE_##name,
enum schedule_kind { SCHEDULE_KINDS(SCHEDULE_ENUM) SCHEDULE_COUNT };

struct schedule_event {
  enum schedule_kind kind;
  unsigned rows;
  unsigned amount;
  uint64_t salt;
};

struct schedule {
  uint64_t seed;
  int count;
  struct schedule_event events[SCHEDULE_EVENTS];
};

void schedule_make(struct schedule *schedule, uint64_t seed);

/* Run it in a new world.  Returns the number of events that were handled;
 * world->failed tells. */
int schedule_run(const struct schedule *schedule, struct world *world,
                 unsigned tolerate, bool verbose);

/* Take events out of a schedule that fails, as long as what is left fails too.
 */
void schedule_shrink(struct schedule *schedule, unsigned tolerate);

void schedule_print_event(const struct schedule_event *event);
void schedule_print_configs(const struct world *world);

#endif
