/* SPDX-License-Identifier: ISC */
/*
 * launchlook.h: a look at what a launch is about to use, where that may hang.
 *
 * The engine stands still until the child has called chdir(2) and execve(2), which on a file system
 * whose server is gone do not return.  So where one of these is on a file system that somebody else
 * serves (mounts.h), a thread touches it first, and a start that waits for that in vain fails.
 * What this cannot see: a server that goes away between the look and the exec, and the interpreter
 * of a script.
 */
#ifndef ENGINE_LAUNCHLOOK_H
#define ENGINE_LAUNCHLOOK_H

#include "supervisord/engine/filelook.h"
#include "supervisord/engine/launchplan.h"

/* 0: nothing speaks against it (whether the files are there is the child's to find out), or
 * -ETIMEDOUT, or -EAGAIN when too many looks hang, with the step. */
int launchlook_touch(
    struct filelooks *looks, const struct launch_plan *plan, enum launch_step *ret_step);

#endif
