/* SPDX-License-Identifier: ISC */
/*
 * Tests of supervisord/engine/slice.h: what many stanzas say is the same whether libconfuse reads
 * their values in one list, as slice_read() has it, or each stanza as the section that it is.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <confuse.h>

#include "lib/limits.h"
#include "supervisord/engine/parse.h"

#define STANZAS 150 /* some runs of slices, whatever ends one */
#define KEYS    6
#define ROUNDS  200

static const struct {
	const char *name;
	bool may_list;
} keys[KEYS] = {
    {"command", true},
    {"environment", true},
    {"after", true},
    {"user", false},
    {"stdout", true},
    {"directory", false},
};

/* One stanza as it was made. */
struct made {
	char *text;
	size_t count;
	size_t keys[KEYS];
	bool lists[KEYS];
};

struct made_text {
	size_t count;
	size_t seen;
	struct made stanzas[STANZAS];
};

static unsigned long draw_state;

static unsigned draw(unsigned below)
{
	draw_state = draw_state * 6364136223846793005UL + 1442695040888963407UL;
	return (unsigned)(draw_state >> 33) % below;
}

static void put_some(FILE *file, const char *const *pieces, unsigned count)
{
	for (unsigned i = draw(8); i > 0; i--)
		fputs(pieces[draw(count)], file);
}

/* A word, or a string in either quotes. */
static void put_value(FILE *file)
{
	static const char *const in_double[] = {"a", "text with blanks", "\\n", "\\x41", "\\101",
	    "\\\"", "\\\\", "\\$", "'", ",", "{", "}", "#", "//", "/*", "=", "\xc3\xa9", "$a", "\n",
	    "\\\n", "${SLICE_SET}", "${SLICE_UNSET}", "${SLICE_UNSET:-x y}", "%{name}", "\\q"};
	static const char *const in_single[] = {"a", "text with blanks", "\\'", "\\\\", "\\q", "\"",
	    ",", "{", "}", "#", "//", "=", "\xc3\xa9", "$", "${SLICE_SET}", "\n", "\\\n"};
	static const char *const words[] = {"a", "/usr/bin/x", "022", "10s", "a-b.c:d@e",
	    "${SLICE_SET}", "${SLICE_UNSET:-d}", "x/", "\xc3\xa9"};

	switch (draw(4)) {
	case 0:
	case 1:
		fputs(words[draw(sizeof(words) / sizeof(words[0]))], file);
		break;
	case 2:
		putc('\'', file);
		put_some(file, in_single, sizeof(in_single) / sizeof(in_single[0]));
		putc('\'', file);
		break;
	default:
		putc('"', file);
		put_some(file, in_double, sizeof(in_double) / sizeof(in_double[0]));
		putc('"', file);
		break;
	}
}

static void put_key(FILE *file, const char *name, bool list)
{
	fprintf(file, "%s%s =%s", draw(2) > 0 ? "\n\t" : " ", name, draw(2) > 0 ? " " : "");
	if (!list) {
		put_value(file);
		return;
	}
	putc('{', file);
	for (unsigned i = draw(4); i > 0; i--) {
		put_value(file);
		if (i > 1 || draw(2) > 0)
			fputs(draw(2) > 0 ? "," : " ,\n ", file);
	}
	putc('}', file);
}

static void make_stanza(struct made *made, size_t number)
{
	bool taken[KEYS] = {false};
	size_t size;
	FILE *file = open_memstream(&made->text, &size);

	assert_non_null(file);
	if (draw(2) > 0)
		fprintf(file, "program \"\\x70${SLICE_SET}%zu\" {", number);
	else
		fprintf(file, "program p%zu\n{", number % 7); /* some are there again */
	made->count = 0;
	for (unsigned i = draw(KEYS + 1); i > 0; i--) {
		size_t key = draw(KEYS);

		if (taken[key])
			continue;
		taken[key] = true;
		made->keys[made->count] = key;
		made->lists[made->count] = keys[key].may_list && draw(2) > 0;
		put_key(file, keys[key].name, made->lists[made->count]);
		made->count++;
	}
	fputs("\n}\n", file);
	assert_int_equal(fclose(file), 0);
}

/* Compare with the stanza as a section of its own, and options of its own. */
static int see(void *context, const struct stanza *stanza)
{
	struct made_text *made_text = context;
	const struct made *made = &made_text->stanzas[made_text->seen++];
	cfg_opt_t options[KEYS + 1], top[2];
	FILE *file;
	cfg_t *cfg, *section;

	for (size_t i = 0; i < made->count; i++)
		options[i] =
		    made->lists[i]
			? (cfg_opt_t)CFG_STR_LIST(keys[made->keys[i]].name, NULL, CFGF_NODEFAULT)
			: (cfg_opt_t)CFG_STR(keys[made->keys[i]].name, NULL, CFGF_NODEFAULT);
	options[made->count] = (cfg_opt_t)CFG_END();
	top[0] = (cfg_opt_t)CFG_SEC("program", options, CFGF_MULTI | CFGF_TITLE);
	top[1] = (cfg_opt_t)CFG_END();
	cfg = cfg_init(top, CFGF_NONE);
	assert_non_null(cfg);
	file = fmemopen(made->text, strlen(made->text), "r");
	assert_non_null(file);
	assert_int_equal(cfg_parse_fp(cfg, file), CFG_SUCCESS);
	fclose(file);

	section = cfg_getnsec(cfg, "program", 0);
	assert_string_equal(stanza->title, cfg_title(section));
	assert_int_equal(stanza->count, made->count);
	for (size_t i = 0; i < made->count; i++) {
		const struct stanza_entry *entry = &stanza->entries[i];
		const char *name = keys[made->keys[i]].name;

		assert_string_equal(program_rows[entry->key].name, name);
		assert_int_equal(entry->list, made->lists[i]);
		assert_int_equal(entry->count, cfg_size(section, name));
		for (unsigned j = 0; j < entry->count; j++)
			assert_string_equal(entry->items[j], cfg_getnstr(section, name, j));
	}
	cfg_free(cfg);
	return 0;
}

