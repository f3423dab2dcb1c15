/* SPDX-License-Identifier: ISC */
/* zsh.c: the completion file of zsh(1), to be found by compinit as _superctl. */
#include <stdio.h>
#include <string.h>

#include "ctl/complete.h"
#include "ctl/completion/completion.h"

#define QUOTE "'\\''"

static const char body[] =
    "\n"
    "# One kind of word.\n"
    "_superctl_offer()\n"
    "{\n"
    "\tlocal -a list\n"
    "\n"
    "\tcase $1 in\n"
    "\tnames) list=(${(f)\"$(_call_program names ${(q)words[1]} ${(q)socket[@]} complete names "
    "2>/dev/null)\"})\n"
    "\t\t_describe -t names 'program' list ;;\n"
    "\teither) if [[ $first == show ]]; then _superctl_offer names; else _superctl_offer all-keys; "
    "fi "
    ";;\n"
    "\tkeys) list=(${(f)\"$(_call_program keys ${(q)words[1]} complete program-keys "
    "2>/dev/null)\"})\n"
    "\t\tcompadd -a list ;;\n"
    "\tall-keys) list=(${(f)\"$(_call_program keys ${(q)words[1]} complete keys 2>/dev/null)\"})\n"
    "\t\tcompadd -a list ;;\n"
    "\tsignals) compadd -a _superctl_signals ;;\n"
    "\tverbs) _describe -t commands 'command' _superctl_verbs ;;\n"
    "\tfiles) _files ;;\n"
    "\tline) _normal ;;\n"
    "\t\\=*) list=(${(s:|:)${1#=}}); compadd -a list ;;\n"
    "\tesac\n"
    "}\n"
    "\n"
    "_superctl()\n"
    "{\n"
    "\tlocal verb word first pending slot\n"
    "\tlocal -a socket options slots\n"
    "\tinteger i count=0\n"
    "\n"
    "\tfor ((i = 2; i < CURRENT; i++)); do\n"
    "\t\tword=$words[i]\n"
    "\t\tpending=$_superctl_values[$word]\n"
    "\t\tif [[ -n $pending ]]; then\n"
    "\t\t\t((++i < CURRENT)) || break\n"
    "\t\t\t[[ $word != (-s|--socket) ]] || socket=(-s $words[i])\n"
    "\t\t\tpending=\n"
    "\t\telif [[ $word == --socket=* ]]; then\n"
    "\t\t\tsocket=($word)\n"
    "\t\telif [[ $word == -* ]]; then\n"
    "\t\t\t:\n"
    "\t\telif [[ -z $verb ]]; then\n"
    "\t\t\tverb=$word\n"
    "\t\telse\n"
    "\t\t\t((count > 0)) || first=$word\n"
    "\t\t\tcount+=1\n"
    "\t\tfi\n"
    "\tdone\n"
    "\t_superctl_verb \"$verb\"\n"
    "\tif [[ -n $pending ]]; then\n"
    "\t\t_superctl_offer $pending\n"
    "\telif [[ $words[CURRENT] == -* ]]; then\n"
    "\t\t_describe -o -t options 'option' options\n"
    "\telif [[ -z $verb ]]; then\n"
    "\t\t_superctl_offer verbs\n"
    "\telse\n"
    "\t\tslot=$slots[count+1]\n"
    "\t\t[[ -n $slot || $slots[-1] != *\\* ]] || slot=$slots[-1]\n"
    "\t\t_superctl_offer ${slot%\\*}\n"
    "\tfi\n"
    "}\n"
    "\n"
    "# Loaded by compinit it is called at once; sourced, it says whose it is.\n"
    "if [[ $funcstack[1] == _superctl ]]; then\n"
    "\t_superctl \"$@\"\n"
    "else\n"
    "\tcompdef _superctl superctl\n"
    "fi\n";

/* 'word:description' with what would end either taken care of. */
static void print_pair(const char *dashes, const char *word, const char *text)
{
	printf(" '%s%s:", dashes, word);
	for (; *text != '\0'; text++) {
		if (*text == '\'')
			fputs(QUOTE, stdout);
		else if (*text == ':')
			fputs("\\:", stdout);
		else
			putchar(*text);
	}
	putchar('\'');
}

static void print_options(option_set set)
{
	for (size_t i = 0; i < options_count; i++) {
		const struct option_row *row = &options_table[i];
		char letter[2] = {row->letter, '\0'};

		if ((set & row->option) == 0)
			continue;
		print_pair("--", row->name, row->help);
		if (row->letter != 0)
			print_pair("-", letter, row->help);
	}
}

void completion_write_zsh(void)
{
	fputs(
	    "#compdef superctl\n# zsh completion of superctl(1); generated, see ctl/completion.\n\n"
	    "typeset -ga _superctl_verbs=(",
	    stdout);
	for (size_t i = 0; i < verbs_count; i++)
		if (verbs_table[i].summary != NULL)
			print_pair("", verbs_table[i].name, verbs_table[i].summary);
	fputs(")\ntypeset -ga _superctl_signals=(", stdout);
	completion_print_signals();
	fputs(")\ntypeset -gA _superctl_values=(", stdout);
	for (size_t i = 0; i < options_count; i++) {
		if (options_table[i].argument == NULL || options_table[i].argument[0] == '[')
			continue;
		printf(" --%s '", options_table[i].name);
		completion_print_slots(options_table[i].argument);
		if (options_table[i].letter != 0) {
			printf("' -%c '", options_table[i].letter);
			completion_print_slots(options_table[i].argument);
		}
		putchar('\'');
	}
	fputs(")\n", stdout);
	completion_print_cases(&(struct completion_cases){
	    .print_options = print_options,
	    .before_options = "options=(",
	    .before_slots = ") slots=(${(s: :):-'",
	    .end = "'}) ;;\n",
	    .no_slots = ") slots=() ;;\n",
	});
	fputs(body, stdout);
}
