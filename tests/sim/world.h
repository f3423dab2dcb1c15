/* SPDX-License-Identifier: ISC */
/*
 * world.h: everything a schedule happens in, as one value that can be thrown away.
 *
 * The engine that runs in it is the real one (step, transition, depend, program, task, links,
 * apply, run and so on, compiled with a hook in every basic block); what it stands on is made up
 * here: the clock, the kernel with its processes and cgroups, the guardian, the held descriptors,
 * the event loop, clients, probes.  Three parts have different lives: what outlives the engine
 * (ledger, processes, configuration, slots), what dies with it (struct sim_engine), and what only
 * the checks know (struct shadow: what should be so, counted another way than the engine does).
 *
 * Nothing here reads a clock or the kernel.  All chance comes from the schedule: a run's behaviour
 * from (seed, program, life, run), everything else from the salt of the event at hand, so an event
 * means the same when others before it are taken out.
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <ev.h>

#include "lib/clock.h"
#include "lib/ledger.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/transition.h"
#include "tests/sim/shadow.h"
#include "tests/sim/stanza.h"

#define WORLD_PROCESSES 192
#define WORLD_SLOTS     64
#define WORLD_NOTES     32
#define WORLD_CLIENTS   4
#define WORLD_MESSAGES  8
#define WORLD_IOS       64
#define WORLD_TEXT      256
/* What may be in use at once: the files, held, in force, on trial, made of parts of others. */
#define WORLD_CONFIGS 12
#define WORLD_NOTE    1024

/* Pids of the guardian and the engine; programs' are higher. */
#define WORLD_GUARDIAN 10
#define WORLD_ENGINE   11

/* A process, alive or a zombie. */
struct sim_process {
	int pid;
	int parent;
	int group;
	int session;
	int row; /* of the ledger, with the owner it had then: see struct sim_row */
	unsigned claim;
	uint64_t run;
	int program;
	unsigned life;
	int kind;           /* enum task_kind, or MAIN_PROCESS */
	uint64_t owner_run; /* of the program */
	int leaf;           /* cgroup: index + 1 in world.leaves, LEAF_LEFT, or 0 */
	bool outside; /* its run was to be in a cgroup and is not: a look at that one finds nothing
		       * if the engine died before it could take it away */
	bool leader;  /* it was launched, or has become the main process */
	bool zombie;  /* the guardian has not finished with it */
	int posted;   /* how far the guardian is: 1 exits[], 2 and pids[], 3 and news */
	int posted_row;
	bool deaf;     /* to everything but KILL */
	bool sluggish; /* in state D: goes some seconds after KILL */
	bool killed;
	bool left_alone; /* kill_mode = process has left it to itself */
	uint64_t told;   /* signals that it got, a bit each */
	int64_t told_ns; /* the first of them */
	int64_t end_ns;  /* when it will end, 0: not by itself */
	int wstatus;
	int64_t fork_ns; /* when it will make one more process, 0: never */
	int64_t say_ns;  /* when it will say READY=1 (or the like), 0: never */
	int64_t start_ns;
};

#define MAIN_PROCESS (-1)
#define LEAF_LEFT    (-1)

/* Who has a ledger row now. */
struct sim_row {
	unsigned claim; /* counts owners */
	int program;    /* -1: free */
	unsigned life;  /* of the program, when the row was claimed */
	int kind;
	uint64_t owner_run;
};

/* A cgroup of a row. */
struct sim_leaf {
	int row;
	char name[LIMIT_NAME]; /* "": there is none */
};

enum note_kind {
	NOTE_READY,
	NOTE_WATCHDOG,
	NOTE_TRIGGER,
	NOTE_RELOADING,
	NOTE_EXTEND,
	NOTE_MAIN,
	NOTE_CALM
};

/* A datagram that waits in the socket of a program. */
struct sim_note {
	enum note_kind kind;
	int row;
	unsigned claim;
	int pid;
};

enum command_kind {
	COMMAND_START,
	COMMAND_STOP,
	COMMAND_RESTART,
	COMMAND_RELOAD,
	COMMAND_RUN, /* these are about one program, `program` */
	COMMAND_FORGET,
	COMMAND_SET,
	COMMAND_UNSET,
	COMMAND_ENABLE,
	COMMAND_APPLY, /* of `programs`, none: of everything; also by SIGHUP */
	COMMAND_NONE
};

struct sim_command {
	bool given;
	enum command_kind kind;
	unsigned programs;
	bool force;
	bool rolling;
	bool rollback;
	bool wait;
	int program;
	bool persist;
	bool enabled;
	bool written;                      /* a file was */
	struct stanza_override given_keys; /* and values; for COMMAND_UNSET the keys, none: all */
	bool refused;                      /* as the client was told */
	/* What it must come to (checkrest.c). */
	bool must_be_refused;
	bool may_be_refused;
	unsigned starts;
	unsigned stops;
	int before[STANZA_PROGRAMS];
};

/* What is held of a configuration on trial, and what the one from before was when it began. */
struct sim_trial {
	int from; /* index of the one from before, -1: none is held */
	char note[WORLD_NOTE];
	int to;
	int64_t deadline_ns;
	unsigned programs; /* that have to come up in a later run */
	uint64_t starts[STANZA_PROGRAMS];
};

