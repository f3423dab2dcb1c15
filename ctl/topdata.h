/* SPDX-License-Identifier: ISC */
/*
 * topdata.h: what superctl top shows: the programs now and a while ago, so that CPU time becomes a
 * share; sorted and filtered.  No terminal in it.
 */
#ifndef CTL_TOPDATA_H
#define CTL_TOPDATA_H

#include "ctl/ctl.h"
#include "ctl/program.h"
#include "lib/jsonw.h"
#include "lib/limits.h"

/* The CPU of so many samples is remembered of each program. */
#define TOPDATA_SAMPLES 16

enum topdata_sort {
	TOPDATA_NAME,
	TOPDATA_STATE,
	TOPDATA_CPU,
	TOPDATA_MEMORY,
	TOPDATA_STARTS,
	TOPDATA_AGE,
	TOPDATA_SORTS
};

struct topdata_row {
	char name[LIMIT_NAME];
	char state[16];
	enum out_style style;
	char *reason;
	int64_t pid;
	int64_t starts;
	int64_t memory_bytes; /* -1: not known */
	int64_t cpu_ms;       /* -1: not known */
	int64_t since_ns;     /* wall clock; 0: not known */
	int cpu;              /* in tenths of a percent of one processor; -1: not known yet */
	int samples[TOPDATA_SAMPLES];
	unsigned sample_count;
	unsigned generation;
	bool on_event; /* no program like the others: at the end, and not counted with them */
};

struct topdata {
	struct ctl *ctl;
	struct topdata_row *rows; /* by name */
	size_t count;
	size_t *order; /* of those that the filter lets through; indices of rows */
	size_t shown;
	size_t name_width; /* of the longest that is shown */
	enum topdata_sort sort;
	bool reverse;
	char filter[LIMIT_NAME];
	int64_t sampled_ns; /* CLOCK_BOOTTIME; 0: never */
	unsigned generation;
	enum exitcode code; /* of the last sample: OK, or why there is none */
};

void topdata_init(struct topdata *top, struct ctl *ctl);
void topdata_done(struct topdata *top);

/* Ask the daemon for the programs of the command line; does not wait for one that is away.  The
 * rows stay as they were when that fails; `code` tells. */
enum exitcode topdata_sample(struct topdata *top);

/* Make `order` anew, after a sample or another sort or filter. */
void topdata_arrange(struct topdata *top);

/* By "cpu", "memory" ...; -EINVAL. */
int topdata_parse_sort(const char *word, enum topdata_sort *ret_sort);
const char *topdata_sort_name(enum topdata_sort sort);

/* How it is written. */
struct topdata_layout {
	size_t columns;     /* at most; 0: all of it */
	unsigned sparkline; /* so many samples of the CPU as heights, at most TOPDATA_SAMPLES */
};

void topdata_write_heading(
    const struct topdata *top, struct out *out, const struct topdata_layout *layout);
void topdata_write_row(const struct topdata *top, const struct topdata_row *row, struct out *out,
    int64_t now_ns, const struct topdata_layout *layout);

/* A record; cpu_permille is of one processor. */
void topdata_write_json(const struct topdata_row *row, struct jsonw *w);

/* "34 programs: 30 RUNNING, 2 FATAL; 1 on_event; CPU 12.3%, memory 1.2G" */
void topdata_write_summary(const struct topdata *top, struct out *out);

#endif
