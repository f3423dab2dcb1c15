/* SPDX-License-Identifier: ISC */
/*
 * enable_test.c: superctl enable and disable: a word of ours only where the files do not say it
 * themselves, and where it is told that they do.
 */
#include "tests/unit/engine/callworld.h"
#include "tests/unit/refusal.h"

#include "lib/ownlog.h"
#include "supervisord/engine/dropin.h"
#include "supervisord/engine/enable.h"
#include "supervisord/engine/setcall.h"

#define INCLUDE "include = {\"conf.d/*.conf\"}\n"
#define OURS    DROPIN_HEAD "override \"web\" {\n\tautostart = \"false\"\n}\n"

static const char on[] = "{\"name\": \"web\"}";
static const char off[] = "{\"name\": \"web\", \"enabled\": false}";

static const char *dropin_path(void)
{
	static char path[160];

	snprintf(path, sizeof(path), "%s", confdir_path("conf.d/web.override.conf"));
	return path;
}

/* "" where there is none. */
static const char *dropin_text(void)
{
	static char text[4096];
	FILE *file = fopen(dropin_path(), "r");

	text[0] = '\0';
	if (file == NULL)
		return text;
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	return text;
}

static void begin(struct callworld *w, const char *text)
{
	(void)mkdir(confdir_path("conf.d"), 0755);
	(void)unlink(dropin_path());
	callworld_begin(w, text);
}

static void test_disable_and_enable_then_a_word_of_ours_comes_and_goes(void **state)
{
	struct callworld w;

	(void)state;
	begin(&w, INCLUDE "program web { command = x }\n");
	callworld_expect(&w, enable_call, off, dropin_path());
	assert_string_equal(dropin_text(), OURS);
	assert_string_equal(callworld_source(&w, dropin_path()), OURS);
	callworld_expect(&w, enable_call, on, "\"results\"");
	assert_string_equal(dropin_text(), "");
	assert_null(callworld_source(&w, dropin_path()));
	/* Without a word the file would say the other thing. */
	callworld_ask(&w, setcall_set,
	    "{\"name\": \"web\", \"persist\": true, \"settings\": [{\"key\": \"autostart\", "
	    "\"value\": \"true\"}]}");
	callworld_ask(&w, enable_call, off);
	assert_string_equal(dropin_text(), OURS);
	assert_string_equal(callworld_source(&w, dropin_path()), OURS);
	/* Others of its keys stay. */
	callworld_ask(&w, setcall_set,
	    "{\"name\": \"web\", \"persist\": true, \"settings\": [{\"key\": \"umask\", "
	    "\"value\": \"077\"}, {\"key\": \"autostart\", \"value\": \"false\"}]}");
	callworld_ask(&w, enable_call, on);
	assert_string_equal(
	    dropin_text(), DROPIN_HEAD "override \"web\" {\n\tumask = \"077\"\n}\n");
	callworld_end(&w);
}

/* To take our word back is not enough: what it was laid over says the other thing. */
static void test_enable_when_the_stanza_disables_then_our_word_stays_the_other_way(void **state)
{
	struct callworld w;

	(void)state;
	begin(&w, INCLUDE "program web { command = x autostart = false }\n"
			  "program aaa { command = x }\n");
	callworld_ask(&w, enable_call, on);
	assert_string_equal(
	    dropin_text(), DROPIN_HEAD "override \"web\" {\n\tautostart = \"true\"\n}\n");
	callworld_ask(&w, enable_call, off);
	assert_string_equal(dropin_text(), "");
	callworld_end(&w);
}

