/* SPDX-License-Identifier: ISC */
/*
 * checks.h: the invariants.  They are told what happens, keep their own count of everything that
 * the engine counts, and never ask its core: a rule that is wrong there must not be right here.
 *
 * checkstep.c, checknext.c: each decision; checkwrite.c: other commits; checkcount.c: what is
 * counted; checklink.c: who depends on whom; checkprocess.c: processes, tasks and signals;
 * checkaccept.c: connections; checkop.c: what clients wait for; checkhistory.c: what is told of it;
 * checktext.c: the text that is applied; checklife.c: commands, applies, the engine's lives;
 * checkquiet.c: whenever it sleeps; checkrest.c: in the end.
 */
#ifndef SIM_CHECKS_H
#define SIM_CHECKS_H

#include "tests/sim/world.h"

struct launch_request;

/* What is wrong with a program, in its present state. */
void check_expect(int program, bool good, const char *what, const char *text);
#define EXPECT_OF(program, condition, text) check_expect(program, (condition), #condition, text)

/* observe.c */
void observe_end_commit(void);
void observe_rows(void);

/* The engine's lives. */
void check_boot(void);
void check_death(void);
void check_machine(void);
void check_shutdown_begins(void);
void check_apply(int from, int to);

/* A configuration is on trial; it is taken back; one way or the other it is over. */
void check_trial_begins(void);
void check_taken_back(void);
void check_trial_over(void);

void check_command(struct sim_command *command);
void check_command_done(const struct sim_command *command);

/* The text that is applied: a command is about to change it, has done so or was refused; another
 * one is held. */
void check_text_command(const struct sim_command *command);
void check_text_done(const struct sim_command *command);
void check_text_held(int old, int new);
void check_quiet_text(void);
/* Of superctl run: it has ended well so long ago that it goes; it gets a row. */
bool check_run_is_over(int program);
void check_run_claims(int program);

/* Events: of a commit, of a row that is free; and whether all that is due was told. */
void check_told_commit(
    int row, const struct ledger_state *before, const struct ledger_state *after, bool begun);
void check_told_removal(int row);
void check_history(void);

/* Rows: a new owner; nobody's any more; there was none for a task. */
void check_claim(int row, int program);
void check_free(int row);
void check_refused_task(const struct ledger_owner *owner);

/* A decision is being made; it has been committed; anything else has. */
void check_decision(struct shadow_pending *pending);
void check_step(int row, const struct shadow_pending *pending);
void check_write(int row, const struct ledger_state *before, const struct ledger_state *after);
/* The stanza is another one: the present wait ends as if it had always been that. */
void check_retime(int row, const struct ledger_state *state, const struct program_config *before,
    const struct program_config *after, int64_t deadline_ns);
/* on_failure and essential have been seen to. */
void check_paid(int program, const struct ledger_state *state);
/* Because of that the engine asks for a shutdown. */
void check_exit_code(void);
/* News are thrown away. */
void check_drop(int row);

/* Processes. */
void check_accept(int socket);
void check_hang_up(void);
void check_launch(int row, const struct launch_request *request);
void check_refused_launch(int row);
/* A task of a program's row has no streams. */
void check_trouble(int row);
void check_spawn(const struct sim_process *process);
void check_signal(const struct sim_process *process, int number);
void check_end(const struct sim_process *process);
void check_post(const struct sim_process *process, int row);
void check_abandon(struct sim_process *process);

/* Nothing more happens at this instant. */
void check_quiet(void);
/* Faults have stopped long ago. */
void check_settled(void);
/* They need not go on: it would be the same. */
bool check_is_settled(void);
/* The engine says that the shutdown is over. */
void check_finished(void);

/* order.c against a transitive closure; `after`: masks. */
void check_order(const unsigned *after, int count);

#endif
