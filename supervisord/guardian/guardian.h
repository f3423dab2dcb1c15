/* SPDX-License-Identifier: ISC */
/*
 * guardian.h: the process that must not die.
 *
 * Owns the ledger, the held descriptors and the two roles; parent of every program.  It parses
 * nothing, allocates nothing once guardian_run() loops, and waits nowhere but in its one poll(2).
 * What a program is and what should become of it is the engine's business.
 */
#ifndef GUARDIAN_GUARDIAN_H
#define GUARDIAN_GUARDIAN_H

#include <stdbool.h>

struct guardian_options {
	const char *config_path; /* handed to the engine; NULL: the engine's default */
	const char *log_format;  /* handed to the engine; NULL: as the configuration says */
	bool own_log_pipe;       /* -d: own messages go through the logger, not to descriptor 2 */
	int started_fd; /* -d: gets one byte, the exit code so far, when the start is decided; else
			   -1 */
};

/*
 * Start engine and logger in `libexec_dir` and supervise until shutdown.  Returns the exit code of
 * supervisord.
 */
int guardian_run(const struct guardian_options *options, const char *libexec_dir);

#endif
