/* SPDX-License-Identifier: ISC */
/*
 * setcall_test.c: superctl set and unset, with and without --persist: what becomes of the file of a
 * program and of the applied text, above all where it does not go through.
 */
#include "tests/unit/engine/callworld.h"
#include "tests/unit/refusal.h"

#include "lib/ownlog.h"
#include "supervisord/engine/dropin.h"
#include "supervisord/engine/setcall.h"

#define MAIN "include = {\"conf.d/*.conf\"}\nprogram web { command = x }\n"
#define SET  CONFIG_SET_PATH "web"

static const char umask_077[] =
    "{\"name\": \"web\", \"settings\": [{\"key\": \"umask\", \"value\": \"077\"}]}";
static const char persist_077[] = "{\"name\": \"web\", \"persist\": true, \"settings\": [{\"key\": "
				  "\"umask\", \"value\": \"077\"}]}";
static const char persist_unset[] = "{\"name\": \"web\", \"persist\": true}";

int __wrap_fsync(int fd);

/* As file systems are that can sync no directory; and hundreds of them would take time. */
int __wrap_fsync(int fd)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && !S_ISDIR(st.st_mode))
		return 0;
	errno = EINVAL;
	return -1;
}

static const char *dropin_path(void)
{
	static char path[160];

	snprintf(path, sizeof(path), "%s", confdir_path("conf.d/web.override.conf"));
	return path;
}

/* What the file says; NULL: there is none. */
static const char *dropin_text(void)
{
	static char text[4096];
	FILE *file = fopen(dropin_path(), "r");
	size_t length;

	if (file == NULL)
		return NULL;
	length = fread(text, 1, sizeof(text) - 1, file);
	text[length] = '\0';
	fclose(file);
	return text;
}

static unsigned count_files(const char *directory)
{
	char pattern[200];
	char **paths = NULL, *problem = NULL;
	size_t count = 0, hidden;

	snprintf(pattern, sizeof(pattern), "%s/*", confdir_path(directory));
	assert_int_equal(confsource_expand(NULL, pattern, &paths, &count, &problem), 0);
	confsource_free_paths(paths, count);
	snprintf(pattern, sizeof(pattern), "%s/.*.new", confdir_path(directory));
	paths = NULL;
	assert_int_equal(confsource_expand(NULL, pattern, &paths, &hidden, &problem), 0);
	confsource_free_paths(paths, hidden);
	return (unsigned)(count + hidden);
}

static bool is_in(const char *text, const char *part)
{
	return text != NULL && strstr(text, part) != NULL;
}

static void begin(struct callworld *w)
{
	(void)mkdir(confdir_path("conf.d"), 0755);
	(void)unlink(dropin_path());
	callworld_begin(w, MAIN);
}

static void test_set_then_it_stands_in_a_source_of_its_own(void **state)
{
	struct callworld w;

	(void)state;
	begin(&w);
	callworld_expect(&w, setcall_set, umask_077, "{\"parameters\":{\"results\":[]}}");
	assert_string_equal(
	    callworld_source(&w, SET), "override \"web\" {\n\tumask = \"077\"\n}\n");
	assert_null(dropin_text());
	/* Another key beside it, and one alone is taken back. */
	callworld_ask(&w, setcall_set,
	    "{\"name\": \"web\", \"settings\": [{\"key\": \"directory\", \"value\": \"/\"}]}");
	callworld_ask(&w, setcall_unset, "{\"name\": \"web\", \"keys\": [\"umask\"]}");
	assert_true(is_in(callworld_source(&w, SET), "directory"));
	assert_false(is_in(callworld_source(&w, SET), "umask"));
	callworld_ask(&w, setcall_unset, "{\"name\": \"web\"}");
	assert_null(callworld_source(&w, SET));
	assert_int_equal(callworld_applies, 4);
	callworld_end(&w);
}

