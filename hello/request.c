/* SPDX-License-Identifier: ISC */
/*
 * request.c: see request.h.  Here: the loop, the request line, and the frame of the fields.  What
 * the fields mean is in field.c, the body in body.c.
 *
 * Each state has one step function that takes at least one byte, or a run of like bytes, and sets
 * the next state.  The limits are kept by the loop alone: a step never sees more bytes than there
 * is room for, so that a limit strikes at the same byte however the input was cut.
 */
#include <string.h>

#include "hello/body.h"
#include "hello/chars.h"
#include "hello/field.h"
#include "hello/request.h"
#include "lib/limits.h"

typedef const char *step_function(struct request *r, const char *p, const char *end);

static step_function step_start, step_start_lf, step_method, step_target, step_version;
static step_function step_line_cr, step_line_lf, step_field, step_name, step_value, step_value_lf;
static step_function step_head_lf, step_done;
static int overflow_status(const struct request *r);
static bool is_counted(enum request_state state);
static enum request_method find_method(const char *word, size_t length);
static int check_target(const struct request *r);
static void end_head(struct request *r);

/* clang-format off */
static step_function *const steps[] = {
	[STATE_START] = step_start,
	[STATE_START_LF] = step_start_lf,
	[STATE_METHOD] = step_method,
	[STATE_TARGET] = step_target,
	[STATE_VERSION] = step_version,
	[STATE_LINE_CR] = step_line_cr,
	[STATE_LINE_LF] = step_line_lf,
	[STATE_FIELD] = step_field,
	[STATE_NAME] = step_name,
	[STATE_VALUE] = step_value,
	[STATE_VALUE_LF] = step_value_lf,
	[STATE_HEAD_LF] = step_head_lf,
	[STATE_BODY] = body_step,
	[STATE_CHUNK_SIZE] = body_step_size,
	[STATE_CHUNK_BLANK] = body_step_blank,
	[STATE_CHUNK_EXTENSION] = body_step_extension,
	[STATE_CHUNK_LF] = body_step_lf,
	[STATE_CHUNK_DATA] = body_step_data,
	[STATE_CHUNK_END_CR] = body_step_end_cr,
	[STATE_CHUNK_END_LF] = body_step_end_lf,
	[STATE_DONE] = step_done,
};
/* clang-format on */

void request_reset(struct request *r)
{
	/* The two texts are left as they are: their lengths say what of them is valid. */
	memset(r, 0, offsetof(struct request, word));
	r->room = LIMIT_HELLO_HEAD;
}

bool request_feed(struct request *r, const char *data, size_t length, size_t *ret_used)
{
	const char *p = data, *end = data + length;

	while (p < end && r->state != STATE_DONE) {
		const char *next;

		if (!is_counted(r->state)) {
			p = steps[r->state](r, p, end);
			continue;
		}
		if (r->room == 0) {
			request_fail(r, overflow_status(r));
			break;
		}
		next = steps[r->state](r, p, (size_t)(end - p) > r->room ? p + r->room : end);
		r->room -= (uint32_t)(next - p);
		p = next;
	}
	*ret_used = (size_t)(p - data);
	return r->state == STATE_DONE;
}

bool request_is_idle(const struct request *r)
{
	return r->state == STATE_START;
}

bool request_is_in_body(const struct request *r)
{
	return r->trailers || (r->state >= STATE_BODY && r->state < STATE_DONE);
}

bool request_take_continue(struct request *r)
{
	if (!r->expects || !request_is_in_body(r))
		return false;
	r->expects = false;
	return true;
}

void request_fail(struct request *r, int status)
{
	r->status = status;
	r->close = true;
	r->broken = true;
	r->state = STATE_DONE;
}

static bool is_counted(enum request_state state)
{
	return state != STATE_BODY && state != STATE_CHUNK_DATA;
}

static int overflow_status(const struct request *r)
{
	if (r->state <= STATE_TARGET)
		return 414;
	if (r->state >= STATE_CHUNK_SIZE)
		return 400;
	return 431;
}

/* RFC 9112 2.2: empty lines before the request line are skipped. */
static const char *step_start(struct request *r, const char *p, const char *end)
{
	(void)end;
	if (*p == '\r') {
		r->state = STATE_START_LF;
		return p + 1;
	}
	r->state = STATE_METHOD;
	return p;
}

static const char *step_start_lf(struct request *r, const char *p, const char *end)
{
	(void)end;
	if (*p == '\n')
		r->state = STATE_START;
	else
		request_fail(r, 400);
	return p + 1;
}

static const char *step_method(struct request *r, const char *p, const char *end)
{
	for (; p < end && chars_has(*p, CHARS_TOKEN); p++)
		field_add_byte(r, *p);
	if (p == end)
		return p;
	if (*p != ' ' || r->word_length == 0) {
		request_fail(r, 400);
		return p + 1;
	}
	r->method = find_method(r->word, r->word_length);
	r->state = STATE_TARGET;
	return p + 1;
}

static const char *step_target(struct request *r, const char *p, const char *end)
{
	int status;

	for (; p < end && chars_has(*p, CHARS_TARGET); p++) {
		if (r->target_length < REQUEST_TARGET)
			r->target[r->target_length] = *p;
		r->target_length++;
	}
	if (p == end)
		return p;
	status = *p == ' ' ? check_target(r) : 400;
	if (status)
		request_fail(r, status);
	else
		r->state = STATE_VERSION;
	r->word_length = 0;
	return p + 1;
}

