/* SPDX-License-Identifier: ISC */
/*
 * timesearch.h: where in one file of stamped or JSON lines those of a time begin, by halving the
 * file: a few reads, however large it is.
 *
 * Times are those at the beginnings of lines.  Lines without one (the file was raw before) are
 * passed over, as far as a few blocks go; what cannot be searched is read from where the search has
 * come to.  After the wall clock was set back, what was written before that may be passed over.
 */
#ifndef LOGGER_TIMESEARCH_H
#define LOGGER_TIMESEARCH_H

#include <stdint.h>

/*
 * Of the file of `size` bytes: the beginning of a line from which on, within about LIMIT_LOG_BLOCK
 * bytes, the first one of `since_ns` or later comes; 0 if nothing better is known.  0, -ENOMEM or
 * -errno of pread(2).
 */
int time_search(int fd, uint64_t size, int64_t since_ns, uint64_t *ret_offset);

#endif
