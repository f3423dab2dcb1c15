/* SPDX-License-Identifier: ISC */
/*
 * board.h: the shared page on which every measured program leaves its stamp.
 *
 * A board is a file (on tmpfs when there is one) that run.py creates at its full size, zeroed. Each
 * program owns one slot; the tools of this folder and run.py (lab.py: the same layout, by struct)
 * read it.  Nobody waits for anybody: a stamp costs open, mmap and three atomic writes, the same
 * for every supervisor, and its time is taken before any of them.
 */
#ifndef BENCH_BOARD_H
#define BENCH_BOARD_H

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

/* All times are CLOCK_MONOTONIC nanoseconds. */
struct board_slot {
	_Atomic int64_t stamp_ns; /* the latest exec */
	_Atomic int64_t begin_ns; /* write mode: first write */
	_Atomic int64_t end_ns;   /* write mode: the reader has taken the last byte */
	_Atomic int64_t bytes;    /* write mode: bytes written */
	_Atomic uint32_t pid;
	_Atomic uint32_t execs;
	uint64_t unused[3];
};

struct board {
	_Atomic int64_t launch_ns; /* just before the exec of the daemon */
	_Atomic uint64_t execs;    /* stamps in all */
	_Atomic uint32_t distinct; /* slots that have a stamp */
	_Atomic uint32_t go;       /* write mode: begin */
	uint64_t unused[5];
	struct board_slot slots[];
};

_Static_assert(sizeof(struct board) == 64, "lab.py reads this layout");
_Static_assert(sizeof(struct board_slot) == 64, "lab.py reads this layout");

static inline size_t board_bytes(uint32_t slots)
{
	return sizeof(struct board) + slots * sizeof(struct board_slot);
}

/* Maps the header and the first `slots` slots; never unmapped.  Returns 0 or -errno. */
static inline int board_map(const char *path, uint32_t slots, struct board **ret_board)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	void *at;

	if (fd < 0)
		return -errno;
	at = mmap(NULL, board_bytes(slots), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (at == MAP_FAILED)
		return -errno;
	*ret_board = at;
	return 0;
}

#endif
