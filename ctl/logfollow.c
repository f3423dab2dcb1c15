/* SPDX-License-Identifier: ISC */
/* logfollow.c: what the logs get from now on; see logview.h. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "ctl/logview.h"

/* Replies of one log before the others have their turn. */
#define TURN 16
/* A line that has no end yet is shown after this. */
#define PART_NS (2 * NS_PER_S)

static bool serve(struct logview *view, struct logsource *source, int *timeout_ms);
static void show_read(struct logview *view, struct logsource *source);
static void offer(struct logview *view, struct logsource *source, const struct logline *line);
static void show_part(struct logview *view, struct logsource *source, int *timeout_ms);
static enum exitcode wait_for_some(
    const struct logview *view, struct pollfd *polls, int timeout_ms);
static void lower(int *timeout_ms, int64_t to_ms);

enum exitcode logfollow_run(struct logview *view)
{
	struct pollfd *polls = calloc(view->count + 1, sizeof(*polls));
	enum exitcode code = EXITCODE_OK;

	if (polls == NULL) {
		ctl_complain(view->ctl, "out of memory");
		return EXITCODE_FAILED;
	}
	for (size_t i = 0; i < view->count; i++)
		if (view->sources[i].code == EXITCODE_OK)
			logsource_begin(&view->sources[i], true);
	while (code == EXITCODE_OK) {
		bool is_over = true;
		int timeout_ms = -1;

		for (size_t i = 0; i < view->count; i++)
			if (serve(view, &view->sources[i], &timeout_ms))
				is_over = false;
		if (out_flush(&view->ctl->out) < 0)
			code = EXITCODE_FAILED;
		else if (is_over)
			break;
		else
			code = wait_for_some(view, polls, timeout_ms);
	}
	free(polls);
	return code;
}

/* What one log has now.  False: it has ended. */
static bool serve(struct logview *view, struct logsource *source, int *timeout_ms)
{
	struct logline line;

	for (int i = 0; i < TURN; i++) {
		switch (logsource_read(source)) {
		case LOGSOURCE_DATA:
			show_read(view, source);
			break;
		case LOGSOURCE_WAIT:
			show_part(view, source, timeout_ms);
			return true;
		case LOGSOURCE_OFF:
			lower(timeout_ms, LOGSOURCE_PAUSE_MS);
			return true;
		case LOGSOURCE_ENDED:
			if (logsource_take_rest(source, &line))
				offer(view, source, &line);
			return false;
		}
	}
	lower(timeout_ms, 0);
	return true;
}

static void show_read(struct logview *view, struct logsource *source)
{
	struct logline line;

	if (logview_is_plain(view)) {
		size_t length;
		const char *bytes = logsource_take_bytes(source, &length);

		out_bytes(&view->ctl->out, bytes, length);
		return;
	}
	while (logsource_take_line(source, &line))
		offer(view, source, &line);
}

static void offer(struct logview *view, struct logsource *source, const struct logline *line)
{
	if (logview_wants(view, source, line))
		logview_show(view, source, line);
}

/* A line without end waits for it, but not for ever. */
static void show_part(struct logview *view, struct logsource *source, int *timeout_ms)
{
	struct logline line;
	int64_t left_ns;

	if (source->part_since_ns == 0)
		return;
	left_ns = source->part_since_ns + PART_NS - clock_boot_ns();
	if (left_ns > 0)
		lower(timeout_ms, left_ns / NS_PER_MS + 1);
	else if (logsource_take_rest(source, &line))
		offer(view, source, &line);
}

/* Until a log has something, or nobody reads what is printed any more. */
static enum exitcode wait_for_some(const struct logview *view, struct pollfd *polls, int timeout_ms)
{
	for (size_t i = 0; i < view->count; i++)
		polls[i] = (struct pollfd){
		    .fd = view->sources[i].has_ended ? -1 : view->sources[i].fd, .events = POLLIN};
	polls[view->count] = (struct pollfd){.fd = STDOUT_FILENO};
	if (poll(polls, view->count + 1, timeout_ms) < 0 && errno != EINTR)
		return EXITCODE_FAILED;
	return polls[view->count].revents != 0 ? EXITCODE_FAILED : EXITCODE_OK;
}

static void lower(int *timeout_ms, int64_t to_ms)
{
	if (*timeout_ms < 0 || to_ms < *timeout_ms)
		*timeout_ms = (int)to_ms;
}
