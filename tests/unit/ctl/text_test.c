/* SPDX-License-Identifier: ISC */
/* text_test.c: what a person sees: sanitised text, its width, tables and suggestions. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/clock.h"
#include "ctl/out.h"
#include "ctl/program.h"
#include "ctl/suggest.h"
#include "ctl/table.h"

static void assert_text(const char *text, size_t columns, const char *expected)
{
	struct out out = {.fd = -1};

	out_text(&out, text, columns);
	out_bytes(&out, "", 1);
	assert_string_equal(out.data, expected);
	out_done(&out);
}

static void test_text_when_control_characters_then_shown(void **state)
{
	(void)state;
	assert_text("plain", 0, "plain");
	assert_text("\x1b[2J\r\n\x7f", 0, "\\x1b[2J\\x0d\\x0a\\x7f");
	assert_text("\xc2\x9b\xc2\x80\xc2\xa0", 0, "\\x9b\\x80\xc2\xa0");
	assert_text("\xff\xc3", 0, "\\xff\\xc3");
	assert_text("\xe2\x82\xac", 0, "\xe2\x82\xac");
}

static void test_text_when_wider_than_its_columns_then_cut_with_a_mark(void **state)
{
	(void)state;
	assert_text("0123456789", 10, "0123456789");
	assert_text("0123456789", 9, "012345...");
	assert_text("\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9", 4, "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9");
	assert_text("\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9", 4, "\xc3\xa9...");
	assert_text("ab\x01"
		    "cdef",
	    8, "ab...");
	assert_text("abcdef", 2, "..");
	assert_text("abcdef", 3, "...");
	assert_text("", 3, "");
}

/* `line` on a terminal of so many columns, after other text. */
static void assert_line(const char *line, unsigned columns, size_t indent, const char *expected)
{
	struct out out = {.fd = -1, .width = columns};

	out_string(&out, "before it\n");
	out_string(&out, line);
	out_end_line(&out, strlen("before it\n"), indent);
	out_bytes(&out, "", 1);
	assert_string_equal(out.data + strlen("before it\n"), expected);
	out_done(&out);
}

static void test_line_when_wider_than_the_terminal_then_goes_on_at_a_word(void **state)
{
	(void)state;
	assert_line("one two three", 0, 2, "one two three\n");
	assert_line("one two three", 13, 2, "one two three\n");
	assert_line("one two three", 12, 2, "one two\n  three\n");
	assert_line("one two three", 7, 2, "one two\n  three\n");
	assert_line("one two three", 6, 1, "one\n two\n three\n");
	assert_line("  one two  three", 10, 4, "  one two\n    three\n");
	assert_line("longer than that", 4, 2, "longer\n  than\n  that\n");
	assert_line("one two", 2, 2, "one two\n"); /* no room for anything */
	assert_line("", 4, 2, "\n");
	assert_line(
	    "\xc3\xa9\xc3\xa9 \xc3\xa9\xc3\xa9", 5, 1, "\xc3\xa9\xc3\xa9 \xc3\xa9\xc3\xa9\n");
	assert_line("\033[1mone\033[0m two six", 7, 1, "\033[1mone\033[0m two\n six\n");
}

static void test_measure_when_any_text_then_as_shown(void **state)
{
	(void)state;
	assert_int_equal(out_measure(""), 0);
	assert_int_equal(out_measure("abc"), 3);
	assert_int_equal(out_measure("a\xc3\xa9\x01z"), 7);
}

static struct program program(const char *name, const char *state, int64_t pid, const char *reason)
{
	return (struct program){.name = name,
	    .state = state,
	    .pid = pid,
	    .since = "1970-01-01T00:00:00Z",
	    .reason = reason,
	    .status_text = "",
	    .health = "",
	    .tracking = "",
	    .peer = "",
	    .starts = 1,
	    .memory_bytes = -1,
	    .cpu_ms = -1};
}

static void assert_table(struct out *out, bool detailed, bool cut, const char *expected)
{
	const struct program programs[] = {
	    program("a", "RUNNING", 7, "because it was started"),
	    program("long@12", "FATAL", 0, "x"),
	};

	assert_int_equal(table_print(out, programs, 2, 90 * NS_PER_S, detailed, cut), 0);
	out_bytes(out, "", 1);
	assert_string_equal(out->data, expected);
	out_done(out);
}

static void test_table_when_printed_then_aligned(void **state)
{
	struct out out = {.fd = -1};

	(void)state;
	assert_table(&out, false, true,
	    "NAME     STATE    PID      FOR  STARTS  REASON\n"
	    "a        RUNNING    7  1min30s       1  because it was started\n"
	    "long@12  FATAL      -  1min30s       1  x\n");
}

static void test_table_when_the_terminal_is_narrow_then_only_the_reason_is_cut(void **state)
{
	struct out out = {.fd = -1, .width = 52};

	(void)state;
	assert_table(&out, false, true,
	    "NAME     STATE    PID      FOR  STARTS  REASON\n"
	    "a        RUNNING    7  1min30s       1  because i...\n"
	    "long@12  FATAL      -  1min30s       1  x\n");
	out = (struct out){.fd = -1, .width = 20};
	assert_table(&out, true, false,
	    "NAME     STATE    PID      FOR  STARTS  MEMORY  CPU  REASON\n"
	    "a        RUNNING    7  1min30s       1       -    -  because it was started\n"
	    "long@12  FATAL      -  1min30s       1       -    -  x\n");
}

