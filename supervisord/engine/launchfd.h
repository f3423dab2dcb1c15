/* SPDX-License-Identifier: ISC */
/*
 * launchfd.h: the descriptors of a child.
 *
 * They are staged in our own table, low and in one piece, because the child's table is as large as
 * its highest descriptor for life; there the child copies them to their numbers.  The places are
 * taken from the start on, so that nothing else of ours gets in between.
 *
 *   8 9 10          what becomes 0, 1, 2
 *   11 12 ...       further ones, ascending by the number that they become
 */
#ifndef ENGINE_LAUNCHFD_H
#define ENGINE_LAUNCHFD_H

#include <stddef.h>

#include "supervisord/engine/launch.h"

/* The first descriptor that a child has no use for. */
#define LAUNCH_FD_END(extra_count) (LAUNCH_STAGE + 3 + (unsigned)(extra_count))

/* Take the places.  0 or -errno. */
int launch_fd_reserve(void);

/*
 * Copy `extra` to `sorted`, by number.  -E2BIG: more than LAUNCH_EXTRA; -EEXIST: two want one
 * number; -EINVAL: a number below 3.
 */
int launch_fd_sort(
    const struct launch_fd *extra, size_t count, struct launch_fd sorted[LAUNCH_EXTRA]);

/*
 * Put the descriptors at their places for the child, and let go of them again: the numbers stay
 * taken.  An idle place is /dev/null, as our own descriptor 0 is, so where that is wanted nothing
 * is to be done.  0 or -errno, and then nothing is staged.
 */
int launch_fd_stage(const int streams[3], const struct launch_fd *sorted, size_t count);
void launch_fd_unstage(const int streams[3], size_t count);

/* In the child, with a table of its own: from the stage to the numbers.  0 or -errno. */
int launch_fd_place(const struct launch_fd *sorted, size_t count);

#endif
