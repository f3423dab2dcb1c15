/* SPDX-License-Identifier: ISC */
/*
 * lines FILE: appends each line of standard input to FILE, and "EOF" when the input ends.
 *
 * Reads byte by byte and, on TERM, ends only between two lines: what it has read it has written, so
 * that a stop in good order loses nothing and the next run continues with the next line.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

static volatile sig_atomic_t asked_to_end;

static void on_term(int number);

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = on_term}; /* no SA_RESTART: read(2) must return */
	char line[4096];
	size_t length = 0;
	int fd;

	if (argc != 2)
		return 2;
	fd = open(argv[1], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	if (fd < 0)
		return 1;
	sigaction(SIGTERM, &action, NULL);
	while (!asked_to_end || length > 0) {
		ssize_t got = read(STDIN_FILENO, line + length, 1);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return write(fd, "EOF\n", 4) == 4 ? 0 : 1;
		if (line[length++] != '\n' && length < sizeof(line))
			continue;
		if (write(fd, line, length) != (ssize_t)length)
			return 1;
		length = 0;
	}
	return 0;
}

static void on_term(int number)
{
	(void)number;
	asked_to_end = 1;
}
