/* SPDX-License-Identifier: ISC */
/*
 * history.c: see history.h.  As in the ledger, a killed writer's stores stay visible in program
 * order, so release on the store that publishes is all it takes.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/clock.h"
#include "supervisord/engine/history.h"

static struct history_event *place_of(struct history_memory *history, uint64_t number);
static struct history_event *begin_event(
    struct history_memory *history, const struct history_event *event);
static void prepare(struct history_memory *history, const struct history_event *event);
static void note_begin(struct history_start *start, const struct transition *transition,
    const struct happening *happening);
static void note_end(struct history_memory *history, const struct ledger *ledger, int row,
    const struct transition *transition, const struct happening *happening);
static bool is_by_operator(enum reason reason);
static uint32_t delay_of(const struct ledger_state *state, int64_t now_ns);
static bool has_come_true(const struct ledger *ledger, const struct history_event *event);

int history_create(uint64_t first, int *ret_fd, struct history_memory **ret_history)
{
	struct history_memory *history;
	int fd, error;

	fd = memfd_create("supervisord-history", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -errno;
	if (ftruncate(fd, sizeof(*history)) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
		goto fail;
	history = mmap(NULL, sizeof(*history), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (history == MAP_FAILED)
		goto fail;
	history->begin = first > 0 ? first : 1;
	atomic_store(&history->next, history->begin);
	history->size = sizeof(*history);
	history->version = HISTORY_VERSION;
	history->magic = HISTORY_MAGIC;
	*ret_fd = fd;
	*ret_history = history;
	return 0;
fail:
	error = -errno;
	close(fd);
	return error;
}

int history_map(int fd, struct history_memory **ret_history, uint64_t *ret_next)
{
	struct {
		uint64_t magic;
		uint32_t version;
		uint32_t size;
		uint64_t next;
	} head = {0};
	struct history_memory *history;
	struct stat st;
	bool known = pread(fd, &head, sizeof(head), 0) == (ssize_t)sizeof(head) &&
		     head.magic == HISTORY_MAGIC;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!known || head.version != HISTORY_VERSION || head.size != sizeof(*history) ||
	    st.st_size != (off_t)sizeof(*history)) {
		*ret_next = known && head.next > 0 ? head.next : 1;
		return -EPROTO;
	}
	history = mmap(NULL, sizeof(*history), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (history == MAP_FAILED)
		return -errno;
	*ret_history = history;
	return 0;
}

void history_recover(struct history_memory *history, const struct ledger *ledger)
{
	uint64_t next = history_next(history);
	struct history_event *event = place_of(history, next);

	if (atomic_load(&event->number) != next)
		return;
	if (has_come_true(ledger, event)) {
		if (event->kind == HISTORY_REMOVED)
			history_publish_removal(history, event->row);
		else
			history_publish(history, next);
		return;
	}
	atomic_store(&event->number, 0);
	/* The place of a run that has not ended after all. */
	for (size_t i = 0; event->row < LIMIT_ROWS && i < LIMIT_RUNS; i++)
		if (history->runs[event->row][i].event == next)
			history->runs[event->row][i].event = 0;
}

static bool has_come_true(const struct ledger *ledger, const struct history_event *event)
{
	bool is_there = event->row < LIMIT_ROWS && ledger->table[event->row].name[0] != '\0';

	switch ((enum history_kind)event->kind) {
	case HISTORY_STATE:
	case HISTORY_EXIT:
	case HISTORY_REASON:
		return is_there &&
		       ledger_get_state(ledger, event->row)->event == atomic_load(&event->number);
	case HISTORY_REMOVED:
		return !is_there;
	case HISTORY_HEALTH:
	case HISTORY_COMMAND:
	case HISTORY_CONFIG:
	case HISTORY_APPLIED:
	case HISTORY_DAEMON:
	case HISTORY_ENGINE:
	case HISTORY_SAFE:
	case HISTORY_LOGGER:
	case HISTORY_LOG:
	case HISTORY_SHUTDOWN:
	case HISTORY_KIND_COUNT:
		break;
	}
	return true; /* these are written when they have happened */
}

