/* SPDX-License-Identifier: ISC */
/*
 * logfiles.h: the log files in use, by path: two streams that name one file get the same object.
 */
#ifndef LOGGER_LOGFILES_H
#define LOGGER_LOGFILES_H

#include "supervisord/logger/logfile.h"

struct logfiles {
	void *root;   /* of a tree, see tsearch(3) */
	bool rotated; /* one of them was; for upkeep.h */
};

/* The object of this path, made if need be.  It stays until logfiles_drop() finds that it has no
 * user and is not kept.  NULL: no memory. */
struct logfile *logfiles_get(struct logfiles *files, const char *path);

/* The object of this path, or NULL. */
struct logfile *logfiles_find(const struct logfiles *files, const char *path);

/* Forget a file that nobody needs. */
void logfiles_drop(struct logfiles *files, struct logfile *file);

#endif
