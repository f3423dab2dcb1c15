/* SPDX-License-Identifier: ISC */
/* fish.c: the completion file of fish(1). */
#include <stdio.h>

#include "ctl/complete.h"
#include "ctl/completion/completion.h"

#define QUOTE "\\'"

static const char body[] =
    "# fish completion of superctl(1); generated, see ctl/completion.\n"
    "\n"
    "# The words that are no options before the one at hand: the verb and its arguments.\n"
    "function __superctl_words\n"
    "\tset -l value no\n"
    "\tfor word in (commandline -opc)[2..-1]\n"
    "\t\tif test $value = yes\n"
    "\t\t\tset value no\n"
    "\t\telse if contains -- $word $__superctl_valued\n"
    "\t\t\tset value yes\n"
    "\t\telse if not string match -q -- '-*' $word\n"
    "\t\t\techo $word\n"
    "\t\tend\n"
    "\tend\n"
    "end\n"
    "\n"
    "function __superctl_needs_verb\n"
    "\ttest (count (__superctl_words)) -eq 0\n"
    "end\n"
    "\n"
    "# __superctl_is VERB [COUNT [repeats]]: it is this verb, with so many arguments, or more.\n"
    "function __superctl_is\n"
    "\tset -l words (__superctl_words)\n"
    "\ttest \"$words[1]\" = $argv[1]; or return\n"
    "\tset -l count (math (count $words) - 1)\n"
    "\ttest (count $argv) -lt 2; or test $count -eq $argv[2]; and return\n"
    "\ttest (count $argv) -eq 3; and test $count -ge $argv[2]\n"
    "end\n"
    "\n"
    "# __superctl_ask WHAT: superctl's answer, from the daemon that the line names.\n"
    "function __superctl_ask\n"
    "\tset -l words (commandline -opc)\n"
    "\tset -l at (contains -i -- -s $words; or contains -i -- --socket $words)\n"
    "\tif test -n \"$at\"; and test (count $words) -gt $at\n"
    "\t\tsuperctl -s $words[(math $at + 1)] complete $argv[1] 2>/dev/null\n"
    "\telse\n"
    "\t\tsuperctl complete $argv[1] 2>/dev/null\n"
    "\tend\n"
    "end\n"
    "\n"
    "function __superctl_either\n"
    "\tset -l words (__superctl_words)\n"
    "\tif test \"$words[2]\" = show\n"
    "\t\t__superctl_ask names\n"
    "\telse\n"
    "\t\t__superctl_ask keys\n"
    "\tend\n"
    "end\n"
    "\n"
    "complete -c superctl -f\n";

static void print_slot(const char *verb, size_t index, const struct complete_slot *slot);
static void print_option(const char *verb, const struct option_row *row);

void completion_write_fish(void)
{
	fputs("set -g __superctl_valued", stdout);
	for (size_t i = 0; i < options_count; i++) {
		if (options_table[i].argument == NULL || options_table[i].argument[0] == '[')
			continue;
		printf(" --%s", options_table[i].name);
		if (options_table[i].letter != 0)
			printf(" -%c", options_table[i].letter);
	}
	fputs("\n", stdout);
	fputs(body, stdout);
	for (size_t o = 0; o < options_count; o++)
		if (OPTIONS_COMMON & options_table[o].option)
			print_option(NULL, &options_table[o]);
	for (size_t i = 0; i < verbs_count; i++) {
		const struct verb *verb = &verbs_table[i];
		struct complete_slot slots[COMPLETE_SLOTS];
		size_t count = complete_read(verb->arguments, slots);

		if (verb->summary == NULL)
			continue;
		printf("complete -c superctl -n __superctl_needs_verb -a %s -d ", verb->name);
		completion_print_quoted(verb->summary, QUOTE);
		fputs("\n", stdout);
		for (size_t s = 0; s < count; s++)
			print_slot(verb->name, s, &slots[s]);
		for (size_t o = 0; o < options_count; o++)
			if (verb->options & options_table[o].option)
				print_option(verb->name, &options_table[o]);
	}
}

static void print_slot(const char *verb, size_t index, const struct complete_slot *slot)
{
	printf("complete -c superctl -n '__superctl_is %s %zu%s' ", verb, index,
	    slot->repeats ? " repeats" : "");
	switch (slot->kind) {
	case COMPLETE_NOTHING:
		fputs("-f", stdout);
		break;
	case COMPLETE_NAMES:
		fputs("-a '(__superctl_ask names)'", stdout);
		break;
	case COMPLETE_KEYS:
		fputs("-a '(__superctl_ask program-keys)'", stdout);
		break;
	case COMPLETE_EITHER:
		fputs("-a '(__superctl_either)'", stdout);
		break;
	case COMPLETE_SIGNALS:
		fputs("-a '", stdout);
		completion_print_signals();
		fputs("'", stdout);
		break;
	case COMPLETE_FILES:
		fputs("-F", stdout);
		break;
	case COMPLETE_VERBS:
		fputs("-a '", stdout);
		for (size_t i = 0; i < verbs_count; i++)
			if (verbs_table[i].summary != NULL)
				printf("%s%s", i > 0 ? " " : "", verbs_table[i].name);
		fputs("'", stdout);
		break;
	case COMPLETE_WORDS:
		fputs("-a '", stdout);
		for (size_t i = 0; i < slot->length; i++)
			putchar(slot->words[i] == '|' ? ' ' : slot->words[i]);
		fputs("'", stdout);
		break;
	case COMPLETE_LINE:
		fputs("-a '(__fish_complete_command)'", stdout);
		break;
	}
	fputs("\n", stdout);
}

/* `verb` NULL: of all. */
static void print_option(const char *verb, const struct option_row *row)
{
	fputs("complete -c superctl", stdout);
	if (verb != NULL)
		printf(" -n '__superctl_is %s'", verb);
	if (row->letter != 0)
		printf(" -s %c", row->letter);
	printf(" -l %s", row->name);
	if (row->argument != NULL && row->argument[0] != '[')
		fputs(complete_slot_at(row->argument, 0).kind == COMPLETE_FILES ? " -rF" : " -x",
		    stdout);
	fputs(" -d ", stdout);
	completion_print_quoted(row->help, QUOTE);
	fputs("\n", stdout);
}
