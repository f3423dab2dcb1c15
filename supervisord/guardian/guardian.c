/* SPDX-License-Identifier: ISC */
/*
 * guardian.c: see guardian.h.
 *
 * One loop over four sources: signals, the engine's channel, the logger's channel, and the next
 * deadline.  The order of duties after a wake-up is fixed: reap (bounded), listen, deliver, start
 * what is due.  Nothing here trusts the engine to be alive: shutdown ends without it if it must.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/channel.h"
#include "lib/ledger.h"
#include "lib/ownlog.h"
#include "supervisord/guardian/context.h"
#include "supervisord/guardian/limits.h"
#include "supervisord/guardian/peers.h"
#include "supervisord/guardian/reap.h"
#include "supervisord/guardian/shutdown.h"

/* The kernel's last signal, and so the number of bits in its signal sets. */
#ifdef __mips__
#define SIGNAL_LAST 128
#else
#define SIGNAL_LAST 64
#endif

/* Static: a megabyte of table that is touched as it fills, and no allocation that could fail. */
static struct guardian the_guardian;

static int set_up(
    struct guardian *g, const struct guardian_options *options, const char *libexec_dir);
static int set_up_ledger(struct guardian *g);
static int set_up_role(struct role *role, const char *name, const char *libexec_dir);
static int set_up_own_log(struct guardian *g);
static void reset_dispositions(void);
static int block_signals(struct guardian *g);
static void loop_once(struct guardian *g);
static int poll_timeout_ms(const struct guardian *g, int64_t now_ns);
static void read_signals(struct guardian *g);
static void reap_children(struct guardian *g);
static void reap_others(struct guardian *g, bool was_one);
static bool reap_one(struct guardian *g, pid_t pid, bool *news);
static void ring(const struct guardian *g, bool news);

int guardian_run(const struct guardian_options *options, const char *libexec_dir)
{
	struct guardian *g = &the_guardian;
	int error = set_up(g, options, libexec_dir);

	if (error < 0) {
		log_error("cannot start: %s", strerror(-error));
		peers_tell_started(g, 1);
		return 1;
	}
	/* From here on nothing may make us exit but the end of everything we supervise. */
	peers_start_logger(g);
	peers_start_engine(g);
	while (g->phase != PHASE_END)
		loop_once(g);
	shutdown_remove_socket(g);
	peers_tell_started(g, g->exit_code);
	shutdown_reboot(g);
	return g->exit_code;
}

static int set_up(
    struct guardian *g, const struct guardian_options *options, const char *libexec_dir)
{
	unsigned argc = 1;
	int error;

	g->options = options;
	error = set_up_role(&g->engine, "engine", libexec_dir);
	if (error == 0)
		error = set_up_role(&g->logger, "logger", libexec_dir);
	if (error < 0)
		return error;
	if (options->config_path != NULL) {
		static char flag[] = "-c";
		static char path[PATH_MAX];

		if (strlen(options->config_path) >= sizeof(path))
			return -ENAMETOOLONG;
		memcpy(path, options->config_path, strlen(options->config_path) + 1);
		g->engine.argv[argc++] = flag;
		g->engine.argv[argc++] = path;
	}
	if (options->log_format != NULL) {
		static char flag[] = "--log-format";
		static char format[16];

		memcpy(format, options->log_format, strlen(options->log_format) + 1);
		g->engine.argv[argc++] = flag;
		g->engine.argv[argc++] = format;
	}
	g->engine_argc = argc;
	error = block_signals(g);
	if (error == 0)
		error = set_up_ledger(g);
	if (error < 0)
		return error;
	error = channel_pair(g->peer);
	if (error < 0)
		return error;
	for (int i = 0; i < 2; i++) { /* out of the way of the roles' fixed descriptors */
		int raised = fcntl(g->peer[i], F_DUPFD_CLOEXEC, 16);

		if (raised < 0)
			return -errno;
		close(g->peer[i]);
		g->peer[i] = raised;
	}
	if (getpid() != 1 && prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		return -errno;
	return options->own_log_pipe ? set_up_own_log(g) : 0;
}

static int set_up_ledger(struct guardian *g)
{
	struct ledger_header *header;
	int fd, error;

	error = ledger_create(&fd, &g->ledger);
	if (error < 0)
		return error;
	g->ledger_fd = fcntl(fd, F_DUPFD_CLOEXEC, 16);
	if (g->ledger_fd < 0)
		return -errno;
	close(fd);
	fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fd < 0)
		return -errno;
	g->bell_fd = fcntl(fd, F_DUPFD_CLOEXEC, 16);
	if (g->bell_fd < 0)
		return -errno;
	close(fd);
	header = &g->ledger->header;
	header->start_wall_ns = clock_wall_ns();
	header->guardian_pid = getpid();
	if (getrandom(&header->nonce, sizeof(header->nonce), GRND_NONBLOCK) !=
	    sizeof(header->nonce))
		header->nonce = (uint64_t)clock_boot_ns();
	header->shutdown_timeout_ns = 60 * NS_PER_S;
	limits_raise_nofile(&header->nofile_soft, &header->nofile_hard);
	return 0;
}

