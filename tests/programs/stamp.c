/* SPDX-License-Identifier: ISC */
/*
 * stamp FILE run [MS] | exit CODE | signal NUMBER: a program that writes down when it ran.
 *
 * Appends "start NAME RUN PID NANOSECONDS" (CLOCK_BOOTTIME) to FILE, then: `run` waits for TERM,
 * goes on for MS more, appends "stop …" in the same form and exits 0; `exit` and `signal` end at
 * once. Each line is one write(2) to an O_APPEND file, so many programs may share one FILE.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void append_stamp(const char *path, const char *what);
static const char *from_environment(const char *name);
static void wait_for_term(void);

int main(int argc, char **argv)
{
	int number = argc > 3 ? atoi(argv[3]) : 0;

	if (argc < 3)
		return 2;
	if (strcmp(argv[2], "run") == 0) {
		struct timespec rest = {
		    .tv_sec = number / 1000, .tv_nsec = number % 1000 * 1000000L};
		sigset_t term;

		/* Before the stamp: whoever has seen it may send TERM. */
		sigemptyset(&term);
		sigaddset(&term, SIGTERM);
		sigprocmask(SIG_BLOCK, &term, NULL);
		append_stamp(argv[1], "start");
		wait_for_term();
		nanosleep(&rest, NULL);
		append_stamp(argv[1], "stop");
		return 0;
	}
	append_stamp(argv[1], "start");
	if (strcmp(argv[2], "signal") == 0) {
		signal(number, SIG_DFL);
		raise(number);
	}
	return strcmp(argv[2], "exit") == 0 ? number : 2;
}

static void append_stamp(const char *path, const char *what)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
	struct timespec now;
	char line[256];
	int length;

	clock_gettime(CLOCK_BOOTTIME, &now);
	length = snprintf(line, sizeof(line), "%s %s %s %d %lld\n", what,
	    from_environment("SUPERVISORD_NAME"), from_environment("SUPERVISORD_RUN"),
	    (int)getpid(), now.tv_sec * 1000000000LL + now.tv_nsec);
	if (fd < 0 || write(fd, line, (size_t)length) != length) {
		perror(path);
		_exit(99);
	}
	close(fd);
}

static const char *from_environment(const char *name)
{
	const char *value = getenv(name);

	return value != NULL ? value : "-";
}

static void wait_for_term(void)
{
	sigset_t term;
	int number;

	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	while (sigwait(&term, &number) != 0)
		;
}
