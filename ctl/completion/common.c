/* SPDX-License-Identifier: ISC */
/* common.c: see completion.h. */
#include <stdio.h>

#include "ctl/complete.h"
#include "ctl/completion/completion.h"

void completion_print_quoted(const char *text, const char *quote)
{
	putchar('\'');
	for (; *text != '\0'; text++) {
		if (*text == '\'')
			fputs(quote, stdout);
		else
			putchar(*text);
	}
	putchar('\'');
}

void completion_print_options(unsigned set)
{
	const char *separator = "";

	for (size_t i = 0; i < options_count; i++) {
		const struct option_row *row = &options_table[i];

		if ((set & row->option) == 0)
			continue;
		printf("%s--%s", separator, row->name);
		if (row->letter != 0)
			printf(" -%c", row->letter);
		separator = " ";
	}
}

void completion_print_signals(void)
{
	for (size_t i = 0; complete_signals[i] != NULL; i++)
		printf("%s%s", i > 0 ? " " : "", complete_signals[i]);
}

void completion_print_cases(const struct completion_cases *cases)
{
	fputs("_superctl_verb()\n{\n\tcase $1 in\n", stdout);
	for (size_t i = 0; i < verbs_count; i++) {
		if (verbs_table[i].summary == NULL)
			continue;
		printf("\t%s) %s", verbs_table[i].name, cases->before_options);
		cases->print_options(OPTIONS_COMMON | verbs_table[i].options);
		fputs(cases->before_slots, stdout);
		completion_print_slots(verbs_table[i].arguments);
		fputs(cases->end, stdout);
	}
	printf("\t*) %s", cases->before_options);
	cases->print_options(OPTIONS_COMMON);
	printf("%s\tesac\n}\n", cases->no_slots);
}

void completion_print_slots(const char *arguments)
{
	/* clang-format off */
	static const char *const words[] = {
		[COMPLETE_NOTHING] = "nothing",
		[COMPLETE_NAMES] = "names",
		[COMPLETE_KEYS] = "keys",
		[COMPLETE_EITHER] = "either",
		[COMPLETE_SIGNALS] = "signals",
		[COMPLETE_FILES] = "files",
		[COMPLETE_VERBS] = "verbs",
		[COMPLETE_WORDS] = "=",
		[COMPLETE_LINE] = "line",
	};
	/* clang-format on */
	struct complete_slot slots[COMPLETE_SLOTS];
	size_t count = complete_read(arguments, slots);

	for (size_t i = 0; i < count; i++) {
		printf("%s%s", i > 0 ? " " : "", words[slots[i].kind]);
		if (slots[i].kind == COMPLETE_WORDS)
			printf("%.*s", (int)slots[i].length, slots[i].words);
		if (slots[i].repeats)
			putchar('*');
	}
}