static void assert_notes(const struct program *one, const char *expected)
{
	struct out out = {.fd = -1};

	assert_int_equal(table_print(&out, one, 1, 90 * NS_PER_S, false, false), 0);
	out_bytes(&out, "", 1);
	assert_non_null(strstr(out.data, expected));
	assert_string_equal(strstr(out.data, expected) + strlen(expected), "\n");
	out_done(&out);
}

static void test_table_when_there_is_more_than_the_reason_then_beside_it(void **state)
{
	struct program one = program("a", "RUNNING", 7, "ready (notify)");

	(void)state;
	assert_notes(&one, "  1  ready (notify)");
	one.status_text = "12 clients";
	assert_notes(&one, "  1  ready (notify); says: 12 clients");
	one.health = "bad";
	one.reloading = true;
	assert_notes(&one, "  1  unhealthy; reloading; ready (notify); says: 12 clients");
	one.status_text = one.reason = "";
	assert_notes(&one, "  1  unhealthy; reloading");
	one.reloading = false;
	assert_notes(&one, "  1  unhealthy");
	one.reason = "ready (notify)";
	assert_notes(&one, "  1  unhealthy; ready (notify)");
	one.health = "good";
	one.status_text = "fine";
	one.reason = "";
	assert_notes(&one, "  1  says: fine");
}

static void test_style_when_unhealthy_then_as_bad_as_fatal(void **state)
{
	struct program one = program("a", "RUNNING", 7, "");

	(void)state;
	assert_int_equal(program_style(&one), OUT_GREEN);
	one.health = "good";
	assert_int_equal(program_style(&one), OUT_GREEN);
	one.health = "bad";
	assert_int_equal(program_style(&one), OUT_RED);
	assert_true(program_is_unhealthy(&one));
	one.state = "STOPPING";
	assert_false(program_is_unhealthy(&one));
}

static void test_one_when_printed_then_a_line_a_field(void **state)
{
	struct program one = program("a", "RUNNING", 7, "ready (notify)");
	struct out out = {.fd = -1};

	(void)state;
	one.ready = one.reloading = true;
	one.wanted = "up";
	one.status_text = "12 clients";
	one.health = "good";
	one.tracking = "cgroup";
	one.exit_status = -1;
	table_print_one(&out, &one, 90 * NS_PER_S);
	out_bytes(&out, "", 1);
	assert_string_equal(out.data, "a\n"
				      "     State: RUNNING, ready, reloading for 1min30s, "
				      "since 1970-01-01T00:00:00Z\n"
				      "    Reason: ready (notify)\n"
				      "    Wanted: up\n"
				      "       PID: 7\n"
				      "    Starts: 1\n"
				      "      Says: 12 clients\n"
				      "    Health: good\n"
				      "Tracked by: cgroup\n");
	out_done(&out);
}

static void test_program_when_members_are_missing_or_new_then_read(void **state)
{
	char text[] =
	    "[{\"ready\":true,\"name\":\"w\",\"new\":[{}],\"state\":\"RUNNING\",\"pid\":null,"
	    "\"health\":\"bad\",\"tracking\":\"session\",\"reloading\":true,"
	    "\"last_exit\":{\"status\":3,\"signal\":null}},{\"name\":\"x\"},5]";
	struct program read;
	struct jsonr json;
	int at;

	(void)state;
	jsonr_init(&json);
	assert_int_equal(jsonr_parse(&json, text, strlen(text), 8), 0);
	at = jsonr_first(&json, JSONR_ROOT);
	assert_int_equal(program_read(&json, at, &read), 0);
	assert_string_equal(read.name, "w");
	assert_string_equal(read.reason, "");
	assert_true(read.ready && read.reloading);
	assert_string_equal(read.health, "bad");
	assert_string_equal(read.tracking, "session");
	assert_string_equal(read.status_text, "");
	assert_true(program_is_running(&read));
	assert_true(read.pid == 0 && read.exit_status == 3 && read.memory_bytes == -1);
	assert_null(read.exit_signal);
	at = jsonr_next(&json, JSONR_ROOT, at);
	assert_int_equal(program_read(&json, at, &read), -EBADMSG);
	at = jsonr_next(&json, JSONR_ROOT, at);
	assert_int_equal(program_read(&json, at, &read), -EBADMSG);
	jsonr_done(&json);
}

static void test_translate_when_supervisorctls_word_then_a_hint(void **state)
{
	(void)state;
	assert_non_null(strstr(suggest_translate("reread"), "superctl apply"));
	assert_non_null(strstr(suggest_translate("tail"), "superctl logs"));
	assert_null(suggest_translate("start"));
	assert_null(suggest_translate("reload"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_text_when_control_characters_then_shown),
	    cmocka_unit_test(test_text_when_wider_than_its_columns_then_cut_with_a_mark),
	    cmocka_unit_test(test_line_when_wider_than_the_terminal_then_goes_on_at_a_word),
	    cmocka_unit_test(test_measure_when_any_text_then_as_shown),
	    cmocka_unit_test(test_table_when_printed_then_aligned),
	    cmocka_unit_test(test_table_when_the_terminal_is_narrow_then_only_the_reason_is_cut),
	    cmocka_unit_test(test_table_when_there_is_more_than_the_reason_then_beside_it),
	    cmocka_unit_test(test_style_when_unhealthy_then_as_bad_as_fatal),
	    cmocka_unit_test(test_one_when_printed_then_a_line_a_field),
	    cmocka_unit_test(test_program_when_members_are_missing_or_new_then_read),
	    cmocka_unit_test(test_translate_when_supervisorctls_word_then_a_hint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
