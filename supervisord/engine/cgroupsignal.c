/* SPDX-License-Identifier: ISC */
/*
 * cgroupsignal.c: see cgroup_signal() in cgroup.h.
 *
 * There is no call for it (but for KILL and STOP), so it is list, signal, and list again until
 * there is nobody new: whoever forks while it gets the signal may have a child that was not in the
 * list.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "supervisord/engine/cgroup.h"

/* Processes that fork faster than they can be told are not told for ever. */
#define SIGNAL_ROUNDS 8
/* Pids in ascending order. */
struct pid_set {
	pid_t *list;
	size_t count;
	size_t size;
};

static int list_new(const struct cgroups *cgroups, int row, const char *name,
    const struct pid_set *told, struct pid_set *ret_new);
static int signal_each(const struct cgroups *cgroups, int row, const char *name,
    const struct pid_set *set, int number);
static int add(struct pid_set *set, const struct pid_set *more);
static int reserve(struct pid_set *set, size_t size);
static bool set_has(const struct pid_set *set, pid_t pid);
static int compare_pid(const void *a, const void *b);

int cgroup_signal(const struct cgroups *cgroups, int row, const char *name, int number)
{
	struct pid_set told = {0}, fresh = {0};
	int reached = 0, error = 0;

	for (int round = 0; round < SIGNAL_ROUNDS; round++) {
		error = list_new(cgroups, row, name, &told, &fresh);
		if (error < 0 || fresh.count == 0)
			break;
		reached += signal_each(cgroups, row, name, &fresh, number);
		error = add(&told, &fresh);
		if (error < 0)
			break;
	}
	free(told.list);
	free(fresh.list);
	return error < 0 && reached == 0 ? error : reached;
}

/* Those that are not in `told`, in *ret_new, whose memory is used again. */
static int list_new(const struct cgroups *cgroups, int row, const char *name,
    const struct pid_set *told, struct pid_set *ret_new)
{
	int count;
	size_t kept = 0;
	pid_t last = 0;

	for (;;) {
		count = cgroup_list(cgroups, row, name, ret_new->list, ret_new->size);
		if (count < 0)
			return count;
		if ((size_t)count <= ret_new->size)
			break;
		int error = reserve(ret_new, (size_t)count + (size_t)count / 4 + 16);

		if (error < 0)
			return error;
	}
	if (count > 0)
		qsort(ret_new->list, (size_t)count, sizeof(*ret_new->list), compare_pid);
	for (int i = 0; i < count; i++) {
		pid_t pid = ret_new->list[i];

		/* One that is moved about may be listed twice. */
		if (pid != last && !set_has(told, pid))
			ret_new->list[kept++] = pid;
		last = pid;
	}
	ret_new->count = kept;
	return 0;
}

static int reserve(struct pid_set *set, size_t size)
{
	pid_t *list;

	if (size <= set->size)
		return 0;
	list = realloc(set->list, size * sizeof(*list));
	if (list == NULL)
		return -ENOMEM;
	set->list = list;
	set->size = size;
	return 0;
}

static bool set_has(const struct pid_set *set, pid_t pid)
{
	return set->count > 0 &&
	       bsearch(&pid, set->list, set->count, sizeof(*set->list), compare_pid) != NULL;
}

static int signal_each(
    const struct cgroups *cgroups, int row, const char *name, const struct pid_set *set, int number)
{
	int reached = 0;

	for (size_t i = 0; i < set->count; i++) {
		int fd = cgroup_open_process(cgroups, row, name, set->list[i]);

		if (fd < 0)
			continue;
		if (syscall(SYS_pidfd_send_signal, fd, number, NULL, 0) == 0)
			reached++;
		(void)syscall(SYS_pidfd_send_signal, fd, SIGCONT, NULL, 0);
		close(fd);
	}
	return reached;
}

static int add(struct pid_set *set, const struct pid_set *more)
{
	int error = reserve(set, set->count + more->count);

	if (error < 0)
		return error;
	memcpy(set->list + set->count, more->list, more->count * sizeof(*more->list));
	set->count += more->count;
	qsort(set->list, set->count, sizeof(*set->list), compare_pid);
	return 0;
}

static int compare_pid(const void *a, const void *b)
{
	pid_t left = *(const pid_t *)a, right = *(const pid_t *)b;

	return (left > right) - (left < right);
}
