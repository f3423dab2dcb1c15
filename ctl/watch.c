/* SPDX-License-Identifier: ISC */
/* watch.c: see watch.h.  The screen is not cleared between, so that nothing flickers. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "lib/clock.h"
#include "ctl/watch.h"

#define HOME        "\033[H"
#define CLEAR       "\033[2J"
#define CLEAR_LINE  "\033[K"
#define CLEAR_BELOW "\033[J"
#define HIDE_CURSOR "\033[?25l"
#define SHOW_CURSOR "\033[?25h"
/* A line that is too long is cut by the terminal, and takes no second one. */
#define WRAP_OFF "\033[?7l"
#define WRAP_ON  "\033[?7h"

struct watch {
	struct ctl *ctl;
	int enough_fd; /* the signals that end it */
	int size_fd;   /* that the window has another size */
	size_t lines;
	bool keys; /* stdin is a terminal, and ours */
	struct termios before;
};

static int begin(struct watch *watch);
static int take_signals(struct watch *watch);
static void end(struct watch *watch);
static void measure(struct watch *watch);
static enum exitcode gather(struct ctl *ctl, enum exitcode (*draw)(struct ctl *ctl));
static void put_on_screen(struct watch *watch);
static bool pause_until(struct watch *watch, int64_t until_ns);

enum exitcode watch_run(
    struct ctl *ctl, int64_t interval_ns, enum exitcode (*draw)(struct ctl *ctl))
{
	struct watch watch = {.ctl = ctl, .enough_fd = -1, .size_fd = -1};
	enum exitcode code;

	if (begin(&watch) < 0) {
		ctl_complain(ctl, "cannot watch: %s", strerror(errno));
		return EXITCODE_FAILED;
	}
	do {
		measure(&watch);
		code = gather(ctl, draw);
		if (ctl->out.tty)
			put_on_screen(&watch);
		if (out_flush(&ctl->out) < 0)
			code = EXITCODE_FAILED;
	} while (code == EXITCODE_OK && pause_until(&watch, clock_boot_ns() + interval_ns));
	end(&watch);
	/* As between two looks, so in the middle of one: that is how it ends. */
	return code == EXITCODE_INTERRUPTED ? EXITCODE_OK : code;
}

static int begin(struct watch *watch)
{
	struct termios raw;

	if (take_signals(watch) < 0)
		return -1;
	watch->ctl->enough_fd = watch->enough_fd;
	watch->keys = watch->ctl->out.tty && tcgetattr(STDIN_FILENO, &watch->before) == 0;
	if (watch->keys) {
		raw = watch->before;
		raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
		(void)tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	}
	if (watch->ctl->out.tty)
		out_string(&watch->ctl->out, HIDE_CURSOR WRAP_OFF CLEAR);
	out_flush(&watch->ctl->out);
	return 0;
}

/* What is drawn is waited for, and the daemon may not answer: those that end it are told apart, so
 * that they end this waiting too. */
static int take_signals(struct watch *watch)
{
	sigset_t enough, size, both;

	sigemptyset(&enough);
	sigaddset(&enough, SIGINT);
	sigaddset(&enough, SIGTERM);
	sigaddset(&enough, SIGHUP);
	sigemptyset(&size);
	sigaddset(&size, SIGWINCH);
	both = enough;
	sigaddset(&both, SIGWINCH);
	watch->enough_fd = signalfd(-1, &enough, SFD_CLOEXEC);
	watch->size_fd = signalfd(-1, &size, SFD_CLOEXEC | SFD_NONBLOCK);
	if (watch->enough_fd < 0 || watch->size_fd < 0)
		return -1;
	return sigprocmask(SIG_BLOCK, &both, NULL);
}

static void end(struct watch *watch)
{
	if (watch->ctl->out.tty)
		out_string(&watch->ctl->out, WRAP_ON SHOW_CURSOR);
	out_flush(&watch->ctl->out);
	if (watch->keys)
		(void)tcsetattr(STDIN_FILENO, TCSANOW, &watch->before);
	watch->ctl->enough_fd = 0;
	close(watch->enough_fd);
	close(watch->size_fd);
}

/* Before it is drawn: what is cut is cut for this size. */
static void measure(struct watch *watch)
{
	struct out *out = &watch->ctl->out;
	struct winsize size;

	watch->lines = 24;
	if (!out->tty || ioctl(out->fd, TIOCGWINSZ, &size) < 0)
		return;
	if (size.ws_row > 1)
		watch->lines = size.ws_row;
	if (size.ws_col > 0)
		out->width = size.ws_col;
}

/* All that is drawn, the complaints at its end: whoever draws flushes both as he does elsewhere. */
static enum exitcode gather(struct ctl *ctl, enum exitcode (*draw)(struct ctl *ctl))
{
	const struct out err = ctl->err;
	const int fd = ctl->out.fd;
	enum exitcode code;

	ctl->out.fd = -1;
	ctl->err = (struct out){.fd = -1, .utf8 = err.utf8};
	code = draw(ctl);
	out_bytes(&ctl->out, ctl->err.data, ctl->err.length);
	out_done(&ctl->err);
	ctl->err = err;
	ctl->out.fd = fd;
	return code;
}

/* What was gathered, from the top of the screen on; each line takes the rest of the old one away.
 */
static void put_on_screen(struct watch *watch)
{
	struct out *out = &watch->ctl->out;
	struct out text = *out;
	size_t at = 0;

	*out = (struct out){.fd = text.fd,
	    .tty = true,
	    .colour = text.colour,
	    .utf8 = text.utf8,
	    .width = text.width};
	out_string(out, HOME);
	for (size_t line = 0; line + 1 < watch->lines && at < text.length; line++) {
		const char *start = text.data + at;
		const char *newline = memchr(start, '\n', text.length - at);
		size_t length = newline != NULL ? (size_t)(newline - start) : text.length - at;

		out_string(out, CLEAR_LINE);
		out_bytes(out, start, length);
		out_string(out, "\r\n");
		at += length + 1;
	}
	out_string(out, CLEAR_BELOW);
	out_done(&text);
}

/* False: it is to end. */
static bool pause_until(struct watch *watch, int64_t until_ns)
{
	for (;;) {
		struct pollfd polls[] = {
		    {.fd = watch->enough_fd, .events = POLLIN},
		    {.fd = watch->size_fd, .events = POLLIN},
		    {.fd = watch->keys ? STDIN_FILENO : -1, .events = POLLIN},
		};
		int64_t left_ns = until_ns - clock_boot_ns();
		struct signalfd_siginfo info;
		char key;

		if (left_ns <= 0)
			return true;
		if (poll(polls, 3, (int)((left_ns + NS_PER_MS - 1) / NS_PER_MS)) < 0 &&
		    errno != EINTR)
			return false;
		if (polls[0].revents != 0)
			return false;
		if (polls[1].revents != 0 &&
		    read(watch->size_fd, &info, sizeof(info)) == sizeof(info))
			return true;
		if (polls[2].revents != 0 &&
		    (read(STDIN_FILENO, &key, 1) != 1 || key == 'q' || key == 'Q'))
			return false;
	}
}
