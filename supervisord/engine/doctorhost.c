/* SPDX-License-Identifier: ISC */
/* doctorhost.c: see doctorhost.h, capabilities(7), landlock(7), cgroups(7). */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "supervisord/engine/doctorhost.h"

/* What root needs for which key; without one of them the rest works. */
static const struct {
	unsigned number;
	const char *name;
	const char *loss;
} needed[] = {
    {CAP_SETUID, "setuid", "user cannot be changed"},
    {CAP_SETGID, "setgid", "group cannot be changed"},
    {CAP_KILL, "kill", "programs of other users cannot be stopped"},
    {CAP_CHOWN, "chown", "log_user and log_group do nothing"},
    {CAP_DAC_OVERRIDE, "dac_override", "directories of other users cannot be written to"},
    {CAP_NET_BIND_SERVICE, "net_bind_service", "ports below 1024 cannot be bound"},
    {CAP_SYS_PTRACE, "sys_ptrace",
	"without cgroups, processes of other users that left their session are not recognised"},
};

/* Descriptors that a program costs the guardian: two pipes, both ends, and its sockets. */
#define PROGRAM_DESCRIPTORS 6

static void look_at_kernel(struct findings *findings);
static void look_at_tracking(struct findings *findings, const char *untracked);
static void look_at_rights(struct findings *findings);
static void look_at_container(struct findings *findings);
static void look_at_directory(struct findings *findings, const char *check, const char *path);
static void look_at_limits(
    struct findings *findings, const struct config *config, const struct ledger *ledger);
static void look_at_left(struct findings *findings, const struct config *config);

void doctorhost_look(struct findings *findings, const struct config *config,
    const struct ledger *ledger, const char *untracked)
{
	look_at_kernel(findings);
	look_at_tracking(findings, untracked);
	look_at_rights(findings);
	look_at_container(findings);
	look_at_directory(findings, "run_dir", config->settings.key_run_dir);
	look_at_directory(findings, "log_dir", config->settings.key_log_dir);
	look_at_directory(findings, "state_dir", config->settings.key_state_dir);
	look_at_limits(findings, config, ledger);
	look_at_left(findings, config);
}

/* Not which: who asks may not be allowed to know of the program. */
static void look_at_left(struct findings *findings, const struct config *config)
{
	size_t count = 0;

	for (size_t i = 0; i < config->source_count; i++)
		count += config->sources[i].left;
	if (count > 0)
		findings_add(findings, FINDING_NOTE, "override",
		    "%zu of the files that superctl set --persist wrote %s for a program that is "
		    "in no file: superctl logs supervisord says which",
		    count, count == 1 ? "is" : "are");
}

static void look_at_kernel(struct findings *findings)
{
	struct utsname names;
	int pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);
	long landlock =
	    syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	const unsigned action = SECCOMP_RET_ERRNO;

	if (uname(&names) == 0)
		findings_add(findings, FINDING_OK, "kernel", "%s %s", names.sysname, names.release);
	if (pidfd < 0)
		findings_add(findings, FINDING_WARNING, "kernel",
		    "no pidfd_open (%s): signals go to bare process numbers", strerror(errno));
	else
		close(pidfd);
	if (landlock < 0)
		findings_add(findings, FINDING_NOTE, "kernel",
		    "no Landlock (%s): the logger could open files outside of the log directories",
		    strerror(errno));
	if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) < 0)
		findings_add(findings, FINDING_NOTE, "kernel",
		    "no seccomp filters (%s): the logger could execute programs", strerror(errno));
}

static void look_at_tracking(struct findings *findings, const char *untracked)
{
	if (untracked[0] == '\0')
		findings_add(findings, FINDING_OK, "tracking",
		    "each run has a cgroup: a stop ends every process of it");
	else
		findings_add(findings, FINDING_NOTE, "tracking",
		    "no cgroups (%s): processes are known by session, group and environment; one "
		    "that "
		    "changes all of them is not found",
		    untracked);
}

static void look_at_rights(struct findings *findings)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];
	bool complete = true;

	if (geteuid() != 0) {
		findings_add(findings, FINDING_NOTE, "rights",
		    "supervisord runs as uid %u: programs run as that user only, ports below %s "
		    "are "
		    "out of reach",
		    (unsigned)geteuid(), "net.ipv4.ip_unprivileged_port_start");
		return;
	}
	if (syscall(SYS_capget, &head, data) < 0)
		return;
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		unsigned number = needed[i].number;

		if (data[number / 32].effective >> number % 32 & 1)
			continue;
		complete = false;
		findings_add(findings, FINDING_WARNING, "rights", "root without capability %s: %s",
		    needed[i].name, needed[i].loss);
	}
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
		findings_add(findings, FINDING_WARNING, "rights",
		    "no_new_privs is set: setuid programs such as sudo and ping run without it");
	else if (complete)
		findings_add(findings, FINDING_OK, "rights", "root with all that is needed");
}

static void look_at_container(struct findings *findings)
{
	static const char *const marks[] = {"/.dockerenv", "/run/.containerenv"};
	struct statvfs root;

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (access(marks[i], F_OK) == 0)
			findings_add(
			    findings, FINDING_NOTE, "container", "in a container (%s)", marks[i]);
	if (statvfs("/", &root) == 0 && (root.f_flag & ST_RDONLY) != 0)
		findings_add(
		    findings, FINDING_NOTE, "container", "the root file system is read-only");
	if (access("/proc/self/environ", R_OK) < 0)
		findings_add(findings, FINDING_PROBLEM, "container",
		    "/proc is not mounted: processes of a run cannot be found, memory not be "
		    "shown");
}

static void look_at_directory(struct findings *findings, const char *check, const char *path)
{
	struct stat status;

	if (path == NULL)
		return;
	if (stat(path, &status) < 0) {
		if (errno != ENOENT || strcmp(check, "state_dir") != 0)
			findings_add(
			    findings, FINDING_PROBLEM, check, "%s: %s", path, strerror(errno));
		return;
	}
	if (!S_ISDIR(status.st_mode))
		findings_add(findings, FINDING_PROBLEM, check, "%s: is not a directory", path);
	else if (access(path, W_OK | X_OK) < 0)
		findings_add(findings, FINDING_PROBLEM, check, "%s: %s", path, strerror(errno));
	else if ((status.st_mode & S_IWOTH) != 0 && (status.st_mode & S_ISVTX) == 0)
		findings_add(findings, FINDING_WARNING, check,
		    "%s: everybody may write to it: chmod o-w", path);
}

static void look_at_limits(
    struct findings *findings, const struct config *config, const struct ledger *ledger)
{
	unsigned long long need = config->program_count * (unsigned long long)PROGRAM_DESCRIPTORS;
	unsigned long long soft = ledger->header.nofile_soft, hard = ledger->header.nofile_hard;

	if (need > hard)
		findings_add(findings, FINDING_WARNING, "limits",
		    "%zu programs may need %llu descriptors, the hard limit is %llu: ulimit -Hn",
		    config->program_count, need, hard);
	else
		findings_add(findings, FINDING_OK, "limits",
		    "open files of a program: %llu, which it may raise to %llu", soft, hard);
}
