/* SPDX-License-Identifier: ISC */
/* state.c: see state.h, memfd_create(2). */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "supervisord/cluster/state.h"

static int map(int fd, struct state **ret_state);

int state_open(int fd, uint32_t mode, struct state **ret_state, bool *ret_is_new)
{
	struct state *state;
	struct stat st;
	int error;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size != (off_t)sizeof(*state) && ftruncate(fd, 0) < 0)
		return -errno;
	error = map(fd, &state);
	if (error < 0)
		return error;
	*ret_is_new = state->magic != STATE_MAGIC || state->version != STATE_VERSION ||
		      state->size != sizeof(*state) || state->mode != mode;
	if (*ret_is_new) {
		munmap(state, sizeof(*state));
		/* Empty, and without a page of memory. */
		if (ftruncate(fd, 0) < 0)
			return -errno;
		error = map(fd, &state);
		if (error < 0)
			return error;
		state->version = STATE_VERSION;
		state->size = sizeof(*state);
		state->mode = mode;
		state->magic = STATE_MAGIC;
	}
	*ret_state = state;
	return 0;
}

static int map(int fd, struct state **ret_state)
{
	void *memory;

	if (ftruncate(fd, sizeof(struct state)) < 0)
		return -errno;
	memory = mmap(NULL, sizeof(struct state), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		return -errno;
	*ret_state = memory;
	return 0;
}