/* Nothing of a call that is refused is in force, or in a file. */
static void test_set_when_it_is_wrong_then_told_and_nothing_is_applied(void **state)
{
	static const struct {
		const char *parameters, *answer;
	} wrong[] = {
	    {"{}", "\"parameter\":\"name\""},
	    {"{\"name\": 3}", "\"parameter\":\"name\""},
	    {"{\"name\": \"web\", \"surprise\": 1}", "\"parameter\":\"surprise\""},
	    {"{\"name\": \"web\"}", "\"parameter\":\"settings\""},
	    {"{\"name\": \"web\", \"settings\": []}", "\"parameter\":\"settings\""},
	    {"{\"name\": \"web\", \"settings\": [3]}", "\"parameter\":\"settings\""},
	    {"{\"name\": \"web\", \"settings\": [{\"key\": \"umask\"}]}",
		"\"parameter\":\"settings\""},
	    {"{\"name\": \"web\", \"settings\": [{\"key\": \"umask\", \"value\": \"077\", "
	     "\"list\": [\"x\"]}]}",
		"\"parameter\":\"settings\""},
	    {"{\"name\": \"web\", \"settings\": [{\"key\": \"command\", \"list\": [\"x\", 1]}]}",
		"\"parameter\":\"settings\""},
	    {"{\"name\": \"web\", \"settings\": [{\"key\": \"umaks\", \"value\": \"1\"}]}",
		"did you mean 'umask'?"},
	    {"{\"name\": \"web\", \"settings\": [{\"key\": \"umask\", \"value\": \"99\"}]}",
		"io.superctl.ConfigInvalid"},
	    {"{\"name\": \"wbe\", \"settings\": [{\"key\": \"umask\", \"value\": \"1\"}]}",
		"\"nearest\":\"web\""},
	    {"{\"name\": \"web@1\", \"settings\": [{\"key\": \"umask\", \"value\": \"1\"}]}",
		"NoSuchProgram"},
	};
	struct callworld w;

	(void)state;
	begin(&w);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		callworld_expect(&w, setcall_set, wrong[i].parameters, wrong[i].answer);
	/* The second of two is wrong: nor is the first one set. */
	callworld_expect(&w, setcall_set,
	    "{\"name\": \"web\", \"persist\": true, \"settings\": [{\"key\": \"umask\", \"value\": "
	    "\"077\"}, {\"key\": \"restart\", \"value\": \"perhaps\"}]}",
	    "ConfigInvalid");
	assert_null(dropin_text());
	assert_int_equal(callworld_applies, 0);
	callworld_end(&w);
}

/* Whether the log says this of a call. */
static bool is_logged(struct callworld *w, const char *parameters, const char *expected)
{
	static char text[4096];
	FILE *log = tmpfile();
	int before = dup(STDERR_FILENO);
	size_t length;

	assert_non_null(log);
	assert_true(dup2(fileno(log), STDERR_FILENO) >= 0);
	callworld_ask(w, setcall_set, parameters);
	assert_true(dup2(before, STDERR_FILENO) >= 0);
	close(before);
	rewind(log);
	length = fread(text, 1, sizeof(text) - 1, log);
	text[length] = '\0';
	fclose(log);
	return strstr(text, expected) != NULL;
}

/* The log says what has become true, and not what somebody wanted. */
static void test_set_then_logged_only_where_it_was_done(void **state)
{
	struct callworld w;

	(void)state;
	begin(&w);
	callworld_error = -EBUSY;
	assert_false(is_logged(&w, umask_077, "umask set by uid"));
	assert_false(is_logged(&w, persist_077, "umask set by uid"));
	callworld_error = 0;
	assert_true(is_logged(&w, umask_077, "web: umask set by uid"));
	assert_true(is_logged(&w, persist_077, "web: umask set by uid"));
	callworld_end(&w);
}

static void test_set_when_the_engine_may_not_then_told_why(void **state)
{
	struct callworld w;

	(void)state;
	begin(&w);
	w.world.engine.shutdown = true;
	callworld_expect(&w, setcall_set, persist_077, "io.superctl.ShuttingDown");
	w.world.engine.shutdown = false;
	w.world.engine.safe_mode = true;
	callworld_expect(&w, setcall_set, persist_077, "io.superctl.SafeMode");
	w.world.engine.safe_mode = false;
	assert_null(dropin_text());
	assert_int_equal(callworld_applies, 0);
	callworld_end(&w);
}