static int set_up_role(struct role *role, const char *name, const char *libexec_dir)
{
	int length = snprintf(role->path, sizeof(role->path), "%s/%s", libexec_dir, name);

	if (length < 0 || (size_t)length >= sizeof(role->path))
		return -ENAMETOOLONG;
	role->name = name;
	role->argv[0] = role->path;
	role->channel = -1;
	role->stderr_fd = STDERR_FILENO;
	return 0;
}

/*
 * Our own messages become a log like any other, once there is an engine to say where.  Until then
 * the engine keeps the caller's descriptor 2, so that a bad configuration is told to the person who
 * typed -d.
 */
static int set_up_own_log(struct guardian *g)
{
	int pipe_fds[2];

	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return -errno;
	g->logger.stderr_fd = fcntl(pipe_fds[1], F_DUPFD_CLOEXEC, 16);
	if (g->logger.stderr_fd < 0)
		return -errno;
	held_put(&g->held, HELD_OWN_READ, held_key(HELD_OWN_READ, 0, 0), pipe_fds[0]);
	held_put(&g->held, HELD_OWN_WRITE, held_key(HELD_OWN_WRITE, 0, 0), pipe_fds[1]);
	return 0;
}

/*
 * Whatever the caller ignored would stay ignored in every program.  The raw call, because signal(3)
 * refuses the two or three numbers that the C library keeps for itself.
 */
static void reset_dispositions(void)
{
	/* The kernel's struct sigaction has SIG_DFL and no flags when it is all zero, whatever its
	 * layout. */
	static const unsigned char by_default[64];

	for (int number = 1; number <= SIGNAL_LAST; number++)
		(void)syscall(SYS_rt_sigaction, number, by_default, NULL, SIGNAL_LAST / 8);
}

static int block_signals(struct guardian *g)
{
	static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};
	sigset_t set;

	/* Whatever the caller ignored would stay ignored in every program: start from the defaults.
	 */
	reset_dispositions();
	sigfillset(&set);
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		sigdelset(&set, faults[i]);
	if (sigprocmask(SIG_SETMASK, &set, NULL) < 0)
		return -errno;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	g->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return g->signal_fd < 0 ? -errno : 0;
}

static void loop_once(struct guardian *g)
{
	struct pollfd fds[3] = {
	    {.fd = g->reap_rest_ns == 0 ? g->signal_fd : -1, .events = POLLIN},
	    {.fd = g->engine.channel, .events = POLLIN},
	    {.fd = g->logger.channel, .events = POLLIN},
	};
	int64_t now_ns = clock_boot_ns();

	if (g->held.cursor[HELD_ENGINE] < g->held.high || g->held_end_due)
		fds[1].events |= POLLOUT;
	if (g->held.cursor[HELD_LOGGER] < g->held.high || g->finish_due)
		fds[2].events |= POLLOUT;
	if (poll(fds, 3, poll_timeout_ms(g, now_ns)) < 0 && errno != EINTR)
		log_error("poll: %s", strerror(errno));
	if (fds[0].revents != 0)
		read_signals(g);
	reap_children(g);
	if (fds[1].revents & (POLLIN | POLLHUP | POLLERR))
		peers_read_engine(g);
	if (fds[2].revents & (POLLIN | POLLHUP | POLLERR))
		peers_read_logger(g);
	now_ns = clock_boot_ns();
	peers_start_due(g, now_ns);
	peers_deliver(g);
	shutdown_check(g, now_ns);
}

