/* SPDX-License-Identifier: ISC */
/* members.c: see members.h, proc(5), pidfd_open(2). */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "lib/limits.h"
#include "supervisord/engine/members.h"
#include "supervisord/engine/procstat.h"

/* Of one read of a children list: 4096 pids of seven digits would be 32 KB. */
#define CHILDREN_CHUNK 4096
/* SUPERVISORD_RUN stands early in an environment of our making; a program can move it, not further
 * than this. */
#define ENVIRON_BYTES (128 * 1024)
/* How often, and with what pause, to look at a process that is in the middle of exec(3). */
#define EXEC_LOOKS    20
#define EXEC_PAUSE_NS 500000L

/* What SUPERVISORD_RUN a process has; UNKNOWN: its environment cannot be read, or not all of it. */
enum mark { MARK_NONE, MARK_OWN, MARK_OTHER, MARK_UNKNOWN };

static bool is_named(const struct member *member, pid_t leader);
static bool is_stray(const struct member *member, const struct members_run *run);
static void mark_descendants(struct members *members);
static bool read_member(pid_t pid, struct member *member);
static enum mark find_mark(pid_t pid, const char *own);
static ssize_t read_environment(pid_t pid, char *environment);
static ssize_t read_file(pid_t pid, const char *name, char *bytes);
static bool is_role(const struct ledger *ledger, pid_t pid);
static pid_t *sorted_leaders(const struct ledger *ledger, size_t *ret_count);
static struct member *find(const struct members *members, pid_t pid);
static int open_verified(const struct member *member);
static int compare_pid(const void *a, const void *b);

bool members_may_linger(const struct ledger *ledger, const struct cgroups *cgroups)
{
	char path[64], chunk[CHILDREN_CHUNK];
	int pid = ledger->header.guardian_pid, child = 0;
	bool stranger = false;
	size_t leader_count = 0;
	pid_t *leaders = sorted_leaders(ledger, &leader_count);
	ssize_t got = 0;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || leaders == NULL) {
		free(leaders);
		if (fd >= 0)
			close(fd);
		return true;
	}
	while (!stranger && (got = read(fd, chunk, sizeof(chunk))) > 0) {
		for (ssize_t i = 0; i < got && !stranger; i++) {
			if (chunk[i] >= '0' && chunk[i] <= '9') {
				child = child * 10 + (chunk[i] - '0');
				continue;
			}
			stranger = child != 0 && !is_role(ledger, child) &&
				   bsearch(&child, leaders, leader_count, sizeof(*leaders),
				       compare_pid) == NULL &&
				   !cgroups_hold(cgroups, child);
			child = 0;
		}
	}
	close(fd);
	free(leaders);
	return stranger || got < 0;
}

bool members_group_exists(pid_t leader)
{
	return leader > 0 && (kill(-leader, 0) == 0 || errno == EPERM);
}

int members_read(struct members *members)
{
	struct dirent *entry;
	DIR *proc = opendir("/proc");
	int error = 0;

	*members = (struct members){0};
	if (proc == NULL)
		return -errno;
	while ((entry = readdir(proc)) != NULL) {
		struct member member;

		if (!isdigit((unsigned char)entry->d_name[0]) ||
		    !read_member((pid_t)strtol(entry->d_name, NULL, 10), &member))
			continue;
		if (members->count == members->size) {
			size_t size = members->size > 0 ? members->size * 2 : 256;
			struct member *list = realloc(members->list, size * sizeof(*list));

			if (list == NULL) {
				error = -ENOMEM;
				break;
			}
			members->list = list;
			members->size = size;
		}
		members->list[members->count++] = member;
	}
	closedir(proc);
	if (members->count > 0)
		qsort(members->list, members->count, sizeof(*members->list), compare_pid);
	return error;
}

void members_done(struct members *members)
{
	free(members->list);
	*members = (struct members){0};
}

size_t members_mark(
    struct members *members, const struct members_run *run, const struct cgroups *cgroups)
{
	pid_t leader = run->leader;
	size_t marked = 0;

	/* A number is not given away while it names a group or a session: if a process has it
	 * again, those are gone. */
	if (leader > 0 && !run->leader_lives && find(members, leader) != NULL)
		leader = 0;
	for (size_t i = 0; i < members->count; i++) {
		struct member *member = &members->list[i];

		member->in_run = is_named(member, leader) || is_stray(member, run);
	}
	mark_descendants(members);
	for (size_t i = 0; i < members->count; i++) {
		struct member *member = &members->list[i];

		member->in_run = member->in_run && !cgroups_hold(cgroups, member->pid);
		marked += member->in_run;
	}
	return marked;
}

bool members_has(const struct members_run *run, pid_t pid)
{
	pid_t leader = run->leader;
	struct member member;

	if (leader > 0 && !run->leader_lives && read_member(leader, &member))
		leader = 0;
	for (int depth = 0; depth < LIMIT_ANCESTORS && read_member(pid, &member); depth++) {
		if (is_named(&member, leader) || is_stray(&member, run))
			return true;
		if (member.parent <= 1 || member.parent == run->ledger->header.guardian_pid)
			return false;
		pid = member.parent;
	}
	return false;
}

bool members_is_unmarked(const struct ledger *ledger, const struct cgroups *cgroups, pid_t pid)
{
	return !is_role(ledger, pid) && ledger_find_pid(ledger, pid) < 0 &&
	       !cgroups_hold(cgroups, pid) && find_mark(pid, NULL) == MARK_NONE;
}

