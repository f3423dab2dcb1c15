/* SPDX-License-Identifier: ISC */
/* daemon.c: superctl version and superctl shutdown: what concerns supervisord itself. */
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ctl/call.h"
#include "ctl/connect.h"
#include "ctl/jsonout.h"
#include "ctl/result.h"

/* Between two looks at whether the daemon is gone. */
#define PROBE_MS 20

static enum exitcode on_version(struct call *call, int parameters, void *context);
static void print_tracking(struct call *call, int parameters);
static enum exitcode on_shutdown(struct call *call, int parameters, void *context);
static enum exitcode wait_for_end(struct call *call, int fd);

enum exitcode ctl_version(struct ctl *ctl)
{
	enum exitcode code;
	struct call call;

	if ((ctl->options.set & OPTION_JSON) == 0)
		out_string(&ctl->out, "superctl " SUPERVISORD_VERSION "\n");
	call_init(&call, ctl, "Version", false);
	call.read_only = true;
	call.on_reply = on_version;
	code = call_run(&call);
	call_done(&call);
	return code;
}

/* Without --no-wait this ends when nobody listens at the socket any more, not with the reply. */
enum exitcode ctl_shutdown(struct ctl *ctl)
{
	struct jsonout json = {0};
	enum exitcode code;
	struct call call;
	int fd = -1;

	call_init(&call, ctl, "Shutdown", (ctl->options.set & OPTION_NO_WAIT) == 0);
	call_set_wait(&call, "the shutdown", 0);
	call.ends_with_peer = true;
	call.on_reply = on_shutdown;
	call.context = &json;
	code = call_run_keep(&call, &fd);
	jsonout_end(&json, &ctl->out);
	if (code == EXITCODE_OK && (ctl->options.set & OPTION_NO_WAIT) == 0)
		code = wait_for_end(&call, fd);
	else if (fd >= 0)
		close(fd);
	call_done(&call);
	return code;
}

static enum exitcode on_version(struct call *call, int parameters, void *context)
{
	struct jsonr *reply = &call->reply;
	struct out *out = &call->ctl->out;
	int64_t engines = jsonr_int(reply, jsonr_member(reply, parameters, "engine_starts"), 0);
	int64_t loggers = jsonr_int(reply, jsonr_member(reply, parameters, "logger_starts"), 0);
	int safe_mode = jsonr_member(reply, parameters, "safe_mode");

	(void)context;
	if (call->ctl->options.set & OPTION_JSON) {
		size_t length = 0;
		const char *raw = jsonr_raw(reply, parameters, &length);

		out_bytes(out, raw, length);
		out_string(out, "\n");
		return EXITCODE_OK;
	}
	out_string(out, "supervisord ");
	out_text(out, jsonr_text(reply, jsonr_member(reply, parameters, "version"), "?"), 0);
	out_format(out, ", pid %lld, since ",
	    (long long)jsonr_int(reply, jsonr_member(reply, parameters, "pid"), 0));
	out_text(out, jsonr_text(reply, jsonr_member(reply, parameters, "since"), "?"), 0);
	out_string(out, "\nconfiguration ");
	out_text(out, jsonr_text(reply, jsonr_member(reply, parameters, "config"), "?"), 0);
	out_format(out, "\nengine started %lld time%s, logger %lld time%s\n", (long long)engines,
	    engines == 1 ? "" : "s", (long long)loggers, loggers == 1 ? "" : "s");
	print_tracking(call, parameters);
	if (jsonr_bool(reply, safe_mode, false))
		out_string(out, "in safe mode: it starts nothing new\n");
	return EXITCODE_OK;
}

/* "processes are tracked by session: no cgroup2 file system is mounted" */
static void print_tracking(struct call *call, int parameters)
{
	struct jsonr *reply = &call->reply;
	struct out *out = &call->ctl->out;
	const char *tracking = jsonr_text(reply, jsonr_member(reply, parameters, "tracking"), "");
	const char *reason =
	    jsonr_text(reply, jsonr_member(reply, parameters, "tracking_reason"), "");

	if (tracking[0] == '\0')
		return;
	out_string(out, "processes are tracked by ");
	out_text(out, tracking, 0);
	out_string(out, reason[0] != '\0' ? ": " : "");
	out_text(out, reason, 0);
	out_string(out, "\n");
}

static enum exitcode on_shutdown(struct call *call, int parameters, void *context)
{
	if (call->ctl->options.set & OPTION_JSON)
		jsonout_add(context, &call->ctl->out, &call->reply,
		    jsonr_member(&call->reply, parameters, "results"));
	result_print_waiting(
	    call, jsonr_member(&call->reply, parameters, "waiting"), "waiting for ");
	return EXITCODE_OK;
}

/*
 * The connection ends with the engine, which may be restarted in the middle; the listening socket
 * is the guardian's, so the end is when connecting fails.  Consumes `fd`, -1 when it has ended.
 */
static enum exitcode wait_for_end(struct call *call, int fd)
{
	enum exitcode code;
	char byte;

	code = EXITCODE_OK;
	while (fd >= 0 && code == EXITCODE_OK) {
		code = call_wait(call, fd, POLLIN, -1);
		if (code == EXITCODE_OK && recv(fd, &byte, 1, MSG_DONTWAIT) > 0)
			continue;
		close(fd);
		fd = -1;
	}
	while (code == EXITCODE_OK) {
		if (connect_daemon(call->ctl, true, &fd) != EXITCODE_OK)
			return EXITCODE_OK;
		close(fd);
		code = call_wait(call, -1, 0, PROBE_MS);
	}
	return code;
}
