/* SPDX-License-Identifier: ISC */
/*
 * confgraph.c: see confgraph.h.  The keys of the edges are only looked for when there is a cycle to
 * talk about.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "supervisord/engine/confgraph.h"

/* Nodes named of a cycle. */
#define CYCLE_SHOWN 10

static enum program_key key_of(const struct confgraph *graph, uint32_t node, uint32_t dependency);
static int describe(const struct confgraph *graph,
    const char *(*name_of)(const void *context, uint32_t node), const void *context,
    struct confgraph_cycle *cycle);

int confgraph_add(struct confgraph *graph, uint32_t node, uint32_t dependency, enum program_key key)
{
	if (graph->count == graph->room) {
		size_t room = graph->room == 0 ? 64 : graph->room * 2;
		struct order_edge *edges = realloc(graph->edges, room * sizeof(*edges));
		uint8_t *keys;

		if (edges != NULL)
			graph->edges = edges;
		keys = realloc(graph->keys, room * sizeof(*keys));
		if (keys != NULL)
			graph->keys = keys;
		if (edges == NULL || keys == NULL)
			return -ENOMEM;
		graph->room = room;
	}
	_Static_assert(PROGRAM_KEY_COUNT <= UINT8_MAX, "keys have a byte");
	graph->keys[graph->count] = (uint8_t)key;
	graph->edges[graph->count++] = (struct order_edge){.node = node, .dependency = dependency};
	return 0;
}

void confgraph_done(struct confgraph *graph)
{
	free(graph->edges);
	free(graph->keys);
	*graph = (struct confgraph){0};
}

int confgraph_find_cycle(const struct confgraph *graph, size_t node_count,
    const char *(*name_of)(const void *context, uint32_t node), const void *context,
    struct confgraph_cycle *ret_cycle)
{
	struct confgraph_cycle cycle = {0};
	int length, error = 0;

	*ret_cycle = cycle;
	if (graph->count == 0)
		return 0;
	cycle.path = calloc(node_count, sizeof(*cycle.path));
	if (cycle.path == NULL)
		return -ENOMEM;
	length = order_find_cycle(node_count, graph->edges, graph->count, cycle.path);
	if (length > 0) {
		cycle.length = (size_t)length;
		cycle.key = key_of(graph, cycle.path[0], cycle.path[length > 1 ? 1 : 0]);
		error = describe(graph, name_of, context, &cycle);
	}
	if (length <= 0 || error < 0) {
		confgraph_cycle_done(&cycle);
		return length < 0 ? length : error;
	}
	*ret_cycle = cycle;
	return 0;
}

void confgraph_cycle_done(struct confgraph_cycle *cycle)
{
	free(cycle->path);
	free(cycle->text);
	*cycle = (struct confgraph_cycle){0};
}

static enum program_key key_of(const struct confgraph *graph, uint32_t node, uint32_t dependency)
{
	size_t i = 0;

	while (graph->edges[i].node != node || graph->edges[i].dependency != dependency)
		i++;
	return (enum program_key)graph->keys[i];
}

static int describe(const struct confgraph *graph,
    const char *(*name_of)(const void *context, uint32_t node), const void *context,
    struct confgraph_cycle *cycle)
{
	size_t shown = cycle->length < CYCLE_SHOWN ? cycle->length : CYCLE_SHOWN, size = 0;
	enum program_key keys[CYCLE_SHOWN];
	bool mixed = false;
	FILE *file;

	for (size_t i = 0; i < shown; i++) {
		keys[i] = key_of(graph, cycle->path[i], cycle->path[(i + 1) % cycle->length]);
		mixed = mixed || keys[i] != keys[0];
	}
	file = open_memstream(&cycle->text, &size);
	if (file == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < shown; i++) {
		uint32_t next = cycle->path[(i + 1) % cycle->length];

		fputs(name_of(context, cycle->path[i]), file);
		if (keys[i] == PROGRAM_before)
			fprintf(file, " (before of %s)", name_of(context, next));
		else if (mixed)
			fprintf(file, " (%s)", program_rows[keys[i]].name);
		fputs(" -> ", file);
	}
	if (shown < cycle->length)
		fputs("... -> ", file);
	fputs(name_of(context, cycle->path[0]), file);
	return fclose(file) == 0 ? 0 : -ENOMEM;
}
