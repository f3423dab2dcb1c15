/* SPDX-License-Identifier: ISC */
/* changes.c: see changes.h. */
#include <stdio.h>
#include <string.h>

#include "lib/clock.h"
#include "supervisord/engine/changes.h"
#include "supervisord/engine/record.h"
#include "supervisord/engine/step.h"

static int32_t find(const struct history_memory *history, int row, uint64_t hash, bool is_any);
static int32_t put(const struct changes_maker *maker, struct history_change *change);
static void write_keys(struct jsonw *w, const char *keys);
static void add_key(void *context, const char *key, enum change_class class);

void changes_begin(struct changes_maker *maker)
{
	struct history_change change = {.row = HISTORY_NO_ROW};

	maker->apply = put(maker, &change);
}

int32_t changes_add(const struct changes_maker *maker, int row, const struct program_config *old,
    const struct program_config *new)
{
	struct history_change change = {.row = (uint16_t)row, .hash = new->hash};

	if (old != NULL)
		change.from = old->hash;
	if (old != NULL)
		(void)config_diff_program(old, new, add_key, change.keys);
	return put(maker, &change);
}

int32_t changes_find(const struct history_memory *history, int row, uint64_t hash)
{
	return find(history, row, hash, false);
}

int32_t changes_find_newest(const struct history_memory *history, int row, uint64_t hash)
{
	return find(history, row, hash, true);
}

static int32_t find(const struct history_memory *history, int row, uint64_t hash, bool is_any)
{
	uint64_t last = history->change_count;

	for (uint64_t number = last; number > 0 && last - number < LIMIT_CHANGES; number--) {
		const struct history_change *change = &history->changes[number % LIMIT_CHANGES];

		if (change->number == number && change->row == row && change->hash == hash &&
		    (is_any || change->from != hash) && change->event >= history->born[row])
			return (int32_t)(number & INT32_MAX);
	}
	return 0;
}

const struct history_change *changes_get(const struct history_memory *history, int32_t detail)
{
	const struct history_change *change;

	if (detail <= 0)
		return NULL;
	_Static_assert((LIMIT_CHANGES & (LIMIT_CHANGES - 1)) == 0, "the lower bits give the place");
	change = &history->changes[(uint32_t)detail % LIMIT_CHANGES];
	return (int32_t)(change->number & INT32_MAX) == detail ? change : NULL;
}

const struct history_change *changes_of(
    const struct history_memory *history, const struct ledger_state *state)
{
	return state->reason == REASON_CHANGED || state->reason == REASON_ADDED ||
		       state->reason == REASON_ROLLED
		   ? changes_get(history, state->detail)
		   : NULL;
}

const char *changes_text(const struct history_change *change, char *buffer, size_t size)
{
	const struct ledger_state state = {.state = STATE_STOPPED, .reason = REASON_CHANGED};
	struct reason_words words = {.retry_ms = -1};
	struct reason_change reason;

	buffer[0] = '\0';
	if (change == NULL)
		return buffer;
	reason = changes_reason(change);
	words.change = &reason;
	return reason_text(&state, &words, buffer, size);
}

struct reason_change changes_reason(const struct history_change *change)
{
	return (struct reason_change){
	    .keys = change->keys, .uid = change->uid, .by = (enum applied_by)change->by};
}

void changes_write(struct jsonw *w, const struct history_change *change)
{
	static const char *const by[] = {[APPLIED_BY_COMMAND] = "command",
	    [APPLIED_BY_HANGUP] = "hup",
	    [APPLIED_BY_ROLLBACK] = "rollback"};
	char text[RECORD_TIME];

	if (change == NULL) {
		jsonw_null(w);
		return;
	}
	jsonw_begin_object(w);
	jsonw_key(w, "keys");
	write_keys(w, change->keys);
	jsonw_member_string(w, "time", record_time(change->wall_ns, text, sizeof(text)));
	jsonw_member_string(w, "by", by[change->by]);
	if (change->uid != HISTORY_NO_UID)
		jsonw_member_int(w, "uid", change->uid);
	else
		jsonw_member_null(w, "uid");
	jsonw_end_object(w);
}

static void write_keys(struct jsonw *w, const char *keys)
{
	char key[LIMIT_CHANGED_KEYS];

	jsonw_begin_array(w);
	while (keys[0] != '\0') {
		size_t length = strcspn(keys, ",");

		memcpy(key, keys, length);
		key[length] = '\0';
		jsonw_string(w, key);
		keys += length + strspn(keys + length, ", ");
	}
	jsonw_end_array(w);
}

/* The number is what makes it one. */
static int32_t put(const struct changes_maker *maker, struct history_change *change)
{
	struct history_memory *history = maker->history;
	uint64_t number = history->change_count + 1;
	struct history_change *place;

	if ((number & INT32_MAX) == 0)
		number++; /* 0 says that none is known */
	place = &history->changes[number % LIMIT_CHANGES];
	change->number = 0;
	change->event = history_next(history);
	change->wall_ns = clock_wall_ns();
	change->uid = maker->uid;
	change->by = (uint8_t)maker->by;
	place->number = 0;
	atomic_thread_fence(memory_order_release);
	*place = *change;
	atomic_thread_fence(memory_order_release);
	place->number = number;
	history->change_count = number;
	return (int32_t)(number & INT32_MAX);
}

/* "command, user"; what does not fit is "…". */
static void add_key(void *context, const char *key, enum change_class class)
{
	static const char more[] = ", ...";
	char *keys = context;
	size_t length = strlen(keys), room = LIMIT_CHANGED_KEYS - length;

	(void)class;
	if (length >= sizeof(more) - 1 && strcmp(keys + length - (sizeof(more) - 1), more) == 0)
		return;
	/* Room is kept for saying that there are more. */
	if (strlen(key) + 2 + sizeof(more) > room)
		memcpy(keys + length, more, sizeof(more));
	else
		(void)snprintf(keys + length, room, "%s%s", length > 0 ? ", " : "", key);
}
