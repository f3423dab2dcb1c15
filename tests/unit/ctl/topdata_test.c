/* SPDX-License-Identifier: ISC */
/* topdata_test.c: the order, the filter and the text of what superctl top shows. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/clock.h"
#include "ctl/topdata.h"

/* By name, as a sample leaves them. */
static void fill(struct topdata *top, struct ctl *ctl)
{
	static const struct topdata_row rows[] = {
	    {.name = "app",
		.state = "RUNNING",
		.cpu = 5,
		.memory_bytes = 300,
		.starts = 1,
		.pid = 7},
	    {.name = "db", .state = "FATAL", .cpu = 0, .memory_bytes = -1, .starts = 9},
	    {.name = "web",
		.state = "RUNNING",
		.cpu = 999,
		.memory_bytes = 20,
		.starts = 2,
		.pid = 8},
	};

	topdata_init(top, ctl);
	top->count = sizeof(rows) / sizeof(rows[0]);
	top->rows = malloc(sizeof(rows));
	assert_non_null(top->rows);
	memcpy(top->rows, rows, sizeof(rows));
	for (size_t i = 0; i < top->count; i++)
		top->rows[i].reason = strdup("a reason");
}

static void assert_order(
    struct topdata *top, enum topdata_sort sort, bool reverse, const char *expected)
{
	char names[64] = "";

	top->sort = sort;
	top->reverse = reverse;
	topdata_arrange(top);
	for (size_t i = 0; i < top->shown; i++) {
		strcat(names, i > 0 ? " " : "");
		strcat(names, top->rows[top->order[i]].name);
	}
	assert_string_equal(names, expected);
}

static void test_arrange_when_sorted_then_the_largest_first_and_names_ascending(void **state)
{
	struct ctl ctl = {0};
	struct topdata top;

	(void)state;
	fill(&top, &ctl);
	assert_order(&top, TOPDATA_NAME, false, "app db web");
	assert_order(&top, TOPDATA_NAME, true, "web db app");
	assert_order(&top, TOPDATA_CPU, false, "web app db");
	assert_order(&top, TOPDATA_MEMORY, false, "app web db");
	assert_order(&top, TOPDATA_STARTS, false, "db web app");
	assert_order(&top, TOPDATA_STATE, false, "db app web");
	topdata_done(&top);
}

static void test_on_event_when_there_is_one_then_last_and_not_counted(void **state)
{
	struct out out = {.fd = -1};
	struct ctl ctl = {0};
	struct topdata top;

	(void)state;
	fill(&top, &ctl);
	top.rows[0].on_event = true;
	assert_order(&top, TOPDATA_NAME, false, "db web app");
	topdata_write_summary(&top, &out);
	out_bytes(&out, "", 1);
	assert_non_null(strstr(out.data, "2 programs: 1 RUNNING, 1 FATAL; 1 on_event; CPU 100.4%"));
	out_done(&out);
	topdata_done(&top);
}

static void test_arrange_when_filtered_then_by_name_or_state(void **state)
{
	struct ctl ctl = {0};
	struct topdata top;

	(void)state;
	fill(&top, &ctl);
	strcpy(top.filter, "e");
	assert_order(&top, TOPDATA_NAME, false, "web");
	strcpy(top.filter, "fatal");
	assert_order(&top, TOPDATA_NAME, false, "db");
	strcpy(top.filter, "nothing");
	assert_order(&top, TOPDATA_NAME, false, "");
	topdata_done(&top);
}

static void test_row_when_written_then_as_wide_as_told(void **state)
{
	struct out out = {.fd = -1};
	struct ctl ctl = {0};
	struct topdata top;

	(void)state;
	fill(&top, &ctl);
	topdata_arrange(&top);
	for (size_t columns = 60; columns <= 90; columns++) {
		const struct topdata_layout layout = {.columns = columns, .sparkline = 4};

		topdata_write_row(&top, &top.rows[2], &out, 0, &layout);
		out_bytes(&out, "", 1);
		assert_true(strlen(out.data) <= (columns < 64 ? 64 : columns));
		assert_memory_equal(out.data, "web   RUNNING ", 14);
		assert_non_null(strstr(out.data, " 99.9  "));
		out.length = 0;
	}
	out_done(&out);
	topdata_done(&top);
}

static void test_row_when_there_are_samples_then_heights(void **state)
{
	const struct topdata_layout layout = {.sparkline = 4};
	struct out out = {.fd = -1};
	struct ctl ctl = {0};
	struct topdata top;

	(void)state;
	fill(&top, &ctl);
	topdata_arrange(&top);
	top.rows[2].sample_count = 3;
	top.rows[2].samples[TOPDATA_SAMPLES - 4] = 1000; /* of before: not counted */
	top.rows[2].samples[TOPDATA_SAMPLES - 3] = 0;
	top.rows[2].samples[TOPDATA_SAMPLES - 2] = 1;
	top.rows[2].samples[TOPDATA_SAMPLES - 1] = 1000;
	topdata_write_row(&top, &top.rows[2], &out, 0, &layout);
	out_bytes(&out, "", 1);
	assert_non_null(strstr(out.data, "  99.9    .@  "));
	assert_non_null(strstr(out.data, "  a reason"));
	out_done(&out);
	topdata_done(&top);
}

static void test_sort_when_named_then_known_or_refused(void **state)
{
	enum topdata_sort sort = TOPDATA_NAME;

	(void)state;
	for (int i = 0; i < TOPDATA_SORTS; i++) {
		assert_int_equal(
		    topdata_parse_sort(topdata_sort_name((enum topdata_sort)i), &sort), 0);
		assert_int_equal(sort, i);
	}
	assert_int_equal(topdata_parse_sort("nonsense", &sort), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_arrange_when_sorted_then_the_largest_first_and_names_ascending),
	    cmocka_unit_test(test_on_event_when_there_is_one_then_last_and_not_counted),
	    cmocka_unit_test(test_arrange_when_filtered_then_by_name_or_state),
	    cmocka_unit_test(test_row_when_written_then_as_wide_as_told),
	    cmocka_unit_test(test_row_when_there_are_samples_then_heights),
	    cmocka_unit_test(test_sort_when_named_then_known_or_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
