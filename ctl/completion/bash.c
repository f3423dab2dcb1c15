/* SPDX-License-Identifier: ISC */
/*
 * bash.c: the completion file of bash(1).
 *
 * It uses nothing of the package bash-completion.  The words are taken from the line as blanks
 * divide it, because bash divides at '@', '=' and ':' too, and then wants only what comes after.
 */
#include <stdio.h>

#include "ctl/complete.h"
#include "ctl/completion/completion.h"

static const char head[] = "# bash completion of superctl(1); generated, see ctl/completion.\n"
			   "\n"
			   "# The verbs; and of one its options and the slots of its arguments.\n";

static const char body[] =
    "\n"
    "# _superctl_ask WHAT: superctl's answer, from the daemon that the line names.\n"
    "_superctl_ask()\n"
    "{\n"
    "\t\"${words[0]/#\\~/$HOME}\" \"${socket[@]}\" complete \"$1\" 2>/dev/null\n"
    "}\n"
    "\n"
    "# _superctl_offer KIND: into COMPREPLY what begins as the word at hand.\n"
    "_superctl_offer()\n"
    "{\n"
    "\tlocal list=''\n"
    "\n"
    "\tcase $1 in\n"
    "\tnames) list=$(_superctl_ask names) ;;\n"
    "\tkeys) list=$(_superctl_ask program-keys) ;;\n"
    "\tall-keys) list=$(_superctl_ask keys) ;;\n"
    "\teither) if [[ $first == show ]]; then _superctl_offer names; else _superctl_offer all-keys; "
    "fi; "
    "return ;;\n"
    "\tsignals) list=$_superctl_signals ;;\n"
    "\tverbs) list=$_superctl_verbs ;;\n"
    "\tfiles) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "
    "\"$current\"); return ;;\n"
    "\tline) mapfile -t COMPREPLY < <(compgen -c -- \"$current\"); return ;;\n"
    "\t=*) list=${1#=}; list=${list//|/ } ;;\n"
    "\tesac\n"
    "\tmapfile -t COMPREPLY < <(compgen -W \"$list\" -- \"$current\")\n"
    "}\n"
    "\n"
    "# Walk the words before the one at hand: the verb, and how many arguments it has.\n"
    "_superctl_walk()\n"
    "{\n"
    "\tlocal i word\n"
    "\n"
    "\tfor ((i = 1; i < ${#words[@]} - 1; i++)); do\n"
    "\t\tword=${words[i]}\n"
    "\t\t_superctl_value \"$word\"\n"
    "\t\tif [[ -n $pending ]]; then\n"
    "\t\t\ti=$((i + 1))\n"
    "\t\t\t((i < ${#words[@]} - 1)) || return\n"
    "\t\t\t[[ $word != -s && $word != --socket ]] || socket=(-s \"${words[i]}\")\n"
    "\t\t\tpending=\n"
    "\t\telif [[ $word == --socket=* ]]; then\n"
    "\t\t\tsocket=(\"$word\")\n"
    "\t\telif [[ $word == -* ]]; then\n"
    "\t\t\t:\n"
    "\t\telif [[ -z $verb ]]; then\n"
    "\t\t\tverb=$word\n"
    "\t\telse\n"
    "\t\t\t((count > 0)) || first=$word\n"
    "\t\t\tcount=$((count + 1))\n"
    "\t\tfi\n"
    "\tdone\n"
    "}\n"
    "\n"
    "_superctl()\n"
    "{\n"
    "\tlocal line=${COMP_LINE:0:COMP_POINT} words=() current verb='' first='' count=0 pending='' "
    "socket=()\n"
    "\tlocal options='' slots='' slot prefix\n"
    "\n"
    "\tCOMPREPLY=()\n"
    "\tread -ra words <<<\"$line\"\n"
    "\t[[ $line != *[[:space:]] ]] || words+=('')\n"
    "\tcurrent=${words[${#words[@]} - 1]}\n"
    "\t_superctl_walk\n"
    "\t_superctl_verb \"$verb\"\n"
    "\tif [[ -n $pending ]]; then\n"
    "\t\t_superctl_offer \"$pending\"\n"
    "\telif [[ $current == -* ]]; then\n"
    "\t\tmapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$current\")\n"
    "\telif [[ -z $verb ]]; then\n"
    "\t\t_superctl_offer verbs\n"
    "\telse\n"
    "\t\tread -ra slots <<<\"$slots\"\n"
    "\t\tslot=${slots[count]:-}\n"
    "\t\tif [[ -z $slot ]] && ((${#slots[@]} > 0)) && [[ ${slots[${#slots[@]} - 1]} == *'*' ]]; "
    "then\n"
    "\t\t\tslot=${slots[${#slots[@]} - 1]}\n"
    "\t\tfi\n"
    "\t\t_superctl_offer \"${slot%'*'}\"\n"
    "\tfi\n"
    "\t# bash replaces only what comes after the last of its word breaks.\n"
    "\tif [[ $current == *[@=:]* ]]; then\n"
    "\t\tprefix=${current%\"${current##*[@=:]}\"}\n"
    "\t\t[[ $COMP_WORDBREAKS != *\"${prefix: -1}\"* ]] || "
    "COMPREPLY=(\"${COMPREPLY[@]#\"$prefix\"}\")\n"
    "\tfi\n"
    "}\n"
    "\n"
    "complete -F _superctl superctl\n";

static void print_value_options(void);

void completion_write_bash(void)
{
	fputs(head, stdout);
	fputs("_superctl_verbs='", stdout);
	for (size_t i = 0; i < verbs_count; i++)
		if (verbs_table[i].summary != NULL)
			printf("%s%s", i > 0 ? " " : "", verbs_table[i].name);
	fputs("'\n_superctl_signals='", stdout);
	completion_print_signals();
	fputs("'\n", stdout);
	completion_print_cases(&(struct completion_cases){
	    .print_options = completion_print_options,
	    .before_options = "options='",
	    .before_slots = "' slots='",
	    .end = "' ;;\n",
	    .no_slots = "' slots='' ;;\n",
	});
	print_value_options();
	fputs(body, stdout);
}

/* What kind of value an option takes. */
static void print_value_options(void)
{
	fputs("\n# _superctl_value OPTION: into pending the kind of the value that it takes as the "
	      "next "
	      "word.\n_superctl_value()\n{\n\tpending=''\n\tcase $1 in\n",
	    stdout);
	for (size_t i = 0; i < options_count; i++) {
		const struct option_row *row = &options_table[i];

		if (row->argument == NULL || row->argument[0] == '[')
			continue;
		printf("\t--%s", row->name);
		if (row->letter != 0)
			printf(" | -%c", row->letter);
		fputs(") pending=", stdout);
		completion_print_slots(row->argument);
		fputs(" ;;\n", stdout);
	}
	fputs("\tesac\n}\n", stdout);
}
