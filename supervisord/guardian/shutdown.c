/* SPDX-License-Identifier: ISC */
/* shutdown.c: see shutdown.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/channel.h"
#include "lib/ownlog.h"
#include "supervisord/guardian/context.h"
#include "supervisord/guardian/notify.h"
#include "supervisord/guardian/shutdown.h"

/* Past the engine's own shutdown_timeout, before the guardian ends the programs itself. */
#define ENGINE_GRACE_NS (15 * NS_PER_S)
/* Of the guardian's own way to stop programs: from TERM to KILL, and from KILL to giving up. */
#define LAST_TERM_NS (10 * NS_PER_S)
#define LAST_KILL_NS (5 * NS_PER_S)
/* The logger's time to write down what is left in the pipes. */
#define LOGGER_FINISH_NS (8 * NS_PER_S)

static void kill_roles(const struct guardian *g);
static unsigned signal_programs(struct guardian *g, int number);

void shutdown_begin(struct guardian *g)
{
	if (g->phase != PHASE_RUN)
		return;
	log_notice("shutting down");
	notify_send("STOPPING=1");
	g->phase = PHASE_SHUTDOWN;
	g->phase_deadline_ns =
	    clock_boot_ns() + atomic_load(&g->ledger->header.shutdown_timeout_ns) + ENGINE_GRACE_NS;
	atomic_store(&g->ledger->header.shutdown, 1);
	g->shutdown_due = true;
	if (g->engine.restart_ns != 0)
		g->engine.restart_ns = clock_boot_ns();
}

void shutdown_check(struct guardian *g, int64_t now_ns)
{
	bool due = g->phase_deadline_ns != 0 && now_ns >= g->phase_deadline_ns;

	switch (g->phase) {
	case PHASE_RUN:
	case PHASE_END:
		break;
	case PHASE_SHUTDOWN:
		if (due)
			shutdown_force(g, "the engine did not finish in time");
		break;
	case PHASE_LAST_TERM:
		if (signal_programs(g, 0) == 0) {
			shutdown_finish(g);
		} else if (due) {
			(void)signal_programs(g, SIGKILL);
			g->phase = PHASE_LAST_KILL;
			g->phase_deadline_ns = now_ns + LAST_KILL_NS;
		}
		break;
	case PHASE_LAST_KILL:
		if (due || signal_programs(g, 0) == 0)
			shutdown_finish(g);
		break;
	case PHASE_FINISH:
		if (due)
			kill_roles(g);
		if (due || (g->logger.ended && g->engine.pid == 0))
			g->phase = PHASE_END;
		break;
	}
}

void shutdown_force(struct guardian *g, const char *why)
{
	log_error("%s: stopping the programs without it", why);
	g->engine.ended = true;
	if (g->engine.pid != 0)
		kill(g->engine.pid, SIGKILL);
	g->exit_code = 1;
	(void)signal_programs(g, SIGTERM);
	g->phase = PHASE_LAST_TERM;
	g->phase_deadline_ns = clock_boot_ns() + LAST_TERM_NS;
}

void shutdown_finish(struct guardian *g)
{
	if (g->phase >= PHASE_FINISH)
		return;
	g->phase = PHASE_FINISH;
	g->phase_deadline_ns = clock_boot_ns() + LOGGER_FINISH_NS;
	g->engine.ended = true;
	g->finish_due = true; /* peers_deliver() tells the logger, behind what it has yet to get */
	if (g->logger.pid == 0)
		g->logger.restart_ns = clock_boot_ns();
}

/* The lock is still ours, so the socket of that name is, too.  Its name is known from the
 * descriptor alone. */
void shutdown_remove_socket(const struct guardian *g)
{
	const struct held_slot *control = &g->held.slots[HELD_CONTROL];
	struct sockaddr_un address;
	socklen_t length = sizeof(address);

	memset(&address, 0, sizeof(address));
	if (control->key != 0 &&
	    getsockname(control->fd, (struct sockaddr *)&address, &length) == 0 &&
	    address.sun_family == AF_UNIX && address.sun_path[0] == '/')
		(void)unlink(address.sun_path);
}

/* reboot(2): in a namespace of our own it ends that with HUP.  Where another init rules, it is
 * asked. */
void shutdown_reboot(const struct guardian *g)
{
	if (atomic_load(&g->ledger->header.reboot) == 0)
		return;
	log_notice("on_failure = reboot: the machine is started again");
	sync();
	if (getpid() == 1)
		(void)reboot(RB_AUTOBOOT);
	else
		(void)execl("/sbin/reboot", "reboot", (char *)NULL);
	log_error("cannot start the machine again: %s", strerror(errno));
}

static void kill_roles(const struct guardian *g)
{
	if (g->logger.pid != 0)
		kill(g->logger.pid, SIGKILL);
	if (g->engine.pid != 0)
		kill(g->engine.pid, SIGKILL);
}

/* Signals the group of every live leader (they are our unreaped children: the pids are theirs). */
static unsigned signal_programs(struct guardian *g, int number)
{
	uint32_t high = atomic_load(&g->ledger->header.rows_high);
	unsigned live = 0;

	for (uint32_t row = 0; row < high; row++) {
		pid_t pid = atomic_load(&g->ledger->pids[row]);

		if (pid <= 0)
			continue;
		live++;
		if (number != 0 && kill(-pid, number) < 0)
			kill(pid, number);
	}
	return live;
}
