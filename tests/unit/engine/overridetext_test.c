/* SPDX-License-Identifier: ISC */
/* Tests of supervisord/engine/overridetext.h. */
#include "tests/unit/engine/confdir.h"

#include <errno.h>

#include "supervisord/engine/confsource.h"
#include "supervisord/engine/overridetext.h"

static int read_text(const char *written, struct overridetext *text)
{
	const struct config_source source = {.path = (char *)(uintptr_t) "/o",
	    .text = (char *)(uintptr_t)written,
	    .length = strlen(written)};

	*text = (struct overridetext){.program = "web"};
	return overridetext_read(&source, text);
}

static void set(struct overridetext *text, const char *key, const char *value)
{
	assert_int_equal(
	    overridetext_set(text, (enum program_key)overridetext_find_key(key), false, &value, 1),
	    0);
}

static void expect(const struct overridetext *text, const char *expected)
{
	char *written = NULL;

	assert_int_equal(overridetext_write(text, "# head\n", &written), 0);
	assert_string_equal(written, expected);
	free(written);
}

static void test_keys_are_set_replaced_and_unset(void **state)
{
	static const char *const list[] = {"A=1", "B=x y"};
	struct overridetext text = {.program = "web"};

	(void)state;
	set(&text, "health.interval", "1s");
	set(&text, "umask", "077");
	set(&text, "health.check", "none");
	set(&text, "log_format", "json");
	assert_int_equal(overridetext_set(&text, PROGRAM_environment, true, list, 2), 0);
	set(&text, "umask", "027");
	expect(&text, "# head\n"
		      "override \"web\" {\n"
		      "\tumask = \"027\"\n"
		      "\tenvironment = {\"A=1\", \"B=x y\"}\n"
		      "\thealth {\n"
		      "\t\tcheck = \"none\"\n"
		      "\t\tinterval = \"1s\"\n"
		      "\t}\n"
		      "\tlog_format = \"json\"\n"
		      "}\n");
	assert_true(overridetext_unset(&text, PROGRAM_umask));
	assert_false(overridetext_unset(&text, PROGRAM_umask));
	assert_true(overridetext_unset(&text, PROGRAM_environment));
	assert_true(overridetext_unset(&text, PROGRAM_log_format));
	expect(&text, "# head\n"
		      "override \"web\" {\n"
		      "\thealth {\n"
		      "\t\tcheck = \"none\"\n"
		      "\t\tinterval = \"1s\"\n"
		      "\t}\n"
		      "}\n");
	overridetext_done(&text);
}

/* All that JSON can bring here, but NUL. */
static void test_every_byte_comes_back(void **state)
{
	char bytes[256], *written = NULL;
	const char *values[] = {bytes, "${HOME} %{name} \\x41 '", "", "}\n\"{"};
	struct overridetext text = {.program = "web"}, again;

	(void)state;
	for (int i = 0; i < 255; i++)
		bytes[i] = (char)(i + 1);
	bytes[255] = '\0';
	assert_int_equal(overridetext_set(&text, PROGRAM_command, true, values, 4), 0);
	assert_int_equal(overridetext_write(&text, "", &written), 0);
	assert_int_equal(read_text(written, &again), 0);
	assert_int_equal(again.count, 1);
	assert_true(again.items[0].list);
	assert_int_equal(again.items[0].count, 4);
	for (size_t i = 0; i < 4; i++)
		assert_string_equal(again.items[0].values[i], values[i]);
	free(written);
	overridetext_done(&text);
	overridetext_done(&again);
}

static void test_what_is_not_one_override_of_the_program_is_refused(void **state)
{
	static const char *const texts[] = {
	    "override \"db\" { umask = 077 }",
	    "override \"web\" { umask = 077 } program \"web\" { command = x }",
	    "log_level = debug",
	    "override \"web\" { umaks = 077 }",
	    "override \"web\" { umask = 077",
	};
	struct overridetext text;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(read_text(texts[i], &text), -EBADMSG);
		overridetext_done(&text);
	}
	assert_int_equal(read_text("# nothing\n", &text), 0);
	assert_int_equal(text.count, 0);
	overridetext_done(&text);
}

static void test_keys_have_the_names_that_messages_give_them(void **state)
{
	(void)state;
	assert_int_equal(overridetext_find_key("umask"), PROGRAM_umask);
	assert_int_equal(overridetext_find_key("health.check"), PROGRAM_health_check);
	assert_int_equal(overridetext_find_key("health_check"), -1);
	assert_int_equal(overridetext_find_key(""), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_keys_are_set_replaced_and_unset),
	    cmocka_unit_test(test_every_byte_comes_back),
	    cmocka_unit_test(test_what_is_not_one_override_of_the_program_is_refused),
	    cmocka_unit_test(test_keys_have_the_names_that_messages_give_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
