/* SPDX-License-Identifier: ISC */
/* verbs.c: see verbs.h. */
#include <stdint.h>
#include <string.h>

#include "lib/limits.h"
#include "ctl/suggest.h"
#include "ctl/verbs.h"
#include "lib/nearest.h"

#define WAITING    (OPTION_WAIT | OPTION_NO_WAIT | OPTION_TIMEOUT)
#define NAMES      LIMIT_COMMAND_NAMES
/* More than that, and the summary stands below. */
#define ARGUMENTS_COLUMNS 16
/* Where what is said of a command or an option stands; the widest help, and where it is put
 * elsewhere. */
#define HELP_COLUMN 27
#define HELP_WIDTH  80
#define HELP_NARROW 20
#define NAMES_HELP "needs the name of a program or a group, a glob such as 'web*', or all"
#define FORCED     (WAITING | OPTION_FORCE | OPTION_JSON)
#define LOGGING                                                                                    \
	(OPTION_LINES | OPTION_FOLLOW | OPTION_STDERR | OPTION_SINCE | OPTION_RUN |      \
	    OPTION_GREP | OPTION_JSON | OPTION_ROTATE | OPTION_REOPEN | OPTION_CLEAR)

/* clang-format off */
const struct verb verbs_table[] = {
	{"status", "[NAME...]", 0, NAMES, NULL, OPTION_LONG | OPTION_JSON | OPTION_WATCH, ctl_status,
	 "show programs and what they are doing",
	 "Without names all programs are shown.  Exits 3 when a shown program is not running.\n"},
	{"start", "NAME...", 1, NAMES, NAMES_HELP, FORCED, ctl_start,
	 "start programs, and what they require",
	 "A program that runs already is left alone.  What conflicts with a program is stopped first;\n"
	 "that is refused when others require it, unless --force stops these too.\n"},
	{"stop", "NAME...", 1, NAMES, NAMES_HELP, FORCED, ctl_stop,
	 "stop programs, with every process they started",
	 "A program that is stopped already is left alone.  When other programs that are up require\n"
	 "one of these, nothing is stopped; --force stops them too, first.\n"},
	{"restart", "NAME...", 1, NAMES, NAMES_HELP, FORCED | OPTION_ROLLING, ctl_restart,
	 "stop programs and start them again",
	 "A program that does not run is started.  What requires a program is stopped before it and\n"
	 "started after it, unless its stanza says smooth.  With --rolling the instances of a program are\n"
	 "replaced in turn, as its stanza says (update, soak); the first that fails ends that.\n"},
	{"reload", "NAME...", 1, NAMES, "needs a program's name; superctl apply reads supervisord's own configuration", WAITING | OPTION_JSON, ctl_reload,
	 "tell programs to read their configuration again",
	 "By reload_command or reload_signal of their stanzas.  Waits for the end of the command, and of\n"
	 "the reload where the program tells (sd_notify).  Exits 7 when a program is not running.\n"},
	{"signal", "SIGNAL NAME...", 2, NAMES + 1, "needs a signal and a program's name: superctl signal HUP web", OPTION_JSON, ctl_signal,
	 "send a signal to the main process of programs",
	 "SIGNAL is a name (HUP, SIGHUP) or a number.  Exits 7 when a program is not running.\n"},
	{"logs", "NAME...", 1, NAMES, "needs a program's name, or supervisord", LOGGING, ctl_logs,
	 "show what programs wrote, or rotate or clear it",
	 "The name supervisord stands for the daemon's own log.  Several logs are merged by time where\n"
	 "their lines say it (log_format), else one follows the other; each line then begins with the\n"
	 "name.  With --since, --run or --grep all lines that fit are shown, with -n the last of them.\n"},
	{"attach", "NAME", 1, 1, "needs a program's name", OPTION_DETACH_KEY | OPTION_READ_ONLY, ctl_attach,
	 "type to a program, at its terminal or its standard input",
	 "With tty = true it is the program's terminal, as if it had been started here; ctrl-p ctrl-q\n"
	 "detaches, and the program goes on.  With stdin = \"pipe\" its log is followed, and Ctrl-D\n"
	 "detaches.  Without a terminal the input is handed over: echo reload | superctl attach web.\n"},
	{"top", "[NAME...]", 0, NAMES, NULL, OPTION_ONCE | OPTION_DELAY | OPTION_SORT | OPTION_JSON, ctl_top,
	 "show what programs use, again and again",
	 "CPU, memory, starts, with keys to start, stop and restart, and to see logs (h lists them).\n"},
	{"why", "NAME", 1, 1, "needs a program's name", OPTION_JSON, ctl_why,
	 "tell how a program came to be as it is",
	 "What led to its state, what it waits for, and what could be done; then the same of the program\n"
	 "that it waits for.\n"},
	{"runs", "NAME", 1, 1, "needs a program's name", OPTION_LINES | OPTION_JSON, ctl_runs,
	 "show the last runs of a program",
	 "With -n the last of those that are remembered (16, and the present one).\n"},
	{"events", "[NAME...]", 0, NAMES, NULL, OPTION_LINES | OPTION_FOLLOW | OPTION_SINCE | OPTION_JSON, ctl_events,
	 "show what has happened",
	 "The last 10 events, with --since those after a number or a time, with -f what comes, too.\n"},
	{"blame", "[NAME...]", 0, NAMES, NULL, OPTION_JSON, ctl_blame,
	 "show what the last start of programs took",
	 "First the chain of programs that the last one to be up has waited for, then all, those that took\n"
	 "longest first.\n"},
	{"graph", "[NAME...]", 0, NAMES, NULL, OPTION_DOT | OPTION_JSON, ctl_graph,
	 "show what programs depend on",
	 "As a tree below each program that no other one depends on, or below those named.  What keeps\n"
	 "the one above it from running is marked.\n"},
	{"check", "[FILE...]", 0, NAMES, NULL, OPTION_JSON, ctl_check,
	 "read the configuration and say what is wrong with it",
	 "Nothing is changed.  With files these are read, together and with what they include, and no\n"
	 "daemon is needed; without, the daemon reads its own.\n"},
	{"doctor", "[NAME...]", 0, NAMES, NULL, OPTION_LONG | OPTION_JSON, ctl_doctor,
	 "look for what would keep programs from running",
	 "Goes through the launch of each program up to exec: user, directory, command, interpreter,\n"
	 "shared libraries, streams, logs; and through what the machine allows.  Shows what is not in\n"
	 "order, with -l all that was looked at.  Exits 1 when there is a problem.\n"},
	{"plan", "[NAME...]", 0, NAMES, NULL, OPTION_JSON, ctl_plan,
	 "show what an apply would do, in order, and why",
	 "Nothing is changed.  With names, what superctl apply NAME... would do.  Exits 0 when there is\n"
	 "nothing to do, 2 when there is, 1 when a file is bad or on other errors.\n"},
	{"apply", "[NAME...]", 0, NAMES, NULL, WAITING | OPTION_JSON | OPTION_ROLLBACK, ctl_apply,
	 "read the configuration and do what changed",
	 "Programs that did not change are not touched.  When a file is bad nothing is done.  With names\n"
	 "only the stanzas of these programs and groups are taken from the files.  With --rollback, what\n"
	 "was applied before comes back when a program that it started or restarted does not come up.\n"},
	{"edit", "NAME", 1, 1, "needs a program's name", WAITING | OPTION_YES, ctl_edit,
	 "edit a program's stanza, check it and apply it",
	 "Opens $VISUAL or $EDITOR on a copy of the file.  What is good becomes the file; then what an apply\n"
	 "would do is shown, and done when you say so.  A program that is not there gets a file of its own.\n"},
	{"set", "[NAME] [KEY=VALUE...]", 0, NAMES, NULL, WAITING | OPTION_JSON | OPTION_PERSIST, ctl_set,
	 "give keys of a program other values, until the next apply",
	 "What follows the = is the value; {\"a\", \"b\"} is a list, and so is a key that is given several\n"
	 "times.  A change takes effect as with superctl apply.  With --persist it is also written to a file\n"
	 "that the configuration includes.  Without values, shows what is overridden, by superctl set or by\n"
	 "a file.  superctl unset takes it back.\n"},
	{"unset", "NAME [KEY...]", 1, NAMES, "needs a program's name: superctl unset web log_max_size", WAITING | OPTION_JSON | OPTION_PERSIST, ctl_unset,
	 "take back what superctl set has said",
	 "Without keys, all of it.  With --persist, also what it has written.\n"},
	{"enable", "NAME...", 1, NAMES, NAMES_HELP, FORCED | OPTION_NOW, ctl_enable,
	 "have programs started with supervisord",
	 "Writes autostart as superctl set --persist does, where the stanza does not say so itself.  A\n"
	 "program that is not running stays so, unless --now starts it.\n"},
	{"disable", "NAME...", 1, NAMES, NAMES_HELP, FORCED | OPTION_NOW, ctl_disable,
	 "have programs not started with supervisord",
	 "A program that is running goes on, unless --now stops it.\n"},
	{"scale", "NAME=NUMBER...", 1, NAMES, "needs a program and a number: superctl scale web=8", WAITING | OPTION_JSON, ctl_scale,
	 "have more or fewer instances of programs, until the next apply",
	 "NAME=+NUMBER and NAME=-NUMBER change the number by that.  Those that stay are not touched; of those\n"
	 "that are too many the highest numbers go.\n"},
	{"run", "[NAME] [KEY=VALUE...] -- CMD...", 1, LIMIT_ARGV, "needs a command: superctl run -- CMD ARG...", WAITING | OPTION_FOLLOW | OPTION_JSON, ctl_run,
	 "run a command as a program that is in no file",
	 "CMD gets its arguments as they are; it runs here, and once, unless KEY=VALUE says otherwise, as\n"
	 "with superctl set.  Without NAME it is called run-1, run-2 and so on.  With --wait its status is that of\n"
	 "superctl, with -f its output is shown, too.  One that has ended well is forgotten soon; one that\n"
	 "failed stays until superctl forget.\n"},
	{"forget", "NAME...", 1, NAMES, NAMES_HELP, WAITING | OPTION_JSON, ctl_forget,
	 "forget a program of superctl run that has failed",
	 "It must not be running.  Its log stays.  Of those that a glob or all stand for, what is running\n"
	 "or in a file is left alone.\n"},
	{"config", "show|keys|defaults [NAME|KEY...]", 1, NAMES, "needs show, keys or defaults", OPTION_LONG | OPTION_JSON, ctl_config,
	 "show stanzas as they are applied, or what may stand in one",
	 "config show prints what the daemon has applied, for the programs that are named with every\n"
	 "default.  config keys lists the keys, or says all about those that are named; config defaults\n"
	 "prints the defaults of programs.  These two need no daemon.\n"},
	{"send", "NAME JSON", 2, 2, "needs a program's name and a message: superctl send web '{\"reload\":true}'", 0, ctl_send,
	 "send a message to a program's IPC channel",
	 "For programs with ipc = true.  JSON is one value, which process.on('message') of Node gets.\n"
	 "Exits 1 when the program has no channel now, or does not read from it.\n"},
	{"messages", "NAME", 1, 1, "needs a program's name", OPTION_LINES | OPTION_FOLLOW | OPTION_JSON, ctl_messages,
	 "show what a program sent on its IPC channel",
	 "The last messages (process.send() of Node), with the time of each; with -f what comes, too.\n"},
	{"version", "", 0, 0, NULL, OPTION_JSON, ctl_version,
	 "show the versions of superctl and of supervisord", ""},
	{"shutdown", "", 0, 0, NULL, WAITING | OPTION_JSON, ctl_shutdown,
	 "stop all programs in order, then supervisord", ""},
	{"help", "[COMMAND]", 0, 1, NULL, 0, ctl_help,
	 "show all commands, or more of one", ""},
	{"complete", "names|keys|program-keys", 1, 1, "needs names, keys or program-keys", 0, ctl_complete, NULL, "For the completion of shells.\n"},
	{"bridge", "[greet]", 0, 1, NULL, 0, ctl_bridge, NULL,
	 "Make standard input and output a connection to the daemon; what -H runs on the other machine.\n"},
};
/* clang-format on */
const size_t verbs_count = sizeof(verbs_table) / sizeof(verbs_table[0]);

