/* SPDX-License-Identifier: ISC */
/*
 * cgroupold.h: the cgroups of instances that are dead.
 *
 * Whoever holds the lock of a run_dir writes into it where its cgroups are.  When a guardian is
 * killed nobody removes them; the next one that gets the lock knows by that that the writer is
 * dead, and removes what is empty.  What still has processes (they go on, with nobody to watch
 * them) stays written down for the one after.
 */
#ifndef ENGINE_CGROUPOLD_H
#define ENGINE_CGROUPOLD_H

#include "supervisord/engine/cgroup.h"

/*
 * Remove what earlier holders of the lock have left, and write down our own place and what could
 * not be removed.  `lock_fd`: the lock file, open for both, locked.  Returns 0 or -errno.
 */
int cgroupold_sweep(const struct cgroups *cgroups, int lock_fd);

#endif
