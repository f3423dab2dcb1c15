/* SPDX-License-Identifier: ISC */
/* finish.c: see finish.h. */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/limits.h"
#include "lib/ownlog.h"
#include "supervisord/logger/finish.h"

#define PAUSE_MS 10

static bool finish_round(struct streams *streams);
static bool is_waiting_for_sinks(const struct streams *streams);

void finish_streams(struct streams *streams, int limit_ms)
{
	int64_t deadline = clock_boot_ns() + limit_ms * NS_PER_MS;
	struct stream *stream;

	streams->world.finishing = true;
	/* There is no epoll_wait(2) any more: sinks that are full are asked now and then. */
	while (clock_boot_ns() < deadline &&
	       (finish_round(streams) ||
		   (is_waiting_for_sinks(streams) && poll(NULL, 0, PAUSE_MS) == 0)))
		continue;
	LIST_FOREACH (stream, &streams->list, link) {
		size_t waiting = stream_count_waiting(stream);

		if (waiting > 0 && stream->row != LOGSPEC_ROW_OWN)
			log_error("%s: %s: %zu bytes are lost: %s",
			    stream->spec != NULL ? stream->spec->name : "unknown program",
			    specs_stream_name(stream->number), waiting,
			    stream->error < 0 ? strerror(-stream->error)
					      : "there was no end of them");
	}
	/* What was said just now. */
	(void)finish_round(streams);
}

/* One turn for every pipe; true if there may be more. */
static bool finish_round(struct streams *streams)
{
	struct stream *stream, *next;
	bool more = false;

	LIST_FOREACH_SAFE(stream, &streams->list, link, next)
	{
		if (stream->spec == NULL)
			continue;
		switch (streams_pump(streams, stream, LIMIT_LOG_BUDGET, true)) {
		case STREAM_BUSY:
			more = true;
			break;
		case STREAM_ENDED:
			streams_forget(streams, stream);
			break;
		case STREAM_DRY:
		case STREAM_WAITS:
		case STREAM_BROKEN:
			break;
		}
	}
	return more;
}

static bool is_waiting_for_sinks(const struct streams *streams)
{
	const struct stream *stream;

	LIST_FOREACH (stream, &streams->list, link)
		if (stream->error == -EAGAIN && stream_count_waiting(stream) > 0)
			return true;
	return false;
}