/* Dies with the engine. */
struct sim_engine {
	bool alive;
	bool safe;
	struct engine *engine;
	int connection;    /* that it has taken and not given away: for the program + 1, 0: none */
	uint32_t peer;     /* who is at its other end */
	bool peer_gone;    /* nobody any more */
	uint64_t peer_run; /* the last run of the program before */
	ev_io *ios[WORLD_IOS];
	int io_count;
	ev_prepare *prepare;
	bool busy;
	bool broken;      /* ev_break() */
	bool serving;     /* in ev_run() */
	int64_t timer_ns; /* of the timerfd, 0: disarmed */
	int descriptors;  /* pidfds that are open */
	struct control_client clients[WORLD_CLIENTS];
	bool wake_ops;
	int applied; /* which of world.configs it has read last */
	int users[WORLD_CONFIGS];    /* configurations that it has made of each */
	enum command_kind operation; /* what it does to the applied text, and who wants that */
};

/* The end of one run of main loop, as the guardian hears of it. */
struct sim_end {
	bool done; /* MSG_DONE */
	int code;
};

struct reached {
	uint64_t cells[STATE_COUNT][EVENT_COUNT];
	uint64_t kills;
	uint64_t boots;
};

struct schedule;

struct world {
	struct reached *reached; /* outlives the world */
	uint64_t seed;
	uint64_t dice;
	int program_count;
	/* Programs [party_base, party_base + party_room) are the instances of one, and its extra
	 * ones; none where the room is 0. */
	int party_base;
	int party_room;
	int run_base; /* from here on programs are mostly of superctl run */
	int64_t now_ns;
	int64_t wall_offset_ns;
	bool calm; /* no more faults: the end of every schedule */
	bool cgroups;
	bool jumps; /* the wall clock does */

	struct ledger *ledger;
	struct history_memory *history;
	struct sim_row rows[LIMIT_ROWS];
	int main_rows[STANZA_PROGRAMS]; /* the other way round, -1: none */
	unsigned lives[STANZA_PROGRAMS];
	struct sim_process processes[WORLD_PROCESSES];
	int process_count;
	int last_pid;
	struct sim_leaf leaves[LIMIT_ROWS];
	struct slot slots[WORLD_SLOTS];
	int64_t drained_ns[WORLD_SLOTS]; /* when the logger will be done with it */
	struct sim_note notes[WORLD_NOTES];
	int note_count;
	struct msg_head messages[WORLD_MESSAGES];
	int message_count;
	/* So many wait in a socket: of the program, or of the first of those that accept from one.
	 */
	unsigned callers[STANZA_PROGRAMS];
	bool bell;
	struct stanza_set configs[WORLD_CONFIGS];
	int files; /* what the files say */
	int held;  /* what the guardian holds, -1 nothing */
	struct sim_trial trial, trial_made;
	bool slow_guardian;               /* since the last engine started */
	bool was_forced;                  /* an engine that is dead was past shutdown_timeout */
	unsigned linked[STANZA_PROGRAMS]; /* who may say anything about whom, either way: see
					     checklink.h */
	uint64_t next_hash;
	unsigned next_run;                       /* number of the last superctl run */
	signed char last_state[STANZA_PROGRAMS]; /* 1 up, 0 down, -1 nothing is known */
	struct sim_command command;

	struct sim_engine engine;
	struct sim_end end;
	jmp_buf killed; /* where the engine's death leads */
	unsigned kills;
	bool boot_wanted;
	bool boot_safe;

	/* The schedule, as far as it has come. */
	const struct schedule *schedule;
	int next;
	bool passing;
	int64_t until_ns;
	int instants;
	bool settling;
	int64_t settled_ns; /* since when everything is as it should be */
	bool over;

	struct shadow shadows[STANZA_PROGRAMS];
	unsigned run_rows[STANZA_PROGRAMS]; /* the number of the run that has had a row */
	struct shadow_pending pending;
	struct shadow_commit commit;
	struct shadow_told told;
	uint64_t trace; /* of everything that was committed, without the wall clock */
	bool failed;
	char message[WORLD_TEXT];
	bool verbose;
};

/* The only one: the engine's surroundings have no other way to find it. */
extern struct world *world;

void world_init(uint64_t seed);
/* Nothing has happened. */
void world_forget_history(void);
/* Nobody has a row. */
void world_forget_rows(void);

/* The index of a configuration that is not in use. */
int world_free_config(void);

/* A number that follows from the event at hand, below `limit`. */
unsigned world_roll(unsigned limit);
bool world_chance(unsigned percent);
uint64_t world_mix(uint64_t value);

/* Note what is wrong; the first one counts. */
void world_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
void world_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* As the tables have them, without a step of the engine's code: in which it may die. */
const char *world_state_name(enum state state);
const char *world_event_name(enum event event);
const char *world_task_name(enum task_kind kind);

/* The program of an index in the engine that is alive, or NULL; and the row of it, or -1. */
struct program *world_program(int program);
int world_row(int program);
/* What counts of a row: never by the engine's own code, in which the engine may die. */
const struct ledger_state *world_row_state(int row);
/* Its state; of one that has no row, a STOPPED one. */
const struct ledger_state *world_state(int program);
/* What is in force of its stanza: of one that is retired, as much as the engine kept; NULL: none.
 */
const struct stanza *world_stanza(int program);
bool world_is_removed(int program);
/* Whose socket it has: its own, or one with its mates. */
int world_socket(int program);

#endif
