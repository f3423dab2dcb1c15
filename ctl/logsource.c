/* SPDX-License-Identifier: ISC */
/* logsource.c: see logsource.h. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "ctl/connect.h"
#include "ctl/logsource.h"

/* How long a lost connection is tried again. */
#define GIVE_UP_NS (5 * NS_PER_S)
/* A connection that was lost after this long does not count as a failed try. */
#define LASTED_NS (1 * NS_PER_S)

static void write_request(struct logsource *source);
static bool connect_and_send(struct logsource *source);
static void lose(struct logsource *source);
static enum logsource_state take_reply(struct logsource *source, char *text, size_t length);
static void handle_error(struct logsource *source, const char *error, int parameters);
static int keep_data(struct logsource *source, int parameters);
static bool make_room(struct logsource *source, size_t length);
static bool has_line(const struct logsource *source);
static void read_line(
    struct logsource *source, size_t length, size_t took, struct logline *ret_line);

int logsource_init(struct logsource *source, struct ctl *ctl, const struct log_query *query,
    const char *name, const char *program)
{
	*source = (struct logsource){.name = strdup(name),
	    .program = strdup(program),
	    .ctl = ctl,
	    .query = query,
	    .fd = -1,
	    .note_at = SIZE_MAX,
	    .time_ns = LOGLINE_NO_TIME};
	if (source->name == NULL || source->program == NULL) {
		free(source->name);
		free(source->program);
		return -ENOMEM;
	}
	call_init(&source->call, ctl, "Logs", true);
	varlink_input_init(&source->in, LIMIT_VARLINK_BYTES);
	logline_reader_init(&source->lines);
	return 0;
}

void logsource_done(struct logsource *source)
{
	if (source->fd >= 0)
		close(source->fd);
	call_done(&source->call);
	varlink_input_done(&source->in);
	logline_reader_done(&source->lines);
	free(source->data);
	free(source->name);
	free(source->program);
}

void logsource_begin(struct logsource *source, bool follow)
{
	source->follow = follow;
	source->has_ended = false;
	if (follow && source->next[0] == '\0') {
		ctl_complain(source->ctl,
		    "%s: this supervisord is older than superctl, and cannot be followed",
		    source->name);
		logsource_end(source, EXITCODE_FAILED);
	}
	source->give_up_ns = clock_boot_ns() + GIVE_UP_NS;
	source->connected_ns = INT64_MAX;
}

void logsource_end(struct logsource *source, enum exitcode code)
{
	source->code = code;
	source->has_ended = true;
	if (source->fd >= 0)
		close(source->fd);
	source->fd = -1;
}

enum logsource_state logsource_read(struct logsource *source)
{
	size_t length;
	char *text;
	int r;

	if (has_line(source))
		return LOGSOURCE_DATA;
	if (source->has_ended)
		return LOGSOURCE_ENDED;
	if (source->fd < 0 && !connect_and_send(source))
		return source->has_ended ? LOGSOURCE_ENDED : LOGSOURCE_OFF;
	for (;;) {
		if (varlink_input_next(&source->in, &text, &length) == 1)
			return take_reply(source, text, length);
		r = varlink_input_fill(&source->in, source->fd);
		if (r == -EAGAIN)
			return LOGSOURCE_WAIT;
		if (r == -EMSGSIZE || r == -ENOMEM) {
			ctl_complain(source->ctl, "%s: cannot read the reply: %s", source->name,
			    strerror(-r));
			logsource_end(source, EXITCODE_FAILED);
			return LOGSOURCE_ENDED;
		}
		if (r <= 0) {
			lose(source);
			return source->has_ended ? LOGSOURCE_ENDED : LOGSOURCE_OFF;
		}
	}
}

enum logsource_state logsource_wait(struct logsource *source)
{
	for (;;) {
		enum logsource_state state = logsource_read(source);
		struct pollfd ready = {.fd = source->fd, .events = POLLIN};

		switch (state) {
		case LOGSOURCE_DATA:
		case LOGSOURCE_ENDED:
			return state;
		case LOGSOURCE_WAIT:
			(void)poll(&ready, 1, -1);
			break;
		case LOGSOURCE_OFF:
			(void)poll(NULL, 0, LOGSOURCE_PAUSE_MS);
			break;
		}
	}
}

