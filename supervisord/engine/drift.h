/* SPDX-License-Identifier: ISC */
/*
 * drift.h: whether the files on disk say something else than what is applied.
 *
 * To ask costs one system call while nothing happens in the directories of the files
 * (confwatch.h), a stat(2) a file when something did (confstamp.h), and a load, once, when they do
 * not look as at the last reading.  Nothing here changes what runs.
 */
#ifndef ENGINE_DRIFT_H
#define ENGINE_DRIFT_H

#include <stdbool.h>
#include <stddef.h>

#include "supervisord/engine/config.h"

struct engine;

struct drift {
	struct confstamp *stamp; /* of the reading that the rest is about; NULL: none */
	int watch_fd;  /* nothing has happened since while this has no news, confwatch.h; 0: none */
	bool differs;  /* an apply would do something */
	size_t errors; /* of the files: nobody knows what they mean */
};

/* This is in force from now on; takes its stamp.  A part of the files only: look again. */
void drift_note_applied(struct engine *engine, struct config *config);

/* Bring engine->drift and program->files_differ up to date. */
void drift_look(struct engine *engine);

void drift_done(struct drift *drift);

#endif
