/* SPDX-License-Identifier: ISC */
/*
 * kernel.h: the processes of a world: how they are made, what they do by themselves, how they take
 * signals, and the guardian that collects them.  What the engine calls of the kernel is
 * fakekernel.c.
 */
#ifndef SIM_KERNEL_H
#define SIM_KERNEL_H

#include "tests/sim/world.h"

/* What a launch comes to, before there is a process: 0, or the errno of *ret_step. */
int kernel_refuse_launch(int row, uint64_t run, int *ret_step);

/* A process for a row, in the cgroup `leaf` (`outside`: it did not get into it); the kernel has
 * written its pid.  NULL: too many. */
struct sim_process *kernel_launch(int row, uint64_t run, int leaf, bool outside);

void kernel_signal(struct sim_process *process, int number);
void kernel_end(struct sim_process *process, int wstatus);
/* The live main process of a program ends, if there is one. */
/* Somebody connects; a program that runs may take it. */
void kernel_connect(int program, unsigned dice);
void kernel_end_main(int program, int wstatus);

/* By pid, zombies too, or NULL; alive only. */
struct sim_process *kernel_find(int pid);
struct sim_process *kernel_find_alive(int pid);
/* The process that stands in the ledger as a program's main one, alive or zombie, or NULL. */
struct sim_process *kernel_main(int program);

/* The row whose main process stands there under this pid, or -1. */
int kernel_find_row(int pid);

/* The next moment at which some process does something, and what is due then. */
int64_t kernel_next_ns(void);
void kernel_do_due(void);

/* One store of the guardian into the ledger, or its reaping; false: nothing to do. */
bool kernel_guardian_step(void);
bool kernel_guardian_has_work(void);
void kernel_guardian_finish(void);

#endif
