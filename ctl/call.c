/* SPDX-License-Identifier: ISC */
/* call.c: see call.h. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/limits.h"
#include "lib/varlink.h"
#include "ctl/call.h"
#include "ctl/connect.h"

#define RETRY_NS       (2 * NS_PER_S)
#define RETRY_PAUSE_MS 50

/* An engine that died often is only started again after a while, and what was sent waits in its
 * socket: after so long it is asked whether it is there, and has so long to say so. */
#define SILENCE_MS 3000
#define PROBE_MS   1000

/* What a try came to; past OK and LOST the user was told. */
enum attempt { ATTEMPT_ENDED, ATTEMPT_LOST };

static enum attempt try_once(
    struct call *call, bool again, bool *ret_replied, int *ret_fd, enum exitcode *ret_code);
static enum exitcode send_request(struct call *call, int fd, bool *ret_lost);
static enum exitcode read_replies(
    struct call *call, struct varlink_input *in, int fd, bool *ret_replied, bool *ret_lost);
static enum exitcode await_reply(struct call *call, int fd, bool replied);
static bool is_away(struct call *call);
static enum exitcode handle_reply(struct call *call, char *text, size_t length, bool *ret_more);

void call_init(struct call *call, struct ctl *ctl, const char *method, bool more)
{
	struct jsonw *request = &call->request;

	*call = (struct call){.ctl = ctl, .signal_fd = -1};
	jsonr_init(&call->reply);
	jsonw_init(request, LIMIT_VARLINK_BYTES);
	jsonw_begin_object(request);
	jsonw_key(request, "method");
	jsonw_raw(request, "\"io.superctl.", strlen("\"io.superctl."));
	jsonw_raw(request, method, strlen(method));
	jsonw_raw(request, "\",", 2);
	if (more)
		jsonw_member_bool(request, "more", true);
	jsonw_key(request, "parameters");
	jsonw_begin_object(request);
}

void call_set_follow(struct call *call, bool follow)
{
	call->read_only = true;
	if (!follow)
		return;
	jsonw_member_bool(&call->request, "follow", true);
	call->ends_with_peer = true;
	call->ends_with_output = true;
}

void call_done(struct call *call)
{
	if (call->signal_fd >= 0)
		close(call->signal_fd);
	call->signal_fd = -1;
	jsonw_done(&call->request);
	jsonr_done(&call->reply);
}

void call_end_request(struct call *call)
{
	jsonw_end_object(&call->request);
	jsonw_end_object(&call->request);
	jsonw_raw(&call->request, "", 1);
}

void call_add_names(struct call *call, size_t first)
{
	const struct options *options = &call->ctl->options;

	jsonw_key(&call->request, "names");
	jsonw_begin_array(&call->request);
	for (size_t i = first; i < options->name_count; i++)
		jsonw_string(&call->request, options->names[i]);
	jsonw_end_array(&call->request);
}

/* A timeout of less than a millisecond is not "no timeout". */
static int64_t round_up_ms(int64_t ns)
{
	return ns / NS_PER_MS + (ns % NS_PER_MS > 0);
}

/* Longer than anybody waits is as long as the engine takes. */
static int64_t timeout_ms(const struct options *options)
{
	const int64_t ms = round_up_ms(options->timeout_ns);

	return ms < LIMIT_TIMEOUT_MS ? ms : LIMIT_TIMEOUT_MS;
}

void call_add_wait(struct call *call)
{
	const struct options *options = &call->ctl->options;

	jsonw_member_bool(&call->request, "wait", (options->set & OPTION_NO_WAIT) == 0);
	if (options->set & OPTION_TIMEOUT)
		jsonw_member_int(&call->request, "timeout_ms", timeout_ms(options));
	if (options->set & OPTION_FORCE)
		jsonw_member_bool(&call->request, "force", true);
	if (options->set & OPTION_ROLLING)
		jsonw_member_bool(&call->request, "rolling", true);
}

void call_set_wait(struct call *call, const char *what, int grace_ms)
{
	const struct options *options = &call->ctl->options;
	sigset_t interrupt;

	if (options->set & OPTION_NO_WAIT)
		return;
	if (options->set & OPTION_TIMEOUT) {
		int64_t now = clock_boot_ns();
		int64_t wait = options->timeout_ns;

		if (__builtin_add_overflow(wait, now + grace_ms * NS_PER_MS, &call->deadline_ns))
			call->deadline_ns = 0;
	}
	call->goes_on = what;
	sigemptyset(&interrupt);
	sigaddset(&interrupt, SIGINT);
	call->signal_fd = signalfd(-1, &interrupt, SFD_CLOEXEC | SFD_NONBLOCK);
	if (call->signal_fd >= 0)
		sigprocmask(SIG_BLOCK, &interrupt, NULL);
}

