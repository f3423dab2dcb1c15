/* SPDX-License-Identifier: ISC */
/*
 * main.c: terminal: the relay of a program's terminal, started by the engine with the descriptors
 * of lib/ttylink.h.  See terminal.h.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/ownlog.h"
#include "lib/ttylink.h"
#include "supervisord/terminal/terminal.h"

static bool is_kind(int fd, mode_t kind);

int main(int argc, char **argv)
{
	(void)argv;
	ownlog_init("terminal", OWNLOG_NOTICE);
	if (argc > 1 || !is_kind(FD_TTY_LINK, S_IFSOCK) || !is_kind(FD_TTY_MASTER, S_IFCHR) ||
	    !is_kind(FD_TTY_PIPE, S_IFIFO) || !is_kind(FD_TTY_STATE, S_IFREG)) {
		log_error("it is started by supervisord, for a program with tty = true");
		return 78; /* EX_CONFIG of sysexits(3) */
	}
	for (int fd = FD_TTY_LINK; fd <= FD_TTY_STATE; fd++)
		if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
			return EXIT_FAILURE;
	return terminal_run();
}

static bool is_kind(int fd, mode_t kind)
{
	struct stat st;

	return fstat(fd, &st) == 0 && (st.st_mode & S_IFMT) == kind;
}