/* The line that says so, of the last that counts; nothing is written or applied. */
static void test_enable_when_it_is_so_already_then_told_where(void **state)
{
	static const struct {
		const char *text, *method, *answer;
	} cases[] = {
	    {INCLUDE "program web {\n command = x\n autostart = true\n}\n", on,
		"main.conf\",\"line\":4"},
	    {INCLUDE "program web {\n command = x\n}\n", on, "main.conf\",\"line\":2"},
	    {INCLUDE "defaults {\n autostart = false\n}\nprogram web {\n command = x\n}\n", off,
		"main.conf\",\"line\":3"},
	    /* The stanza before the defaults, wherever they stand. */
	    {INCLUDE "program web {\n command = x\n autostart = false\n}\ndefaults {\n autostart = "
		     "true\n}\nprogram db {\n command = x\n autostart = true\n}\n",
		off, "main.conf\",\"line\":4"},
	    {INCLUDE "program web {\n command = x autostart = true\n}\noverride \"web\" {\n umask "
		     "= 077\n autostart "
		     "= false\n}\n",
		off, "main.conf\",\"line\":7"},
	    {INCLUDE "program web {\n command = x\n instances = 2\n autostart = false\n}\n", off,
		"main.conf\",\"line\":5"},
	};
	struct callworld w;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *answer;

		begin(&w, cases[i].text);
		answer = callworld_ask(&w, enable_call, cases[i].method);
		if (strstr(answer, cases[i].answer) == NULL ||
		    strstr(answer, "\"changed\":false") == NULL)
			fail_msg("%s: %s", cases[i].text, answer);
		assert_string_equal(dropin_text(), "");
		assert_int_equal(callworld_applies, 0);
		callworld_end(&w);
	}
}

/* What superctl set says of it would hide what the file says. */
static void test_disable_when_it_was_set_then_that_is_taken_back(void **state)
{
	struct callworld w;

	(void)state;
	begin(&w, INCLUDE "program web { command = x }\n");
	callworld_ask(&w, setcall_set,
	    "{\"name\": \"web\", \"settings\": [{\"key\": \"autostart\", \"value\": \"true\"}, "
	    "{\"key\": \"umask\", \"value\": \"077\"}]}");
	callworld_ask(&w, enable_call, off);
	assert_string_equal(callworld_source(&w, CONFIG_SET_PATH "web"),
	    "override \"web\" {\n\tumask = \"077\"\n}\n");
	assert_string_equal(dropin_text(), OURS);
	callworld_end(&w);
}

static void test_enable_when_it_cannot_then_told_and_nothing_is_written(void **state)
{
	struct callworld w;

	(void)state;
	begin(&w, INCLUDE "program web { command = x }\n");
	callworld_expect(&w, enable_call, "{}", "\"parameter\":\"name\"");
	callworld_expect(&w, enable_call, "{\"name\": \"wbe\"}", "NoSuchProgram");
	callworld_expect(
	    &w, enable_call, "{\"name\": \"web\", \"enabled\": 0}", "\"parameter\":\"enabled\"");
	w.world.engine.safe_mode = true;
	callworld_expect(&w, enable_call, off, "SafeMode");
	w.world.engine.safe_mode = false;
	callworld_error = -EBUSY;
	callworld_expect(&w, enable_call, off, "apply with rollback");
	callworld_error = 0;
	assert_string_equal(dropin_text(), "");
	/* No include would read it. */
	confdir_write("main.conf", "program web { command = x }\n");
	callworld_expect(&w, enable_call, off, "NotPersisted");
	assert_int_equal(callworld_applies, 0);
	callworld_end(&w);
}

static void test_disable_when_memory_is_refused_then_file_and_applied_copy_agree(void **state)
{
	unsigned n = 1, refused = 0;
	bool came;

	(void)state;
	ownlog_set_level(OWNLOG_ERROR);
	do {
		struct callworld w;
		const char *answer, *copy;

		begin(&w, INCLUDE "program web { command = x }\n");
		refusal_begin(n++);
		answer = callworld_ask(&w, enable_call, off);
		came = refusal_end();
		refused += came;
		assert_true(answer[0] != '\0' || w.client.dead);
		copy = callworld_source(&w, dropin_path());
		assert_string_equal(dropin_text(), copy != NULL ? copy : "");
		callworld_end(&w);
	} while (came);
	ownlog_set_level(OWNLOG_NOTICE);
	assert_true(refused > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_disable_and_enable_then_a_word_of_ours_comes_and_goes),
	    cmocka_unit_test(
		test_enable_when_the_stanza_disables_then_our_word_stays_the_other_way),
	    cmocka_unit_test(test_enable_when_it_is_so_already_then_told_where),
	    cmocka_unit_test(test_disable_when_it_was_set_then_that_is_taken_back),
	    cmocka_unit_test(test_enable_when_it_cannot_then_told_and_nothing_is_written),
	    cmocka_unit_test(test_disable_when_memory_is_refused_then_file_and_applied_copy_agree),
	};

	return cmocka_run_group_tests(tests, confdir_setup, confdir_teardown);
}
