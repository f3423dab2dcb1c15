/* SPDX-License-Identifier: ISC */
/*
 * reap.c: see reap.h.
 *
 * Two steps on purpose: waitid(2) with WNOWAIT looks, the ledger is written and the row's pid taken
 * out, and only then is the child reaped.  So as long as a row shows a pid, that pid belongs to the
 * row's process and to nobody else: whoever opens a pidfd and then still finds the pid in the row
 * has the right process.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/wstatus.h"
#include "supervisord/guardian/reap.h"

static int wstatus_of(const siginfo_t *info);
static void post(
    struct ledger *ledger, int row, pid_t pid, int wstatus, const struct rusage *usage);

pid_t reap_next(struct ledger *ledger, pid_t pid, int *ret_wstatus, bool *news)
{
	struct rusage usage;
	siginfo_t info;
	int row;

	memset(&info, 0, sizeof(info));
	memset(&usage, 0, sizeof(usage));
	/* The raw call: it also tells the resource usage, which the libc's waitid(3) leaves out. */
	if (syscall(SYS_waitid, pid > 0 ? P_PID : P_ALL, pid, &info, WEXITED | WNOHANG | WNOWAIT,
		&usage) < 0)
		return 0;
	pid = info.si_pid;
	if (pid == 0)
		return 0;
	*ret_wstatus = wstatus_of(&info);
	row = ledger_find_pid(ledger, pid);
	if (row >= 0) {
		post(ledger, row, pid, *ret_wstatus, &usage);
		*news = true;
	}
	(void)syscall(SYS_waitid, P_PID, pid, NULL, WEXITED | WNOHANG, NULL);
	return pid;
}

const char *reap_status_text(int wstatus, char *buffer, size_t size)
{
	if (wstatus_is_exit(wstatus))
		(void)snprintf(buffer, size, "exited with status %d", wstatus_code(wstatus));
	else
		(void)snprintf(buffer, size, "was killed by signal %d", wstatus_signal(wstatus));
	return buffer;
}

/* Back to the encoding of wait(2), which is what people and wstatus_is_exit() know. */
static int wstatus_of(const siginfo_t *info)
{
	switch (info->si_code) {
	case CLD_EXITED:
		return (info->si_status & 0xff) << 8;
	case CLD_DUMPED:
		return info->si_status | 0x80;
	default:
		return info->si_status;
	}
}

static void post(struct ledger *ledger, int row, pid_t pid, int wstatus, const struct rusage *usage)
{
	struct ledger_exit end = {
	    .run = atomic_load(&ledger->table[row].run),
	    .end_ns = clock_boot_ns(),
	    .user_us = usage->ru_utime.tv_sec * 1000000LL + usage->ru_utime.tv_usec,
	    .system_us = usage->ru_stime.tv_sec * 1000000LL + usage->ru_stime.tv_usec,
	    .maxrss_kb = usage->ru_maxrss,
	    .pid = pid,
	    .wstatus = wstatus,
	};

	ledger_post_exit(ledger, row, &end);
}
