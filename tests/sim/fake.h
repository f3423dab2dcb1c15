/* SPDX-License-Identifier: ISC */
/* fake.h: descriptors that are only numbers, and what the parts of the engine's surroundings tell
 * each other. */
#ifndef SIM_FAKE_H
#define SIM_FAKE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct program;

#define FAKE_TIMERFD  20
#define FAKE_CGROUPS  21
#define FAKE_PID_FILE 200    /* + program */
#define FAKE_CONFIG   300    /* + index of world.configs */
#define FAKE_TRIAL    350    /* what is held of a trial */
#define FAKE_SOCKET   400    /* + program */
#define FAKE_CONNECTION 450    /* + program */
#define FAKE_LEAF     1000   /* + index of world.leaves */
#define FAKE_PIDFD    100000 /* + pid */

/* The leaf + 1 of a descriptor, 0: it is none. */
int fake_leaf_of(int fd);

/* A pipe of the row is still being written down. */
bool fake_is_draining(int row);

/* TERM for the guardian. */
void fake_request_shutdown(void);

/* Deliver what programs have said; `program`: of one alone, else NULL. */
void fake_deliver_notes(struct program *program);
bool fake_has_notes(void);

/* A pid_file as it stands there now. */
long fake_read_pid_file(int program, char *buffer, unsigned long size);

/* A descriptor is held now: of a configuration, or of a trial. */
void fake_note_held(uint64_t key, int fd);

/* Carry out the command that was given (control.c). */
void fake_do_command(void);
/* What it says, as a client would. */
struct sim_command;
json_t *fake_make_parameters(const struct sim_command *command);

#endif
