/* SPDX-License-Identifier: ISC */
/*
 * world.h: everything a schedule happens in, as one value that can be thrown
 * away.
 *
 * Three parts with different lives: what outlives the engine (the clock, the
 * processes, the ledger, the configuration that the guardian holds), what dies
 * with it (struct sim_engine), and what only the checker knows (struct shadow:
 * what should be so, counted another way than the core does). Row i of the
 * ledger is always instance i.
 *
 * Nothing here reads a clock or the kernel.  All chance comes from the
 * schedule: a run's behaviour from (seed, row, run), everything else from the
 * salt of the event at hand, so an event means the same when others before it
 * are taken out.
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/clock.h"
#include "supervisord/engine/transition.h"

#define WORLD_ROWS 8
#define WORLD_PROCESSES 128
#define WORLD_MESSAGE 256

struct sim_process {
  int pid; /* 0: the entry is free */
  int group;
  int row;
  unsigned
      life; /* of the row: a removed program that comes back is another one */
  uint64_t run;
  bool leader;
  bool zombie;   /* the guardian has not finished with it */
  int posted;    /* how far the guardian is: 1 exits[], 2 and pids[] */
  bool deaf;     /* to everything but KILL */
  bool sluggish; /* in state D: goes some seconds after KILL */
  bool told;     /* got the stop signal */
  bool killed;
  int64_t end_ns; /* when it will end, 0: not by itself */
  int wstatus;
};

struct sim_row {
  bool used;
  unsigned life;
  struct ledger_state state[2];
  unsigned active;
  struct ledger_exit end;
  bool news;
  int pid;
  uint64_t run;
  int failure_step;
  int failure_error;
  int last_pid;
};

/* The rarer keys: none of them is used. */
extern const struct life_config plain_life;

struct stanza {
  bool present;
  unsigned after; /* bit a row */
  struct program_config config;
};

struct sim_program {
  bool used;
  const struct stanza *stanza;
  struct stanza last; /* how to stop it, when its stanza is gone */
  bool removed;
  bool is_back;        /* its stanza came back before it was gone */
  unsigned pending;    /* enum program_pending of program.h */
  int64_t deadline_ns; /* of the armed timer, 0 none */
  unsigned dependents;
  int watch; /* pid */
};

struct sim_engine {
  bool alive;
  bool done;
  bool safe_mode;
  bool shutdown;
  bool forced;
  int64_t shutdown_ns;
  struct sim_program programs[WORLD_ROWS];
  int queue[WORLD_ROWS];
  int queue_count;
};

/* What an instance should look like, counted from the outside. */
struct shadow {
  uint64_t starts;    /* launches that were decided */
  uint64_t attempted; /* run of the last launch that was tried */
  uint64_t created;   /* run of the last process */
  uint64_t acted;     /* run of the last end that was acted on */
  uint32_t failures;
  uint32_t window_starts;
  int64_t window_ns;
  int64_t launch_ns;
  int64_t stable_ns; /* stable_after at launch */
  int64_t stop_ns;
  int64_t stop_timeout_ns;
  int64_t running_ns;
};

/* How often each cell of the table was asked. */
struct reached {
  uint64_t cells[STATE_COUNT][EVENT_COUNT];
};

struct world {
  struct reached *reached; /* outlives the world; NULL: nobody counts */
  uint64_t seed;
  int row_count;
  int64_t now_ns;
  int64_t shutdown_timeout_ns;
  bool shutdown; /* ledger.header.shutdown */
  bool calm;     /* no more faults: the end of every schedule */
  struct sim_row rows[WORLD_ROWS];
  struct sim_process processes[WORLD_PROCESSES];
  int last_pid;
  struct stanza configs[2][WORLD_ROWS];
  int held; /* which of them the guardian holds */
  uint64_t next_hash;

  struct sim_engine engine;
  jmp_buf killed; /* where the engine's death leads */
  int kill_in;    /* steps of the engine until it is killed, 0 never */
  int end_in;     /* steps until a leader ends */
  int end_row;
  int end_wstatus;
  unsigned kills;

  uint64_t dice;
  struct shadow shadows[WORLD_ROWS];
  bool failed;
  char message[WORLD_MESSAGE];
  bool verbose;
  unsigned tolerate; /* enum known of known.h */
};

/* A number that follows from the event at hand, below `limit`. */
unsigned world_roll(struct world *world, unsigned limit);
uint64_t world_mix(uint64_t value);

void world_init(struct world *world, uint64_t seed);

/* Note what is wrong; the first one counts. */
void world_fail(struct world *world, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void world_say(const struct world *world, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static inline struct sim_program *world_program(struct world *world, int row) {
  return &world->engine.programs[row];
}

/* The ledger. */
const struct ledger_state *world_state(const struct world *world, int row);
void world_commit(struct world *world, int row,
                  const struct ledger_state *state);

/* The kernel and the guardian. */
struct sim_process *world_leader(struct world *world,
                                 int row); /* alive, or NULL */
bool world_group_exists(const struct world *world, int group);
/* Whether a live process belongs to the present run of a row, by group or by
 * mark. */
bool world_is_member(const struct world *world,
                     const struct sim_process *process, int row);
int world_count_members(const struct world *world, int row);
void world_spawn(struct world *world, int row);
void world_signal(struct world *world, struct sim_process *process, bool kill);
void world_end(struct world *world, struct sim_process *process, int wstatus);
int64_t world_next_end_ns(const struct world *world);
void world_end_due(struct world *world);
/* One store of the guardian into the ledger, or its reaping; false: nothing to
 * do. */
bool world_guardian_step(struct world *world);
void world_guardian_finish(struct world *world);
/* Whether this launch fails without a process; fills the row's failure. */
bool world_launch_fails(struct world *world, int row);

#endif
