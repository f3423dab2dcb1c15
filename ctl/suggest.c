/* SPDX-License-Identifier: ISC */
/* suggest.c: see suggest.h. */
#include <string.h>

#include "ctl/suggest.h"

struct translation {
	const char *theirs;
	const char *hint;
};

/* clang-format off */
static const struct translation translations[] = {
	{"add",        "superctl apply does what changed in the configuration"},
	{"avail",      "superctl status shows all programs, superctl check tests the configuration"},
	{"clear",      "superctl logs --clear NAME removes what is in a log"},
	{"disable",    "set autostart = false in the program's stanza, then superctl apply"},
	{"diff",       "superctl plan shows what an apply would do"},
	{"dry-run",    "superctl plan shows what an apply would do"},
	{"enable",     "set autostart = true in the program's stanza, then superctl apply"},
	{"exit",       "it leaves the shell that superctl is when it is called alone"},
	{"fg",         "superctl logs -f NAME shows what a program writes"},
	{"kill",       "superctl signal KILL NAME sends a signal, superctl stop NAME stops a program"},
	{"list",       "superctl status shows all programs"},
	{"maintail",   "superctl logs supervisord shows the daemon's own log"},
	{"open",       "superctl -s SOCKET talks to another supervisord"},
	{"pid",        "superctl status NAME shows the pid, superctl status --json is for scripts"},
	{"quit",       "it leaves the shell that superctl is when it is called alone"},
	{"reopen",     "superctl logs --reopen NAME opens the files of a log anew"},
	{"remove",     "take the program's stanza out of the configuration, then superctl apply"},
	{"reread",     "superctl check tests the configuration, superctl apply does what changed in it"},
	{"rotate",     "superctl logs --rotate NAME begins new log files"},
	{"tail",       "superctl logs NAME [-n LINES] [-f]"},
	{"update",     "superctl apply does what changed in the configuration"},
};
/* clang-format on */

const char *suggest_translate(const char *verb)
{
	for (size_t i = 0; i < sizeof(translations) / sizeof(translations[0]); i++)
		if (strcmp(translations[i].theirs, verb) == 0)
			return translations[i].hint;
	return NULL;
}