static void test_persist_then_file_and_applied_copy_say_the_same(void **state)
{
	struct callworld w;

	(void)state;
	begin(&w);
	callworld_ask(&w, setcall_set, umask_077);
	/* What is persisted needs not be set. */
	callworld_expect(&w, setcall_set, persist_077, "\"file\":\"");
	assert_null(callworld_source(&w, SET));
	assert_non_null(dropin_text());
	assert_string_equal(dropin_text(), callworld_source(&w, dropin_path()));
	assert_true(is_in(dropin_text(), DROPIN_MARK));
	callworld_ask(&w, setcall_unset, persist_unset);
	assert_null(dropin_text());
	assert_null(callworld_source(&w, dropin_path()));
	callworld_end(&w);
}

/* One key after another; and one that is set as well is taken back in both places. */
static void test_persist_when_there_is_one_already_then_only_the_named_key_changes(void **state)
{
	struct callworld w;

	(void)state;
	(void)mkdir(confdir_path("conf.d"), 0755);
	confdir_write("conf.d/web.override.conf",
	    DROPIN_HEAD "override \"web\" { umask = 027 log_keep = 3 }\n");
	/* A half of one that a killed engine has left. */
	confdir_write("conf.d/.web.override.conf.new", "override \"we");
	callworld_begin(&w, MAIN);
	callworld_ask(&w, setcall_set, umask_077);
	callworld_ask(&w, setcall_set,
	    "{\"name\": \"web\", \"persist\": true, \"settings\": [{\"key\": \"directory\", "
	    "\"value\": \"/\"}]}");
	assert_true(is_in(callworld_source(&w, SET), "umask"));
	assert_string_equal(dropin_text(), callworld_source(&w, dropin_path()));
	assert_string_equal(dropin_text(), DROPIN_HEAD
	    "override \"web\" {\n\tdirectory = \"/\"\n\tumask = \"027\"\n\tlog_keep = \"3\"\n}\n");
	callworld_expect(&w, setcall_unset,
	    "{\"name\": \"web\", \"persist\": true, \"keys\": [\"umask\"]}", "\"results\"");
	assert_null(callworld_source(&w, SET));
	callworld_expect(&w, setcall_unset,
	    "{\"name\": \"web\", \"persist\": true, \"keys\": [\"log_keep\"]}", "\"results\"");
	assert_string_equal(
	    dropin_text(), DROPIN_HEAD "override \"web\" {\n\tdirectory = \"/\"\n}\n");
	assert_string_equal(dropin_text(), callworld_source(&w, dropin_path()));
	assert_int_equal(count_files("conf.d"), 1);
	callworld_end(&w);
}

/* The file is written first: where the apply is refused it becomes what it was. */
static void test_persist_when_the_apply_fails_then_the_file_is_as_it_was(void **state)
{
	struct callworld w;
	struct stat before, after;
	char text[4096];

	(void)state;
	begin(&w);
	callworld_error = -EBUSY;
	callworld_expect(&w, setcall_set, persist_077, "apply with rollback");
	assert_int_equal(count_files("conf.d"), 0);
	callworld_error = 0;
	callworld_ask(&w, setcall_set, persist_077);
	snprintf(text, sizeof(text), "%s", dropin_text());
	assert_int_equal(chmod(dropin_path(), 0600), 0); /* it may have secrets */
	assert_int_equal(stat(dropin_path(), &before), 0);
	callworld_error = -EBUSY;
	callworld_expect(&w, setcall_set,
	    "{\"name\": \"web\", \"persist\": true, \"settings\": [{\"key\": \"umask\", \"value\": "
	    "\"022\"}]}",
	    "apply with rollback");
	assert_string_equal(dropin_text(), text);
	callworld_expect(&w, setcall_unset, persist_unset, "apply with rollback");
	assert_non_null(dropin_text());
	assert_string_equal(dropin_text(), text);
	assert_int_equal(stat(dropin_path(), &after), 0);
	assert_int_equal(after.st_mode, before.st_mode);
	assert_string_equal(callworld_source(&w, dropin_path()), text);
	callworld_end(&w);
}

