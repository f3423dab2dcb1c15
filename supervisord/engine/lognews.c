/* SPDX-License-Identifier: ISC */
/* lognews.c: see lognews.h. */
#include <stdio.h>
#include <string.h>

#include "supervisord/engine/engine.h"
#include "supervisord/engine/lognews.h"

static const char *const streams[] = {"stdout", "stderr"};
static const char *const words[] = {
    [LOG_NEWS_WAITS] = "waits",
    [LOG_NEWS_DROPS] = "drops",
    [LOG_NEWS_AGAIN] = "again",
    [LOG_NEWS_DROPPED] = "dropped",
    [LOG_NEWS_LOST] = "lost",
};

void lognews_take(struct engine *engine, const struct msg_head *head)
{
	uint32_t row = held_key_row(head->key);
	struct history_event event = {
	    .kind = HISTORY_LOG,
	    .row = HISTORY_NO_ROW,
	    .from = (uint8_t)(held_key_stream(head->key) & 1),
	    .step = (int32_t)head->slot,
	    .detail = head->value < INT32_MAX ? (int32_t)head->value : INT32_MAX,
	    .delay_ms = UINT32_MAX,
	    .uid = HISTORY_NO_UID,
	};

	if (head->slot < LOG_NEWS_STARTED || head->slot > LOG_NEWS_LOST)
		return;
	if (head->slot == LOG_NEWS_STARTED) {
		if (head->value <= 1)
			return; /* the first one belongs to the start of the daemon */
		event.kind = HISTORY_LOGGER;
	} else if (engine_program_of_row(engine, (int)row) != NULL) {
		event.row = (uint16_t)row;
		event.run = (uint32_t)ledger_get_state(engine->ledger, (int)row)->starts;
	} /* else the daemon's own log, or that of one that is gone */
	history_note(engine->history, &event);
}

const char *lognews_text(const struct history_event *event, char *buffer, size_t size)
{
	const char *whose = event->row == HISTORY_NO_ROW ? "log" : streams[event->from & 1];

	buffer[0] = '\0';
	switch ((enum log_news)event->step) {
	case LOG_NEWS_WAITS:
	case LOG_NEWS_DROPS:
		(void)snprintf(buffer, size, "%s: cannot be written: %s: %s", whose,
		    strerror(event->detail),
		    event->step == LOG_NEWS_DROPS ? "it is dropped and counted" : "it waits");
		break;
	case LOG_NEWS_AGAIN:
		(void)snprintf(buffer, size, "%s: is written again", whose);
		break;
	case LOG_NEWS_DROPPED:
		(void)snprintf(buffer, size, "%s: %d line%s dropped", whose, event->detail,
		    event->detail == 1 ? " was" : "s were");
		break;
	case LOG_NEWS_LOST:
		(void)snprintf(buffer, size, "%s: %d bytes are lost", whose, event->detail);
		break;
	case LOG_NEWS_STARTED:
		break;
	}
	return buffer;
}

void lognews_write(struct jsonw *w, const struct history_event *event)
{
	bool is_error = event->step == LOG_NEWS_WAITS || event->step == LOG_NEWS_DROPS;

	if (event->kind != HISTORY_LOG) {
		jsonw_null(w);
		return;
	}
	jsonw_begin_object(w);
	jsonw_member_string(w, "what", words[event->step]);
	jsonw_member_string(
	    w, "stream", event->row != HISTORY_NO_ROW ? streams[event->from & 1] : NULL);
	jsonw_member_string(w, "error", is_error ? strerror(event->detail) : NULL);
	if (!is_error && event->step != LOG_NEWS_AGAIN)
		jsonw_member_int(w, "count", event->detail);
	else
		jsonw_member_null(w, "count");
	jsonw_end_object(w);
}
