/* SPDX-License-Identifier: ISC */
/* cgroupbase.h: where in the machine's cgroups we are, and the directory that we make there. */
#ifndef ENGINE_CGROUPBASE_H
#define ENGINE_CGROUPBASE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "supervisord/engine/cgroup.h"

/* Fill in `base` and `path`, or `reason`. */
void cgroup_base_open(struct cgroups *cgroups, uint64_t nonce);

/* Path of a process in the cgroup2 hierarchy, "/" first.  pid 0: ourselves.  Its length, -ENOENT:
 * it is in none; -ENAMETOOLONG, -errno. */
int cgroup_base_path_of(pid_t pid, char *path, size_t size);

#endif