void history_prepare(struct history_memory *history, const struct ledger *ledger, int row,
    const struct transition *transition, const struct happening *happening)
{
	const struct ledger_state *state = &transition->state;
	struct history_start *start = &history->starts[state->starts & 1][row];
	struct history_event event = {
	    .wall_ns = happening->wall_ns,
	    .boot_ns = happening->now_ns,
	    .run = (uint32_t)state->starts,
	    .row = (uint16_t)row,
	    .kind = transition->moved   ? HISTORY_STATE
		    : transition->ended ? HISTORY_EXIT
					: HISTORY_REASON,
	    .from = (uint8_t)transition->from,
	    .state = state->state,
	    .reason = state->reason,
	    .wanted = state->wanted,
	    .ended = transition->ended,
	    .failed = transition->ended && transition->failed,
	    .detail = state->detail,
	    .step = state->step,
	    .wstatus = transition->ended ? state->last_wstatus : 0,
	    .starts = state->window_starts,
	    .delay_ms = delay_of(state, happening->now_ns),
	    .uid = is_by_operator((enum reason)state->reason) ? (uint32_t)state->detail
							      : HISTORY_NO_UID,
	};

	if (!transition->news)
		return;
	if (transition->moved && start->up_ns == 0 &&
	    (state->state == STATE_RUNNING || state->state == STATE_EXITED))
		start->up_ns = happening->now_ns;
	/* One commit may be the end of a run and the beginning of the next. */
	if (transition->ended)
		note_end(history, ledger, row, transition, happening);
	if (transition->actions & ACTION_BEGIN)
		note_begin(start, transition, happening);
	prepare(history, &event);
}

static bool is_by_operator(enum reason reason)
{
	return reason == REASON_STARTED || reason == REASON_STOPPED || reason == REASON_RESTARTED ||
	       reason == REASON_FORCED;
}

static uint32_t delay_of(const struct ledger_state *state, int64_t now_ns)
{
	int64_t delay_ms = (state->deadline_ns - now_ns) / NS_PER_MS;

	if (state->deadline_ns == 0)
		return UINT32_MAX;
	return delay_ms < 0 ? 0 : delay_ms < UINT32_MAX ? (uint32_t)delay_ms : UINT32_MAX - 1;
}

static void note_begin(struct history_start *start, const struct transition *transition,
    const struct happening *happening)
{
	const struct ledger_state *state = &transition->state;

	*start = (struct history_start){
	    .run = state->starts,
	    .config_hash = state->config_hash,
	    .asked_ns = transition->waited_ns != 0 ? transition->waited_ns : happening->now_ns,
	    .begin_ns = happening->now_ns,
	    .begin_wall_ns = happening->wall_ns,
	    .reason = state->reason,
	    .detail = state->detail,
	    .step = state->step,
	};
}

static void note_end(struct history_memory *history, const struct ledger *ledger, int row,
    const struct transition *transition, const struct happening *happening)
{
	const struct ledger_state *state = &transition->state;
	const struct history_start *start = &history->starts[state->run_acted & 1][row];
	const struct ledger_exit *end = &ledger->exits[row];
	struct history_run *run = &history->runs[row][state->run_acted % LIMIT_RUNS];
	bool has_usage = happening->launched && end->run == state->run_acted;

	*run = (struct history_run){
	    .run = state->run_acted,
	    .config_hash = start->config_hash,
	    .start_wall_ns = start->begin_wall_ns,
	    .end_wall_ns = happening->wall_ns,
	    .length_ns = (has_usage ? end->end_ns : happening->now_ns) - start->begin_ns,
	    .user_us = has_usage ? end->user_us : 0,
	    .system_us = has_usage ? end->system_us : 0,
	    .maxrss_kb = has_usage ? end->maxrss_kb : 0,
	    .peak_kb = happening->finding.peak_kb,
	    .limit_kb = happening->finding.limit_kb,
	    .killer = happening->finding.killer,
	    .evidence = (uint8_t)happening->finding.evidence,
	    .wstatus = state->last_wstatus,
	    .start_reason = start->reason,
	    .start_detail = start->detail,
	    .start_step = start->step,
	    .end_reason = state->reason,
	    .end_detail = state->detail,
	    .end_step = state->step,
	    .launched = happening->launched,
	    .failed = transition->failed,
	};
	atomic_thread_fence(memory_order_release);
	run->event = history_next(history);
}

void history_publish(struct history_memory *history, uint64_t number)
{
	if (number != 0)
		atomic_store_explicit(&history->next, number + 1, memory_order_release);
}

void history_note(struct history_memory *history, const struct history_event *event)
{
	struct history_event now = *event;

	now.wall_ns = clock_wall_ns();
	now.boot_ns = clock_boot_ns();
	prepare(history, &now);
	history_publish(history, history_next(history));
}

void history_prepare_removal(struct history_memory *history, const struct ledger *ledger, int row)
{
	uint64_t count = atomic_load(&history->former), next = history_next(history);
	struct history_former *former = &history->formers[count % LIMIT_FORMER_NAMES];
	const char *name = ledger->table[row].name;

	former->to = 0;
	atomic_thread_fence(memory_order_release);
	former->from = history->born[row];
	former->row = row;
	memcpy(former->name, name, strlen(name) + 1);
	atomic_thread_fence(memory_order_release);
	former->to = next + 1; /* it is its last one */
	atomic_store(&history->former, count + 1);
	prepare(history, &(struct history_event){
			     .wall_ns = clock_wall_ns(),
			     .boot_ns = clock_boot_ns(),
			     .row = (uint16_t)row,
			     .run = (uint32_t)ledger_get_state(ledger, row)->starts,
			     .kind = HISTORY_REMOVED,
			     .delay_ms = UINT32_MAX,
			     .uid = HISTORY_NO_UID,
			 });
}