const struct verb *verbs_find(const char *name)
{
	for (size_t i = 0; i < verbs_count; i++)
		if (strcmp(verbs_table[i].name, name) == 0)
			return &verbs_table[i];
	return NULL;
}

bool verbs_takes_patterns(const struct verb *verb)
{
	return strstr(verb->arguments, "NAME...") != NULL || strcmp(verb->name, "config") == 0;
}

void verbs_complain(struct ctl *ctl, const char *name)
{
	const char *hint = suggest_translate(name);
	const char *names[sizeof(verbs_table) / sizeof(verbs_table[0])], *nearest;
	size_t count = 0;

	if (hint != NULL) {
		ctl_complain(ctl, "%s: no such command: %s", name, hint);
		return;
	}
	for (size_t i = 0; i < verbs_count; i++)
		if (verbs_table[i].summary != NULL)
			names[count++] = verbs_table[i].name;
	nearest = nearest_find(name, names, count);
	if (nearest != NULL)
		ctl_complain(ctl, "%s: no such command: did you mean %s?", name, nearest);
	else
		ctl_complain(ctl, "%s: no such command: superctl help lists them", name);
}

/* Words from column `at` on, further lines from `indent` on, and the end of the line: no wider than
 * the terminal, or than most are. */
static void print_text(struct out *out, const char *text, size_t at, size_t indent)
{
	size_t width = out->width > 0 && out->width < HELP_WIDTH ? out->width : HELP_WIDTH;
	bool begun = false, sentence = false;

	if (text[0] == '\0')
		return;
	if (width < indent + HELP_NARROW)
		indent = 4;
	for (size_t length; (text += strspn(text, " \n"))[0] != '\0'; text += length) {
		length = strcspn(text, " \n");
		if (begun && at + (sentence ? 2 : 1) + length > width - 1) {
			out_string(out, "\n");
			out_pad(out, indent);
			at = indent;
		} else if (begun) {
			out_pad(out, sentence ? 2 : 1);
			at += sentence ? 2 : 1;
		}
		out_bytes(out, text, length);
		at += length;
		begun = true;
		sentence = text[length - 1] == '.';
	}
	out_string(out, "\n");
}