/* What somebody else has written is left alone. */
static void test_persist_when_the_file_is_not_ours_then_refused(void **state)
{
	static const char theirs[] = "override \"web\" { umask = 027 }\n";
	static const char more[] =
	    DROPIN_HEAD "override \"web\" { umask = 027 }\nprogram db { command = x }\n";
	struct callworld w;

	(void)state;
	begin(&w);
	confdir_write("conf.d/web.override.conf", theirs);
	callworld_expect(&w, setcall_set, persist_077, "not written by superctl set --persist");
	assert_string_equal(dropin_text(), theirs);
	confdir_write("conf.d/web.override.conf", more);
	callworld_expect(&w, setcall_set, persist_077, "has more in it than an override");
	assert_string_equal(dropin_text(), more);
	assert_int_equal(callworld_applies, 0);
	callworld_end(&w);
}

/* The files on the disk are bad since they were applied: nothing of ours goes into them. */
static void test_persist_when_the_files_are_bad_then_told_and_nothing_is_written(void **state)
{
	struct callworld w;

	(void)state;
	begin(&w);
	confdir_write("main.conf", MAIN "program db { comand = x }\n");
	callworld_expect(&w, setcall_set, persist_077, "did you mean 'command'?");
	confdir_write("main.conf", "include = {\"conf.d/*.conf\"}\nprogram db { command = x }\n");
	callworld_expect(&w, setcall_set, persist_077, "its stanza is in no file");
	confdir_write("main.conf", "program web { command = x }\n");
	callworld_expect(&w, setcall_set, persist_077, "NotPersisted");
	assert_int_equal(count_files("conf.d"), 0);
	assert_int_equal(callworld_applies, 0);
	callworld_end(&w);
}

/* What only a file says is not taken back with superctl unset. */
static void test_unset_when_a_file_says_it_then_told_which(void **state)
{
	struct callworld w;

	(void)state;
	(void)mkdir(confdir_path("conf.d"), 0755);
	(void)unlink(dropin_path());
	callworld_begin(&w, MAIN "override \"web\" { umask = 027 }\n");
	callworld_expect(
	    &w, setcall_unset, "{\"name\": \"web\", \"keys\": [\"umask\"]}", "io.superctl.NotSet");
	callworld_expect(&w, setcall_unset,
	    "{\"name\": \"web\", \"persist\": true, \"keys\": [\"umask\"]}", "\"line\":3");
	callworld_expect(&w, setcall_unset, "{\"name\": \"web\", \"keys\": \"umask\"}",
	    "\"parameter\":\"keys\"");
	callworld_expect(
	    &w, setcall_unset, "{\"name\": \"web\", \"keys\": [1]}", "\"parameter\":\"keys\"");
	assert_int_equal(callworld_applies, 0);
	callworld_end(&w);
}

/* As many files as there may be, since they were applied. */
static void test_persist_when_there_are_too_many_files_then_refused(void **state)
{
	struct callworld w;
	char name[32];

	(void)state;
	begin(&w);
	for (unsigned i = 1; i < LIMIT_CONFIG_FILES; i++) {
		snprintf(name, sizeof(name), "conf.d/%u.conf", i);
		confdir_write(name, "");
	}
	callworld_expect(&w, setcall_set, persist_077, strerror(E2BIG));
	assert_null(dropin_text());
	for (unsigned i = 1; i < LIMIT_CONFIG_FILES; i++) {
		snprintf(name, sizeof(name), "conf.d/%u.conf", i);
		assert_int_equal(unlink(confdir_path(name)), 0);
	}
	assert_int_equal(callworld_applies, 0);
	callworld_end(&w);
}

