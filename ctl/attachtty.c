/* SPDX-License-Identifier: ISC */
/* attachtty.c: see attachtty.h, lib/ttyframe.h, termios(3). */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "ctl/attachtty.h"
#include "ctl/detach.h"
#include "ctl/ttymodes.h"
#include "lib/clock.h"
#include "lib/ttyframe.h"

/* So long another connection is tried for when one is lost, and so often. */
#define AGAIN_NS       (15 * NS_PER_S)
#define AGAIN_PAUSE_MS 100

enum outcome {
	GOING_ON,
	DETACHED, /* by the person, or by a signal */
	HANDED,   /* all of the input was passed on */
	LOST,     /* the connection was */
	BROKEN,   /* our own side is */
};

struct session {
	struct ctl *ctl;
	int fd;
	int signal_fd;
	int signal;   /* that ended it, or 0 */
	bool by_hand; /* standard input is a terminal */
	bool types;   /* the input is the program's */
	bool shows;   /* the output is shown */
	bool raw;
	bool ended;      /* there is no more input */
	bool window_due; /* it is to be told when the frame at hand is sent */
	uint64_t position;
	struct termios before;
	struct detach detach;
	struct ttymodes modes;
	struct ttyframe in;
	struct ttyframe out; /* to be sent; nothing is read from standard input meanwhile */
};

static int begin(struct session *session);
static void set_raw(struct session *session);
static void set_back(struct session *session);
static enum outcome serve(struct session *session);
static enum outcome take_turn(struct session *session, const struct pollfd polls[3]);
static void send_window(struct session *session);
static enum outcome note_signal(struct session *session);
static enum outcome read_input(struct session *session);
static enum outcome send_some(struct session *session);
static enum outcome receive(struct session *session);
static enum outcome take_frame(struct session *session);
static enum outcome put(int fd, const unsigned char *bytes, size_t length);
static void say(struct session *session, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static enum outcome attach_again(struct session *session);
static enum exitcode tell_end(struct session *session, enum outcome outcome);

enum exitcode attachtty_run(struct ctl *ctl, const struct attachtty *attached)
{
	struct session session = {
	    .ctl = ctl,
	    .fd = attached->fd,
	    .signal_fd = -1,
	    .by_hand = isatty(STDIN_FILENO) == 1,
	    .types = (ctl->options.set & OPTION_READ_ONLY) == 0,
	    .position = (uint64_t)attached->position,
	};
	const char *keys = ctl->options.detach_key;
	enum outcome outcome = GOING_ON;
	enum exitcode code = EXITCODE_FAILED;

	session.shows = session.by_hand || !session.types;
	(void)detach_parse(keys != NULL ? keys : DETACH_DEFAULT, &session.detach);
	if (begin(&session) == 0) {
		if (session.by_hand)
			say(&session, "attached to %s, which is %s: %s detaches",
			    ctl->options.names[0], attached->state,
			    !session.types              ? "Ctrl-C"
			    : session.detach.count == 0 ? "a signal"
			    : keys != NULL              ? keys
							: DETACH_DEFAULT);
		set_raw(&session);
		while (outcome == GOING_ON) {
			outcome = serve(&session);
			if (outcome == LOST && session.shows)
				outcome = attach_again(&session);
		}
		set_back(&session);
		code = tell_end(&session, outcome);
	}
	if (session.fd >= 0)
		close(session.fd);
	if (session.signal_fd >= 0)
		close(session.signal_fd);
	return code;
}

static int begin(struct session *session)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGQUIT);
	sigaddset(&set, SIGWINCH);
	sigaddset(&set, SIGCONT);
	session->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (session->signal_fd < 0 || sigprocmask(SIG_BLOCK, &set, NULL) < 0) {
		ctl_complain(session->ctl, "signals: %s", strerror(errno));
		return -1;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	return 0;
}

/* Who only watches may end that with Ctrl-C. */
static void set_raw(struct session *session)
{
	struct termios raw;

	if (!session->by_hand || tcgetattr(STDIN_FILENO, &raw) < 0)
		return;
	if (!session->raw)
		session->before = raw;
	cfmakeraw(&raw);
	if (!session->types)
		raw.c_lflag |= ISIG;
	session->raw = tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
}

