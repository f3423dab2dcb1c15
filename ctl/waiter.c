/* SPDX-License-Identifier: ISC */
/* waiter.c: see waiter.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl/connect.h"
#include "ctl/program.h"
#include "ctl/waiter.h"
#include "lib/clock.h"
#include "lib/limits.h"
#include "lib/signame.h"

/* How long a lost connection is tried again. */
#define GIVE_UP_NS (5 * NS_PER_S)

static bool send_request(struct waiter *waiter);
static int lose(struct waiter *waiter);
static int take_reply(struct waiter *waiter, char *text, size_t length, struct waiter_end *ret_end);
static void read_end(const struct program *program, struct waiter_end *ret_end);

void waiter_init(struct waiter *waiter, struct ctl *ctl, const char *name)
{
	*waiter = (struct waiter){.name = name, .fd = -1};
	call_init(&waiter->call, ctl, "Wait", false);
	jsonw_member_string(&waiter->call.request, "name", name);
	call_end_request(&waiter->call);
	varlink_input_init(&waiter->in, LIMIT_VARLINK_BYTES);
}

void waiter_done(struct waiter *waiter)
{
	if (waiter->fd >= 0)
		close(waiter->fd);
	varlink_input_done(&waiter->in);
	call_done(&waiter->call);
}

int waiter_look(struct waiter *waiter, struct waiter_end *ret_end)
{
	size_t length;
	char *text;
	int r;

	if (waiter->fd < 0 && !send_request(waiter))
		return lose(waiter);
	for (;;) {
		if (varlink_input_next(&waiter->in, &text, &length) == 1)
			return take_reply(waiter, text, length, ret_end);
		r = varlink_input_fill(&waiter->in, waiter->fd);
		if (r == -EAGAIN)
			return 0;
		if (r <= 0)
			return lose(waiter);
	}
}

static bool send_request(struct waiter *waiter)
{
	const struct jsonw *request = &waiter->call.request;
	struct varlink_output out;
	int r;

	if (connect_daemon(waiter->call.ctl, true, &waiter->fd) != EXITCODE_OK) {
		waiter->fd = -1;
		return false;
	}
	varlink_input_done(&waiter->in);
	varlink_input_init(&waiter->in, LIMIT_VARLINK_BYTES);
	varlink_output_init(&out, LIMIT_CONTROL_QUEUE);
	/* It is smaller than any socket's buffer. */
	r = varlink_output_send(&out, waiter->fd, request->data, request->length);
	varlink_output_done(&out);
	return r == 0;
}

/* 0, or -1 when it was tried long enough. */
static int lose(struct waiter *waiter)
{
	int64_t now_ns = clock_boot_ns();

	if (waiter->fd >= 0)
		close(waiter->fd);
	waiter->fd = -1;
	if (waiter->give_up_ns == 0)
		waiter->give_up_ns = now_ns + GIVE_UP_NS;
	if (now_ns < waiter->give_up_ns)
		return 0;
	ctl_complain(waiter->call.ctl, "%s: connection to supervisord lost; the program goes on",
	    waiter->name);
	return -1;
}

static int take_reply(struct waiter *waiter, char *text, size_t length, struct waiter_end *ret_end)
{
	struct jsonr *reply = &waiter->call.reply;
	int r = jsonr_parse(reply, text, length, LIMIT_VARLINK_DEPTH), parameters, result;
	struct waiter_end end = {0};
	struct program program;
	const char *error;

	close(waiter->fd);
	waiter->fd = -1;
	waiter->give_up_ns = 0;
	parameters = r < 0 ? -1 : jsonr_member(reply, JSONR_ROOT, "parameters");
	error = r < 0 ? NULL : jsonr_text(reply, jsonr_member(reply, JSONR_ROOT, "error"), NULL);
	if (error != NULL) {
		(void)call_explain_error(&waiter->call, error, parameters);
		return -1;
	}
	result = r < 0 ? -1 : jsonr_first(reply, jsonr_member(reply, parameters, "results"));
	if (result < 0 ||
	    program_read(reply, jsonr_member(reply, result, "program"), &program) < 0) {
		ctl_complain(waiter->call.ctl, "%s: cannot understand the reply", waiter->name);
		return -1;
	}
	read_end(&program, &end);
	end.unlogged = jsonr_int(reply, jsonr_member(reply, parameters, "unlogged_bytes"), 0);
	*ret_end = end;
	return 1;
}

static void read_end(const struct program *program, struct waiter_end *ret_end)
{
	int signal;

	ret_end->ended = strcmp(program->state, "STOPPED") == 0 ||
			 strcmp(program->state, "EXITED") == 0 ||
			 strcmp(program->state, "FATAL") == 0;
	(void)snprintf(ret_end->reason, sizeof(ret_end->reason), "%s%s%s", program->state,
	    program->reason[0] != '\0' ? ": " : "", program->reason);
	if (program->exit_signal != NULL) {
		signal = signame_parse(program->exit_signal);
		ret_end->code = 128 + (signal > 0 ? signal : 0);
	} else if (program->exit_status >= 0) {
		ret_end->code = (int)program->exit_status;
	} else {
		ret_end->failed_to_start = true;
		ret_end->code = EXITCODE_FAILED;
	}
}