bool logsource_take_line(struct logsource *source, struct logline *ret_line)
{
	const char *start = source->data + source->start;
	const char *newline;

	if (!has_line(source))
		return false;
	newline = memchr(start, '\n', source->end - source->start);
	if (newline != NULL)
		read_line(
		    source, (size_t)(newline - start), (size_t)(newline - start) + 1, ret_line);
	else
		read_line(source, LIMIT_LOG_SHOWN_LINE, LIMIT_LOG_SHOWN_LINE, ret_line);
	return true;
}

bool logsource_take_rest(struct logsource *source, struct logline *ret_line)
{
	size_t length = source->end - source->start;

	if (length == 0 || has_line(source))
		return false;
	read_line(source, length, length, ret_line);
	return true;
}

const char *logsource_take_bytes(struct logsource *source, size_t *ret_length)
{
	const char *bytes = source->data + source->start;

	*ret_length = source->end - source->start;
	source->start = source->end;
	source->part_since_ns = 0;
	return bytes;
}

static void write_request(struct logsource *source)
{
	struct call *call = &source->call;

	call_done(call);
	call_init(call, source->ctl, "Logs", true);
	jsonw_member_string(&call->request, "name", source->name);
	if (source->next[0] != '\0')
		jsonw_member_string(&call->request, "from", source->next);
	else if (source->query->since != NULL)
		jsonw_member_string(&call->request, "since", source->query->since);
	else
		jsonw_member_int(&call->request, "lines", source->query->lines);
	if (source->follow)
		jsonw_member_bool(&call->request, "follow", true);
	if (source->query->of_stderr)
		jsonw_member_bool(&call->request, "stderr", true);
	call_end_request(call);
}

/* False: not now (OFF), or not any more (ENDED). */
static bool connect_and_send(struct logsource *source)
{
	bool is_first = source->next[0] == '\0' && !source->has_format;
	struct varlink_output out;
	enum exitcode code;
	int r;

	/* The first time, nobody there is an error; later on it may be a restart. */
	code = connect_daemon(source->ctl, !is_first, &source->fd);
	if (code != EXITCODE_OK && is_first) {
		logsource_end(source, code);
		return false;
	}
	if (code != EXITCODE_OK) {
		lose(source);
		return false;
	}
	source->connected_ns = clock_boot_ns();
	write_request(source);
	varlink_input_done(&source->in);
	varlink_input_init(&source->in, LIMIT_VARLINK_BYTES);
	varlink_output_init(&out, LIMIT_CONTROL_QUEUE);
	r = jsonw_error(&source->call.request);
	/* A request is smaller than any socket's buffer. */
	if (r == 0)
		r = varlink_output_send(
		    &out, source->fd, source->call.request.data, source->call.request.length);
	varlink_output_done(&out);
	if (r < 0 && r != -EPIPE)
		lose(source);
	return source->fd >= 0;
}

/* The connection ended before the last reply: the next step connects again, for some time. */
static void lose(struct logsource *source)
{
	int64_t now_ns = clock_boot_ns();

	if (source->fd >= 0)
		close(source->fd);
	source->fd = -1;
	/* One that lasted was waiting for a logger, which is started at ever longer intervals when
	 * it dies often. */
	if (source->give_up_ns == 0 || now_ns - source->connected_ns > LASTED_NS)
		source->give_up_ns = now_ns + GIVE_UP_NS;
	source->connected_ns = INT64_MAX;
	/* A daemon that does not say where it ended cannot be asked to go on there. */
	if (now_ns < source->give_up_ns && (!source->has_format || source->next[0] != '\0'))
		return;
	ctl_complain(source->ctl, "%s: connection to supervisord lost", source->name);
	logsource_end(source, EXITCODE_FAILED);
}

static enum logsource_state take_reply(struct logsource *source, char *text, size_t length)
{
	struct jsonr *reply = &source->call.reply;
	int r = jsonr_parse(reply, text, length, LIMIT_VARLINK_DEPTH);
	const char *error;
	int parameters;
	bool continues;

