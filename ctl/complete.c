/* SPDX-License-Identifier: ISC */
/* complete.c: see complete.h, and superctl complete, which is what the shells call. */
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "lib/clock.h"
#include "ctl/call.h"
#include "ctl/complete.h"
#include "ctl/keys.h"

/* A line that is being typed waits no longer for an engine that is away. */
#define PATIENCE_NS NS_PER_S

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

/* A line as far as it is typed: its verb, and what the word at hand is. */
struct line {
	const struct verb *verb;
	const char *first;                /* argument of the verb, or NULL */
	size_t arguments;                 /* of the verb, before the word at hand */
	const struct option_row *pending; /* the word at hand is its value */
};

struct offer {
	void (*each)(void *context, const char *word);
	void *context;
};

/* The option that this word is, when its value is the next word; NULL for all others. */
static const struct option_row *find_valued(const char *word)
{
	for (size_t i = 0; i < options_count; i++) {
		const struct option_row *row = &options_table[i];

		if (row->argument == NULL || row->argument[0] == '[')
			continue;
		if (word[1] == '-' ? strcmp(word + 2, row->name) == 0
				   : word[1] == row->letter && row->letter != 0 && word[2] == '\0')
			return row;
	}
	return NULL;
}

static struct line read_line(char *const *words, size_t count)
{
	struct line line = {0};

	for (size_t i = 0; i < count; i++) {
		if (line.pending != NULL) {
			line.pending = NULL;
		} else if (words[i][0] == '-') {
			line.pending = find_valued(words[i]);
		} else if (line.verb == NULL) {
			line.verb = verbs_find(words[i]);
			if (line.verb == NULL) /* nothing is known of what follows */
				line.verb = verbs_find("version");
		} else if (line.arguments++ == 0) {
			line.first = words[i];
		}
	}
	return line;
}

/* Names of programs, and nothing where there is no daemon: no complaint in the middle of what
 * somebody types. */
static enum exitcode offer_names(struct ctl *ctl, struct offer *offer)
{
	enum exitcode code;
	struct call call;
	bool silent = ctl->err.silent;

	ctl->err.silent = true;
	call_init(&call, ctl, "Status", false);
	call.deadline_ns = clock_boot_ns() + PATIENCE_NS;
	call.on_reply = on_programs;
	call.context = offer;
	code = call_run(&call);
	call_done(&call);
	ctl->err.silent = silent;
	return code;
}

static enum exitcode on_programs(struct call *call, int parameters, void *context)
{
	struct offer *offer = context;
	struct jsonr *reply = &call->reply;
	int programs = jsonr_member(reply, parameters, "programs");

	const char *last = "";

	/* One of several is a name, and so is that of all of them, which stand side by side. */
	for (int at = jsonr_first(reply, programs); at >= 0; at = jsonr_next(reply, programs, at)) {
		const char *name = jsonr_text(reply, jsonr_member(reply, at, "name"), "");
		const char *program = jsonr_text(reply, jsonr_member(reply, at, "program"), name);

		if (strcmp(program, name) != 0 && strcmp(program, last) != 0)
			offer->each(offer->context, program);
		offer->each(offer->context, name);
		last = program;
	}
	offer->each(offer->context, "all");
	return EXITCODE_OK;
}

/* All of the configuration, or those that a program has. */
static void offer_keys(const struct offer *offer, bool of_programs)
{
	for (size_t i = 0; i < keys_count; i++)
		if (!of_programs || strcmp(keys_table[i].stanza, "program") == 0)
			offer->each(offer->context, keys_table[i].name);
}

static void offer_verbs(const struct offer *offer)
{
	for (size_t i = 0; i < verbs_count; i++)
		if (verbs_table[i].summary != NULL)
			offer->each(offer->context, verbs_table[i].name);
}

static void offer_options(const struct offer *offer, option_set set)
{
	char word[64];

	for (size_t i = 0; i < options_count; i++) {
		if ((set & options_table[i].option) == 0)
			continue;
		(void)snprintf(word, sizeof(word), "--%s", options_table[i].name);
		offer->each(offer->context, word);
	}
}

/* Those of show|keys|defaults. */
static void offer_words(const struct offer *offer, const struct complete_slot *slot)
{
	char word[64];
	size_t length;

	for (size_t at = 0; at < slot->length; at += length + 1) {
		length = strcspn(slot->words + at, "|");
		if (length > slot->length - at)
			length = slot->length - at;
		(void)snprintf(word, sizeof(word), "%.*s", (int)length, slot->words + at);
		offer->each(offer->context, word);
	}
}

static void offer_files(const struct offer *offer, const char *current)
{
	char pattern[PATH_MAX];
	glob_t found = {0};

	if (snprintf(pattern, sizeof(pattern), "%s*", current) < (int)sizeof(pattern) &&
	    glob(pattern, GLOB_MARK, NULL, &found) == 0)
		for (size_t i = 0; i < found.gl_pathc; i++)
			offer->each(offer->context, found.gl_pathv[i]);
	globfree(&found);
}

static void offer_slot(struct ctl *ctl, struct offer *offer, const struct complete_slot *slot,
    const char *first, const char *current)
{
	switch (slot->kind) {
	case COMPLETE_NOTHING:
	case COMPLETE_LINE:
		break;
	case COMPLETE_NAMES:
		(void)offer_names(ctl, offer);
		break;
	case COMPLETE_KEYS:
		offer_keys(offer, true);
		break;
	case COMPLETE_EITHER:
		if (first != NULL && strcmp(first, "show") == 0)
			(void)offer_names(ctl, offer);
		else
			offer_keys(offer, false);
		break;
	case COMPLETE_SIGNALS:
		for (size_t i = 0; complete_signals[i] != NULL; i++)
			offer->each(offer->context, complete_signals[i]);
		break;
	case COMPLETE_FILES:
		offer_files(offer, current);
		break;
	case COMPLETE_VERBS:
		offer_verbs(offer);
		break;
	case COMPLETE_WORDS:
		offer_words(offer, slot);
		break;
	}
}

void complete_offer(struct ctl *ctl, char *const *words, size_t count, const char *current,
    void (*each)(void *context, const char *word), void *context)
{
	struct offer offer = {.each = each, .context = context};
	struct line line = read_line(words, count);
	struct complete_slot slot;

	if (line.pending == NULL && current[0] == '-') {
		offer_options(
		    &offer, OPTIONS_COMMON | (line.verb != NULL ? line.verb->options : 0));
	} else if (line.pending == NULL && line.verb == NULL) {
		offer_verbs(&offer);
	} else {
		slot = line.pending != NULL
			   ? complete_slot_at(line.pending->argument, 0)
			   : complete_slot_at(line.verb->arguments, line.arguments);
		offer_slot(ctl, &offer, &slot, line.first, current);
	}
}

static void print_word(void *context, const char *word)
{
	out_format(context, "%s\n", word);
}

/* One candidate a line. */
enum exitcode ctl_complete(struct ctl *ctl)
{
	struct offer offer = {.each = print_word, .context = &ctl->out};

	if (strcmp(ctl->options.names[0], "names") == 0)
		return offer_names(ctl, &offer);
	offer_keys(&offer, strcmp(ctl->options.names[0], "program-keys") == 0);
	return EXITCODE_OK;
}
