/* SPDX-License-Identifier: ISC */
/* state.c: see state.h, memfd_create(2). */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "supervisord/terminal/state.h"

static bool is_ours(const struct state *state);

int state_open(int fd, struct state **ret_state)
{
	struct state *state;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if ((st.st_size != (off_t)sizeof(*state) && ftruncate(fd, 0) < 0) ||
	    ftruncate(fd, sizeof(*state)) < 0)
		return -errno;
	state = mmap(NULL, sizeof(*state), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (state == MAP_FAILED)
		return -errno;
	if (!is_ours(state)) {
		/* Empty, and without a page of memory; the mapping shows that. */
		if (ftruncate(fd, 0) < 0 || ftruncate(fd, sizeof(*state)) < 0) {
			int error = -errno;

			munmap(state, sizeof(*state));
			return error;
		}
		state->version = STATE_VERSION;
		state->size = sizeof(*state);
		state->magic = STATE_MAGIC;
	}
	*ret_state = state;
	return 0;
}

void state_set_phase(struct state *state, enum phase phase)
{
	atomic_store(&state->phase, (uint32_t)phase);
}

enum phase state_get_phase(const struct state *state)
{
	return (enum phase)atomic_load(&state->phase);
}

/* With lengths that can be, whoever wrote them. */
static bool is_ours(const struct state *state)
{
	return state->magic == STATE_MAGIC && state->version == STATE_VERSION &&
	       state->size == sizeof(*state) && atomic_load(&state->phase) <= PHASE_DRAIN &&
	       state->level <= LIMIT_TTY_CHUNK && state->raw_length <= LIMIT_TTY_CHUNK &&
	       state->put_length <= sizeof(state->put);
}