static void set_back(struct session *session)
{
	char reset[TTYMODES_RESET];

	ttymodes_reset(&session->modes, reset);
	session->modes = (struct ttymodes){0};
	if (session->shows && isatty(STDOUT_FILENO) == 1)
		(void)put(STDOUT_FILENO, (const unsigned char *)reset, strlen(reset));
	if (session->raw)
		(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &session->before);
	session->raw = false;
}

static enum outcome serve(struct session *session)
{
	enum outcome outcome = GOING_ON;

	session->in.length = 0;
	session->out.length = session->out.done = 0;
	session->window_due = true;
	while (outcome == GOING_ON) {
		bool sending, reading;

		if (session->window_due)
			send_window(session);
		sending = session->out.done < session->out.length;
		reading = !sending && !session->ended && (session->types || session->by_hand);
		struct pollfd polls[] = {
		    {.fd = session->signal_fd, .events = POLLIN},
		    {.fd = session->fd, .events = (short)(POLLIN | (sending ? POLLOUT : 0))},
		    {.fd = reading ? STDIN_FILENO : -1, .events = POLLIN},
		};

		if (poll(polls, 3, -1) < 0 && errno != EINTR)
			return BROKEN;
		outcome = take_turn(session, polls);
	}
	return outcome;
}

static enum outcome take_turn(struct session *session, const struct pollfd polls[3])
{
	enum outcome outcome = GOING_ON;

	if (polls[0].revents != 0)
		outcome = note_signal(session);
	if (outcome == GOING_ON && (polls[1].revents & (POLLIN | POLLHUP | POLLERR)))
		outcome = receive(session);
	if (outcome == GOING_ON && (polls[1].revents & POLLOUT))
		outcome = send_some(session);
	if (outcome == GOING_ON && polls[2].revents != 0)
		outcome = read_input(session);
	return outcome;
}

static void send_window(struct session *session)
{
	struct winsize size = {0};

	if (session->out.done < session->out.length)
		return;
	session->window_due = false;
	if (session->by_hand && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
		(void)ioctl(STDIN_FILENO, TIOCGWINSZ, &size);
	ttyframe_set_window(&session->out, size.ws_row, size.ws_col);
	(void)send_some(session);
}

static enum outcome note_signal(struct session *session)
{
	struct signalfd_siginfo info;

	if (read(session->signal_fd, &info, sizeof(info)) != sizeof(info))
		return GOING_ON;
	if (info.ssi_signo == SIGCONT)
		set_raw(session); /* the shell has set it back */
	if (info.ssi_signo == SIGCONT || info.ssi_signo == SIGWINCH) {
		session->window_due = true;
		return GOING_ON;
	}
	session->signal = (int)info.ssi_signo;
	return DETACHED;
}

static enum outcome read_input(struct session *session)
{
	unsigned char typed[LIMIT_TTY_FRAME - LIMIT_DETACH_KEYS], passed[LIMIT_TTY_FRAME];
	ssize_t got = read(STDIN_FILENO, typed, sizeof(typed));
	bool detach = false;
	size_t length;

	if (got < 0 && errno == EINTR)
		return GOING_ON;
	if (got <= 0 && session->by_hand)
		return DETACHED; /* the terminal is gone */
	if (got <= 0) {
		session->ended = true;
		ttyframe_set(&session->out, TTYFRAME_END, NULL, 0);
		return send_some(session);
	}
	if (session->by_hand) {
		length = detach_filter(&session->detach, typed, (size_t)got, passed, &detach);
	} else {
		length = (size_t)got;
		memcpy(passed, typed, length);
	}
	if (length > 0 && session->types) {
		ttyframe_set(&session->out, TTYFRAME_INPUT, passed, length);
		if (send_some(session) == LOST)
			return LOST;
	}
	return detach ? DETACHED : GOING_ON;
}

static enum outcome send_some(struct session *session)
{
	struct ttyframe *out = &session->out;
	ssize_t sent = send(session->fd, out->bytes + out->done, out->length - out->done,
	    MSG_NOSIGNAL | MSG_DONTWAIT);

	if (sent < 0)
		return errno == EAGAIN || errno == EINTR ? GOING_ON : LOST;
	out->done += (size_t)sent;
	return GOING_ON;
}

static enum outcome receive(struct session *session)
{
	struct ttyframe *in = &session->in;

	for (;;) {
		int missing = ttyframe_missing(in);
		ssize_t got;

		if (missing < 0)
			return LOST;
		if (missing == 0) {
			enum outcome outcome = take_frame(session);

			in->length = 0;
			if (outcome != GOING_ON)
				return outcome;
			continue;
		}
		got = recv(session->fd, in->bytes + in->length, (size_t)missing, MSG_DONTWAIT);
		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			return GOING_ON;
		if (got <= 0)
			return got == 0 && session->ended ? HANDED : LOST;
		in->length += (size_t)got;
	}
}

static enum outcome take_frame(struct session *session)
{
	size_t length;
	const unsigned char *payload = ttyframe_payload(&session->in, &length);
	uint64_t count;

	switch ((unsigned)ttyframe_type(&session->in)) {
	case TTYFRAME_OUTPUT:
		session->position += length;
		ttymodes_note(&session->modes, payload, length);
		return session->shows ? put(STDOUT_FILENO, payload, length) : GOING_ON;
	case TTYFRAME_NEWS:
		if (session->shows)
			say(session, "%.*s", (int)length, (const char *)payload);
		return GOING_ON;
	case TTYFRAME_GAP:
		count = ttyframe_number(payload, length < 8 ? length : 8);
		session->position += count;
		if (session->shows)
			say(session, "%llu bytes of output are left out here",
			    (unsigned long long)count);
		return GOING_ON;
	default: /* of a newer one */
		return GOING_ON;
	}
}

static enum outcome put(int fd, const unsigned char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t written = write(fd, bytes, length);

		if (written < 0 && errno == EAGAIN) {
			struct pollfd out = {.fd = fd, .events = POLLOUT};

			(void)poll(&out, 1, -1);
			continue;
		}
		if (written < 0 && errno != EINTR)
			return BROKEN;
		bytes += written > 0 ? written : 0;
		length -= written > 0 ? (size_t)written : 0;
	}
	return GOING_ON;
}