static void print_options(struct out *out, option_set set)
{
	for (size_t i = 0; i < options_count; i++) {
		const struct option_row *row = &options_table[i];
		size_t length = strlen(row->name) + (row->argument ? strlen(row->argument) + 1 : 0);

		if ((set & row->option) == 0)
			continue;
		if (row->letter != 0)
			out_format(out, "  -%c, --%s", row->letter, row->name);
		else
			out_format(out, "      --%s", row->name);
		if (row->argument != NULL)
			out_format(out, "%s%s", row->argument[0] == '[' ? "" : " ", row->argument);
		out_pad(out, length < 18 ? 18 - length : 1);
		print_text(
		    out, row->help, length < 18 ? HELP_COLUMN - 1 : length + 9, HELP_COLUMN - 1);
	}
}

void verbs_print_usage(struct out *out)
{
	out_string(
	    out, "usage: superctl [-H HOST] [-s SOCKET] [COMMAND [OPTION...] [NAME...]]\n\n");
	for (size_t i = 0; i < verbs_count; i++) {
		const struct verb *verb = &verbs_table[i];

		if (verb->summary == NULL)
			continue;
		out_format(out, "  %-9s%-16s", verb->name, verb->arguments);
		if (strlen(verb->arguments) >= ARGUMENTS_COLUMNS)
			out_format(out, "\n%*s", HELP_COLUMN, "");
		print_text(out, verb->summary, HELP_COLUMN, HELP_COLUMN);
	}
	out_string(out, "\n");
	print_text(out,
	    "NAME is a program, a group, a glob ('web*', quoted), or all.  superctl help COMMAND "
	    "says more.",
	    0, 0);
	out_string(out, "\n");
	print_options(out, OPTIONS_COMMON);
}

void verbs_print_help(struct out *out, const struct verb *verb)
{
	out_format(out, "usage: superctl %s%s%s%s\n", verb->name,
	    verb->options != 0 ? " [OPTION...]" : "", verb->arguments[0] != '\0' ? " " : "",
	    verb->arguments);
	if (verb->summary != NULL)
		out_format(out, "%s.\n", verb->summary);
	print_text(out, verb->details, 0, 0);
	out_string(out, "\n");
	print_options(out, verb->options);
	print_options(out, OPTIONS_COMMON);
}

enum exitcode ctl_help(struct ctl *ctl)
{
	const struct verb *verb;

	if (ctl->options.name_count == 0) {
		verbs_print_usage(&ctl->out);
		return EXITCODE_OK;
	}
	verb = verbs_find(ctl->options.names[0]);
	if (verb == NULL) {
		verbs_complain(ctl, ctl->options.names[0]);
		return EXITCODE_USAGE;
	}
	verbs_print_help(&ctl->out, verb);
	return EXITCODE_OK;
}
