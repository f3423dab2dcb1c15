/* SPDX-License-Identifier: ISC */
<<<<<<< HEAD
/* main.c: superctl(1). */
#include "ctl/superctl.h"

int main(int argc, char **argv)
{
	return superctl_run(argc, argv);
=======
/*
 * main.c: superctl reads its command line and hands over to a verb.  Everything a verb printed is
 * written here, in one go, when it is done.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl/verbs.h"

static enum exitcode run(struct ctl *ctl, int argc, char **argv);
static enum exitcode check_arguments(struct ctl *ctl);
static enum exitcode usage_code(const char *verb);

int main(int argc, char **argv)
{
	struct ctl ctl = {0};
	enum exitcode code;

	out_init(&ctl.out, STDOUT_FILENO);
	out_init(&ctl.err, STDERR_FILENO);
	code = run(&ctl, argc, argv);
	if (out_flush(&ctl.out) < 0) {
		ctl_complain(&ctl, "cannot write: %s", strerror(-ctl.out.error));
		code = exitcode_join(code, EXITCODE_FAILED);
	}
	out_flush(&ctl.err);
	out_done(&ctl.out);
	out_done(&ctl.err);
	return (int)code;
}

static enum exitcode run(struct ctl *ctl, int argc, char **argv)
{
	struct options_error error;
	enum exitcode code;

	if (options_parse(argc, argv, &ctl->options, &error) < 0) {
		ctl_complain(ctl, "%s: %s", error.argument, error.problem);
		return usage_code(argv[0]); /* the verb, when it was seen */
	}
	if (ctl->options.set & OPTION_VERSION) {
		out_string(&ctl->out, "superctl " SUPERVISORD_VERSION "\n");
		return EXITCODE_OK;
	}
	if (ctl->options.verb == NULL) {
		int help = ctl->options.set & OPTION_HELP;

		verbs_print_usage(help ? &ctl->out : &ctl->err);
		return help ? EXITCODE_OK : EXITCODE_USAGE;
	}
	ctl->verb = verbs_find(ctl->options.verb);
	if (ctl->verb == NULL) {
		verbs_complain(ctl, ctl->options.verb);
		return EXITCODE_USAGE;
	}
	if (ctl->options.set & OPTION_HELP) {
		verbs_print_help(&ctl->out, ctl->verb);
		return EXITCODE_OK;
	}
	ctl->out.silent = (ctl->options.set & OPTION_QUIET) != 0;
	code = check_arguments(ctl);
	return code != EXITCODE_OK ? code : ctl->verb->run(ctl);
}

static enum exitcode check_arguments(struct ctl *ctl)
{
	const struct verb *verb = ctl->verb;
	const struct option_row *extra =
	    options_find(ctl->options.set & ~(verb->options | OPTIONS_COMMON));

	if (extra != NULL)
		ctl_complain(ctl, "%s: --%s is not an option of it: superctl help %s lists them",
		    verb->name, extra->name, verb->name);
	else if (ctl->options.name_count < verb->least)
		ctl_complain(ctl, "%s: %s", verb->name, verb->missing);
	else if (ctl->options.name_count > verb->most)
		ctl_complain(
		    ctl, "%s: too many arguments: %s", verb->name, ctl->options.names[verb->most]);
	else
		return EXITCODE_OK;
	return usage_code(verb->name);
}

/* Of plan, 2 says that there are changes, and a script must not take a typing error for that. */
static enum exitcode usage_code(const char *verb)
{
	return strcmp(verb, "plan") == 0 ? EXITCODE_FAILED : EXITCODE_USAGE;
>>>>>>> 3abe27f (engine, superctl: plan, apply of some programs, and what differs)
}
