/* SPDX-License-Identifier: ISC */
/*
 * order.h: the graph of who comes after whom.  Pure: indices in, indices out, no names, no kernel.
 */
#ifndef ENGINE_ORDER_H
#define ENGINE_ORDER_H

#include <stddef.h>
#include <stdint.h>

/* "node comes after dependency". */
struct order_edge {
	uint32_t node;
	uint32_t dependency;
};

/*
 * Find a cycle.  Returns the number of nodes on it (each comes after the next one, the last after
 * the first; 1 for a node after itself) written to ret_path (room for node_count), 0 when there is
 * none, or -ENOMEM.  Linear in nodes + edges, without recursion.
 */
int order_find_cycle(
    size_t node_count, const struct order_edge *edges, size_t edge_count, uint32_t *ret_path);

/*
 * All nodes, each behind its dependencies (of the others the lower one first), to ret_order (room
 * for node_count).  An edge that would close a circle is passed over.  0 or -ENOMEM; linear, as
 * above.
 */
int order_sort(
    size_t node_count, const struct order_edge *edges, size_t edge_count, uint32_t *ret_order);

#endif
