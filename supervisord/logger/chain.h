/* SPDX-License-Identifier: ISC */
/*
 * chain.h: a log file and its archives on the file system: PATH, PATH.1 (the newest) … PATH.keep.
 * There is no other record of them: a number may be missing (a crash between two renames, a user
 * who deleted one) and the order still holds, a higher number is always older.
 */
#ifndef LOGGER_CHAIN_H
#define LOGGER_CHAIN_H

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

/* Longest path of an archive with its NUL. */
#define CHAIN_PATH_SIZE 4096

/* The path of archive `number`; 0: of the file itself.  Returns 0 or -ENAMETOOLONG. */
int chain_format_path(char *ret_path, size_t size, const char *path, unsigned number);

/*
 * Make room for a new file at PATH: each archive moves up by one, from the oldest that has to, into
 * a free number, so that a kill between any two renames loses nothing; only when all numbers are
 * taken is the oldest replaced.  keep 0: PATH is removed.  Archives past `keep` are removed.  A
 * PATH that is not there is no error.  Returns 0 or -errno.
 */
int chain_shift(const char *path, unsigned keep);

/* Remove the archives past `keep`; those up to `known` (the former keep) even across missing
 * numbers. */
void chain_trim(const char *path, unsigned keep, unsigned known);

/* The number under which the file `st` stands in the chain; -ENOENT: it does not. */
int chain_find(const char *path, unsigned keep, const struct stat *st);

/*
 * Open for reading the nearest member at number `from` or past it, towards the older ones (step 1,
 * up to keep) or towards the newer (step -1, down to 0).  Returns 0 with the descriptor, its stat
 * and its number, -ENOENT when there is none, else -errno.
 */
int chain_open(const char *path, unsigned keep, int from, int step, int *ret_fd,
    struct stat *ret_st, int *ret_number);

#endif