static void test_values_in_one_list_are_those_of_the_sections(void **state)
{
	(void)state;
	setenv("SLICE_SET", "it's \"set\", {so}", 1);
	unsetenv("SLICE_UNSET");
	for (unsigned long round = 1; round <= ROUNDS; round++) {
		static struct made_text made_text;
		struct config_errors errors = {0};
		struct confreport report = {.errors = &errors};
		struct parse_result result;
		size_t size;
		char *text;
		FILE *file = open_memstream(&text, &size);

		draw_state = round;
		assert_non_null(file);
		made_text.count = 1 + draw(STANZAS);
		made_text.seen = 0;
		for (size_t i = 0; i < made_text.count; i++) {
			make_stanza(&made_text.stanzas[i], i);
			fputs(made_text.stanzas[i].text, file);
			if (draw(3) > 0)
				fputs("# \"a comment\n", file);
		}
		assert_int_equal(fclose(file), 0);
		assert_int_equal(parse_text("f", text, size, &report, see, &made_text, &result), 0);
		if (errors.count > 0)
			fail_msg("round %lu: line %d: %s", round, errors.list[0].line,
			    errors.list[0].message);
		assert_true(result.complete);
		assert_int_equal(made_text.seen, made_text.count);
		for (size_t i = 0; i < made_text.count; i++)
			free(made_text.stanzas[i].text);
		config_errors_done(&errors);
		free(text);
	}
}

struct counted {
	size_t count;
	int stop_at;
};

static int count(void *context, const struct stanza *stanza)
{
	struct counted *counted = context;

	(void)stanza;
	return ++counted->count == (size_t)counted->stop_at ? -ENOMEM : 0;
}

/* One that is bad costs those beside it nothing, and is told once, where it is. */
static void test_bad_value_among_many_is_told_alone(void **state)
{
	struct config_errors errors = {0};
	struct confreport report = {.errors = &errors};
	struct counted counted = {0};
	struct parse_result result;
	size_t size;
	char *text;
	FILE *file = open_memstream(&text, &size);

	(void)state;
	assert_non_null(file);
	for (int i = 1; i <= 100; i++)
		fprintf(file, "program \"p%d\" { command = {a,\n \"b%s\"} }\n", i,
		    i == 40 ? "\\999" : "");
	fputs("program \"\\999\" { command = a }\n", file);
	fclose(file);
	assert_int_equal(parse_text("f", text, size, &report, count, &counted, &result), 0);
	assert_int_equal(counted.count, 99);
	assert_false(result.complete);
	assert_int_equal(errors.count, 2);
	assert_int_equal(errors.list[0].line, 80);
	assert_non_null(strstr(errors.list[0].message, "\\999"));
	assert_int_equal(errors.list[1].line, 201);
	config_errors_done(&errors);
	free(text);
}

/* The longest that the guard lets through: the limit of a variable comes on top of that of a
 * string. */
static void test_long_value_beside_a_bad_one_is_read(void **state)
{
	struct config_errors errors = {0};
	struct confreport report = {.errors = &errors};
	struct counted counted = {0};
	struct parse_result result;
	size_t size;
	char *text;
	FILE *file = open_memstream(&text, &size);

	(void)state;
	assert_non_null(file);
	fprintf(file, "program p { user = \"%0*d${SLICE_UNSET:-%0*d}\" group = \"\\999\" }\n",
	    LIMIT_CONFIG_WORD - 8, 0, LIMIT_CONFIG_WORD - 32, 0);
	fclose(file);
	assert_int_equal(parse_text("f", text, size, &report, count, &counted, &result), 0);
	assert_int_equal(counted.count, 0);
	assert_int_equal(errors.count, 1);
	assert_non_null(strstr(errors.list[0].message, "\\999"));
	config_errors_done(&errors);
	free(text);
}

static void test_end_of_the_receiver_ends_the_parse(void **state)
{
	static const char text[] = "program a { }\nprogram b { }\nprogram c { }\n";
	struct config_errors errors = {0};
	struct confreport report = {.errors = &errors};
	struct counted counted = {.stop_at = 2};
	struct parse_result result;

	(void)state;
	assert_int_equal(
	    parse_text("f", text, strlen(text), &report, count, &counted, &result), -ENOMEM);
	assert_int_equal(counted.count, 2);
	assert_int_equal(errors.count, 0);
	config_errors_done(&errors);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_values_in_one_list_are_those_of_the_sections),
	    cmocka_unit_test(test_bad_value_among_many_is_told_alone),
	    cmocka_unit_test(test_long_value_beside_a_bad_one_is_read),
	    cmocka_unit_test(test_end_of_the_receiver_ends_the_parse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
