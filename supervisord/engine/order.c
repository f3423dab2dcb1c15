/* SPDX-License-Identifier: ISC */
/*
 * order.c: see order.h.  Depth-first search with an explicit stack over the edges grouped by node
 * (counting sort), as a thousand programs in a chain would overflow a recursive one's stack.
 */
#include <errno.h>
#include <stdlib.h>

#include "supervisord/engine/order.h"

enum colour { UNSEEN, ON_PATH, FINISHED };

struct graph {
	uint32_t *first; /* node -> index of its first target; node_count + 1 of them */
	uint32_t *next;  /* node -> index of the target to look at next */
	uint32_t *targets;
	unsigned char *colour;
	uint32_t *finished; /* nodes as their walk ended; NULL: not asked for */
	size_t finished_count;
};

static int graph_init(
    struct graph *graph, size_t node_count, const struct order_edge *edges, size_t edge_count);
static void graph_done(struct graph *graph);
static int walk(struct graph *graph, uint32_t root, uint32_t *path);

int order_find_cycle(
    size_t node_count, const struct order_edge *edges, size_t edge_count, uint32_t *ret_path)
{
	struct graph graph = {0};
	uint32_t *path = NULL;
	int result;

	if (node_count == 0 || edge_count == 0)
		return 0;
	result = graph_init(&graph, node_count, edges, edge_count);
	if (result == 0) {
		/* A path of its own: ret_path stays untouched where there is no cycle. */
		path = calloc(node_count, sizeof(*path));
		if (path == NULL)
			result = -ENOMEM;
	}
	for (size_t i = 0; result == 0 && i < node_count; i++)
		if (graph.colour[i] == UNSEEN)
			result = walk(&graph, (uint32_t)i, path);
	for (int i = 0; path != NULL && i < result; i++)
		ret_path[i] = path[i];
	free(path);
	graph_done(&graph);
	return result;
}

int order_sort(
    size_t node_count, const struct order_edge *edges, size_t edge_count, uint32_t *ret_order)
{
	struct graph graph = {.finished = ret_order};
	uint32_t *path;
	int error;

	if (node_count == 0)
		return 0;
	error = graph_init(&graph, node_count, edges, edge_count);
	path = calloc(node_count, sizeof(*path));
	if (path == NULL)
		error = -ENOMEM;
	for (size_t i = 0; error == 0 && i < node_count; i++)
		if (graph.colour[i] == UNSEEN)
			(void)walk(&graph, (uint32_t)i, path);
	free(path);
	graph_done(&graph);
	return error;
}

static int graph_init(
    struct graph *graph, size_t node_count, const struct order_edge *edges, size_t edge_count)
{
	graph->first = calloc(node_count + 1, sizeof(*graph->first));
	graph->next = calloc(node_count, sizeof(*graph->next));
	graph->targets = calloc(edge_count > 0 ? edge_count : 1, sizeof(*graph->targets));
	graph->colour = calloc(node_count, sizeof(*graph->colour));
	if (graph->first == NULL || graph->next == NULL || graph->targets == NULL ||
	    graph->colour == NULL)
		return -ENOMEM;

	for (size_t i = 0; i < edge_count; i++)
		graph->first[edges[i].node + 1]++;
	for (size_t i = 0; i < node_count; i++) {
		graph->first[i + 1] += graph->first[i];
		graph->next[i] = graph->first[i];
	}
	for (size_t i = 0; i < edge_count; i++)
		graph->targets[graph->next[edges[i].node]++] = edges[i].dependency;
	for (size_t i = 0; i < node_count; i++)
		graph->next[i] = graph->first[i];
	return 0;
}

static void graph_done(struct graph *graph)
{
	free(graph->first);
	free(graph->next);
	free(graph->targets);
	free(graph->colour);
}

/* Returns the length of a cycle, moved to the front of `path`, or 0; always 0 where the order is
 * what is asked for. */
static int walk(struct graph *graph, uint32_t root, uint32_t *path)
{
	size_t depth = 1, start, length;

	path[0] = root;
	graph->colour[root] = ON_PATH;
	while (depth > 0) {
		uint32_t node = path[depth - 1], target;

		if (graph->next[node] == graph->first[node + 1]) {
			graph->colour[node] = FINISHED;
			if (graph->finished != NULL)
				graph->finished[graph->finished_count++] = node;
			depth--;
			continue;
		}
		target = graph->targets[graph->next[node]++];
		if (graph->colour[target] == UNSEEN) {
			graph->colour[target] = ON_PATH;
			path[depth++] = target;
		} else if (graph->colour[target] == ON_PATH) {
			if (graph->finished != NULL)
				continue; /* the order does without that edge */
			for (start = 0; path[start] != target; start++)
				;
			length = depth - start;
			for (size_t i = 0; i < length; i++)
				path[i] = path[start + i];
			return (int)length;
		}
	}
	return 0;
}