void history_publish_removal(struct history_memory *history, int row)
{
	uint64_t number = history_next(history);

	history->born[row] = number + 1;
	for (int i = 0; i < 2; i++)
		history->starts[i][row] = (struct history_start){0};
	history->asked[row] = (struct history_asked){0};
	history->signals[row] = (struct history_signal){0};
	history_publish(history, number);
}

uint64_t history_first(const struct history_memory *history)
{
	uint64_t next = history_next(history);
	uint64_t kept = LIMIT_EVENTS - 1; /* one place is that of the next one */

	return next - history->begin > kept ? next - kept : history->begin;
}

const struct history_event *history_find(const struct history_memory *history, uint64_t number)
{
	const struct history_event *place = &history->events[number % LIMIT_EVENTS];

	if (number < history_first(history) || number >= history_next(history) ||
	    atomic_load_explicit(&place->number, memory_order_acquire) != number)
		return NULL;
	return place;
}

const char *history_name(
    const struct history_memory *history, const struct ledger *ledger, int row, uint64_t number)
{
	uint64_t count = atomic_load(&history->former);

	if (row < 0 || row >= LIMIT_ROWS)
		return NULL;
	if (number >= history->born[row])
		return ledger->table[row].name[0] != '\0' ? ledger->table[row].name : NULL;
	for (uint64_t i = 0; i < count && i < LIMIT_FORMER_NAMES; i++) {
		const struct history_former *former =
		    &history->formers[(count - 1 - i) % LIMIT_FORMER_NAMES];

		if (former->row == row && former->from <= number && number < former->to)
			return former->name;
	}
	return NULL;
}

bool history_has_former(const struct history_memory *history, const char *name)
{
	uint64_t count = atomic_load(&history->former);

	for (uint64_t i = 0; i < count && i < LIMIT_FORMER_NAMES; i++)
		if (strcmp(history->formers[i].name, name) == 0)
			return true;
	return false;
}

const struct history_run *history_find_run(
    const struct history_memory *history, int row, uint64_t run)
{
	const struct history_run *place = &history->runs[row][run % LIMIT_RUNS];

	return place->run == run && place->event != 0 && place->event >= history->born[row] &&
		       place->event < history_next(history)
		   ? place
		   : NULL;
}

void history_put_words(
    struct history_memory *history, int row, uint64_t run, const char *text, size_t length)
{
	uint64_t number = history->words_count + 1;
	struct history_words *place = &history->words[number % LIMIT_LAST_WORDS];
	struct history_run *record = &history->runs[row][run % LIMIT_RUNS];

	if (history_find_run(history, row, run) != record || length > LIMIT_LAST_WORDS_BYTES)
		return;
	place->number = 0;
	atomic_thread_fence(memory_order_release);
	memcpy(place->text, text, length);
	place->text[length] = '\0';
	atomic_thread_fence(memory_order_release);
	place->number = number;
	history->words_count = number;
	record->words = number;
}

const char *history_words(const struct history_memory *history, const struct history_run *run)
{
	const struct history_words *place = &history->words[run->words % LIMIT_LAST_WORDS];

	return run->words != 0 && place->number == run->words && place->text[0] != '\0'
		   ? place->text
		   : NULL;
}

const struct history_start *history_find_start(
    const struct history_memory *history, int row, uint64_t run)
{
	const struct history_start *start = &history->starts[run & 1][row];

	return start->run == run && run != 0 ? start : NULL;
}

const char *history_kind_name(enum history_kind kind)
{
#define HISTORY_WORD(name, word) [HISTORY_##name] = (word),
	static const char *const words[HISTORY_KIND_COUNT] = {HISTORY_KINDS(HISTORY_WORD)};

	return words[kind];
}

static void prepare(struct history_memory *history, const struct history_event *event)
{
	struct history_event *place = begin_event(history, event);

	atomic_store_explicit(&place->number, history_next(history), memory_order_release);
}

/* Everything but the number, which makes it one. */
static struct history_event *begin_event(
    struct history_memory *history, const struct history_event *event)
{
	struct history_event *place = place_of(history, history_next(history));
	const size_t after = sizeof(place->number);

	atomic_store_explicit(&place->number, 0, memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
	memcpy((char *)place + after, (const char *)event + after, sizeof(*place) - after);
	return place;
}

static struct history_event *place_of(struct history_memory *history, uint64_t number)
{
	return &history->events[number % LIMIT_EVENTS];
}
