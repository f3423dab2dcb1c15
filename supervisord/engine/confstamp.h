/* SPDX-License-Identifier: ISC */
/*
 * confstamp.h: what the files of a configuration looked like when they were read, in one number.
 *
 * A second look at the same files, and at what the patterns of their includes match now, gives the
 * same number exactly when a new load would read the same; nothing is opened for it.  What differs
 * is not said: that takes a load.  A file that somebody writes twice within a tick of the kernel's
 * clock (some milliseconds), to the same size, looks the same.
 */
#ifndef ENGINE_CONFSTAMP_H
#define ENGINE_CONFSTAMP_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "supervisord/engine/confsource.h"

struct confstamp;

/* 0 or -ENOMEM. */
int confstamp_new(struct confstamp **ret_stamp);
void confstamp_free(struct confstamp *stamp);

/* The file that the load begins with.  Copies; 0 or -ENOMEM. */
int confstamp_set_first(struct confstamp *stamp, const char *path);

/* While it is loaded: a file that was read, each once; a pattern that was followed.  The latter
 * copies both; 0 or -ENOMEM. */
void confstamp_add_file(struct confstamp *stamp, const struct confsource_id *id);
int confstamp_add_pattern(struct confstamp *stamp, const char *directory, const char *pattern);

/* As strings, each with its NUL, and back: *at is moved behind them, at most to `end`, before which
 * there is a NUL.  0, -EBADMSG or -ENOMEM. */
void confstamp_print(const struct confstamp *stamp, FILE *file);
int confstamp_scan(const char **at, const char *end, struct confstamp **ret_stamp);

/* A new load would read something else. */
bool confstamp_has_changed(const struct confstamp *stamp);

/* Watch (confwatch.h) wherever a change would make a difference.  False: that is not possible. */
bool confstamp_watch(const struct confstamp *stamp, int watch_fd);

#endif
