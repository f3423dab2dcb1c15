/* SPDX-License-Identifier: ISC */
/* shell.c: see shell.h. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ctl/foreground.h"
#include "ctl/shell/shell.h"
#include "ctl/superctl.h"
#include "ctl/words.h"

static int open_editor(struct shell *shell);
static char *get_prompt(EditLine *edit);
static unsigned char interrupt(EditLine *edit, int key);
static bool run_line(struct shell *shell, const char *line, size_t length);
static void run_words(struct shell *shell, const struct words *words);

int shell_run(struct shell *shell)
{
	const char *line;
	int length = 0;

	if (open_editor(shell) < 0) {
		ctl_complain(&shell->ctl, "cannot edit lines: %s", strerror(errno));
		return EXITCODE_FAILED;
	}
	out_string(&shell->ctl.out,
	    "superctl " SUPERVISORD_VERSION
	    ": help lists the commands, Tab completes, exit or Ctrl-D ends\n");
	out_flush(&shell->ctl.out);
	/* Ctrl-C is for the command that runs. */
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	for (;;) {
		/* Before there is a prompt: what answers it is typed in our mode. */
		el_set(shell->edit, EL_PREP_TERM, 1);
		line = el_gets(shell->edit, &length);
		if (line == NULL || length <= 0 || !run_line(shell, line, (size_t)length))
			break;
	}
	if (line == NULL || length <= 0)
		out_string(&shell->ctl.out, "\n");
	out_flush(&shell->ctl.out);
	el_end(shell->edit);
	shell_close_history(shell);
	return EXITCODE_OK;
}

static int open_editor(struct shell *shell)
{
	const char *host = shell->ctl.options.host;

	(void)snprintf(shell->prompt, sizeof(shell->prompt), "%.60s> ",
	    host != NULL && host[0] != '\0' ? host : "superctl");
	shell->edit = el_init("superctl", stdin, stdout, stderr);
	if (shell->edit == NULL)
		return -1;
	shell_open_history(shell);
	el_set(shell->edit, EL_CLIENTDATA, shell);
	el_set(shell->edit, EL_PROMPT, get_prompt);
	el_set(shell->edit, EL_EDITOR, "emacs");
	el_set(shell->edit, EL_SIGNAL, 1); /* the size of the terminal */
	if (shell->history != NULL)
		el_set(shell->edit, EL_HIST, history, shell->history);
	/* By the wide call, because the other one keeps copies that nobody frees. */
	el_wset(
	    shell->edit, EL_ADDFN, L"superctl-complete", L"what may stand here", shell_complete);
	el_wset(shell->edit, EL_ADDFN, L"superctl-interrupt", L"forget the line", interrupt);
	el_set(shell->edit, EL_BIND, "^I", "superctl-complete", NULL);
	el_set(shell->edit, EL_BIND, "^R", "em-inc-search-prev", NULL);
	/* While a line is edited Ctrl-C is a key. */
	el_set(shell->edit, EL_SETTY, "-d", "-isig", NULL);
	el_set(shell->edit, EL_BIND, "^C", "superctl-interrupt", NULL);
	el_source(shell->edit, NULL);
	return 0;
}

static char *get_prompt(EditLine *edit)
{
	struct shell *shell = NULL;

	el_get(edit, EL_CLIENTDATA, &shell);
	return shell->prompt;
}

static unsigned char interrupt(EditLine *edit, int key)
{
	const LineInfo *line = el_line(edit);
	int length = (int)(line->lastchar - line->buffer);

	(void)key;
	(void)el_cursor(edit, (int)(line->lastchar - line->cursor));
	el_deletestr(edit, length);
	fputs("^C\n", stdout);
	return CC_REDISPLAY;
}

/* False: that was the end. */
static bool run_line(struct shell *shell, const char *line, size_t length)
{
	struct words words;
	bool go_on = true;

	if (words_split(line, length, &words) < 0) {
		ctl_complain(&shell->ctl, "%s", strerror(ENOMEM));
	} else if (words.count > 0) {
		shell_add_history(shell, line);
		if (words.open)
			ctl_complain(&shell->ctl, "a quote is not closed");
		else if (strcmp(words.list[0], "exit") == 0 || strcmp(words.list[0], "quit") == 0)
			go_on = false;
		else
			run_words(shell, &words);
	}
	words_done(&words);
	return go_on;
}

static void run_words(struct shell *shell, const struct words *words)
{
	const size_t first = strcmp(words->list[0], "superctl") == 0; /* out of habit */
	struct foreground foreground;
	int status;
	pid_t pid;

	if (first == words->count)
		return;
	fflush(stdout);
	foreground_begin(&foreground);
	pid = foreground_fork(&foreground);
	if (pid == 0)
		superctl_run_words(&shell->ctl.options, (const char *const *)words->list + first,
		    words->count - first);
	if (pid < 0)
		ctl_complain(&shell->ctl, "cannot run it: %s", strerror(errno));
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	foreground_end(&foreground);
	if (pid < 0)
		return;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGINT)
		out_string(&shell->ctl.out, "\n");
	else if (WIFSIGNALED(status))
		ctl_complain(
		    &shell->ctl, "the command was killed: %s", strsignal(WTERMSIG(status)));
	out_flush(&shell->ctl.out);
}
