/* SPDX-License-Identifier: ISC */
/*
 * confgraph.h: who of the configuration comes after whom, and because of which key.
 *
 * Nodes are indices of the caller's.  Built while the configuration is checked, and gone after it.
 */
#ifndef ENGINE_CONFGRAPH_H
#define ENGINE_CONFGRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "supervisord/engine/keytable.h"
#include "supervisord/engine/order.h"

struct confgraph {
	struct order_edge *edges;
	uint8_t *keys; /* enum program_key of each edge */
	size_t count;
	size_t room;
};

/* A cycle: each of the nodes comes after the next one, the last after the first. */
struct confgraph_cycle {
	uint32_t *path;       /* to be freed */
	size_t length;        /* 0: there is none */
	enum program_key key; /* of the first step */
	char *text;           /* "a (requires) -> b (after) -> a", to be freed */
};

/* 0 or -ENOMEM. */
int confgraph_add(
    struct confgraph *graph, uint32_t node, uint32_t dependency, enum program_key key);

void confgraph_done(struct confgraph *graph);

/*
 * Find a cycle.  `name_of` gives the name of a node.  The keys are in the text only where they
 * differ; the one of an edge that is written at its other end (before) says so.  0 or -ENOMEM.
 */
int confgraph_find_cycle(const struct confgraph *graph, size_t node_count,
    const char *(*name_of)(const void *context, uint32_t node), const void *context,
    struct confgraph_cycle *ret_cycle);

void confgraph_cycle_done(struct confgraph_cycle *cycle);

#endif
