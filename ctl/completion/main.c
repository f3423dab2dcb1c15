/* SPDX-License-Identifier: ISC */
/*
 * main.c: write the completion file of a shell: generate bash|zsh|fish.
 *
 * Runs when superctl is built, and is not installed.  Verbs and options are written into the file
 * from the tables of superctl, so that a key press costs no process for them; only the names of
 * programs are asked for, by `superctl complete names`.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/completion/completion.h"

int main(int argc, char **argv)
{
	static const struct {
		const char *shell;
		void (*write)(void);
	} shells[] = {
	    {"bash", completion_write_bash},
	    {"zsh", completion_write_zsh},
	    {"fish", completion_write_fish},
	};

	for (size_t i = 0; argc == 2 && i < sizeof(shells) / sizeof(shells[0]); i++) {
		if (strcmp(shells[i].shell, argv[1]) != 0)
			continue;
		shells[i].write();
		return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
	}
	fputs("usage: generate bash|zsh|fish\n", stderr);
	return EXIT_FAILURE;
}
