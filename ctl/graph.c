/* SPDX-License-Identifier: ISC */
/*
 * graph.c: superctl graph: what programs depend on, as trees for a person or as a graph for dot(1).
 *
 * A tree begins at each program that no other one in sight depends on.  A program that has been
 * shown is not taken apart again, so the output is as long as there are links.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/call.h"
#include "ctl/jsonout.h"

struct node {
	const char *name;
	const char *state;
	int links; /* array in the reply */
	bool asked_for;
	bool is_first; /* of some link */
	bool shown;
};

struct graph {
	struct jsonr *reply;
	struct out *out;
	struct node *nodes; /* by name, ascending */
	size_t count;
	struct out prefix; /* what stands before the lines of this level; written nowhere */
	bool drawn;        /* with lines, where the locale has them */
};

static enum exitcode on_graph(struct call *call, int parameters, void *context);
static int read_nodes(struct graph *graph, int programs);
static int compare_nodes(const void *left, const void *right);
static void mark_firsts(struct graph *graph);
static struct node *find_node(const struct graph *graph, const char *name);
static void print_trees(struct graph *graph);
static void print_node(struct graph *graph, struct node *node, int link, const struct node *above);
static void print_below(struct graph *graph, const struct node *node);
static void print_branch(struct graph *graph, const struct node *above, int link, bool last);
static bool is_dependency(const char *kind);
static bool is_up(const struct node *node);
static void print_dot(struct graph *graph);
static void print_dot_link(struct graph *graph, const struct node *node, int link);
static void print_quoted(struct out *out, const char *text);
static const char *text_of(struct graph *graph, int object, const char *key);

enum exitcode ctl_graph(struct ctl *ctl)
{
	enum exitcode code;
	struct call call;

	call_init(&call, ctl, "Graph", false);
	call_add_names(&call, 0);
	call.read_only = true;
	call.on_reply = on_graph;
	code = call_run(&call);
	call_done(&call);
	return code;
}

static enum exitcode on_graph(struct call *call, int parameters, void *context)
{
	struct graph graph = {.reply = &call->reply,
	    .out = &call->ctl->out,
	    .prefix = {.fd = -1},
	    .drawn = call->ctl->out.utf8};
	int programs = jsonr_member(&call->reply, parameters, "programs");
	int error;

	(void)context;
	if (call->ctl->options.set & OPTION_JSON) {
		struct jsonout json = {0};

		jsonout_add(&json, graph.out, &call->reply, programs);
		jsonout_end(&json, graph.out);
		return EXITCODE_OK;
	}
	error = read_nodes(&graph, programs);
	if (error == 0) {
		mark_firsts(&graph);
		if (call->ctl->options.set & OPTION_DOT)
			print_dot(&graph);
		else
			print_trees(&graph);
		error = graph.prefix.error;
	}
	out_done(&graph.prefix);
	free(graph.nodes);
	if (error == 0)
		return EXITCODE_OK;
	ctl_complain(call->ctl, "cannot show the graph: %s", strerror(-error));
	return EXITCODE_FAILED;
}

static int read_nodes(struct graph *graph, int programs)
{
	struct jsonr *reply = graph->reply;
	size_t count = 0;

	if (!jsonr_is(reply, programs, JSONR_ARRAY))
		return -EBADMSG;
	for (int at = jsonr_first(reply, programs); at >= 0; at = jsonr_next(reply, programs, at))
		count++;
	graph->nodes = calloc(count > 0 ? count : 1, sizeof(*graph->nodes));
	if (graph->nodes == NULL)
		return -ENOMEM;
	for (int at = jsonr_first(reply, programs); at >= 0; at = jsonr_next(reply, programs, at)) {
		struct node *node = &graph->nodes[graph->count++];

		node->name = text_of(graph, at, "name");
		node->state = text_of(graph, at, "state");
		node->asked_for = jsonr_bool(reply, jsonr_member(reply, at, "asked_for"), true);
		node->links = jsonr_member(reply, at, "links");
	}
	qsort(graph->nodes, graph->count, sizeof(*graph->nodes), compare_nodes);
	return 0;
}

static int compare_nodes(const void *left, const void *right)
{
	return strcmp(((const struct node *)left)->name, ((const struct node *)right)->name);
}

static void mark_firsts(struct graph *graph)
{
	struct jsonr *reply = graph->reply;

	for (size_t i = 0; i < graph->count; i++) {
		int links = graph->nodes[i].links;

		for (int at = jsonr_first(reply, links); at >= 0;
		     at = jsonr_next(reply, links, at)) {
			struct node *first = find_node(graph, text_of(graph, at, "name"));

			if (first != NULL && is_dependency(text_of(graph, at, "kind")))
				first->is_first = true;
		}
	}
}

static struct node *find_node(const struct graph *graph, const char *name)
{
	const struct node key = {.name = name};

	return bsearch(&key, graph->nodes, graph->count, sizeof(*graph->nodes), compare_nodes);
}

/* Those that nothing is above come first; one that was named and is below another one is shown
 * there. */
static void print_trees(struct graph *graph)
{
	for (size_t i = 0; i < graph->count; i++)
		if (graph->nodes[i].asked_for && !graph->nodes[i].is_first)
			print_node(graph, &graph->nodes[i], JSONR_NONE, NULL);
	for (size_t i = 0; i < graph->count; i++)
		if (graph->nodes[i].asked_for && !graph->nodes[i].shown)
			print_node(graph, &graph->nodes[i], JSONR_NONE, NULL);
}

