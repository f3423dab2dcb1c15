/* SPDX-License-Identifier: ISC */
/*
 * changes.h: which keys of which program an apply has changed, for those who ask why it was
 * restarted.
 *
 * A ring in the history (history.h).  An apply writes its changes before it is committed, so that
 * an engine that is killed in the middle is followed by one that knows them; what came of none is
 * told by the hash: a change counts for a program when that is launched with the stanza that it
 * made. The reason of a state names one by the lower bits of its number (`detail` of
 * REASON_CHANGED, REASON_ADDED and REASON_ROLLED).
 *
 * Decides nothing.
 */
#ifndef ENGINE_CHANGES_H
#define ENGINE_CHANGES_H

#include "lib/jsonw.h"
#include "supervisord/engine/config.h"
#include "supervisord/engine/history.h"
#include "supervisord/engine/reason.h"

/* An apply is about to be committed; returns the number to name it by, and `maker` goes on with it.
 * Who is new in it, or was restarted by it, says so. */
struct changes_maker {
	struct history_memory *history;
	uint32_t uid; /* or HISTORY_NO_UID */
	enum applied_by by;
	int32_t apply; /* set by changes_begin() */
};
void changes_begin(struct changes_maker *maker);

/* What differs between two stanzas of the instance in this row.  `old` may be NULL: not known. */
int32_t changes_add(const struct changes_maker *maker, int row, const struct program_config *old,
    const struct program_config *new);

/* The last change of the row that made a stanza of this hash, as `detail`; 0: none is known. */
int32_t changes_find(const struct history_memory *history, int row, uint64_t hash);

/* The last one that led to this hash at all: also what no run has to end for. */
int32_t changes_find_newest(const struct history_memory *history, int row, uint64_t hash);

/* The change that `detail` names; NULL: it is not known any more. */
const struct history_change *changes_get(const struct history_memory *history, int32_t detail);

/* As words: "command, user changed, applied by uid 0"; "" of NULL.  Returns `buffer`. */
const char *changes_text(const struct history_change *change, char *buffer, size_t size);

/* Type Applied of io.superctl.varlink, or null. */
void changes_write(struct jsonw *w, const struct history_change *change);

/* As a sentence needs it. */
struct reason_change changes_reason(const struct history_change *change);

/* The one that the reason of this state is about, or NULL. */
const struct history_change *changes_of(
    const struct history_memory *history, const struct ledger_state *state);

#endif