/* "HTTP/1.1", byte by byte.  word_length counts them, word[0] is the major version. */
static const char *step_version(struct request *r, const char *p, const char *end)
{
	static const char form[] = "HTTP/0.0";
	uint32_t at = r->word_length++;
	bool is_digit = *p >= '0' && *p <= '9';

	(void)end;
	if (form[at] == '0' ? !is_digit : *p != form[at]) {
		request_fail(r, 400);
	} else if (at == 5) {
		r->word[0] = *p;
	} else if (at == 7) {
		r->is_old = *p == '0';
		r->state = STATE_LINE_CR;
		if (r->word[0] != '1')
			request_fail(r, 505);
	}
	return p + 1;
}

static const char *step_line_cr(struct request *r, const char *p, const char *end)
{
	(void)end;
	if (*p == '\r')
		r->state = STATE_LINE_LF;
	else
		request_fail(r, 400);
	return p + 1;
}

static const char *step_line_lf(struct request *r, const char *p, const char *end)
{
	(void)end;
	if (*p == '\n')
		r->state = STATE_FIELD;
	else
		request_fail(r, 400);
	return p + 1;
}

/* At the start of a field line.  A blank here would continue the line before: refused. */
static const char *step_field(struct request *r, const char *p, const char *end)
{
	(void)end;
	if (*p == '\r') {
		r->state = STATE_HEAD_LF;
		return p + 1;
	}
	r->word_length = 0;
	r->state = STATE_NAME;
	return p;
}

static const char *step_name(struct request *r, const char *p, const char *end)
{
	for (; p < end && chars_has(*p, CHARS_TOKEN); p++)
		field_add_byte(r, (char)(*p | 0x20));
	if (p == end)
		return p;
	if (*p != ':' || r->word_length == 0) {
		request_fail(r, 400);
		return p + 1;
	}
	r->state = STATE_VALUE;
	field_begin(r);
	return p + 1;
}

static const char *step_value(struct request *r, const char *p, const char *end)
{
	const char *first = p;

	while (p < end && chars_has(*p, CHARS_VALUE))
		p++;
	if (r->field != FIELD_OTHER)
		field_add_value(r, first, (size_t)(p - first));
	if (p == end || r->state == STATE_DONE)
		return p;
	if (*p == '\r')
		r->state = STATE_VALUE_LF;
	else
		request_fail(r, 400);
	return p + 1;
}

static const char *step_value_lf(struct request *r, const char *p, const char *end)
{
	(void)end;
	r->state = STATE_FIELD;
	if (*p == '\n')
		field_end(r);
	else
		request_fail(r, 400);
	return p + 1;
}

static const char *step_head_lf(struct request *r, const char *p, const char *end)
{
	(void)end;
	if (*p != '\n')
		request_fail(r, 400);
	else if (r->trailers)
		r->state = STATE_DONE;
	else
		end_head(r);
	return p + 1;
}

static const char *step_done(struct request *r, const char *p, const char *end)
{
	(void)r;
	(void)p;
	return end;
}

static enum request_method find_method(const char *word, size_t length)
{
	static const struct {
		const char *name;
		enum request_method method;
	} methods[] = {
	    {"GET", METHOD_GET},
	    {"HEAD", METHOD_HEAD},
	    {"CONNECT", METHOD_CONNECT},
	    {"OPTIONS", METHOD_OPTIONS},
	    {"POST", METHOD_OTHER},
	    {"PUT", METHOD_OTHER},
	    {"DELETE", METHOD_OTHER},
	    {"TRACE", METHOD_OTHER},
	    {"PATCH", METHOD_OTHER},
	};

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (strlen(methods[i].name) == length && !memcmp(methods[i].name, word, length))
			return methods[i].method;
	return METHOD_UNKNOWN;
}

/* RFC 9112 3.2: "/path", "scheme://...", for CONNECT "host:port", for OPTIONS also "*". */
static int check_target(const struct request *r)
{
	size_t length = r->target_length < REQUEST_TARGET ? r->target_length : REQUEST_TARGET;
	size_t i = 0;

	if (length == 0)
		return 400;
	if (r->target[0] == '/' || r->method == METHOD_CONNECT)
		return 0;
	if (length == 1 && r->target[0] == '*')
		return r->method == METHOD_OPTIONS ? 0 : 400;
	while (i < length && chars_has(r->target[i], CHARS_TOKEN))
		i++;
	return i > 0 && length - i >= 3 && !memcmp(r->target + i, "://", 3) ? 0 : 400;
}

static void end_head(struct request *r)
{
	int status = field_check(r);

	if (status) {
		request_fail(r, status);
		return;
	}
	if (r->method == METHOD_GET || r->method == METHOD_HEAD)
		r->status = 200;
	else
		r->status = r->method == METHOD_UNKNOWN ? 501 : 405;
	r->close = r->close || (r->is_old && !r->keep);
	/* The bytes after the head of a CONNECT may be meant for somebody else. */
	if (r->method == METHOD_CONNECT)
		r->close = true;
	body_begin(r);
	/* Who asked before sending the body and is refused may or may not send it: the end. */
	if (r->state != STATE_DONE && r->expects && r->status != 200) {
		r->close = true;
		r->broken = true;
		r->state = STATE_DONE;
	}
}
