/* SPDX-License-Identifier: ISC */
/*
 * ledger.c: see ledger.h.  No allocation but the mapping itself, no logging.
 *
 * Ordering: writer and reader are different processes on one machine, and a writer may be killed
 * between any two stores.  A killed process's stores stay visible in program order, so release on
 * the store that publishes and acquire on the load that looks is all it takes.
 */
#define _GNU_SOURCE
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/ledger.h"

static int map(int fd, int protection, struct ledger **ret_ledger);

int ledger_create(int *ret_fd, struct ledger **ret_ledger)
{
	struct ledger *ledger;
	int fd, error;

	fd = memfd_create("supervisord-ledger", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -errno;
	if (ftruncate(fd, sizeof(struct ledger)) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
		goto fail;
	ledger = mmap(NULL, sizeof(*ledger), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (ledger == MAP_FAILED)
		goto fail;
	ledger->header.version = LEDGER_VERSION;
	ledger->header.rows = LIMIT_ROWS;
	ledger->header.magic = LEDGER_MAGIC;
	*ret_fd = fd;
	*ret_ledger = ledger;
	return 0;
fail:
	error = -errno;
	close(fd);
	return error;
}

int ledger_map(int fd, struct ledger **ret_ledger)
{
	return map(fd, PROT_READ | PROT_WRITE, ret_ledger);
}

int ledger_map_readonly(int fd, const struct ledger **ret_ledger)
{
	struct ledger *ledger = NULL;
	int error = map(fd, PROT_READ, &ledger);

	if (error == 0)
		*ret_ledger = ledger;
	return error;
}

int ledger_open_readonly(int fd, int *ret_fd)
{
	char path[32];
	int copy;

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	copy = open(path, O_RDONLY | O_CLOEXEC);
	if (copy < 0)
		return -errno;
	*ret_fd = copy;
	return 0;
}

static int map(int fd, int protection, struct ledger **ret_ledger)
{
	struct ledger *ledger;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size != (off_t)sizeof(struct ledger))
		return -EPROTO;
	ledger = mmap(NULL, sizeof(*ledger), protection, MAP_SHARED, fd, 0);
	if (ledger == MAP_FAILED)
		return -errno;
	if (ledger->header.magic != LEDGER_MAGIC || ledger->header.version != LEDGER_VERSION ||
	    ledger->header.rows != LIMIT_ROWS) {
		munmap(ledger, sizeof(*ledger));
		return -EPROTO;
	}
	*ret_ledger = ledger;
	return 0;
}

int ledger_find_row(const struct ledger *ledger, const char *name)
{
	uint32_t high = atomic_load_explicit(&ledger->header.rows_high, memory_order_acquire);

	for (uint32_t row = 0; row < high; row++)
		if (strcmp(ledger->table[row].name, name) == 0)
			return (int)row;
	return -1;
}

int ledger_claim_row(struct ledger *ledger, const char *name, const struct ledger_owner *owner,
    const struct ledger_state *state, bool (*is_free)(const void *context, int row),
    const void *context)
{
	uint32_t high = atomic_load_explicit(&ledger->header.rows_high, memory_order_relaxed);
	size_t length = strlen(name);
	struct ledger_row *slot;
	uint32_t row;

	if (length == 0 || length >= LIMIT_NAME)
		return -ENAMETOOLONG;
	for (row = 0; row < high; row++)
		if (ledger->table[row].name[0] == '\0' &&
		    (is_free == NULL || is_free(context, (int)row)))
			break;
	if (row == LIMIT_ROWS)
		return -ENOSPC;
	slot = &ledger->table[row];
	memset(slot, 0, sizeof(*slot));
	/* Runs are counted anew: an end of the last owner's run of the same number is none of ours.
	 * Where there was no owner there are zeros, and no memory yet. */
	if (row < high) {
		memset(&ledger->exits[row], 0, sizeof(ledger->exits[row]));
		ledger_clear_exit(ledger, (int)row);
		ledger->status_text[row][0] = '\0';
	}
	if (owner != NULL)
		slot->owner = *owner;
	slot->state[0] = *state;
	memcpy(slot->name + 1, name + 1, length - 1);
	atomic_thread_fence(memory_order_release);
	slot->name[0] = name[0];
	if (row == high)
		atomic_store_explicit(&ledger->header.rows_high, row + 1, memory_order_release);
	return (int)row;
}

void ledger_rename_row(struct ledger *ledger, int row, const char *name)
{
	char *old = ledger->table[row].name;
	size_t old_length = strlen(old), length = strlen(name);

	assert(length > 0 && length < LIMIT_NAME &&
	       strncmp(old, name, length < old_length ? length : old_length) == 0);
	/* What stands behind the end is nobody's name; one byte then moves the end. */
	if (length > old_length) {
		memcpy(old + old_length + 1, name + old_length + 1, length - old_length);
		atomic_thread_fence(memory_order_release);
		old[old_length] = name[old_length];
	} else {
		old[length] = '\0';
	}
}

void ledger_free_row(struct ledger *ledger, int row)
{
	ledger_clear_exit(ledger, row);
	ledger->table[row].name[0] = '\0';
}

const struct ledger_state *ledger_get_state(const struct ledger *ledger, int row)
{
	const struct ledger_row *slot = &ledger->table[row];

	return &slot->state[atomic_load_explicit(&slot->active, memory_order_acquire) & 1];
}

void ledger_commit_state(struct ledger *ledger, int row, const struct ledger_state *state)
{
	struct ledger_row *slot = &ledger->table[row];
	uint32_t next = !(atomic_load_explicit(&slot->active, memory_order_relaxed) & 1);

	slot->state[next] = *state;
	atomic_store_explicit(&slot->active, next, memory_order_release);
}

int ledger_find_pid(const struct ledger *ledger, pid_t pid)
{
	uint32_t high = atomic_load_explicit(&ledger->header.rows_high, memory_order_acquire);

	for (uint32_t row = 0; row < high; row++)
		if (atomic_load_explicit(&ledger->pids[row], memory_order_relaxed) == pid)
			return (int)row;
	return -1;
}

void ledger_post_exit(struct ledger *ledger, int row, const struct ledger_exit *end)
{
	int32_t expected = end->pid;

	ledger->exits[row] = *end;
	/* Not that of another main process, which the engine has just put there. */
	(void)atomic_compare_exchange_strong_explicit(
	    &ledger->pids[row], &expected, 0, memory_order_release, memory_order_relaxed);
	atomic_fetch_or_explicit(
	    &ledger->exited[row / 64], UINT64_C(1) << (row % 64), memory_order_release);
}

int ledger_next_exit(const struct ledger *ledger, int from)
{
	uint32_t words =
	    (atomic_load_explicit(&ledger->header.rows_high, memory_order_acquire) + 63) / 64;
	uint64_t mask = ~UINT64_C(0) << (from % 64);

	for (uint32_t word = (uint32_t)from / 64; word < words; word++, mask = ~UINT64_C(0)) {
		uint64_t bits =
		    atomic_load_explicit(&ledger->exited[word], memory_order_acquire) & mask;

		if (bits != 0)
			return (int)(word * 64 + (uint32_t)__builtin_ctzll(bits));
	}
	return -1;
}

bool ledger_has_exit(const struct ledger *ledger, int row)
{
	return (atomic_load_explicit(&ledger->exited[row / 64], memory_order_acquire) >>
		       (row % 64) &
		   1) != 0;
}

void ledger_clear_exit(struct ledger *ledger, int row)
{
	atomic_fetch_and_explicit(
	    &ledger->exited[row / 64], ~(UINT64_C(1) << (row % 64)), memory_order_release);
}
