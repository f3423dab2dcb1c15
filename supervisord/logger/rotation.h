/* SPDX-License-Identifier: ISC */
/*
 * rotation.h: a log becomes an archive, and archives go.
 *
 * A rotation is one rename(2): killed before or after it, nothing is lost and nothing overwritten.
 * Which archives there are stands in lib/archives.h's list, which was read from the directory once;
 * what others do to them meanwhile is noticed when a name is gone, so that a rotation costs the
 * same however many files are in the directory.
 */
#ifndef LOGGER_ROTATION_H
#define LOGGER_ROTATION_H

#include <stdint.h>

#include "lib/archives.h"

/*
 * Rename the log to an archive of the time `now_us`, or of the next time after the newest one, and
 * put it on the list.  `st`: of the log.  keep 0: the log is removed.  A log that is not there is
 * no error; *ret_archive then has time 0, as with keep 0.  Returns 0 or -errno.
 */
int rotation_rotate(struct archives *archives, const struct stat *st, unsigned keep, int64_t now_us,
    struct archive *ret_archive);

/*
 * Remove archives that are too many, too old, or too much beside a log that may grow to max_bytes.
 * Returns 0, or -errno of one that could not be removed.
 */
int rotation_trim(struct archives *archives, const struct logspec *spec, int64_t now_us);

/* Remove the oldest one.  Returns 0, -ENOENT: there is none, or -errno. */
int rotation_drop_oldest(struct archives *archives);

/* When the next archive is too old, in µs since 1970; INT64_MAX: never. */
int64_t rotation_next_expiry_us(const struct archives *archives, const struct logspec *spec);

#endif
