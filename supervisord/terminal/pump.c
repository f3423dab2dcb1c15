/* SPDX-License-Identifier: ISC */
/* pump.c: see pump.h, splice(2), pipe(7), pty(7). */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/ownlog.h"
#include "lib/ttylink.h"
#include "supervisord/terminal/newline.h"
#include "supervisord/terminal/pump.h"

/* Rounds before the clients are looked at. */
#define ROUNDS 16
/* A round shows as much at once; where a new client begins is looked for in so much. */
#define LINE_LOOK 1024

static int fill(struct terminal *terminal);
static int fill_by_read(struct terminal *terminal);
static int take(struct state *state);
static void show(struct state *state);
static int put(struct state *state);
static int drain(struct terminal *terminal);
static int drain_by_write(struct terminal *terminal, uint32_t left);
static int give_up_output(struct terminal *terminal, int error);
static int get_level(uint32_t *ret_level);
static int discard(size_t length);
static void watch_output(struct terminal *terminal, bool on);

int pump_run(struct terminal *terminal)
{
	struct state *state = terminal->state;

	for (int round = 0; round < ROUNDS;) {
		enum phase phase = state_get_phase(state);
		int result = 0;

		switch (phase) {
		case PHASE_FILL:
			result = fill(terminal);
			break;
		case PHASE_TAKE:
			result = take(state);
			break;
		case PHASE_SHOW:
			show(state);
			break;
		case PHASE_PUT:
			result = put(state);
			break;
		case PHASE_DRAIN:
			result = drain(terminal);
			round++;
			break;
		}
		if (result == -EAGAIN)
			return phase == PHASE_FILL ? PUMP_EMPTY : PUMP_BLOCKED;
		if (result == -EIO && phase == PHASE_FILL)
			return PUMP_HUNG_UP;
		if (result < 0 && result != -EINTR)
			return result;
	}
	return PUMP_AGAIN;
}

void pump_set_output(struct terminal *terminal, int fd)
{
	watch_output(terminal, false);
	if (terminal->output >= 0)
		close(terminal->output);
	terminal->output = fd;
	terminal->output_told = false;
}

long pump_type(const char *bytes, size_t length)
{
	ssize_t written = write(FD_TTY_MASTER, bytes, length);

	if (written >= 0)
		return written > 0 ? written : -EAGAIN;
	/* Nobody is there to read it. */
	return errno == EIO ? (long)length : errno == EINTR ? -EAGAIN : -errno;
}

size_t pump_copy(const struct state *state, uint64_t from, char *buffer, size_t size)
{
	size_t start = from % LIMIT_TTY_RING, first;

	if (size > state->total - from)
		size = state->total - from;
	first = size < LIMIT_TTY_RING - start ? size : LIMIT_TTY_RING - start;
	memcpy(buffer, state->ring + start, first);
	memcpy(buffer + first, state->ring, size - first);
	return size;
}

uint64_t pump_oldest(const struct state *state)
{
	return state->total > LIMIT_TTY_RING ? state->total - LIMIT_TTY_RING : 0;
}

/* At the beginning of a line, where there is one soon. */
uint64_t pump_replay(const struct state *state)
{
	char look[LINE_LOOK];
	const char *newline;
	uint64_t from;
	size_t length;

	if (state->total <= LIMIT_TTY_REPLAY)
		return 0;
	from = state->total - LIMIT_TTY_REPLAY;
	length = pump_copy(state, from, look, sizeof(look));
	newline = memchr(look, '\n', length);
	return newline != NULL ? from + (size_t)(newline - look) + 1 : from;
}

/* Whoever was here before may have been killed right behind the splice. */
static int fill(struct terminal *terminal)
{
	struct state *state = terminal->state;
	uint32_t level = 0;
	ssize_t moved;
	int error = get_level(&level);

	if (error < 0)
		return error;
	if (level == 0 && terminal->no_splice)
		return fill_by_read(terminal);
	if (level == 0) {
		moved = splice(
		    FD_TTY_MASTER, NULL, FD_TTY_PIPE, NULL, LIMIT_TTY_CHUNK, SPLICE_F_NONBLOCK);
		if (moved < 0 && errno == EINVAL) {
			terminal->no_splice = true;
			return fill_by_read(terminal);
		}
		if (moved <= 0)
			return moved < 0 ? -errno : -EAGAIN;
		error = get_level(&level);
		if (error < 0)
			return error;
	}
	state->level = level < LIMIT_TTY_CHUNK ? level : LIMIT_TTY_CHUNK;
	state->raw_length = 0;
	state_set_phase(state, PHASE_TAKE);
	return 0;
}

