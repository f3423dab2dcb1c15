/* SPDX-License-Identifier: ISC */
/* Tests of supervisord/engine/confmix.h. */
#include "tests/unit/engine/confdir.h"

#include "supervisord/engine/confmix.h"
#include "supervisord/engine/confsource.h"

/* What stands in the mixture, "path: text" a source, with its line ends as '/'. */
static char *mixture(struct config_source *sources, size_t count)
{
	static char text[4096];
	size_t at = 0;

	for (size_t i = 0; i < count; i++)
		at += (size_t)snprintf(
		    text + at, sizeof(text) - at, "%s: %s|", sources[i].path, sources[i].text);
	for (char *c = text; *c != '\0'; c++)
		if (*c == '\n')
			*c = '/';
	confsource_free(sources, count);
	return text;
}

static struct config_source source(const char *path, const char *text)
{
	return (struct config_source){.path = (char *)(uintptr_t)path,
	    .text = (char *)(uintptr_t)text,
	    .length = strlen(text)};
}

static bool takes(const void *context, bool is_socket, const char *name)
{
	char socket[64];

	(void)snprintf(socket, sizeof(socket), "socket %s", name);
	return strstr(context, is_socket ? socket : name) != NULL;
}

static void expect(struct config_source *applied, size_t applied_count, struct config_source *files,
    size_t file_count, const char *names, const char *expected)
{
	const struct confmix_names taken = {.takes = takes, .context = names};
	struct config_source *mixed;
	size_t count;

	assert_int_equal(confmix_make((struct confmix_text){applied, applied_count},
			     (struct confmix_text){files, file_count}, &taken, &mixed, &count),
	    0);
	assert_string_equal(mixture(mixed, count), expected);
}

static void test_stanza_of_a_name_comes_from_the_files_at_its_line(void **state)
{
	struct config_source applied[] = {source("/m", "log_level = debug\n"),
	    source("/a", "program \"web\" { command = x }\n\nprogram \"db\" { command = y }\n")};
	struct config_source files[] = {source("/m", "log_level = error\n"),
	    source("/a", "# new\nprogram \"db\" { command = new }\nprogram \"web\" {\n\tcommand = "
			 "new\n}\n")};

	(void)state;
	expect(applied, 2, files, 2, "web",
	    "/m: log_level = debug/|/a: //program \"db\" { command = y }/|"
	    "/a: //program \"web\" {/\tcommand = new/}/|");
}

static void test_what_is_gone_from_the_files_goes(void **state)
{
	struct config_source applied[] = {source("/m", ""),
	    source("/a", "program \"web\" { command = x }\n"),
	    source("/b", "program \"db\" { command = y }\n")};
	struct config_source files[] = {source("/m", "program \"other\" { command = z }\n")};

	(void)state;
	expect(applied, 3, files, 1, "web", "/m: |/b: program \"db\" { command = y }/|");
}

static void test_a_stanza_that_moved_comes_from_where_it_is_now(void **state)
{
	struct config_source applied[] = {source("/m", "program \"web\" { command = x }\n")};
	struct config_source files[] = {source("/m", "\n"),
	    source("/c", "program \"web\" { command = x } program \"db\" { command = y }\n")};

	(void)state;
	/* The first source stays, even with nothing in it. */
	expect(applied, 1, files, 2, "web", "/m: /|/c: program \"web\" { command = x }/|");
}

static void test_mixture_of_a_mixture_has_each_stanza_once(void **state)
{
	struct config_source applied[] = {source("/m", "defaults { umask = 077 }\n"),
	    source("/a", "\nprogram \"db\" { command = y }\n"),
	    source("/a", "program \"web\" { command = x }\n\n")};
	struct config_source files[] = {source("/m", ""),
	    source(
		"/a", "program \"web\" { command = z }\ngroup \"db\" { members = {\"web\"} }\n")};

	(void)state;
	expect(applied, 3, files, 2, "web db",
	    "/m: defaults { umask = 077 }/|"
	    "/a: program \"web\" { command = z }/group \"db\" { members = {\"web\"} }/|");
}

static void test_mixture_is_checked_as_a_whole(void **state)
{
	struct config_source *sources = calloc(2, sizeof(*sources));
	struct config_errors errors = {0};
	struct config *config = NULL;

	(void)state;
	assert_int_equal(confsource_copy("/m", "", 0, &sources[0]), 0);
	assert_int_equal(
	    confsource_copy(
		"/a", "\nprogram \"web\" { command = /x requires = {\"db\"} }", 49, &sources[1]),
	    0);
	assert_int_equal(config_load_sources(sources, 2, &config, &errors), -22);
	assert_int_equal(errors.count, 1);
	assert_string_equal(errors.list[0].file, "/a");
	assert_int_equal(errors.list[0].line, 2);
	assert_non_null(strstr(errors.list[0].message, "'db'"));
	config_errors_done(&errors);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_stanza_of_a_name_comes_from_the_files_at_its_line),
	    cmocka_unit_test(test_what_is_gone_from_the_files_goes),
	    cmocka_unit_test(test_a_stanza_that_moved_comes_from_where_it_is_now),
	    cmocka_unit_test(test_mixture_of_a_mixture_has_each_stanza_once),
	    cmocka_unit_test(test_mixture_is_checked_as_a_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
