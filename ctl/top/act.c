/* SPDX-License-Identifier: ISC */
/*
 * act.c: commands on the selected program; see top.h.  Each is a process that does what superctl
 * would, with a connection of its own.
 */
#define _GNU_SOURCE /* pipe2 */
#include <curses.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "ctl/foreground.h"
#include "ctl/superctl.h"
#include "ctl/top/top.h"

static void read_message(struct top *top, int fd);
static void wait_for_key(void);

void act_command(struct top *top, const char *verb, const char *name)
{
	const char *const words[] = {"--no-wait", verb, "--", name};
	int fds[2], null, status = 0;
	pid_t pid;

	if (name[0] == '\0' || pipe2(fds, O_CLOEXEC) < 0)
		return;
	pid = fork();
	if (pid == 0) {
		null = open("/dev/null", O_RDONLY | O_CLOEXEC);
		if (dup2(null, STDIN_FILENO) < 0 || dup2(fds[1], STDOUT_FILENO) < 0 ||
		    dup2(fds[1], STDERR_FILENO) < 0)
			_exit(EXITCODE_FAILED);
		superctl_run_words(&top->ctl.options, words, sizeof(words) / sizeof(words[0]));
	}
	close(fds[1]);
	read_message(top, fds[0]);
	close(fds[0]);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (top->message[0] == '\0')
		(void)snprintf(top->message, sizeof(top->message), "%s %s: %s", verb, name,
		    WIFEXITED(status) && WEXITSTATUS(status) == 0 ? "accepted" : "failed");
}

/* The first line; the rest is for a command line. */
static void read_message(struct top *top, int fd)
{
	size_t length = 0;
	char rest[512], *end;
	ssize_t got;

	while (length + 1 < sizeof(top->message) &&
	       (got = read(fd, top->message + length, sizeof(top->message) - 1 - length)) > 0)
		length += (size_t)got;
	top->message[length] = '\0';
	end = strchr(top->message, '\n');
	if (end != NULL)
		*end = '\0';
	while (read(fd, rest, sizeof(rest)) > 0)
		;
}

void act_show(struct top *top, const char *heading, const char *const *words, size_t count)
{
	struct foreground foreground;
	int status;
	pid_t pid;

	def_prog_mode();
	endwin();
	foreground_begin(&foreground);
	fputs("\033[2J\033[H", stdout);
	fputs(heading, stdout);
	fflush(stdout);
	pid = foreground_fork(&foreground);
	if (pid == 0)
		superctl_run_words(&top->ctl.options, words, count);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	wait_for_key();
	foreground_end(&foreground);
	clearok(stdscr, TRUE);
	refresh();
}

/* One that was not typed before this could be read.  getch(3) might draw the screen first. */
static void wait_for_key(void)
{
	char key[16]; /* or a sequence */

	reset_prog_mode();
	(void)tcflush(STDIN_FILENO, TCIFLUSH);
	fputs("\r\n-- any key goes back --", stdout);
	fflush(stdout);
	while (read(STDIN_FILENO, key, sizeof(key)) < 0 && errno == EINTR)
		;
	/* When all is over the prompt comes there. */
	fputs("\r\033[K", stdout);
	fflush(stdout);
}
