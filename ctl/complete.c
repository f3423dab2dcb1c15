/* SPDX-License-Identifier: ISC */
/* complete.c: see complete.h, and superctl complete, which is what the shells call. */
#include <string.h>

#include "ctl/call.h"
#include "ctl/complete.h"
#include "ctl/keys.h"

static enum exitcode on_programs(struct call *call, int parameters, void *context);

const char *const complete_signals[] = {"HUP", "INT", "QUIT", "KILL", "USR1", "USR2", "TERM",
    "CONT", "STOP", "TSTP", "ABRT", "ALRM", "WINCH", NULL};

/* clang-format off */
static const struct {
	const char *word;
	enum complete_kind kind;
} kinds[] = {
	{"NAME",      COMPLETE_NAMES},
	{"KEY",       COMPLETE_KEYS},
	{"KEY=VALUE", COMPLETE_KEYS},
	{"NAME|KEY",  COMPLETE_EITHER},
	{"SIGNAL",    COMPLETE_SIGNALS},
	{"FILE",      COMPLETE_FILES},
	{"SOCKET",    COMPLETE_FILES},
	{"COMMAND",   COMPLETE_VERBS},
	{"CMD",       COMPLETE_LINE},
};
/* clang-format on */

static struct complete_slot read_slot(const char *word, size_t length)
{
	struct complete_slot slot = {.kind = COMPLETE_NOTHING, .words = word};
	const size_t dots = strlen("...");

	if (length > dots && memcmp(word + length - dots, "...", dots) == 0) {
		slot.repeats = true;
		length -= dots;
	}
	slot.length = length;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strlen(kinds[i].word) == length && memcmp(kinds[i].word, word, length) == 0)
			slot.kind = kinds[i].kind;
	if (word[0] >= 'a' && word[0] <= 'z')
		slot.kind = COMPLETE_WORDS;
	return slot;
}

size_t complete_read(const char *arguments, struct complete_slot slots[COMPLETE_SLOTS])
{
	size_t count = 0;

	while (count < COMPLETE_SLOTS) {
		size_t length;

		arguments += strspn(arguments, " []");
		length = strcspn(arguments, " []");
		if (length == 0)
			break;
		slots[count++] = read_slot(arguments, length);
		arguments += length;
	}
	return count;
}

struct complete_slot complete_slot_at(const char *arguments, size_t index)
{
	struct complete_slot slots[COMPLETE_SLOTS];
	size_t count = complete_read(arguments, slots);

	if (index < count)
		return slots[index];
	if (count > 0 && slots[count - 1].repeats)
		return slots[count - 1];
	return (struct complete_slot){.kind = COMPLETE_NOTHING};
}

/* One candidate a line.  Where there is no daemon there are no names, and no complaint that would
 * stand in the middle of what somebody types. */
enum exitcode ctl_complete(struct ctl *ctl)
{
	enum exitcode code;
	struct call call;

	if (strcmp(ctl->options.names[0], "keys") == 0) {
		for (size_t i = 0; i < keys_count; i++)
			out_format(&ctl->out, "%s\n", keys_table[i].name);
		return EXITCODE_OK;
	}
	ctl->err.silent = true;
	call_init(&call, ctl, "Status", false);
	call.on_reply = on_programs;
	code = call_run(&call);
	call_done(&call);
	return code;
}

static enum exitcode on_programs(struct call *call, int parameters, void *context)
{
	struct jsonr *reply = &call->reply;
	int programs = jsonr_member(reply, parameters, "programs");

	(void)context;
	for (int at = jsonr_first(reply, programs); at >= 0; at = jsonr_next(reply, programs, at))
		out_format(&call->ctl->out, "%s\n",
		    jsonr_text(reply, jsonr_member(reply, at, "name"), ""));
	out_string(&call->ctl->out, "all\n");
	return EXITCODE_OK;
}
