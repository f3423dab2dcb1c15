/* SPDX-License-Identifier: ISC */
/*
 * graph.c: see graph.h and lib/io.superctl.varlink.
 *
 * What is told are the links as they are in force, not the keys: before and after are one link,
 * groups are taken apart, and each link says whether it keeps the program from starting now, by
 * the rule that starts obey.
 */
#include "supervisord/engine/access.h"
#include "supervisord/engine/call.h"
#include "supervisord/engine/engine.h"
#include "supervisord/engine/giveup.h"
#include "supervisord/engine/graph.h"
#include "supervisord/engine/selection.h"

static const char *const kind_names[] = {
    [DEPEND_REQUIRES] = "requires",
    [DEPEND_WANTS] = "wants",
    [DEPEND_AFTER] = "after",
};

static void add_firsts(
    struct selection *all, const struct program *program, const struct access *sees);
static void write_node(
    struct jsonw *w, const struct program *program, bool asked_for, const struct access *sees);
static void write_links(struct jsonw *w, const struct program *program, const struct access *sees);
static void write_link(struct jsonw *w, const struct program_link *link);
static void write_conflict(struct jsonw *w, const struct program *other);
static void write_failure(struct program *other, void *context);

struct failure_links {
	struct jsonw *w;
	const struct access *sees;
};

void graph_show(struct call *call)
{
	static const char *const names[] = {"names", NULL};
	struct selection asked, all;
	struct access sees;
	int error;

	if (!call_allows(call, names) || !selection_read(call, false, &asked))
		return;
	error = access_init(&sees, call->client, RIGHT_STATUS);
	if (selection_init(&all, call->engine) < 0 || error < 0) {
		call_out_of_memory(call);
		goto out;
	}
	for (size_t i = 0; i < asked.count; i++)
		selection_add(&all, asked.list[i]);
	for (size_t i = 0; i < all.count; i++)
		add_firsts(&all, all.list[i], &sees);
	call_begin_reply(call);
	jsonw_key(&call->w, "programs");
	jsonw_begin_array(&call->w);
	for (size_t i = 0; i < all.count; i++)
		write_node(&call->w, all.list[i], selection_has(&asked, all.list[i]), &sees);
	jsonw_end_array(&call->w);
	call_end_reply(call);
out:
	access_done(&sees);
	selection_done(&all);
	selection_done(&asked);
}

/* They come behind it in the list, and have their turn. */
static void add_firsts(
    struct selection *all, const struct program *program, const struct access *sees)
{
	for (size_t i = 0; i < program->firsts.count; i++)
		if (access_has(sees, program->firsts.list[i].other))
			selection_add(all, program->firsts.list[i].other);
}

static void write_node(
    struct jsonw *w, const struct program *program, bool asked_for, const struct access *sees)
{
	jsonw_begin_object(w);
	jsonw_member_string(w, "name", program_name(program));
	jsonw_member_string(w, "state", step_state_name(program_state_of(program)));
	jsonw_member_bool(w, "asked_for", asked_for);
	jsonw_key(w, "links");
	jsonw_begin_array(w);
	write_links(w, program, sees);
	jsonw_end_array(w);
	jsonw_end_object(w);
}

/* To what the client may see. */
static void write_links(struct jsonw *w, const struct program *program, const struct access *sees)
{
	struct failure_links failures = {.w = w, .sees = sees};

	for (size_t i = 0; i < program->firsts.count; i++)
		if (access_has(sees, program->firsts.list[i].other))
			write_link(w, &program->firsts.list[i]);
	for (size_t i = 0; i < program->conflicts.count; i++)
		if (access_has(sees, program->conflicts.list[i].other))
			write_conflict(w, program->conflicts.list[i].other);
	(void)giveup_visit(program, write_failure, &failures);
}

static void write_link(struct jsonw *w, const struct program_link *link)
{
	enum depend_condition condition = (enum depend_condition)link->condition;

	jsonw_begin_object(w);
	jsonw_member_string(w, "kind", kind_names[link->kind]);
	jsonw_member_string(w, "name", program_name(link->other));
	jsonw_member_string(w, "condition", depend_condition_name(condition));
	jsonw_member_bool(w, "blocks",
	    depend_blocks_start((enum depend_kind)link->kind, condition, link->other->config,
		program_state(link->other)));
	jsonw_end_object(w);
}

static void write_conflict(struct jsonw *w, const struct program *other)
{
	jsonw_begin_object(w);
	jsonw_member_string(w, "kind", "conflicts");
	jsonw_member_string(w, "name", program_name(other));
	jsonw_member_null(w, "condition");
	jsonw_member_bool(w, "blocks", !step_is_at_rest(program_state_of(other)));
	jsonw_end_object(w);
}

/* Whom its on_failure starts: that depends on nothing, and keeps nothing from starting. */
static void write_failure(struct program *other, void *context)
{
	const struct failure_links *failures = context;
	struct jsonw *w = failures->w;

	if (!access_has(failures->sees, other))
		return;
	jsonw_begin_object(w);
	jsonw_member_string(w, "kind", "on_failure");
	jsonw_member_string(w, "name", program_name(other));
	jsonw_member_null(w, "condition");
	jsonw_member_bool(w, "blocks", false);
	jsonw_end_object(w);
}
