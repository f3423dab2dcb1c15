/* SPDX-License-Identifier: ISC */
/* inbox.c: see inbox.h. */
#include <string.h>

#include "lib/inbox.h"

static char *bytes_of(const struct inbox_view *view);
static size_t start_of(const struct inbox_view *view);
static void set_place(struct inbox_view *view, uint64_t which, size_t start);
static void move_to_front(struct inbox_view *view);
static void end_skipping(struct inbox_view *view);
static void forget(struct inbox_view *view);

void inbox_attach(struct inbox_view *view, struct inbox *box)
{
	size_t start, which = atomic_load(&box->place) >> 32 & 1;
	char *bytes = box->bytes[which];

	*view = (struct inbox_view){.box = box};
	start = start_of(view);
	if (start >= INBOX_BYTES) { /* not of our making */
		atomic_store(&box->cleaning, 1);
		inbox_clear(view);
		return;
	}
	view->end = start + strnlen(bytes + start, INBOX_BYTES - 1 - start);
	view->seen = start;
	if (atomic_load(&box->cleaning) == 0)
		return;
	/* It was cut short. */
	memset(bytes + view->end, 0, INBOX_BYTES - view->end);
	memset(box->bytes[which ^ 1], 0, INBOX_BYTES);
	atomic_store(&box->cleaning, 0);
}

void inbox_clear(struct inbox_view *view)
{
	if (atomic_exchange(&view->box->cleaning, 1) != 0)
		memset(view->box->bytes, 0, sizeof(view->box->bytes));
	else
		memset(bytes_of(view), 0, view->end);
	atomic_store(&view->box->skipping, 0);
	set_place(view, 0, 0);
	atomic_store(&view->box->cleaning, 0);
	view->end = 0;
	view->seen = 0;
}

char *inbox_get_room(struct inbox_view *view, size_t *ret_room)
{
	if (view->end == INBOX_BYTES - 1)
		move_to_front(view);
	*ret_room = INBOX_BYTES - 1 - view->end;
	return bytes_of(view) + view->end;
}

void inbox_add(struct inbox_view *view, size_t count)
{
	view->end += count;
}

enum inbox_found inbox_next(struct inbox_view *view, const char **ret_line, size_t *ret_length)
{
	char *bytes = bytes_of(view), *newline;
	size_t start;

	if (atomic_load(&view->box->skipping) != 0)
		end_skipping(view);
	start = start_of(view);
	newline = memchr(bytes + view->seen, '\n', view->end - view->seen);
	if (newline != NULL) {
		view->seen = (size_t)(newline - bytes);
		*ret_line = bytes + start;
		*ret_length = view->seen - start;
		return INBOX_LINE;
	}
	view->seen = view->end;
	if (view->end - start <= LIMIT_IPC_LINE)
		return INBOX_NOTHING;
	*ret_line = bytes + start;
	*ret_length = view->end - start;
	atomic_store(&view->box->skipping, 1);
	return INBOX_TOO_LONG;
}

uint64_t inbox_get_mark(const struct inbox_view *view)
{
	return atomic_load(&view->box->place) | UINT64_C(1) << 63;
}

void inbox_take(struct inbox_view *view, size_t length)
{
	size_t start = start_of(view) + length + 1;

	set_place(view, atomic_load(&view->box->place) >> 32, start);
	view->seen = start;
	if (start == view->end)
		forget(view);
}

static char *bytes_of(const struct inbox_view *view)
{
	return view->box->bytes[atomic_load(&view->box->place) >> 32 & 1];
}

static size_t start_of(const struct inbox_view *view)
{
	return (uint32_t)atomic_load(&view->box->place);
}

static void set_place(struct inbox_view *view, uint64_t which, size_t start)
{
	uint64_t changes = atomic_load(&view->box->place) >> 33;

	atomic_store(&view->box->place, (changes + 1) << 33 | (which & 1) << 32 | start);
}

/* Whole into the other half, then one store says that it is there, then this half is zero again. */
static void move_to_front(struct inbox_view *view)
{
	uint64_t which = atomic_load(&view->box->place) >> 32;
	size_t start = start_of(view), length = view->end - start;
	char *from = bytes_of(view);

	atomic_store(&view->box->cleaning, 1);
	memcpy(view->box->bytes[(which ^ 1) & 1], from + start, length);
	set_place(view, which ^ 1, 0);
	memset(from, 0, view->end);
	atomic_store(&view->box->cleaning, 0);
	view->end = length;
	view->seen -= start;
}

/* Drop what is there of the line that is left out. */
static void end_skipping(struct inbox_view *view)
{
	char *bytes = bytes_of(view);
	size_t start = start_of(view);
	char *newline = memchr(bytes + start, '\n', view->end - start);

	if (newline == NULL) {
		set_place(view, atomic_load(&view->box->place) >> 32, view->end);
		forget(view);
		return;
	}
	/* In this order: killed in between, the rest is taken for a line, and is no JSON. */
	atomic_store(&view->box->skipping, 0);
	inbox_take(view, (size_t)(newline - bytes) - start);
}

/* Nothing is there: begin at the front again.  First zero, then the store. */
static void forget(struct inbox_view *view)
{
	atomic_store(&view->box->cleaning, 1);
	memset(bytes_of(view), 0, view->end);
	set_place(view, atomic_load(&view->box->place) >> 32, 0);
	atomic_store(&view->box->cleaning, 0);
	view->end = 0;
	view->seen = 0;
}