	if (r < 0 || !jsonr_is(reply, JSONR_ROOT, JSONR_OBJECT)) {
		ctl_complain(source->ctl, "%s: cannot understand the reply: %s", source->name,
		    r == -ENOMEM ? strerror(ENOMEM) : "it is not Varlink");
		logsource_end(source, EXITCODE_FAILED);
		return LOGSOURCE_ENDED;
	}
	parameters = jsonr_member(reply, JSONR_ROOT, "parameters");
	error = jsonr_text(reply, jsonr_member(reply, JSONR_ROOT, "error"), NULL);
	if (error != NULL) {
		handle_error(source, error, parameters);
		return source->has_ended ? LOGSOURCE_ENDED : LOGSOURCE_OFF;
	}
	source->give_up_ns = 0;
	continues = jsonr_bool(reply, jsonr_member(reply, JSONR_ROOT, "continues"), false);
	r = keep_data(source, parameters);
	if (r < 0) {
		ctl_complain(source->ctl, "%s: %s", source->name, strerror(-r));
		logsource_end(source, EXITCODE_FAILED);
		return LOGSOURCE_ENDED;
	}
	if (!continues)
		logsource_end(source, EXITCODE_OK);
	return LOGSOURCE_DATA;
}

static void handle_error(struct logsource *source, const char *error, int parameters)
{
	bool is_busy = strcmp(error, "io.superctl.Busy") == 0;

	/* While it is restarted there may be a crowd. */
	if (is_busy && source->has_format) {
		lose(source);
		return;
	}
	source->has_no_log = strcmp(error, "io.superctl.NoLog") == 0;
	if (source->has_no_log && !source->is_named)
		logsource_end(source, EXITCODE_FAILED);
	else
		logsource_end(source, call_explain_error(&source->call, error, parameters));
}

/* What a reply says; the parts that are missing are those of an older daemon. */
static int keep_data(struct logsource *source, int parameters)
{
	struct jsonr *reply = &source->call.reply;
	bool lost = jsonr_bool(reply, jsonr_member(reply, parameters, "lost"), false);
	const char *next = jsonr_text(reply, jsonr_member(reply, parameters, "next"), "");
	const char *format = jsonr_text(reply, jsonr_member(reply, parameters, "format"), "raw");
	size_t length = 0;
	const char *bytes = jsonr_bytes(reply, jsonr_member(reply, parameters, "data"), &length);

	source->format = logline_format_of(format);
	source->has_format = true;
	if (strlen(next) >= sizeof(source->next))
		return -EMSGSIZE;
	memcpy(source->next, next, strlen(next) + 1);
	if (bytes == NULL || length == 0)
		return 0;
	if (!make_room(source, length + 1))
		return -ENOMEM;
	/* The line that was begun has lost its end. */
	if (lost && source->end > source->start)
		source->data[source->end++] = '\n';
	source->note_at = lost ? source->end : SIZE_MAX;
	memcpy(source->data + source->end, bytes, length);
	source->end += length;
	if (source->part_since_ns == 0)
		source->part_since_ns = clock_boot_ns();
	return 0;
}

static bool make_room(struct logsource *source, size_t length)
{
	size_t used = source->end - source->start;
	size_t size = source->size > 0 ? source->size : 4096;
	char *data;

	if (used > 0 && source->start > 0)
		memmove(source->data, source->data + source->start, used);
	source->start = 0;
	source->end = used;
	if (length <= source->size - used)
		return true;
	while (size - used < length)
		size *= 2;
	data = realloc(source->data, size);
	if (data == NULL)
		return false;
	source->data = data;
	source->size = size;
	return true;
}

/* A line that is too long to wait for its end counts as one. */
static bool has_line(const struct logsource *source)
{
	size_t length = source->end - source->start;

	return length > 0 && (length >= LIMIT_LOG_SHOWN_LINE ||
				 memchr(source->data + source->start, '\n', length) != NULL);
}

static void read_line(
    struct logsource *source, size_t length, size_t took, struct logline *ret_line)
{
	bool is_note = source->start == source->note_at;

	logline_read(&source->lines, is_note ? LOGLINE_RAW : source->format,
	    source->data + source->start, length, ret_line);
	ret_line->is_note = is_note;
	if (is_note)
		source->note_at = SIZE_MAX;
	source->start += took;
	source->part_since_ns = source->start < source->end ? clock_boot_ns() : 0;
	if (ret_line->time_ns != LOGLINE_NO_TIME)
		source->time_ns = ret_line->time_ns;
}
