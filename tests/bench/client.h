/* SPDX-License-Identifier: ISC */
/*
 * client.h: runs one command with its output thrown away and says what it took.  Used by the tools
 * that time client commands; run.py is never inside such a measurement.
 */
#ifndef BENCH_CLIENT_H
#define BENCH_CLIENT_H

#include <stdint.h>
#include <sys/types.h>

struct client_run {
	pid_t pid;
	int pidfd;
	int64_t begin_ns;
};

struct client_result {
	int64_t wall_ns; /* from before the fork until its end was seen */
	int64_t cpu_ns;  /* its own and that of the children it waited for */
	int status;      /* exit code, 128 + signal, or -1: killed at the deadline */
};

/* Starts argv in a process group of its own.  Returns 0 or -errno. */
int client_start(char **argv, struct client_run *ret_run);

/* Waits until it ends, or kills its group after timeout_ms; either way it is reaped. */
int client_wait(struct client_run *run, int timeout_ms, struct client_result *ret_result);

/* A descriptor of the process (CLOEXEC, readable when it has ended), or -errno. */
int client_open_pidfd(pid_t pid);

/* Waits until the process of pidfd has ended.  Returns 0, or -ETIMEDOUT. */
int client_await_end(int pidfd, int64_t deadline_ns);

#endif