size_t members_signal(const struct members *members, int number)
{
	size_t reached = 0;

	for (size_t i = 0; i < members->count; i++) {
		int fd;

		if (!members->list[i].in_run)
			continue;
		fd = open_verified(&members->list[i]);
		if (fd < 0)
			continue;
		reached += syscall(SYS_pidfd_send_signal, fd, number, NULL, 0) == 0;
		close(fd);
	}
	return reached;
}

int members_open_one(const struct members *members)
{
	for (size_t i = 0; i < members->count; i++) {
		int fd = members->list[i].in_run ? open_verified(&members->list[i]) : -1;

		if (fd >= 0)
			return fd;
	}
	return -1;
}

static bool is_named(const struct member *member, pid_t leader)
{
	return leader > 0 &&
	       (member->pid == leader || member->group == leader || member->session == leader);
}

/* A stray may sit under any parent of its own; the topmost of them is the guardian's child. */
static bool is_stray(const struct member *member, const struct members_run *run)
{
	return member->parent == run->ledger->header.guardian_pid &&
	       !is_role(run->ledger, member->pid) &&
	       ledger_find_pid(run->ledger, member->pid) < 0 &&
	       find_mark(member->pid, run->mark) == MARK_OWN;
}

/* Children usually have higher pids, so a few rounds reach them all. */
static void mark_descendants(struct members *members)
{
	bool more = true;

	while (more) {
		more = false;
		for (size_t i = 0; i < members->count; i++) {
			struct member *member = &members->list[i];
			const struct member *parent;

			if (member->in_run || member->parent <= 1)
				continue;
			parent = find(members, member->parent);
			if (parent == NULL || !parent->in_run)
				continue;
			member->in_run = true;
			more = true;
		}
	}
}

static bool read_member(pid_t pid, struct member *member)
{
	struct procstat stat;

	if (!procstat_read(pid, &stat) || !procstat_is_alive(&stat))
		return false;
	*member = (struct member){
	    .pid = pid,
	    .parent = stat.parent,
	    .group = stat.group,
	    .session = stat.session,
	    .start = stat.start,
	};
	return true;
}

/* `own` may be NULL. */
static enum mark find_mark(pid_t pid, const char *own)
{
	char *environment = malloc(ENVIRON_BYTES + 1);
	ssize_t length = environment != NULL ? read_environment(pid, environment) : -ENOMEM;
	enum mark mark = length < 0 || length == ENVIRON_BYTES ? MARK_UNKNOWN : MARK_NONE;

	for (ssize_t at = 0; at < length && mark != MARK_OWN;
	     at += (ssize_t)strlen(environment + at) + 1)
		if (strncmp(environment + at, "SUPERVISORD_RUN=", 16) == 0)
			mark = own != NULL && strcmp(environment + at + 16, own) == 0 ? MARK_OWN
										      : MARK_OTHER;
	free(environment);
	return mark;
}

/*
 * Bytes, up to ENVIRON_BYTES, or -errno.  In the middle of exec(3) a process has neither words nor
 * an environment: it would look as if it had emptied it, so it is looked at again.
 */
static ssize_t read_environment(pid_t pid, char *environment)
{
	const struct timespec pause = {.tv_nsec = EXEC_PAUSE_NS};
	bool had_words = false;

	for (int look = 0; look < EXEC_LOOKS; look++) {
		ssize_t length = read_file(pid, "environ", environment);

		environment[length > 0 ? length : 0] = '\0';
		if (length != 0 || had_words)
			return length;
		length = read_file(pid, "cmdline", environment);
		had_words = length > 0;
		if (length == 0)
			nanosleep(&pause, NULL);
	}
	return -EBUSY;
}

static ssize_t read_file(pid_t pid, const char *name, char *bytes)
{
	char path[32];
	size_t length = 0;
	ssize_t got = 0;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	while (
	    length < ENVIRON_BYTES && (got = read(fd, bytes + length, ENVIRON_BYTES - length)) > 0)
		length += (size_t)got;
	if (got < 0)
		got = -errno;
	close(fd);
	return got < 0 ? got : (ssize_t)length;
}

static bool is_role(const struct ledger *ledger, pid_t pid)
{
	return pid == atomic_load(&ledger->header.engine_pid) ||
	       pid == atomic_load(&ledger->header.logger_pid);
}

/* To be freed; NULL: out of memory. */
static pid_t *sorted_leaders(const struct ledger *ledger, size_t *ret_count)
{
	uint32_t high = atomic_load(&ledger->header.rows_high);
	pid_t *leaders = malloc((high + 1) * sizeof(*leaders));
	size_t count = 0;

	if (leaders == NULL)
		return NULL;
	for (uint32_t row = 0; row < high; row++) {
		pid_t pid = atomic_load(&ledger->pids[row]);

		if (pid > 0)
			leaders[count++] = pid;
	}
	qsort(leaders, count, sizeof(*leaders), compare_pid);
	*ret_count = count;
	return leaders;
}

static struct member *find(const struct members *members, pid_t pid)
{
	struct member key = {.pid = pid};

	return members->count == 0 ? NULL
				   : bsearch(&key, members->list, members->count,
					 sizeof(*members->list), compare_pid);
}

/* The pidfd is the process we saw if the process with that number still has the start time that we
 * saw. */
static int open_verified(const struct member *member)
{
	struct member now;
	int fd = (int)syscall(SYS_pidfd_open, member->pid, 0);

	if (fd >= 0 && read_member(member->pid, &now) && now.start == member->start)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

/* Of pids, and of struct member, which begins with one. */
static int compare_pid(const void *a, const void *b)
{
	pid_t left = *(const pid_t *)a, right = *(const pid_t *)b;

	return (left > right) - (left < right);
}