static int fill_by_read(struct terminal *terminal)
{
	struct state *state = terminal->state;
	ssize_t length = read(FD_TTY_MASTER, state->raw, LIMIT_TTY_CHUNK);

	if (length <= 0)
		return length < 0 ? -errno : -EAGAIN;
	state->raw_length = (uint32_t)length;
	state_set_phase(state, PHASE_SHOW);
	return 0;
}

static int take(struct state *state)
{
	uint32_t level = 0;
	int error = get_level(&level);
	ssize_t length;

	if (error < 0)
		return error;
	state->raw_length = state->level > level ? state->level - level : 0;
	if (level > 0 && state->raw_length < state->level) {
		length = read(
		    FD_TTY_PIPE, state->raw + state->raw_length, state->level - state->raw_length);
		return length < 0 ? -errno : 0;
	}
	state_set_phase(state, PHASE_SHOW);
	return 0;
}

/* Done again it writes the same to the same place. */
static void show(struct state *state)
{
	uint64_t total = state->shown;

	for (uint32_t i = 0; i < state->raw_length; i++)
		state->ring[(total + i) % LIMIT_TTY_RING] = state->raw[i];
	state->total = total + state->raw_length;
	state_set_phase(state, PHASE_PUT);
}

static int put(struct state *state)
{
	bool carry = state->carry != 0;
	uint32_t level = 0;
	ssize_t written;
	int error = get_level(&level);

	if (error < 0)
		return error;
	state->put_length =
	    (uint32_t)newline_convert(state->raw, state->raw_length, &carry, state->put);
	state->carry_after = carry;
	if (level < state->put_length) {
		written = write(FD_TTY_PIPE, state->put + level, state->put_length - level);
		if (written < 0)
			return -errno;
		if ((uint32_t)written < state->put_length - level)
			return 0;
	}
	state_set_phase(state, PHASE_DRAIN);
	return 0;
}

static int drain(struct terminal *terminal)
{
	struct state *state = terminal->state;
	uint32_t level = 0;
	ssize_t moved;
	int error = get_level(&level);

	if (error < 0)
		return error;
	if (level == 0) {
		state->carry = state->carry_after;
		state->shown = state->total;
		state_set_phase(state, PHASE_FILL);
		watch_output(terminal, false);
		return 0;
	}
	if (terminal->output < 0)
		return -EAGAIN;
	moved = splice(FD_TTY_PIPE, NULL, terminal->output, NULL, level, SPLICE_F_NONBLOCK);
	if (moved > 0) {
		terminal->output_told = false;
		return 0;
	}
	error = moved < 0 ? -errno : -EAGAIN;
	if (error == -EINVAL)
		error = drain_by_write(terminal, level);
	if (error == -EAGAIN)
		watch_output(terminal, true);
	return error < 0 && error != -EAGAIN && error != -EINTR ? give_up_output(terminal, error)
								: error;
}

/* The last `left` bytes of `put` are still in the pipe. */
static int drain_by_write(struct terminal *terminal, uint32_t left)
{
	const struct state *state = terminal->state;
	ssize_t written;

	if (left > state->put_length)
		left = state->put_length;
	written = write(terminal->output, state->put + state->put_length - left, left);
	if (written < 0)
		return -errno;
	return discard((size_t)written);
}

/* The program would have got that error; there is nobody to give it to. */
static int give_up_output(struct terminal *terminal, int error)
{
	if (!terminal->output_told)
		log_error("what the program writes cannot be passed on: %s", strerror(-error));
	terminal->output_told = true;
	return discard(LIMIT_TTY_CHUNK + 1);
}

static int discard(size_t length)
{
	char sink[512];

	while (length > 0) {
		ssize_t got =
		    read(FD_TTY_PIPE, sink, length < sizeof(sink) ? length : sizeof(sink));

		if (got < 0)
			return errno == EAGAIN ? 0 : -errno;
		if (got == 0)
			return 0;
		length -= (size_t)got;
	}
	return 0;
}

static int get_level(uint32_t *ret_level)
{
	int level = 0;

	if (ioctl(FD_TTY_PIPE, FIONREAD, &level) < 0)
		return -errno;
	*ret_level = (uint32_t)level;
	return 0;
}

/* What cannot be watched is a file, and never blocks. */
static void watch_output(struct terminal *terminal, bool on)
{
	uint32_t have = terminal->output_blocked ? EPOLLOUT : 0;

	if (terminal->output_blocked == on)
		return;
	if (terminal_watch(terminal, WATCH_OUTPUT, 0, terminal->output, &have, on ? EPOLLOUT : 0) ==
	    0)
		terminal->output_blocked = on;
}
