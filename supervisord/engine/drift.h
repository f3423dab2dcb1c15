/* SPDX-License-Identifier: ISC */
/*
 * drift.h: whether the files on disk say something else than what is applied.
 *
 * To ask costs one system call while nothing happens in the directories of the files
 * (confwatch.h), a stat(2) a file when something did (confstamp.h), and when they do not look as at
 * the last reading, a process of its own that reads them (driftlook.h): thousands of stanzas take
 * time, and other clients must not wait for that.  Who asks waits for it a moment and is then
 * answered that it is not known yet.  Nothing here changes what runs.
 */
#ifndef ENGINE_DRIFT_H
#define ENGINE_DRIFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "supervisord/engine/config.h"
#include "supervisord/engine/helper.h"
#include "supervisord/engine/timers.h"

struct engine;

struct drift {
	struct helpers looker;   /* at most one */
	struct timer timer;      /* until then a client waits for it */
	int result_fd;           /* memfd that it writes to; 0: none is at work */
	uint64_t applies;        /* how often something was put in force … */
	uint64_t look_of;        /* … and what that was when it began */
	bool late;               /* the timer is over */
	struct confstamp *stamp; /* of the reading that the rest is about; NULL: none */
	int watch_fd;  /* nothing has happened since while this has no news, confwatch.h; 0: none */
	bool differs;  /* an apply would do something */
	size_t errors; /* of the files: nobody knows what they mean */
};

void drift_init(struct drift *drift);

/* This is in force from now on; takes its stamp.  A part of the files only: look again. */
void drift_note_applied(struct engine *engine, struct config *config);

/* Bring engine->drift and program->files_differ up to date. */
enum drift_state {
	DRIFT_KNOWN,   /* they are */
	DRIFT_SOON,    /* somebody looks: worth to wait, control_wake_held() follows */
	DRIFT_UNKNOWN, /* that takes longer, or is not possible now */
};
enum drift_state drift_look(struct engine *engine);

void drift_done(struct engine *engine);

#endif