enum exitcode call_run(struct call *call)
{
	int fd = -1;
	enum exitcode code = call_run_keep(call, &fd);

	if (fd >= 0)
		close(fd);
	return code;
}

enum exitcode call_run_keep(struct call *call, int *ret_fd)
{
	int64_t retry_until = clock_boot_ns() + RETRY_NS;
	enum exitcode code = EXITCODE_OK;
	bool replied = false;
	bool again = false;

	*ret_fd = -1;
	call_end_request(call);
	if (jsonw_error(&call->request) < 0) {
		ctl_complain(call->ctl, "the command is too long: %s",
		    strerror(-jsonw_error(&call->request)));
		return EXITCODE_USAGE;
	}
	while (try_once(call, again, &replied, ret_fd, &code) == ATTEMPT_LOST) {
		if (replied && call->ends_with_peer)
			return EXITCODE_OK;
		again = call->read_only && !replied && clock_boot_ns() < retry_until;
		if (!again) {
			ctl_complain(call->ctl, "connection to supervisord lost%s",
			    call->read_only ? ""
					    : "; the command may have been done or not: "
					      "superctl status shows what is");
			return EXITCODE_FAILED;
		}
		code = call_wait(call, -1, 0, RETRY_PAUSE_MS);
		if (code != EXITCODE_OK)
			return code;
	}
	return code;
}

enum exitcode call_wait(struct call *call, int fd, short events, int at_most_ms)
{
	struct pollfd polls[] = {
	    {.fd = fd, .events = events},
	    {.fd = call->signal_fd, .events = POLLIN},
	    {.fd = call->ends_with_output ? STDOUT_FILENO : -1, .events = 0},
	    {.fd = call->ctl->enough_fd > 0 ? call->ctl->enough_fd : -1, .events = POLLIN},
	};
	int64_t timeout_ms = at_most_ms;
	bool is_last = false; /* when this wait ends with nothing, so does the time for the call */
	int ready;

	if (call->deadline_ns > 0) {
		int64_t left_ms = round_up_ms(call->deadline_ns - clock_boot_ns());

		is_last = timeout_ms < 0 || left_ms <= timeout_ms;
		if (is_last)
			timeout_ms = left_ms < 0 ? 0 : left_ms < INT32_MAX ? left_ms : INT32_MAX;
	}
	ready = poll(polls, sizeof(polls) / sizeof(polls[0]), (int)timeout_ms);
	if (ready < 0 && errno != EINTR)
		return EXITCODE_FAILED;
	if (ready == 0 && is_last) {
		ctl_complain(call->ctl, "supervisord is not done in time; it goes on");
		return EXITCODE_FAILED;
	}
	if (polls[1].revents != 0) {
		ctl_complain(
		    call->ctl, "interrupted; %s goes on, see superctl status", call->goes_on);
		return EXITCODE_INTERRUPTED;
	}
	if (polls[3].revents != 0)
		return EXITCODE_INTERRUPTED;
	return polls[2].revents != 0 ? EXITCODE_FAILED : EXITCODE_OK;
}

/* One connection.  LOST: it ended without the last reply; the user was not told. */
static enum attempt try_once(
    struct call *call, bool again, bool *ret_replied, int *ret_fd, enum exitcode *ret_code)
{
	struct varlink_input in;
	enum exitcode code;
	bool lost = false;
	int fd = -1;

	/* A status of all programs is longer than what we would take from a stranger. */
	varlink_input_init(&in, LIMIT_CONTROL_QUEUE);
	code = connect_daemon(call->ctl, again, &fd);
	if (code != EXITCODE_OK && again) {
		lost = true;
	} else if (code == EXITCODE_OK) {
		code = send_request(call, fd, &lost);
		if (code == EXITCODE_OK && !lost)
			code = read_replies(call, &in, fd, ret_replied, &lost);
	}
	varlink_input_done(&in);
	if (lost) {
		if (fd >= 0)
			close(fd);
		return ATTEMPT_LOST;
	}
	*ret_fd = fd;
	*ret_code = code;
	return ATTEMPT_ENDED;
}

