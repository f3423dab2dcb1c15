/* SPDX-License-Identifier: ISC */
/*
 * main.c: start of the logger.  It is started by the guardian only, with the descriptors of
 * lib/protocol.h; there are no options.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/ownlog.h"
#include "lib/protocol.h"
#include "supervisord/logger/logger.h"

#define HEAP_STEP (16 * 1024)

/* The end comes from the guardian; a ^C in its terminal, or a full disk quota, must not bring it.
 */
static const int ignored_signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGXFSZ};

int main(int argc, char *argv[])
{
	static struct logger logger;
	int error;

	(void)argv;
	if (argc > 1 || fcntl(FD_GUARDIAN, F_SETFD, FD_CLOEXEC) < 0 ||
	    fcntl(FD_PEER, F_SETFD, FD_CLOEXEC) < 0 || fcntl(FD_LEDGER, F_SETFD, FD_CLOEXEC) < 0) {
		(void)fprintf(stderr, "logger: is started by supervisord, see supervisord(8)\n");
		return EXIT_FAILURE;
	}
	ownlog_init("logger", OWNLOG_NOTICE);
	for (size_t i = 0; i < sizeof(ignored_signals) / sizeof(ignored_signals[0]); i++)
		(void)signal(ignored_signals[i], SIG_IGN);
	(void)umask(022);
#ifdef M_MMAP_THRESHOLD
	/*
	 * The tables of specs and the readers' blocks come and go whole: apart from the small
	 * streams, which stay, or every apply leaves a hole among them.
	 */
	(void)mallopt(M_MMAP_THRESHOLD, HEAP_STEP);
	(void)mallopt(M_TRIM_THRESHOLD, HEAP_STEP);
	(void)mallopt(M_TOP_PAD, HEAP_STEP);
#endif
	error = logger_init(&logger, FD_GUARDIAN, FD_PEER, FD_LEDGER);
	if (error < 0) {
		log_error("cannot start: %s", strerror(-error));
		return EXIT_FAILURE;
	}
	return logger_run(&logger);
}