static int poll_timeout_ms(const struct guardian *g, int64_t now_ns)
{
	const int64_t deadlines[] = {
	    g->engine.restart_ns, g->logger.restart_ns, g->phase_deadline_ns, g->reap_rest_ns};
	int64_t timeout_ns = -1;

	if (g->reap_more)
		return 0;
	for (size_t i = 0; i < sizeof(deadlines) / sizeof(deadlines[0]); i++) {
		int64_t left = deadlines[i] > now_ns ? deadlines[i] - now_ns : 0;

		if (deadlines[i] != 0 && (timeout_ns < 0 || left < timeout_ns))
			timeout_ns = left;
	}
	return timeout_ns < 0 ? -1 : (int)((timeout_ns + NS_PER_MS - 1) / NS_PER_MS);
}

static void read_signals(struct guardian *g)
{
	struct signalfd_siginfo info[8];
	ssize_t got = read(g->signal_fd, info, sizeof(info));

	for (ssize_t i = 0; i < got / (ssize_t)sizeof(info[0]); i++) {
		switch (info[i].ssi_signo) {
		case SIGCHLD:
			g->reap_first = (pid_t)info[i].ssi_pid;
			break;
		case SIGHUP:
			g->reload_due = true;
			break;
		case SIGTERM:
		case SIGINT:
			shutdown_begin(g);
			break;
		}
	}
}

/*
 * Of several that end at once a signal names one.  That one is acted on at once; the others are
 * looked for a little later, as a look takes the kernel a tenth of a millisecond where there are a
 * thousand, with a lock that every start and end of a process waits for.  Until then no signal is
 * waited for either, so a storm of ends costs a wake-up and a look a rest, not one each.
 */
static void reap_children(struct guardian *g)
{
	bool has_rested = g->reap_rest_ns != 0 && clock_boot_ns() >= g->reap_rest_ns;
	bool news = false;

	if (has_rested)
		read_signals(g);
	if (g->reap_first > 0 && reap_one(g, g->reap_first, &news))
		ring(g, news);
	if (has_rested || g->reap_more)
		reap_others(g, news);
	else if (g->reap_first > 0)
		g->reap_rest_ns = clock_boot_ns() + LIMIT_REAP_REST_NS;
	g->reap_first = 0;
}

/* Whoever has ended.  As long as there are some, there may soon be more. */
static void reap_others(struct guardian *g, bool was_one)
{
	unsigned reaped = 0;
	bool news = false;

	while (reaped < LIMIT_REAP_BATCH && reap_one(g, 0, &news))
		reaped++;
	ring(g, news);
	g->reap_more = reaped == LIMIT_REAP_BATCH;
	g->reap_rest_ns =
	    !g->reap_more && (was_one || reaped > 0) ? clock_boot_ns() + LIMIT_REAP_REST_NS : 0;
}

/* This one, or with pid 0 any.  False: it is not dead, or no child is. */
static bool reap_one(struct guardian *g, pid_t pid, bool *news)
{
	int wstatus;

	pid = reap_next(g->ledger, pid, &wstatus, news);
	if (pid <= 0)
		return false;
	if (pid == g->engine.pid)
		peers_note_engine_end(g, wstatus);
	else if (pid == g->logger.pid)
		peers_note_logger_end(g, wstatus);
	return true;
}

static void ring(const struct guardian *g, bool news)
{
	uint64_t one = 1;

	/* EAGAIN: the counter is at its end, so the bell has rung already. */
	if (news)
		(void)!write(g->bell_fd, &one, sizeof(one));
}