static enum exitcode send_request(struct call *call, int fd, bool *ret_lost)
{
	struct varlink_output out;
	enum exitcode code = EXITCODE_OK;
	int r;

	varlink_output_init(&out, LIMIT_CONTROL_QUEUE);
	r = varlink_output_send(&out, fd, call->request.data, call->request.length);
	while (r == -EAGAIN && code == EXITCODE_OK) {
		code = call_wait(call, fd, POLLOUT, -1);
		if (code == EXITCODE_OK)
			r = varlink_output_flush(&out, fd);
	}
	varlink_output_done(&out);
	/* A daemon that refuses the call may have answered before it closed: read that first. */
	if (code == EXITCODE_OK && r < 0 && r != -EPIPE)
		*ret_lost = true;
	return code;
}

static enum exitcode read_replies(
    struct call *call, struct varlink_input *in, int fd, bool *ret_replied, bool *ret_lost)
{
	for (;;) {
		enum exitcode code;
		size_t length;
		bool more = true;
		char *text;
		int r;

		while (varlink_input_next(in, &text, &length) == 1) {
			*ret_replied = true;
			code = handle_reply(call, text, length, &more);
			if (code != EXITCODE_OK || !more)
				return code;
		}
		r = varlink_input_fill(in, fd);
		if (r > 0)
			continue;
		if (r == -EMSGSIZE || r == -ENOMEM) {
			ctl_complain(call->ctl, "cannot read the reply: %s", strerror(-r));
			return EXITCODE_FAILED;
		}
		if (r != -EAGAIN) {
			*ret_lost = true;
			return EXITCODE_FAILED;
		}
		code = await_reply(call, fd, *ret_replied);
		if (code != EXITCODE_OK)
			return code;
	}
}

/* When nothing comes it may be that nothing is to be told: that is found out, once. */
static enum exitcode await_reply(struct call *call, int fd, bool replied)
{
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	enum exitcode code;

	if (replied || call->told_silence || call->ctl->options.host != NULL ||
	    (call->ctl->options.set & OPTION_QUIET))
		return call_wait(call, fd, POLLIN, -1);
	code = call_wait(call, fd, POLLIN, SILENCE_MS);
	if (code != EXITCODE_OK || poll(&ready, 1, 0) != 0)
		return code;
	call->told_silence = true;
	if (is_away(call))
		ctl_complain(call->ctl, "supervisord does not answer now, its engine may have to "
					"be started again: still waiting");
	return EXITCODE_OK;
}

/* By a call that anybody may make, and that is answered at once. */
static bool is_away(struct call *call)
{
	static const char probe[] = "{\"method\":\"org.varlink.service.GetInfo\"}";
	struct pollfd answer = {.events = POLLIN};
	bool away;

	if (connect_daemon(call->ctl, true, &answer.fd) != EXITCODE_OK)
		return true;
	away = send(answer.fd, probe, sizeof(probe), MSG_NOSIGNAL) == (ssize_t)sizeof(probe) &&
	       poll(&answer, 1, PROBE_MS) == 0;
	close(answer.fd);
	return away;
}

static enum exitcode handle_reply(struct call *call, char *text, size_t length, bool *ret_more)
{
	struct jsonr *reply = &call->reply;
	int r = jsonr_parse(reply, text, length, LIMIT_VARLINK_DEPTH);
	const char *error;
	int parameters;

	if (r < 0 || !jsonr_is(reply, JSONR_ROOT, JSONR_OBJECT)) {
		ctl_complain(call->ctl, "cannot understand the reply: %s",
		    r == -ENOMEM ? strerror(ENOMEM) : "it is not Varlink");
		return EXITCODE_FAILED;
	}
	*ret_more = jsonr_bool(reply, jsonr_member(reply, JSONR_ROOT, "continues"), false);
	parameters = jsonr_member(reply, JSONR_ROOT, "parameters");
	error = jsonr_text(reply, jsonr_member(reply, JSONR_ROOT, "error"), NULL);
	if (error == NULL)
		return call->on_reply(call, parameters, call->context);
	*ret_more = false;
	if (call->on_error != NULL)
		return call->on_error(call, error, parameters, call->context);
	return call_explain_error(call, error, parameters);
}
