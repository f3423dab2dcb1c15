/* SPDX-License-Identifier: ISC */
/* scale_test.c: superctl scale: several programs at once, all of them or none. */
#include "tests/unit/engine/callworld.h"
#include "tests/unit/refusal.h"

#include "lib/ownlog.h"
#include "supervisord/engine/scale.h"

static const char programs[] = "program web { command = x instances = 2 }\n"
			       "program db { command = x log_filter = \"exec:y\" }\n";

static const char *number_of(struct callworld *w, const char *path)
{
	const char *text = callworld_source(w, path);
	const char *at = text != NULL ? strstr(text, "instances = ") : NULL;

	return at != NULL ? at + strlen("instances = ") : "";
}

static void test_scale_then_each_has_its_number(void **state)
{
	struct callworld w;

	(void)state;
	callworld_begin(&w, programs);
	callworld_expect(&w, scale_call,
	    "{\"programs\": [{\"name\": \"web\", \"change\": -1}, {\"name\": \"db\", "
	    "\"instances\": 3}]}",
	    "\"results\"");
	assert_int_equal(callworld_applies, 1);
	assert_string_equal(number_of(&w, CONFIG_SET_PATH "web"), "\"1\"\n}\n");
	assert_string_equal(number_of(&w, CONFIG_SET_PATH "db"), "\"3\"\n}\n");
	callworld_end(&w);
}

static void test_scale_when_it_is_wrong_then_told_and_none_is_changed(void **state)
{
	static const struct {
		const char *programs, *answer;
	} wrong[] = {
	    {"[]", "\"parameter\":\"programs\""},
	    {"{}", "\"parameter\":\"programs\""},
	    {"[3]", "\"parameter\":\"programs\""},
	    {"[{\"name\": \"web\"}]", "\"parameter\":\"programs\""},
	    {"[{\"name\": \"web\", \"instances\": 1, \"change\": 1}]",
		"\"parameter\":\"programs\""},
	    {"[{\"name\": \"web\", \"instances\": \"1\"}]", "\"parameter\":\"programs\""},
	    {"[{\"name\": \"web\", \"instances\": 1.5}]", "\"parameter\":\"programs\""},
	    {"[{\"name\": \"web\", \"instances\": 0}]", "BadNumber"},
	    {"[{\"name\": \"web\", \"change\": -2}]", "\"instances\":0"},
	    {"[{\"name\": \"web\", \"instances\": 1025}]", "\"most\":"},
	    {"[{\"name\": \"web\", \"change\": 9223372036854775807}]", "BadNumber"},
	    {"[{\"name\": \"web\", \"change\": -9223372036854775808}]", "BadNumber"},
	    {"[{\"name\": \"web@1\", \"instances\": 1}]", "NoSuchProgram"},
	    {"[{\"name\": \"db+filter\", \"instances\": 1}]", "NoSuchProgram"},
	    {"[{\"name\": \"ddb\", \"instances\": 1}]", "\"nearest\":\"db\""},
	    /* The first of two is good. */
	    {"[{\"name\": \"db\", \"instances\": 2}, {\"name\": \"web\", \"instances\": 0}]",
		"BadNumber"},
	};
	struct callworld w;
	char parameters[256];

	(void)state;
	callworld_begin(&w, programs);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		snprintf(parameters, sizeof(parameters), "{\"programs\": %s}", wrong[i].programs);
		callworld_expect(&w, scale_call, parameters, wrong[i].answer);
	}
	callworld_error = -EBUSY;
	callworld_expect(&w, scale_call, "{\"programs\": [{\"name\": \"web\", \"instances\": 3}]}",
	    "apply with rollback");
	assert_null(callworld_source(&w, CONFIG_SET_PATH "db"));
	assert_null(callworld_source(&w, CONFIG_SET_PATH "web"));
	assert_int_equal(callworld_applies, 0);
	callworld_end(&w);
}

static void test_scale_when_memory_is_refused_then_both_or_none(void **state)
{
	unsigned n = 1, refused = 0;
	bool came;

	(void)state;
	ownlog_set_level(OWNLOG_ERROR);
	do {
		struct callworld w;
		const char *answer;

		callworld_begin(&w, programs);
		refusal_begin(n++);
		answer = callworld_ask(&w, scale_call,
		    "{\"programs\": [{\"name\": \"web\", \"instances\": 4}, {\"name\": \"db\", "
		    "\"instances\": 3}]}");
		came = refusal_end();
		refused += came;
		assert_true(answer[0] != '\0' || w.client.dead);
		assert_int_equal(number_of(&w, CONFIG_SET_PATH "web")[0] == '\0',
		    number_of(&w, CONFIG_SET_PATH "db")[0] == '\0');
		assert_int_equal(
		    number_of(&w, CONFIG_SET_PATH "web")[0] != '\0', callworld_applies == 1);
		callworld_end(&w);
	} while (came);
	ownlog_set_level(OWNLOG_NOTICE);
	assert_true(refused > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_scale_then_each_has_its_number),
	    cmocka_unit_test(test_scale_when_it_is_wrong_then_told_and_none_is_changed),
	    cmocka_unit_test(test_scale_when_memory_is_refused_then_both_or_none),
	};

	return cmocka_run_group_tests(tests, confdir_setup, confdir_teardown);
}
