/* SPDX-License-Identifier: ISC */
/*
 * lastwords.h: what a run wrote last, for the history of the engine.
 *
 * From where the output is anyway: the ring, where every record says its run; a log of stamped or
 * JSON lines, where each line does; a raw log, of which the stream knows how many of its last bytes
 * came during which run; what was still in the pipe when the next run began counts for that one,
 * since nothing in it says whose it is.  A logger that was not there then does not know that: it
 * takes the end of a raw log for the run's if no other run has begun.  Of a raw file that several
 * programs write to nothing can be said.
 */
#ifndef LOGGER_LASTWORDS_H
#define LOGGER_LASTWORDS_H

#include <stddef.h>
#include <stdint.h>

#include "lib/ledger.h"
#include "supervisord/logger/streams.h"

/* `moved` bytes went to the end of the stream's log just now. */
void lastwords_note(struct stream *stream, const struct ledger *ledger, size_t moved);

/*
 * Write down what is in the pipe, and give the last lines of the run, as many as fit: whole ones,
 * but for one that is too long alone.  Returns their length, 0: there are none, or that is not
 * known.
 */
size_t lastwords_get(
    struct streams *streams, uint32_t row, uint16_t number, uint64_t run, char *text, size_t size);

#endif
