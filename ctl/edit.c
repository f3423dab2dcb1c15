/* SPDX-License-Identifier: ISC */
/*
 * edit.c: superctl edit: a stanza in the person's editor, then checked, then applied.
 *
 * What is edited is a copy (editfile.h); until it has been found good together with all other
 * files, or is kept all the same, neither the daemon nor anybody else sees any of it.
 */
#define _GNU_SOURCE /* ppoll */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/checkfile.h"
#include "ctl/editfile.h"
#include "ctl/editor.h"
#include "ctl/editplace.h"
#include "ctl/remote.h"

/* Of a program that is not there. */
#define TEMPLATE                                                                                   \
	"# supervisord.conf(5) and superctl config keys tell what may stand here.\n"               \
	"program \"%s\" {\n"                                                                       \
	"        command = \"\"\n"                                                                 \
	"        #user = \"nobody\"\n"                                                             \
	"        #directory = \"/\"\n"                                                             \
	"        #environment = {\"NAME=value\"}\n"                                                \
	"        #restart = \"on-failure\"\n"                                                      \
	"}\n"

/* Of a name in a new file. */
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"

static enum exitcode edit(struct ctl *ctl, const struct editplace *place, const char *editor);
static enum exitcode edit_until_good(
    struct ctl *ctl, const struct editplace *place, const char *editor, struct editfile *file);
static char *make_template(struct ctl *ctl, const struct editplace *place);
static enum exitcode apply(struct ctl *ctl);
static void leave_copy(struct ctl *ctl, struct editfile *file);
static int ask(struct ctl *ctl, const char *question, const char *letters);
static int read_answer(struct ctl *ctl, const char *question, const char *letters);
static bool read_line(char *line, size_t size);

enum exitcode ctl_edit(struct ctl *ctl)
{
	const char *editor = editor_find();
	struct editplace place;
	enum exitcode code;

	if (ctl->several_hosts) {
		ctl_complain(ctl, "edit: one host at a time");
		return EXITCODE_USAGE;
	}
	if ((isatty(STDIN_FILENO) != 1 || !ctl->err.tty) && !(ctl->options.set & OPTION_YES)) {
		ctl_complain(ctl, "edit: there is no terminal to ask on: --yes applies what is "
				  "good without asking");
		return EXITCODE_USAGE;
	}
	if (ctl->options.host != NULL)
		return remote_edit(ctl);
	if (editor == NULL) {
		ctl_complain(
		    ctl, "edit: there is no editor: VISUAL or EDITOR in the environment names one");
		return EXITCODE_FAILED;
	}
	code = editplace_find(ctl, ctl->options.names[0], &place);
	if (code == EXITCODE_OK)
		code = edit(ctl, &place, editor);
	editplace_done(&place);
	return code;
}

static enum exitcode edit(struct ctl *ctl, const struct editplace *place, const char *editor)
{
	bool is_new = place->line == 0 && (place->file == NULL || access(place->file, F_OK) < 0);
	char *template = NULL;
	struct editfile file;
	enum exitcode code;

	if (is_new) {
		template = make_template(ctl, place);
		if (template == NULL)
			return EXITCODE_MISSING;
	}
	code = editfile_begin(ctl, place->file, template, &file);
	if (code == EXITCODE_OK)
		code = edit_until_good(ctl, place, editor, &file);
	editfile_done(&file, false);
	free(template);
	return code;
}

/* With the copy in place, or none left, but where that is told. */
static enum exitcode edit_until_good(
    struct ctl *ctl, const struct editplace *place, const char *editor, struct editfile *file)
{
	enum exitcode code, checked;

	for (;;) {
		int same, answer = 'e';

		code = editor_run(ctl, editor, file->copy, place->line);
		if (code != EXITCODE_OK)
			return code;
		same = editfile_is_same(file);
		if (same == 1) {
			ctl_complain(ctl, "%s: nothing was changed", place->file);
			return EXITCODE_OK;
		}
		if (same < 0) {
			ctl_complain(ctl, "%s: %s", file->copy, strerror(-same));
			return EXITCODE_FAILED;
		}
		checked = checkfile_try(ctl, place->config, file->path, file->copy);
		if (checked == EXITCODE_OK)
			break;
		answer =
		    ctl->options.set & OPTION_YES
			? 't'
			: ask(ctl, "(e)dit it again, (t)hrow it away, or (k)eep it anyway?", "etk");
		if (answer == 'k')
			break;
		if (answer == 0) {
			leave_copy(ctl, file);
			return EXITCODE_FAILED;
		}
		if (answer != 'e') {
			ctl_complain(ctl, "%s: thrown away, it is as it was", place->file);
			return EXITCODE_FAILED;
		}
	}
	code = editfile_finish(ctl, file);
	if (code != EXITCODE_OK && file->copy != NULL)
		leave_copy(ctl, file);
	if (code != EXITCODE_OK)
		return code;
	if (checked == EXITCODE_OK)
		return apply(ctl);
	ctl_complain(ctl, "%s: kept with its errors: an apply will refuse it", place->file);
	return EXITCODE_FAILED;
}

