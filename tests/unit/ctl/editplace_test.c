/* SPDX-License-Identifier: ISC */
/* Where a new stanza goes, and which editors take a line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/editor.h"
#include "ctl/editplace.h"

static void expect(const char *include, const char *expected)
{
	char *path = editplace_choose("/etc/sd/supervisord.conf", include, "web");

	if (expected == NULL)
		assert_null(path);
	else
		assert_string_equal(path, expected);
	free(path);
}

static void test_choose_when_a_pattern_means_such_files_then_it_is_one_of_them(void **state)
{
	(void)state;
	expect("{\"conf.d/*.conf\"}", "/etc/sd/conf.d/web.conf");
	expect("{\"/srv/*.sd\"}", "/srv/web.sd");
	expect("{\"conf.d/*\"}", "/etc/sd/conf.d/web.conf");
	expect("{\"*.conf\"}", "/etc/sd/web.conf");
	expect(
	    "{\"one.conf\", \"conf.d/site-*.conf\", \"b/*.conf\"}", "/etc/sd/conf.d/site-web.conf");
}

static void test_choose_when_none_does_then_there_is_no_place(void **state)
{
	(void)state;
	expect("{}", NULL);
	expect("", NULL);
	expect("{\"one.conf\"}", NULL);
	expect("{\"*/one.conf\"}", NULL);
	expect("{\"conf.d/*/*.conf\"}", NULL);
	expect("{\"conf.d/a*b*.conf\"}", NULL);
	expect("{\"conf.d/[a-z]*.conf\"}", NULL);
}

static void test_line_when_the_editor_is_known_then_it_is_given(void **state)
{
	(void)state;
	assert_true(editor_takes_line("vi"));
	assert_true(editor_takes_line("/usr/bin/vim -c 'set nu'"));
	assert_true(editor_takes_line(" nano -w"));
	assert_false(editor_takes_line("code --wait"));
	assert_false(editor_takes_line("/opt/vi/edit"));
	assert_false(editor_takes_line("vise"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_choose_when_a_pattern_means_such_files_then_it_is_one_of_them),
	    cmocka_unit_test(test_choose_when_none_does_then_there_is_no_place),
	    cmocka_unit_test(test_line_when_the_editor_is_known_then_it_is_given),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