/* As many sources as there may be. */
static void test_set_when_there_are_too_many_sources_then_refused(void **state)
{
	struct config_source *sources = calloc(LIMIT_CONFIG_FILES, sizeof(*sources));
	struct callworld w;
	char path[32];
	int slot, fd;

	(void)state;
	begin(&w);
	assert_int_equal(confsource_copy("/main.conf", MAIN, strlen(MAIN), &sources[0]), 0);
	for (size_t i = 1; i < LIMIT_CONFIG_FILES; i++) {
		snprintf(path, sizeof(path), "/%zu.conf", i);
		assert_int_equal(confsource_copy(path, "", 0, &sources[i]), 0);
	}
	assert_int_equal(confsource_write(sources, LIMIT_CONFIG_FILES, &fd), 0);
	confsource_free(sources, LIMIT_CONFIG_FILES);
	slot = slots_find(&w.world.engine.slots, held_key(HELD_CONFIG, 0, 0));
	slots_release(&w.world.engine.slots, slot);
	assert_true(slots_hold(&w.world.engine.slots, held_key(HELD_CONFIG, 0, 0), fd) >= 0);
	callworld_expect(&w, setcall_set, umask_077, strerror(E2BIG));
	callworld_expect(&w, setcall_set, persist_077, strerror(E2BIG));
	assert_int_equal(count_files("conf.d"), 0);
	assert_int_equal(callworld_applies, 0);
	callworld_end(&w);
}

/* Whatever is refused: answered once (or cut off), and the file is what is applied. */
static void sweep(void (*method)(struct call *call), const char *parameters, bool before)
{
	unsigned refused = 0;

	ownlog_set_level(OWNLOG_ERROR);
	for (unsigned n = 1;; n++) {
		struct callworld w;
		char answer[256];
		bool came;

		begin(&w);
		if (before)
			callworld_ask(&w, setcall_set, persist_077);
		callworld_applies = 0;
		refusal_begin(n);
		snprintf(answer, sizeof(answer), "%.255s", callworld_ask(&w, method, parameters));
		came = refusal_end();
		refused += came;
		assert_true(answer[0] != '\0' || w.client.dead);
		if (is_in(answer, "\"error\""))
			assert_int_equal(callworld_applies, 0);
		if (dropin_text() == NULL)
			assert_null(callworld_source(&w, dropin_path()));
		else
			assert_string_equal(dropin_text(), callworld_source(&w, dropin_path()));
		/* No half of it is left in the directory. */
		assert_int_equal(count_files("conf.d"), dropin_text() != NULL);
		callworld_end(&w);
		if (!came)
			break;
	}
	ownlog_set_level(OWNLOG_NOTICE);
	assert_true(refused > 20);
}

static void test_persist_when_memory_is_refused_then_file_and_applied_copy_agree(void **state)
{
	(void)state;
	sweep(setcall_set, persist_077, false);
	sweep(setcall_unset, persist_unset, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_set_then_it_stands_in_a_source_of_its_own),
	    cmocka_unit_test(test_set_when_it_is_wrong_then_told_and_nothing_is_applied),
	    cmocka_unit_test(test_set_then_logged_only_where_it_was_done),
	    cmocka_unit_test(test_set_when_the_engine_may_not_then_told_why),
	    cmocka_unit_test(test_persist_then_file_and_applied_copy_say_the_same),
	    cmocka_unit_test(
		test_persist_when_there_is_one_already_then_only_the_named_key_changes),
	    cmocka_unit_test(test_persist_when_there_are_too_many_files_then_refused),
	    cmocka_unit_test(test_persist_when_the_apply_fails_then_the_file_is_as_it_was),
	    cmocka_unit_test(test_persist_when_the_file_is_not_ours_then_refused),
	    cmocka_unit_test(test_persist_when_the_files_are_bad_then_told_and_nothing_is_written),
	    cmocka_unit_test(test_unset_when_a_file_says_it_then_told_which),
	    cmocka_unit_test(test_set_when_there_are_too_many_sources_then_refused),
	    cmocka_unit_test(test_persist_when_memory_is_refused_then_file_and_applied_copy_agree),
	};

	return cmocka_run_group_tests(tests, confdir_setup, confdir_teardown);
}
