/* SPDX-License-Identifier: ISC */
/*
 * logready.h: the looks at a program's log for a line that says that it is ready (ready =
 * "log:REGEX").
 *
 * logwatch.h knows how to read it; here a thread does (filelook.h), so that a log on a file system
 * that does not answer holds up nobody but its program.
 */
#ifndef ENGINE_LOGREADY_H
#define ENGINE_LOGREADY_H

struct program;
struct logready;

/* Called from the event loop: as logwatch_look(). */
typedef void logready_done(void *context, int result);

/* Note in the row where the run that is launched now begins in its log.  0 or -errno. */
int logready_mark(struct program *program);

/* From that mark on.  Gives; 0 or -errno. */
int logready_new(struct program *program, const char *regex, logready_done *done, void *context,
    struct logready **ret_log);

/* Begin a look; its end is told by `done`, once.  0, -EBUSY: the last one has not come back, or
 * -errno. */
int logready_look(struct logready *log);

/* A look that has not come back is told no more. */
void logready_free(struct logready *log);

#endif
