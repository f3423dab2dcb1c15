/* SPDX-License-Identifier: ISC */
/*
 * upkeep.h: what is done to archives behind the logger's back: too old ones go, others are
 * compressed, and what a killed logger left half-made is removed.
 *
 * The queue of what is to be compressed is the directory itself: whatever is there and not
 * compressed.  One child at a time works on it.  Nothing here runs for logs that have neither
 * log_max_age nor log_total_size nor log_compress.
 */
#ifndef LOGGER_UPKEEP_H
#define LOGGER_UPKEEP_H

#include <stdint.h>
#include <sys/types.h>

#include "supervisord/logger/logfiles.h"
#include "supervisord/logger/specs.h"
#include "supervisord/logger/watch.h"

struct upkeep {
	struct watch child; /* a pidfd; -1: none runs */
	pid_t pid;
	struct logfile *file;   /* that it works for; NULL: it has been forgotten */
	struct archive archive; /* that it works on */
	struct logfiles *files;
	TAILQ_HEAD(upkeep_list, logfile) list; /* files with work of these kinds */
	int epoll_fd;
	bool due;          /* look for work */
	bool fails;        /* it was said */
	int64_t pause_ns;  /* no child before, CLOCK_BOOTTIME */
	int64_t expiry_us; /* of the archive that will be too old first; INT64_MAX: none */
};

/* Borrows `files`. */
void upkeep_init(struct upkeep *upkeep, struct logfiles *files, int epoll_fd);

/* These specs are in force; the former ones are not referred to any more. */
void upkeep_apply_specs(struct upkeep *upkeep, const struct specs *specs);

/* The child has ended. */
void upkeep_note_child(struct upkeep *upkeep);

/* Milliseconds until upkeep_run() is due; -1: never. */
int upkeep_get_timeout_ms(const struct upkeep *upkeep);

/* Do what is due; to be called after each wake-up. */
void upkeep_run(struct upkeep *upkeep);

#endif