static void leave_copy(struct ctl *ctl, struct editfile *file)
{
	ctl_complain(ctl, "what you wrote is in %s", file->copy);
	free(file->copy); /* it stays */
	file->copy = NULL;
}

/* NULL: it was told why not. */
static char *make_template(struct ctl *ctl, const struct editplace *place)
{
	const char *name = ctl->options.names[0];
	size_t size = sizeof(TEMPLATE) + strlen(name);
	char question[512], *text;

	if (place->nearest[0] != '\0')
		ctl_complain(ctl, "%s: no such program: did you mean %s?", name, place->nearest);
	else
		ctl_complain(ctl, "%s: no such program", name);
	if (name[strspn(name, LETTERS)] != '\0' || name[0] == '.' || name[0] == '-')
		return NULL; /* nor can there be one */
	if (place->file == NULL) {
		ctl_complain(ctl,
		    "%s: include = {\"conf.d/*.conf\"} lets programs have files of their own",
		    place->config);
		return NULL;
	}
	(void)snprintf(question, sizeof(question), "make %s?", place->file);
	if (!(ctl->options.set & OPTION_YES) && ask(ctl, question, "ny") != 'y')
		return NULL;
	text = malloc(size);
	if (text == NULL)
		ctl_complain(ctl, "%s", strerror(ENOMEM));
	else
		(void)snprintf(text, size, TEMPLATE, name);
	return text;
}

/* What superctl plan NAME and apply NAME do. */
static enum exitcode apply(struct ctl *ctl)
{
	enum exitcode code = ctl_plan(ctl);

	out_flush(&ctl->out);
	if (code != EXITCODE_CHANGES)
		return code;
	if (!(ctl->options.set & OPTION_YES) && ask(ctl, "apply that?", "yn") != 'y') {
		ctl_complain(ctl, "not applied: superctl apply %s does it", ctl->options.names[0]);
		return EXITCODE_OK;
	}
	return ctl_apply(ctl);
}

static void on_interrupt(int number)
{
	(void)number; /* it ends the waiting */
}

/* One of the letters, of which the first is what an empty answer means; 0: Ctrl-C, or the end of
 * all input. */
static int ask(struct ctl *ctl, const char *question, const char *letters)
{
	const struct sigaction interrupts = {.sa_handler = on_interrupt};
	struct sigaction handler;
	sigset_t interrupt, mask;
	int answer;

	/* It comes in only while there is nothing else to do but to wait: never between a look and
	 * the waiting, where it would be forgotten. */
	sigemptyset(&interrupt);
	sigaddset(&interrupt, SIGINT);
	(void)sigprocmask(SIG_BLOCK, &interrupt, &mask);
	(void)sigaction(SIGINT, &interrupts, &handler);
	answer = read_answer(ctl, question, letters);
	(void)sigaction(SIGINT, &handler, NULL);
	(void)sigprocmask(SIG_SETMASK, &mask, NULL);
	return answer;
}

static int read_answer(struct ctl *ctl, const char *question, const char *letters)
{
	char line[64];

	for (;;) {
		out_text(&ctl->err, question, 0);
		out_string(&ctl->err, " [");
		for (const char *letter = letters; *letter != '\0'; letter++) {
			char shown[3] = {*letter, letter[1] != '\0' ? '/' : '\0', '\0'};

			if (letter == letters)
				shown[0] = (char)(*letter - 'a' + 'A');
			out_string(&ctl->err, shown);
		}
		out_string(&ctl->err, "] ");
		out_flush(&ctl->err);
		if (!read_line(line, sizeof(line))) {
			out_string(&ctl->err, "\n");
			out_flush(&ctl->err);
			return 0;
		}
		if (line[0] == '\0')
			return letters[0];
		if (strchr(letters, line[0] | 0x20) != NULL && line[1] == '\0')
			return line[0] | 0x20;
		out_string(&ctl->err, "one of these letters is needed\n");
	}
}

/* Without its newline, what is too long cut. False: interrupted, or the end of the input. */
static bool read_line(char *line, size_t size)
{
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
	size_t length = 0;
	sigset_t mask;
	char c;

	(void)sigprocmask(SIG_SETMASK, NULL, &mask);
	sigdelset(&mask, SIGINT);
	for (;;) {
		if (ppoll(&input, 1, NULL, &mask) < 0 || read(STDIN_FILENO, &c, 1) != 1)
			return false;
		if (c == '\n')
			break;
		if (length + 1 < size)
			line[length++] = c;
	}
	line[length] = '\0';
	return true;
}
