/* SPDX-License-Identifier: ISC */
/* Tests of supervisord/engine/order.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "supervisord/engine/order.h"

#define MANY 200000u

static void test_graph_without_cycle_has_none(void **state)
{
	/* A diamond with a double edge: met twice is not a cycle. */
	static const struct order_edge edges[] = {{0, 1}, {0, 2}, {1, 3}, {2, 3}, {2, 3}, {4, 0}};
	uint32_t path[5] = {99, 99, 99, 99, 99};

	(void)state;
	assert_int_equal(order_find_cycle(5, edges, 6, path), 0);
	assert_int_equal(path[0], 99);
	assert_int_equal(order_find_cycle(0, NULL, 0, path), 0);
	assert_int_equal(order_find_cycle(5, NULL, 0, path), 0);
}

static void test_node_after_itself_is_a_cycle_of_one(void **state)
{
	static const struct order_edge edges[] = {{0, 1}, {1, 1}};
	uint32_t path[2];

	(void)state;
	assert_int_equal(order_find_cycle(2, edges, 2, path), 1);
	assert_int_equal(path[0], 1);
}

static void test_cycle_is_given_without_the_way_to_it(void **state)
{
	static const struct order_edge edges[] = {{0, 1}, {1, 2}, {2, 3}, {3, 4}, {4, 2}, {3, 5}};
	uint32_t path[6];

	(void)state;
	assert_int_equal(order_find_cycle(6, edges, 6, path), 3);
	assert_int_equal(path[0], 2);
	assert_int_equal(path[1], 3);
	assert_int_equal(path[2], 4);
}

static void test_order_puts_each_node_behind_its_dependencies(void **state)
{
	static const struct order_edge edges[] = {{0, 3}, {3, 4}, {1, 4}, {2, 0}};
	static const uint32_t expected[] = {4, 3, 0, 1, 2, 5};
	uint32_t order[6];

	(void)state;
	assert_int_equal(order_sort(6, edges, 4, order), 0);
	assert_memory_equal(order, expected, sizeof(expected));
	assert_int_equal(order_sort(0, NULL, 0, NULL), 0);
	assert_int_equal(order_sort(3, NULL, 0, order), 0);
	assert_int_equal(order[0], 0);
	assert_int_equal(order[2], 2);
}

static void test_order_with_a_circle_has_every_node_once(void **state)
{
	static const struct order_edge edges[] = {{0, 1}, {1, 2}, {2, 0}, {3, 3}};
	static const uint32_t expected[] = {2, 1, 0, 3};
	uint32_t order[4];

	(void)state;
	assert_int_equal(order_sort(4, edges, 4, order), 0);
	assert_memory_equal(order, expected, sizeof(expected));
}

static void test_long_chain_needs_no_recursion(void **state)
{
	struct order_edge *edges = calloc(MANY, sizeof(*edges));
	uint32_t *path = calloc(MANY, sizeof(*path));

	(void)state;
	assert_non_null(edges);
	assert_non_null(path);
	for (uint32_t i = 0; i < MANY; i++)
		edges[i] = (struct order_edge){.node = i, .dependency = (i + 1) % MANY};
	assert_int_equal(order_find_cycle(MANY, edges, MANY - 1, path), 0);
	assert_int_equal(order_find_cycle(MANY, edges, MANY, path), MANY);
	assert_int_equal(path[0], 0);
	assert_int_equal(path[MANY - 1], MANY - 1);
	free(edges);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_graph_without_cycle_has_none),
	    cmocka_unit_test(test_node_after_itself_is_a_cycle_of_one),
	    cmocka_unit_test(test_cycle_is_given_without_the_way_to_it),
	    cmocka_unit_test(test_order_puts_each_node_behind_its_dependencies),
	    cmocka_unit_test(test_order_with_a_circle_has_every_node_once),
	    cmocka_unit_test(test_long_chain_needs_no_recursion),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
