/* SPDX-License-Identifier: ISC */
/*
 * confshow.h: configuration as JSON, in the types of io.superctl: errors, and stanzas as they are
 * applied.
 */
#ifndef ENGINE_CONFSHOW_H
#define ENGINE_CONFSHOW_H

#include "lib/jsonw.h"
#include "supervisord/engine/config.h"

struct call;

/* The member `errors`, and `notes` (may be NULL) where there are any. */
void confshow_errors(
    struct jsonw *w, const struct config_errors *errors, const struct config_errors *notes);

/*
 * The member `stanzas`, to be written with the functions below between begin and end.  `all`: also
 * values that are the built-in default.
 */
struct confshow {
	struct jsonw *w;
	bool all;
	struct confshow_texts *texts;
};

/* 0 or -ENOMEM; confshow_end() is due in both cases. */
int confshow_begin(struct confshow *show, struct jsonw *w, bool all);
int confshow_end(struct confshow *show);
void confshow_program(struct confshow *show, const struct program_config *program);
void confshow_group(struct confshow *show, const struct group_config *group);
void confshow_socket(struct confshow *show, const struct socket_config *socket);
void confshow_settings(struct confshow *show, const struct settings *settings);

/* The method Config. */
void confshow_serve(struct call *call);

#endif
