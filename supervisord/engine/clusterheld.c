/* SPDX-License-Identifier: ISC */
/* clusterheld.c: see clusterheld.h. */
#define _GNU_SOURCE
#include <sys/stat.h>
#include <unistd.h>

#include "lib/channel.h"
#include "lib/ownlog.h"
#include "supervisord/engine/clusterheld.h"
#include "supervisord/engine/engine.h"

/* In the part of the key that is there for streams. */
#define SOCKET_STREAM(listener, slot) ((uint16_t)((listener)*LIMIT_CLUSTER_WORKERS + (slot)))

static uint64_t make_key(const struct program *primary, const struct msg_head *head);
static bool is_same_socket(int a, int b);

bool clusterheld_is_of(const struct program *primary, uint64_t key)
{
	return held_key_kind(key) == HELD_CLUSTER_SOCKET &&
	       held_key_row(key) == (uint32_t)primary->run.row;
}

void clusterheld_name(uint64_t key, struct msg_head *ret_head)
{
	unsigned place = held_key_stream(key);

	ret_head->slot = place / LIMIT_CLUSTER_WORKERS;
	ret_head->key = place % LIMIT_CLUSTER_WORKERS;
}

void clusterheld_keep(const struct program *primary, const struct msg_head *head, int fd)
{
	struct slots *slots = &primary->engine->slots;
	uint64_t key = make_key(primary, head);
	int slot;

	if (fd < 0)
		return;
	if (head->slot >= LIMIT_CLUSTER_LISTENERS || head->key >= LIMIT_CLUSTER_WORKERS) {
		close(fd);
		return;
	}
	slot = slots_find(slots, key);
	/* An engine before us was told, too. */
	if (slot >= 0 && is_same_socket(slots_get_fd(slots, slot), fd)) {
		close(fd);
		return;
	}
	if (slot >= 0)
		slots_release(slots, slot);
	if (slots_hold(slots, key, fd) < 0) {
		log_error("%s: a listening socket cannot be held, and will not outlive it",
		    program_name(primary));
		close(fd);
	}
}

void clusterheld_release(const struct program *primary, const struct msg_head *head)
{
	struct slots *slots = &primary->engine->slots;
	int slot = slots_find(slots, make_key(primary, head));

	if (slot >= 0)
		slots_release(slots, slot);
}

static uint64_t make_key(const struct program *primary, const struct msg_head *head)
{
	return held_key(HELD_CLUSTER_SOCKET, (uint32_t)primary->run.row,
	    SOCKET_STREAM(head->slot, (uint32_t)head->key));
}

static bool is_same_socket(int a, int b)
{
	struct stat first, second;

	return fstat(a, &first) == 0 && fstat(b, &second) == 0 && first.st_ino == second.st_ino &&
	       first.st_dev == second.st_dev;
}