/* The line of a program, and what is below it; `link` leads to it from the one above (NONE, NULL: a
 * root). */
static void print_node(struct graph *graph, struct node *node, int link, const struct node *above)
{
	struct jsonr *reply = graph->reply;
	struct out *out = graph->out;
	bool blocks = above != NULL && is_up(above) &&
		      jsonr_bool(reply, jsonr_member(reply, link, "blocks"), false);
	bool below = link < 0 || is_dependency(text_of(graph, link, "kind"));
	bool again = node->shown && jsonr_first(reply, node->links) >= 0;
	const char *condition = text_of(graph, link, "condition");

	if (link >= 0) {
		out_text(out, text_of(graph, link, "kind"), 0);
		out_string(out, " ");
	}
	out_style(out, OUT_BOLD);
	out_text(out, node->name, 0);
	out_style(out, OUT_PLAIN);
	out_string(out, condition[0] != '\0' ? ":" : "");
	out_text(out, condition, 0);
	out_string(out, "  ");
	out_style(out, blocks ? OUT_YELLOW : OUT_DIM);
	out_text(out, node->state, 0);
	out_style(out, OUT_PLAIN);
	out_string(out, !blocks ? "" : below ? ", waited for" : ", in the way");
	out_string(out, again && below ? ", see above\n" : "\n");
	if (below && !node->shown) {
		node->shown = true;
		print_below(graph, node);
	}
}

static void print_below(struct graph *graph, const struct node *node)
{
	struct jsonr *reply = graph->reply;

	for (int at = jsonr_first(reply, node->links); at >= 0;) {
		int next = jsonr_next(reply, node->links, at);

		print_branch(graph, node, at, next < 0);
		at = next;
	}
}

static void print_branch(struct graph *graph, const struct node *above, int link, bool last)
{
	struct node *node = find_node(graph, text_of(graph, link, "name"));
	size_t length = graph->prefix.length;

	out_bytes(graph->out, length > 0 ? graph->prefix.data : "", length);
	if (graph->drawn)
		out_string(graph->out, last ? "└─ " : "├─ ");
	else
		out_string(graph->out, last ? "`- " : "|- ");
	if (node == NULL) { /* what it does not depend on need not be in the reply */
		out_text(graph->out, text_of(graph, link, "kind"), 0);
		out_string(graph->out, " ");
		out_text(graph->out, text_of(graph, link, "name"), 0);
		out_string(graph->out, "\n");
		return;
	}
	out_string(&graph->prefix, last ? "   " : graph->drawn ? "│  " : "|  ");
	print_node(graph, node, link, above);
	graph->prefix.length = length;
}

/* And no conflict, nor who is started in its stead. */
static bool is_dependency(const char *kind)
{
	return strcmp(kind, "conflicts") != 0 && strcmp(kind, "on_failure") != 0;
}

/* It needs what it depends on. */
static bool is_up(const struct node *node)
{
	return strcmp(node->state, "STOPPED") != 0 && strcmp(node->state, "EXITED") != 0 &&
	       strcmp(node->state, "FATAL") != 0;
}

static void print_dot(struct graph *graph)
{
	struct jsonr *reply = graph->reply;
	struct out *out = graph->out;

	out_string(out, "digraph supervisord {\n\trankdir=LR;\n\tnode [shape=box];\n");
	for (size_t i = 0; i < graph->count; i++) {
		out_string(out, "\t");
		print_quoted(out, graph->nodes[i].name);
		out_string(out, " [tooltip=");
		print_quoted(out, graph->nodes[i].state);
		out_string(out, strcmp(graph->nodes[i].state, "RUNNING") == 0 ? ", color=green"
				: strcmp(graph->nodes[i].state, "FATAL") == 0 ? ", color=red"
									      : "");
		out_string(out, "];\n");
	}
	for (size_t i = 0; i < graph->count; i++)
		for (int at = jsonr_first(reply, graph->nodes[i].links); at >= 0;
		     at = jsonr_next(reply, graph->nodes[i].links, at))
			print_dot_link(graph, &graph->nodes[i], at);
	out_string(out, "}\n");
}

static void print_dot_link(struct graph *graph, const struct node *node, int link)
{
	struct out *out = graph->out;
	const char *kind = text_of(graph, link, "kind");
	const char *name = text_of(graph, link, "name");
	const char *condition = text_of(graph, link, "condition");
	bool conflict = strcmp(kind, "conflicts") == 0;

	/* Both sides have it: one line is enough. */
	if (conflict && strcmp(name, node->name) < 0 && find_node(graph, name) != NULL)
		return;
	out_string(out, "\t");
	print_quoted(out, node->name);
	out_string(out, " -> ");
	print_quoted(out, name);
	out_string(out, " [label=");
	print_quoted(out, condition[0] != '\0' ? condition : kind);
	if (conflict)
		out_string(out, ", dir=none, color=red, constraint=false");
	else if (!is_dependency(kind))
		out_string(out, ", style=dotted, color=orange, constraint=false");
	else if (strcmp(kind, "requires") != 0)
		out_format(out, ", style=%s", strcmp(kind, "wants") == 0 ? "dashed" : "dotted");
	out_string(out, "];\n");
}

static void print_quoted(struct out *out, const char *text)
{
	out_string(out, "\"");
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			out_string(out, "\\");
		out_bytes(out, text, 1);
	}
	out_string(out, "\"");
}

/* A text member of `object`, "" where there is none. */
static const char *text_of(struct graph *graph, int object, const char *key)
{
	return jsonr_text(graph->reply, jsonr_member(graph->reply, object, key), "");
}
