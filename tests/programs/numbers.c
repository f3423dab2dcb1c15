/* SPDX-License-Identifier: ISC */
/*
 * numbers TOTAL MICROSECONDS BYTES: writes numbered lines to standard output.
 *
 * A line is "RUN NUMBER xxx…" of BYTES in all, one write(2); NUMBER counts from 1 to TOTAL (0: for
 * ever), with a pause of MICROSECONDS between two lines.  TERM ends it after a whole line, with
 * status 0; after TOTAL lines it waits for TERM, so that its end can be told from its being done.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t asked_to_end;

static void on_term(int number);
static void write_line(const char *run, long number, size_t bytes);

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = on_term, .sa_flags = (int)SA_RESTART};
	const char *run = getenv("SUPERVISORD_RUN");
	long total;

	if (argc != 4)
		return 2;
	sigaction(SIGTERM, &action, NULL);
	total = atol(argv[1]);
	for (long number = 1; (total == 0 || number <= total) && !asked_to_end; number++) {
		write_line(run != NULL ? run : "-", number, (size_t)atol(argv[3]));
		usleep((useconds_t)atol(argv[2]));
	}
	while (!asked_to_end)
		usleep(10000);
	return 0;
}

static void on_term(int number)
{
	(void)number;
	asked_to_end = 1;
}

/* Lines are shorter than PIPE_BUF: a pipe takes each as a whole. */
static void write_line(const char *run, long number, size_t bytes)
{
	char line[4096];
	int length = snprintf(line, sizeof(line), "%s %ld ", run, number);

	if (bytes >= sizeof(line))
		bytes = sizeof(line) - 1;
	if ((size_t)length < bytes)
		memset(line + length, 'x', bytes - (size_t)length);
	else
		bytes = (size_t)length + 1;
	line[bytes - 1] = '\n';
	if (write(STDOUT_FILENO, line, bytes) != (ssize_t)bytes)
		_exit(3);
}
