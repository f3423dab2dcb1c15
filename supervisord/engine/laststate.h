/* SPDX-License-Identifier: ISC */
/*
 * laststate.h: what the operator said last of programs with boot = "last-state", on disk.
 *
 * One text file, state_dir/last-state, a line "NAME up" or "NAME down" each.  It is written when an
 * operator starts or stops such a program, never by a shutdown, as a new file that replaces the old
 * one: whatever happens, one of the two is there.  A line that is not understood is dropped.
 *
 * Where state_dir is on a file system that somebody else serves (mounts.h) a thread does it, one at
 * a time, and whoever waits for it in vain goes on: -ETIMEDOUT.
 */
#ifndef ENGINE_LASTSTATE_H
#define ENGINE_LASTSTATE_H

#include <stdbool.h>

#include "supervisord/engine/filelook.h"

#define LASTSTATE_FILE "last-state"

/* Note it.  Returns 0 or -errno; then the old file is as it was, or (-ETIMEDOUT) it is noted later
 * after all: until then each attempt fails in the same way, so the last one is what counts. */
int laststate_write(struct filelooks *looks, const char *state_dir, const char *name, bool up);

/* 1: up, 0: down, -ENOENT: nothing is known of it; another -errno: the file cannot be read. */
int laststate_read(struct filelooks *looks, const char *state_dir, const char *name);

#endif
