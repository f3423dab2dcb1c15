/* SPDX-License-Identifier: ISC */
/*
 * attach.c: superctl attach: what is typed goes to a program's standard input.
 *
 * A program with a terminal of its own is attached to by attachtty.c.  Of one with a pipe:
 * two things at once, so two processes on a terminal: this one copies the input, a child follows
 * the log as superctl logs -f does.  Without a terminal only the input is copied, so that
 * `echo reload | superctl attach web` ends when the program has been given it.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ctl/attachtty.h"
#include "ctl/call.h"

static enum exitcode on_attached(struct call *call, int parameters, void *context);
static pid_t follow(struct ctl *ctl);
static enum exitcode copy(struct ctl *ctl, int fd);
static int wait_for(int fd, short events, bool with_input);
static int send_all(int fd, const char *bytes, size_t length);

enum exitcode ctl_attach(struct ctl *ctl)
{
	bool by_hand = isatty(STDIN_FILENO) == 1, is_tty = false;
	struct attachtty attached;
	enum exitcode code;
	pid_t child = -1;
	int fd;

	if (ctl->several_hosts && (ctl->options.set & OPTION_READ_ONLY) == 0) {
		ctl_complain(ctl, "attach: one host at a time, but with --read-only");
		return EXITCODE_USAGE;
	}
	code = attach_call(ctl, -1, false, &attached, &is_tty);
	if (code == EXITCODE_OK && is_tty)
		return attachtty_run(ctl, &attached);
	fd = code == EXITCODE_OK ? attached.fd : -1;
	if (code == EXITCODE_OK && (ctl->options.set & OPTION_DETACH_KEY)) {
		ctl_complain(ctl, "%s: has no terminal (tty = true): --detach-key is not for it",
		    ctl->options.names[0]);
		code = EXITCODE_USAGE;
	}
	if (code == EXITCODE_OK && by_hand) {
		ctl_complain(ctl, "attached to %s: Ctrl-D detaches", ctl->options.names[0]);
		child = follow(ctl);
	}
	if (code == EXITCODE_OK)
		code = copy(ctl, fd);
	if (fd >= 0)
		close(fd);
	if (child > 0) {
		(void)kill(child, SIGTERM);
		while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
			;
	}
	return code;
}

/* Nothing has happened before the reply: it may be made again. */
enum exitcode attach_call(
    struct ctl *ctl, int64_t from, bool quiet, struct attachtty *ret_attached, bool *ret_is_tty)
{
	bool watches = (ctl->options.set & OPTION_READ_ONLY) != 0, silent = ctl->err.silent;
	struct attachtty attached = {.fd = -1, .position = -1};
	enum exitcode code;
	struct call call;

	ctl->err.silent = silent || quiet;
	call_init(&call, ctl, watches ? "Watch" : "Attach", false);
	jsonw_member_string(&call.request, "name", ctl->options.names[0]);
	if (from >= 0)
		jsonw_member_int(&call.request, "from", from);
	call.read_only = true;
	call.on_reply = on_attached;
	call.context = &attached;
	code = call_run_keep(&call, &attached.fd);
	call_done(&call);
	ctl->err.silent = silent;
	if (code != EXITCODE_OK && attached.fd >= 0)
		close(attached.fd);
	*ret_is_tty = attached.position >= 0;
	*ret_attached = attached;
	return code;
}

static enum exitcode on_attached(struct call *call, int parameters, void *context)
{
	struct jsonr *reply = &call->reply;
	struct attachtty *attached = context;

	if (jsonr_bool(reply, jsonr_member(reply, parameters, "tty"), false))
		attached->position =
		    jsonr_int(reply, jsonr_member(reply, parameters, "position"), 0);
	(void)snprintf(attached->state, sizeof(attached->state), "%s",
	    jsonr_text(reply, jsonr_member(reply, parameters, "state"), "there"));
	return EXITCODE_OK;
}

/* What the program says from now on.  A program that says nothing to a log is no error. */
static pid_t follow(struct ctl *ctl)
{
	const pid_t self = getpid();
	pid_t pid;

	(void)out_flush(&ctl->out);
	(void)out_flush(&ctl->err);
	pid = fork();
	if (pid != 0)
		return pid;
	/* It does not outlive us, however we end. */
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || getppid() != self)
		_exit(EXITCODE_FAILED);
	ctl->options.set |= OPTION_FOLLOW | OPTION_LINES;
	ctl->options.lines = 0;
	_exit((int)ctl_logs(ctl));
}

/* Until the end of the input, and until the service says that all of it has arrived. */
static enum exitcode copy(struct ctl *ctl, int fd)
{
	char piece[4096], end;
	ssize_t length;
	int error;

	for (;;) {
		error = wait_for(fd, 0, true);
		if (error < 0)
			break;
		length = read(STDIN_FILENO, piece, sizeof(piece));
		if (length < 0 && errno == EINTR)
			continue;
		if (length < 0)
			error = -errno;
		if (length <= 0)
			break;
		error = send_all(fd, piece, (size_t)length);
		if (error < 0)
			break;
	}
	if (error == 0 && shutdown(fd, SHUT_WR) < 0)
		error = -errno;
	if (error == 0)
		error = wait_for(fd, POLLIN, false);
	if (error == 0 && recv(fd, &end, 1, 0) == 0)
		return EXITCODE_OK;
	ctl_complain(ctl, "%s: detached by supervisord%s%s: its input may be incomplete",
	    ctl->options.names[0], error < 0 ? ": " : "", error < 0 ? strerror(-error) : "");
	return EXITCODE_FAILED;
}

/* Wait for one of `events` of the connection, or for input.  0, or -errno: the connection ended. */
static int wait_for(int fd, short events, bool with_input)
{
	struct pollfd fds[] = {
	    {.fd = fd, .events = events},
	    {.fd = with_input ? STDIN_FILENO : -1, .events = POLLIN},
	};

	for (;;) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return -errno;
		if (fds[0].revents & events)
			return 0;
		if (fds[0].revents != 0)
			return -ECONNRESET;
		if (fds[1].revents != 0)
			return 0;
	}
}

static int send_all(int fd, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL);
		int error = sent < 0 ? -errno : 0;

		if (error == -EAGAIN)
			error = wait_for(fd, POLLOUT, false);
		if (error < 0 && error != -EINTR)
			return error;
		bytes += sent > 0 ? sent : 0;
		length -= sent > 0 ? (size_t)sent : 0;
	}
	return 0;
}