/* On a line of its own, whatever the program has left the cursor at. */
static void say(struct session *session, const char *format, ...)
{
	struct out *err = &session->ctl->err;
	const char *end = session->raw ? "\r\n" : "\n";
	char text[LIMIT_TTY_NEWS + 64];
	va_list arguments;

	if (session->ctl->options.set & OPTION_QUIET)
		return;
	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (session->raw)
		out_string(err, end);
	out_string(err, "[");
	out_text(err, text, 0);
	out_string(err, "]");
	out_string(err, end);
	out_flush(err);
}

/* The person may give up meanwhile. */
static enum outcome attach_again(struct session *session)
{
	int64_t until_ns = clock_boot_ns() + AGAIN_NS;

	set_back(session);
	close(session->fd);
	session->fd = -1;
	while (clock_boot_ns() < until_ns) {
		struct pollfd signals = {.fd = session->signal_fd, .events = POLLIN};
		struct attachtty attached;
		bool is_tty = false;

		if (attach_call(session->ctl, (int64_t)session->position, true, &attached,
			&is_tty) == EXITCODE_OK) {
			session->fd = attached.fd;
			if (!is_tty)
				return LOST; /* the stanza has changed */
			/* Of another terminal it has less. */
			session->position = (uint64_t)attached.position;
			set_raw(session);
			return GOING_ON;
		}
		if (poll(&signals, 1, AGAIN_PAUSE_MS) > 0 && note_signal(session) == DETACHED)
			return DETACHED;
	}
	return LOST;
}

static enum exitcode tell_end(struct session *session, enum outcome outcome)
{
	const char *name = session->ctl->options.names[0];

	switch (outcome) {
	case HANDED:
		return EXITCODE_OK;
	case DETACHED:
		if (session->by_hand)
			say(session, "detached from %s", name);
		return session->signal == 0 || !session->types ? EXITCODE_OK : EXITCODE_INTERRUPTED;
	case LOST:
		ctl_complain(session->ctl, "%s: the connection is lost%s", name,
		    session->types && !session->by_hand ? ": its input may be incomplete" : "");
		return EXITCODE_FAILED;
	case BROKEN: /* nobody reads what we print, and so on */
	case GOING_ON:
		break;
	}
	return EXITCODE_FAILED;
}
