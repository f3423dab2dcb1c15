/* SPDX-License-Identifier: ISC */
/*
 * driftlook.h: a process that reads the files, compares them with what is applied, and writes what
 * it has found into a memfd; its end tells the engine.  See drift.h and helper.h.
 */
#ifndef ENGINE_DRIFTLOOK_H
#define ENGINE_DRIFTLOOK_H

#include <stdbool.h>
#include <stddef.h>

#include "supervisord/engine/config.h"
#include "supervisord/engine/confstamp.h"
#include "supervisord/engine/helper.h"

#define DRIFTLOOK_OPTION "--drift"

/* What it finds open. */
enum {
	DRIFTLOOK_FD_CONFIG = HELPER_FD, /* the applied configuration */
	DRIFTLOOK_FD_RESULT,
};

struct driftlook {
	size_t errors; /* of the files; then nothing else is known */
	bool differs;
	size_t count; /* programs that are applied, and that the files say something else of */
	char **names; /* borrow of text */
	struct confstamp *stamp;
	char *text;
};

/* 0, -EBADMSG: it did not come to the end; or another -errno.  driftlook_done() is due in each
 * case. */
int driftlook_read(int fd, struct driftlook *ret_look);
void driftlook_done(struct driftlook *look);

/* What differs between two configurations, as an apply of the second one would find it; calls
 * `each` with the names of programs of the first one.  Whether anything does. */
bool driftlook_compare(const struct config *applied, const struct config *files,
    void (*each)(void *context, const char *name), void *context);

/* main() of it; the path of the first file.  Returns the exit status. */
int driftlook_main(const char *path);

#endif
