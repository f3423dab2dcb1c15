/* SPDX-License-Identifier: ISC */
/*
 * parse.c: see parse.h.  The guard has cut the text into slices and found their keys; these are
 * checked against the table (slicecheck.c), and libconfuse reads the values of those that are
 * right, of many slices at once (sliceread.c).
 */
#include "supervisord/engine/parse.h"
#include "supervisord/engine/slice.h"

/* Slices that are read at once, and keys and values of all of them, as far as another one does not
 * go beyond: libconfuse makes its list larger value by value. */
#define RUN_SLICES  64
#define RUN_ENTRIES (SLICE_KEYS + 256)
#define RUN_VALUES  256

struct run {
	struct slice slices[RUN_SLICES];
	size_t count;
	size_t entry_count;
	size_t value_count;
	struct stanza_entry entries[RUN_ENTRIES];
	const struct guard_entry *written[RUN_ENTRIES];
	int (*each)(void *context, const struct stanza *stanza);
	void *context;
};

static int take_slice(struct run *run, struct slice_text *text, const struct guard_slice *at);
static int end_run(struct run *run);

int parse_text(const char *file, const char *text, size_t length, struct confreport *report,
    int (*each)(void *context, const struct stanza *stanza), void *context,
    struct parse_result *ret_result)
{
	struct slice_text whole = {.file = file, .report = report, .complete = true};
	size_t errors_before = report->errors->count;
	struct run run;
	int error;

	run.count = run.entry_count = run.value_count = 0;
	run.each = each;
	run.context = context;
	error = guard_scan(file, text, length, report, &whole.guard);
	if (error == 0 && report->errors->count > errors_before)
		whole.complete = false;
	for (size_t i = 0; error == 0 && i < whole.guard.slice_count; i++)
		error = take_slice(&run, &whole, &whole.guard.slices[i]);
	if (error == 0)
		error = end_run(&run);
	guard_done(&whole.guard);
	ret_result->complete = whole.complete;
	return error;
}

static int take_slice(struct run *run, struct slice_text *text, const struct guard_slice *at)
{
	struct slice *slice = &run->slices[run->count];

	*slice = (struct slice){.text = text,
	    .at = at,
	    .entries = run->entries + run->entry_count,
	    .written = run->written + run->entry_count};
	if (!slice_check(slice))
		return 0;
	run->count++;
	run->entry_count += slice->count;
	run->value_count += slice_count_values(slice);
	/* The next one must find room. */
	if (run->count == RUN_SLICES || run->entry_count + SLICE_KEYS > RUN_ENTRIES ||
	    run->value_count >= RUN_VALUES)
		return end_run(run);
	return 0;
}

static int end_run(struct run *run)
{
	int error =
	    run->count > 0 ? slice_read(run->slices, run->count, run->each, run->context) : 0;

	run->count = run->entry_count = run->value_count = 0;
	return error;
}

const struct key_row *parse_rows(enum stanza_kind kind, size_t *ret_count)
{
	switch (kind) {
	case STANZA_SETTING:
	case STANZA_CONTROL:
		*ret_count = SETTING_KEY_COUNT;
		return setting_rows;
	case STANZA_DEFAULTS:
	case STANZA_PROGRAM:
	case STANZA_ON_EVENT:
	case STANZA_OVERRIDE:
		break;
	case STANZA_GROUP:
		*ret_count = GROUP_KEY_COUNT;
		return group_rows;
	case STANZA_SOCKET:
		*ret_count = SOCKET_KEY_COUNT;
		return socket_rows;
	}
	*ret_count = PROGRAM_KEY_COUNT;
	return program_rows;
}
