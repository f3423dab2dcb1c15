/* SPDX-License-Identifier: ISC */
/*
 * main.c: superctl-shell, which superctl becomes when it is called without a command on a terminal.
 *
 * An executable of its own, because what edits lines takes longer to load than superctl takes for
 * a command.
 */
#include <locale.h>
#include <unistd.h>

#include "ctl/shell/shell.h"

int main(int argc, char **argv)
{
	struct shell shell = {0};
	struct options_error error;
	int status;

	(void)setlocale(LC_CTYPE, "");
	out_init(&shell.ctl.out, STDOUT_FILENO);
	out_init(&shell.ctl.err, STDERR_FILENO);
	if (options_parse(argc, argv, &shell.ctl.options, &error) < 0) {
		ctl_complain(&shell.ctl, "%s: %s", error.argument, error.problem);
		return EXITCODE_USAGE;
	}
	status = shell_run(&shell);
	out_done(&shell.ctl.out);
	out_done(&shell.ctl.err);
	return status;
}
