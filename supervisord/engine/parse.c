/* SPDX-License-Identifier: ISC */
/*
 * parse.c: see parse.h.  The guard has cut the text into slices and found their keys; these are
 * checked against the table, those that are wrong are blanked so that the others are still read
 * (slicecheck.c), and libconfuse parses the slice (sliceread.c).
 */
#include "supervisord/engine/parse.h"
#include "supervisord/engine/slice.h"

int parse_text(const char *file, const char *text, size_t length, struct confreport *report,
    int (*each)(void *context, const struct stanza *stanza), void *context,
    struct parse_result *ret_result)
{
	struct slice_text whole = {.file = file, .report = report, .complete = true};
	struct stanza_entry entries[SLICE_KEYS];
	size_t errors_before = report->errors->count;
	int error;

	error = guard_scan(file, text, length, report, &whole.guard);
	if (error == 0 && report->errors->count > errors_before)
		whole.complete = false;
	for (size_t i = 0; error == 0 && i < whole.guard.slice_count; i++) {
		struct slice slice = {
		    .text = &whole, .at = &whole.guard.slices[i], .entries = entries};

		if (slice_check(&slice))
			error = slice_read(&slice, each, context);
	}
	guard_done(&whole.guard);
	ret_result->complete = whole.complete;
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
