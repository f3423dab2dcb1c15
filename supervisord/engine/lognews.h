/* SPDX-License-Identifier: ISC */
/*
 * lognews.h: what the logger has to tell of logs that cannot be written, and of its own death, as
 * events (history.h, kinds log and logger).
 *
 * The logger decides what is worth it, and how often (lib/protocol.h).  While there is no engine
 * its messages wait in their socket.
 */
#ifndef ENGINE_LOGNEWS_H
#define ENGINE_LOGNEWS_H

#include "lib/jsonw.h"
#include "lib/protocol.h"
#include "supervisord/engine/history.h"

struct engine;

/* A MSG_LOG_NEWS has come. */
void lognews_take(struct engine *engine, const struct msg_head *head);

/* The words of an event of kind log: "stdout: cannot be written: No space left on device".  Returns
 * `buffer`. */
const char *lognews_text(const struct history_event *event, char *buffer, size_t size);

/* Type LogTrouble of io.superctl.varlink; null of another kind. */
void lognews_write(struct jsonw *w, const struct history_event *event);

#endif
