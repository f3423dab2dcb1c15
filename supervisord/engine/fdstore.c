/* SPDX-License-Identifier: ISC */
/* fdstore.c: see fdstore.h, sd_pid_notify_with_fds(3), sd_listen_fds(3), kcmp(2). */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "supervisord/engine/fdstore.h"
#include "supervisord/engine/notifyparse.h"

/* As sd_pid_notify_with_fds(3) says. */
#define NAME_OF_UNNAMED "stored"
/* A line of the names: a number of two digits, a blank, a name, a newline. */
#define NAMES_BYTES (LIMIT_FDSTORE * (NOTIFY_FDNAME + 3))

static void adopt_names(struct fdstore *store, int slot, uint16_t generation);
static void read_names(struct fdstore *store, int fd);
static void read_name(struct fdstore *store, const char *line, size_t length);
static int find_free(const struct fdstore *store);
static bool has(const struct fdstore *store, int fd);
static bool is_same(int one, int other);
static void drop(struct fdstore *store, size_t index);
static int hold_names(struct fdstore *store);
static int write_names(const struct fdstore *store, int *ret_fd);
static const char *name_of(const struct fdstore_entry *entry);

void fdstore_init(struct fdstore *store, struct slots *slots, int row)
{
	*store = (struct fdstore){.slots = slots, .row = row, .names_slot = -1};
	for (size_t i = 0; i < LIMIT_FDSTORE; i++)
		store->entries[i].slot = -1;
}

void fdstore_adopt(struct fdstore *store, uint64_t key, int slot)
{
	uint16_t index = held_key_stream(key);

	if (held_key_kind(key) == HELD_STORE_NAMES) {
		adopt_names(store, slot, index);
	} else if (index >= LIMIT_FDSTORE || store->entries[index].slot >= 0 ||
		   slots_get_fd(store->slots, slot) < 0) {
		slots_release(store->slots, slot);
	} else {
		store->entries[index].slot = slot;
		store->count++;
	}
}

int fdstore_add(struct fdstore *store, int fd, const char *name, size_t most)
{
	int index = find_free(store), slot, error;
	struct fdstore_entry *entry;

	if (has(store, fd))
		return -EEXIST;
	if (index < 0 || store->count >= most)
		return -ENOSPC;
	entry = &store->entries[index];
	free(entry->name);
	entry->name = name[0] != '\0' ? strdup(name) : NULL;
	if (name[0] != '\0' && entry->name == NULL)
		return -ENOMEM;
	entry->slot = 0; /* taken, so that it is among the names */
	error = hold_names(store);
	entry->slot = -1;
	if (error < 0)
		return error;
	slot = slots_hold(
	    store->slots, held_key(HELD_STORE, (uint32_t)store->row, (uint16_t)index), fd);
	if (slot < 0)
		return slot;
	entry->slot = slot;
	store->count++;
	return 0;
}

size_t fdstore_remove(struct fdstore *store, const char *name)
{
	size_t removed = 0;

	for (size_t i = 0; i < LIMIT_FDSTORE; i++) {
		if (store->entries[i].slot < 0 || strcmp(name_of(&store->entries[i]), name) != 0)
			continue;
		drop(store, i);
		removed++;
	}
	if (removed > 0)
		(void)hold_names(store); /* else they stay as they are: a name too many */
	return removed;
}

void fdstore_clear(struct fdstore *store)
{
	for (size_t i = 0; i < LIMIT_FDSTORE; i++)
		drop(store, i);
	slots_release(store->slots, store->names_slot);
	store->names_slot = -1;
}

size_t fdstore_list(const struct fdstore *store, struct launch_fd *list, int first, size_t most)
{
	size_t count = 0;

	for (size_t i = 0; i < LIMIT_FDSTORE && count < most; i++) {
		if (store->entries[i].slot < 0)
			continue;
		list[count] = (struct launch_fd){
		    .fd = slots_get_fd(store->slots, store->entries[i].slot),
		    .number = first + (int)count,
		};
		count++;
	}
	return count;
}

