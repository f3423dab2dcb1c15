/* SPDX-License-Identifier: ISC */
/*
 * linesearch.h: find where the last lines of a log begin, in bounded steps.
 *
 * Plain files are searched backwards, block by block.  A compressed one can only be read forwards:
 * its newlines are counted, and when the wanted line is in it, it is read again up to there.
 */
#ifndef LOGGER_LINESEARCH_H
#define LOGGER_LINESEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "supervisord/logger/place.h"

struct line_search {
	uint64_t lines;  /* still to find */
	uint64_t passed; /* bytes that were gone back over */
	bool begun;      /* the last byte of the log was seen */
	enum { SEARCH_BACK, SEARCH_COUNT, SEARCH_SKIP } phase;
	uint64_t newlines; /* counted, or to be skipped */
	char last;         /* byte of what was counted */
};

/*
 * One step back from a place that was at the end of the log, or one step of a count.  Returns 1
 * when the place is at the first of the lines, or of all there are; 0 when there is more to do;
 * -errno.
 */
int line_search_step(
    struct line_search *search, struct place *place, const struct archives *archives);

/*
 * The search in one block of memory, backwards.  Returns true with the offset at which the first
 * wanted line starts, false when it is further back.
 */
bool line_search_block(
    struct line_search *search, const char *block, size_t length, size_t *ret_start);

#endif
