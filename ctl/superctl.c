/* SPDX-License-Identifier: ISC */
/* superctl.c: see superctl.h. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/libexec.h"
#include "ctl/hosts.h"
#include "ctl/superctl.h"
#include "ctl/verbs.h"

static enum exitcode run(struct ctl *ctl, int argc, char **argv);
static enum exitcode run_without_verb(struct ctl *ctl);
static const char **make_words(const char *program, const struct options *options,
    const char *const *words, size_t count, int *ret_count);
static enum exitcode check_arguments(struct ctl *ctl);
static enum exitcode usage_code(const char *verb);
static enum exitcode finish(struct ctl *ctl, enum exitcode code);

int superctl_run(int argc, char **argv)
{
	struct ctl ctl = {0};
	enum exitcode code;

	out_init(&ctl.out, STDOUT_FILENO);
	out_init(&ctl.err, STDERR_FILENO);
	code = finish(&ctl, run(&ctl, argc, argv));
	out_done(&ctl.out);
	out_done(&ctl.err);
	return (int)code;
}

enum exitcode superctl_run_verb(struct ctl *ctl)
{
	return finish(ctl, ctl->verb->run(ctl));
}

static enum exitcode finish(struct ctl *ctl, enum exitcode code)
{
	if (out_flush(&ctl->out) < 0) {
		ctl_complain(ctl, "cannot write: %s", strerror(-ctl->out.error));
		code = exitcode_join(code, EXITCODE_FAILED);
	}
	out_flush(&ctl->err);
	return code;
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
	if (ctl->options.verb == NULL)
		return run_without_verb(ctl);
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
	if (code != EXITCODE_OK)
		return code;
	if (ctl->options.host != NULL && strchr(ctl->options.host, ',') != NULL)
		return hosts_run(ctl);
	return ctl->verb->run(ctl);
}

/* On a terminal that is the shell. */
static enum exitcode run_without_verb(struct ctl *ctl)
{
	int help = ctl->options.set & OPTION_HELP;

	if (!help && isatty(STDIN_FILENO) && ctl->out.tty) {
		superctl_become(ctl, "shell", NULL, 0);
		return EXITCODE_FAILED;
	}
	verbs_print_usage(help ? &ctl->out : &ctl->err);
	return help ? EXITCODE_OK : EXITCODE_USAGE;
}

void superctl_run_words(const struct options *options, const char *const *words, size_t count)
{
	int argc;
	const char **argv = make_words("superctl", options, words, count, &argc);

	if (argv == NULL)
		_exit(EXITCODE_FAILED);
	_exit(superctl_run(argc, (char **)(uintptr_t)argv));
}

void superctl_become(struct ctl *ctl, const char *name, const char *const *words, size_t count)
{
	static const char prefix[] = "/superctl-";
	char path[PATH_MAX + 32];
	const char **argv;

	libexec_find(path, PATH_MAX);
	(void)snprintf(path + strlen(path), sizeof(path) - strlen(path), "%s%s", prefix, name);
	argv = make_words(path, &ctl->options, words, count, &(int){0});
	if (argv != NULL) {
		out_flush(&ctl->out);
		execv(path, (char *const *)(uintptr_t)argv);
	}
	ctl_complain(ctl, "cannot run %s: %s", path, strerror(argv != NULL ? errno : ENOMEM));
	free(argv);
}

/* With the options that say whom to talk to before them, and NULL behind; to be freed.  NULL: no
 * memory. */
static const char **make_words(const char *program, const struct options *options,
    const char *const *words, size_t count, int *ret_count)
{
	const char **argv = calloc(count + 6, sizeof(*argv));
	int at = 0;

	if (argv == NULL)
		return NULL;
	argv[at++] = program;
	if (options->socket != NULL) {
		argv[at++] = "-s";
		argv[at++] = options->socket;
	}
	if (options->host != NULL) {
		argv[at++] = "-H";
		argv[at++] = options->host;
	}
	for (size_t i = 0; i < count; i++)
		argv[at++] = words[i];
	*ret_count = at;
	return argv;
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
}
