/* SPDX-License-Identifier: ISC */
/*
 * sandbox.h: what the logger gives up before it touches the first byte that a program wrote.
 *
 * It reads what programs say, as root, for months: should one of them find a mistake in it, there
 * is to be little to win.  It keeps three capabilities (of root), can never execute anything, and
 * sees and writes files only where the log specs say that logs are.
 *
 * Two steps.  sandbox_enter() needs to know nothing.  The directories are known when the first log
 * specs come, and nothing is opened before: sandbox_close_paths().  What is closed cannot be opened
 * again, so a directory that comes later needs a new logger (sandbox_is_outdated(), EXIT_AGAIN).
 *
 * What the kernel cannot enforce is said, with the reason, in the one line that tells what it
 * does; the logger writes logs all the same.
 */
#ifndef LOGGER_SANDBOX_H
#define LOGGER_SANDBOX_H

#include <stdbool.h>

#include "lib/logspec.h"
#include "supervisord/logger/pathrules.h"

/* AddressSanitizer traces its own process and writes reports wherever it was told to. */
#if defined(__SANITIZE_ADDRESS__)
#define SANDBOX_SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANDBOX_SANITIZED
#endif
#endif

/* Each is 0 when it is in force, else the -errno it failed with. */
struct sandbox {
	int no_new_privs;
	int capabilities;
	int bounding_set;
	int filter;
	int paths;
	bool is_closed; /* sandbox_close_paths() was called */
	struct pathrules rules;
};

/* Capabilities, no_new_privs, and no exec (sysfilter.h). */
void sandbox_enter(struct sandbox *sandbox);

/*
 * Close everything but the directories of these specs, which are made if need be, and say on the
 * own log what is in force.  Nothing happens the second time, nor while there are no specs.
 */
void sandbox_close_paths(struct sandbox *sandbox, const struct logspec_table *specs);

/* Would a logger that starts now be allowed to write this file, and this one is not? */
bool sandbox_is_outdated(const struct sandbox *sandbox, const char *path);

/* The same of any file in the table. */
bool sandbox_is_outdated_for(const struct sandbox *sandbox, const struct logspec_table *specs);

void sandbox_done(struct sandbox *sandbox);

#endif