char *fdstore_names(const struct fdstore *store, size_t most)
{
	char *text = NULL;
	size_t size, count = 0;
	FILE *stream = open_memstream(&text, &size);

	if (stream == NULL)
		return NULL;
	for (size_t i = 0; i < LIMIT_FDSTORE && count < most; i++)
		if (store->entries[i].slot >= 0)
			(void)fprintf(
			    stream, "%s%s", count++ > 0 ? ":" : "", name_of(&store->entries[i]));
	if (fclose(stream) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

/* Two when an engine was killed while it replaced them: the later ones know what the others do. */
static void adopt_names(struct fdstore *store, int slot, uint16_t generation)
{
	if (store->names_slot >= 0 && (int16_t)(uint16_t)(generation - store->generation) < 0) {
		slots_release(store->slots, slot);
		return;
	}
	slots_release(store->slots, store->names_slot);
	store->names_slot = slot;
	store->generation = generation;
	read_names(store, slots_get_fd(store->slots, slot));
	slots_forget_fd(store->slots, slot);
}

static void read_names(struct fdstore *store, int fd)
{
	char *text = malloc(NAMES_BYTES);
	ssize_t got = text != NULL && fd >= 0 ? pread(fd, text, NAMES_BYTES, 0) : -1;
	const char *line = text, *end;

	for (size_t i = 0; i < LIMIT_FDSTORE; i++) {
		free(store->entries[i].name);
		store->entries[i].name = NULL;
	}
	while (got > 0 && (end = memchr(line, '\n', (size_t)got)) != NULL) {
		read_name(store, line, (size_t)(end - line));
		got -= end + 1 - line;
		line = end + 1;
	}
	free(text);
}

static void read_name(struct fdstore *store, const char *line, size_t length)
{
	size_t index = 0, at = 0;

	while (at < length && at < 3 && line[at] >= '0' && line[at] <= '9')
		index = 10 * index + (size_t)(line[at++] - '0');
	if (at == 0 || at == length || line[at] != ' ' || index >= LIMIT_FDSTORE)
		return;
	at++;
	if (notify_is_fdname(line + at, length - at))
		store->entries[index].name = strndup(line + at, length - at);
}

static int find_free(const struct fdstore *store)
{
	for (int i = 0; i < LIMIT_FDSTORE; i++)
		if (store->entries[i].slot < 0)
			return i;
	return -1;
}

static bool has(const struct fdstore *store, int fd)
{
	for (size_t i = 0; i < LIMIT_FDSTORE; i++)
		if (store->entries[i].slot >= 0 &&
		    is_same(fd, slots_get_fd(store->slots, store->entries[i].slot)))
			return true;
	return false;
}

/*
 * The same open file?  Where kcmp(2) is not to be had, the same file opened in the same way has to
 * do: of sockets and pipes that comes to the same.
 */
static bool is_same(int one, int other)
{
	struct stat first, second;
	pid_t self = getpid();
	long order = syscall(SYS_kcmp, self, self, KCMP_FILE, one, other);

	if (order >= 0)
		return order == 0;
	if (fstat(one, &first) < 0 || fstat(other, &second) < 0)
		return false;
	return first.st_dev == second.st_dev && first.st_ino == second.st_ino &&
	       first.st_rdev == second.st_rdev &&
	       ((first.st_mode ^ second.st_mode) & S_IFMT) == 0 &&
	       /* Eventfds and their like share one inode. */
	       (first.st_mode & S_IFMT) != 0 && fcntl(one, F_GETFL) == fcntl(other, F_GETFL);
}

static void drop(struct fdstore *store, size_t index)
{
	struct fdstore_entry *entry = &store->entries[index];

	free(entry->name);
	entry->name = NULL;
	if (entry->slot < 0)
		return;
	slots_release(store->slots, entry->slot);
	entry->slot = -1;
	store->count--;
}

/* The new names stand before the old ones go. */
static int hold_names(struct fdstore *store)
{
	uint16_t generation = (uint16_t)(store->generation + 1);
	int fd = -1, slot, error;

	error = write_names(store, &fd);
	if (error < 0)
		return error;
	slot = slots_hold(
	    store->slots, held_key(HELD_STORE_NAMES, (uint32_t)store->row, generation), fd);
	if (slot < 0) {
		close(fd);
		return slot;
	}
	slots_forget_fd(store->slots, slot);
	slots_release(store->slots, store->names_slot);
	store->names_slot = slot;
	store->generation = generation;
	return 0;
}

static int write_names(const struct fdstore *store, int *ret_fd)
{
	int fd = memfd_create("supervisord-fdnames", MFD_CLOEXEC | MFD_ALLOW_SEALING), error = 0;

	if (fd < 0)
		return -errno;
	for (size_t i = 0; i < LIMIT_FDSTORE && error == 0; i++)
		if (store->entries[i].slot >= 0 && store->entries[i].name != NULL &&
		    dprintf(fd, "%zu %s\n", i, store->entries[i].name) < 0)
			error = -errno;
	if (error == 0 &&
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
		error = -errno;
	if (error < 0)
		close(fd);
	else
		*ret_fd = fd;
	return error;
}

static const char *name_of(const struct fdstore_entry *entry)
{
	return entry->name != NULL ? entry->name : NAME_OF_UNNAMED;
}
