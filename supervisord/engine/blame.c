/* SPDX-License-Identifier: ISC */
/*
 * blame.c: see blame.h.  A program is late on account of that one of its firsts which was there
 * last, if it waited for it; that one perhaps likewise, and so the chain goes back to one that
 * waited for nobody.
 */
#include "lib/clock.h"
#include "supervisord/engine/access.h"
#include "supervisord/engine/blame.h"
#include "supervisord/engine/call.h"
#include "supervisord/engine/depend.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/selection.h"

/* Nobody has a longer one in earnest; and a cycle of `after` cannot be. */
#define CHAIN 64

struct chain {
	const struct program *links[CHAIN]; /* the last first */
	size_t count;
};

static const struct history_start *start_of(const struct program *program);
static const struct program *last_of(const struct selection *selection);
static void find_chain(const struct call *call, const struct program *last, struct chain *chain);
static const struct program *awaited_by(const struct program *program);
static int64_t reached_ns(const struct program_link *link);
static void write_chain(struct jsonw *w, const struct chain *chain);
static void write_start(struct jsonw *w, const struct program *program);

void blame(struct call *call)
{
	static const char *const names[] = {"names", NULL};
	struct selection selection;
	struct chain chain = {.count = 0};

	if (!call_allows(call, names) || !selection_read(call, false, &selection))
		return;
	find_chain(call, last_of(&selection), &chain);
	call_begin_reply(call);
	write_chain(&call->w, &chain);
	jsonw_key(&call->w, "starts");
	jsonw_begin_array(&call->w);
	for (size_t i = 0; i < selection.count; i++)
		if (start_of(selection.list[i]) != NULL)
			write_start(&call->w, selection.list[i]);
	jsonw_end_array(&call->w);
	call_end_reply(call);
	selection_done(&selection);
}

static const struct history_start *start_of(const struct program *program)
{
	return history_find_start(
	    program->engine->history, program->run.row, program_state(program)->starts);
}

/* Who was up last.  One that was started again later, or by an event, says nothing about the start
 * of all, while there are others. */
static const struct program *last_of(const struct selection *selection)
{
	const struct program *last = NULL;
	bool last_is_first_run = false;

	for (size_t i = 0; i < selection->count; i++) {
		const struct program *program = selection->list[i];
		const struct history_start *start = start_of(program);
		bool is_first_run =
		    start != NULL && start->run == 1 && !program_is_on_event(program);

		if (start == NULL || start->up_ns == 0 || (last_is_first_run && !is_first_run))
			continue;
		if (last == NULL || (is_first_run && !last_is_first_run) ||
		    start->up_ns > start_of(last)->up_ns)
			last = program;
		last_is_first_run |= is_first_run;
	}
	return last;
}

/* As far as the client may see it. */
static void find_chain(const struct call *call, const struct program *last, struct chain *chain)
{
	for (; last != NULL && chain->count < CHAIN && access_may(call->client, call->right, last);
	     last = awaited_by(last))
		chain->links[chain->count++] = last;
}

static const struct program *awaited_by(const struct program *program)
{
	const struct history_start *start = start_of(program);
	const struct program *awaited = NULL;
	int64_t latest_ns = start->asked_ns;

	for (uint32_t i = 0; i < program->firsts.count; i++) {
		const struct program_link *link = &program->firsts.list[i];
		int64_t at_ns = reached_ns(link);

		if (at_ns > latest_ns && at_ns <= start->begin_ns) {
			latest_ns = at_ns;
			awaited = link->other;
		}
	}
	return awaited;
}

/* When the first was as far as the link asks; 0: that is not known. */
static int64_t reached_ns(const struct program_link *link)
{
	const struct history_start *start = start_of(link->other);

	if (start == NULL)
		return 0;
	return link->condition == DEPEND_STARTED ? start->begin_ns : start->up_ns;
}

/* The first one first, with times since it was asked for. */
static void write_chain(struct jsonw *w, const struct chain *chain)
{
	int64_t zero_ns = 0;

	jsonw_key(w, "chain");
	jsonw_begin_array(w);
	for (size_t i = chain->count; i-- > 0;) {
		const struct history_start *start = start_of(chain->links[i]);

		if (zero_ns == 0)
			zero_ns = start->asked_ns;
		jsonw_begin_object(w);
		jsonw_member_string(w, "name", program_name(chain->links[i]));
		jsonw_member_int(w, "begin_ms", (start->begin_ns - zero_ns) / NS_PER_MS);
		jsonw_member_int(w, "up_ms", (start->up_ns - zero_ns) / NS_PER_MS);
		jsonw_end_object(w);
	}
	jsonw_end_array(w);
}

static void write_start(struct jsonw *w, const struct program *program)
{
	const struct history_start *start = start_of(program);

	jsonw_begin_object(w);
	jsonw_member_string(w, "name", program_name(program));
	jsonw_member_int(w, "run", (int64_t)start->run);
	jsonw_member_int(w, "waited_ms", (start->begin_ns - start->asked_ns) / NS_PER_MS);
	if (start->up_ns != 0)
		jsonw_member_int(w, "took_ms", (start->up_ns - start->begin_ns) / NS_PER_MS);
	else
		jsonw_member_null(w, "took_ms");
	jsonw_end_object(w);
}
