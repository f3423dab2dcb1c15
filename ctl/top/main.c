/* SPDX-License-Identifier: ISC */
/* main.c: superctl-top, which superctl becomes for `superctl top`; see ctl/top.c. */
#define _GNU_SOURCE /* ppoll */
#include <curses.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "ctl/top/top.h"

static void find_selected(struct top *top);
static int run(struct top *top);
static int read_key(int64_t wait_ns);

int main(int argc, char **argv)
{
	struct top top = {0};
	struct options_error error;
	int status;

	(void)setlocale(LC_CTYPE, "");
	out_init(&top.ctl.out, STDOUT_FILENO);
	out_init(&top.ctl.err, STDERR_FILENO);
	if (options_parse(argc, argv, &top.ctl.options, &error) < 0) {
		ctl_complain(&top.ctl, "%s: %s", error.argument, error.problem);
		return EXITCODE_USAGE;
	}
	topdata_init(&top.data, &top.ctl);
	if (top.ctl.options.sort != NULL)
		(void)topdata_parse_sort(top.ctl.options.sort, &top.data.sort);
	status = run(&top);
	topdata_done(&top.data);
	return status;
}

/* Samples at their times, keys whenever there are. */
static int run(struct top *top)
{
	int64_t next_ns = 0;
	enum exitcode code = topdata_sample(&top->data);

	/* A wrong name, or no daemon: said as for every command. */
	if (code != EXITCODE_OK)
		return code;
	top->ctl.err.silent = true;
	screen_open(top);
	for (;;) {
		int64_t now_ns = clock_boot_ns();
		int key;

		if (next_ns == 0)
			next_ns = now_ns + top->ctl.options.delay_ns;
		find_selected(top);
		screen_draw(top);
		key = read_key(next_ns > now_ns ? next_ns - now_ns : 0);
		if (key != ERR && !keys_take(top, key))
			break;
		if (clock_boot_ns() >= next_ns || (key != ERR && strchr(" sry", key) != NULL)) {
			(void)topdata_sample(&top->data);
			next_ns = 0;
		}
	}
	screen_close();
	return EXITCODE_OK;
}

/* Or ERR.  getch(3) alone would sleep over a new size that comes just before it waits: so that
 * signal is let in only here (see screen_open), and getch never waits. */
static int read_key(int64_t wait_ns)
{
	const struct timespec wait = {
	    .tv_sec = wait_ns / NS_PER_S, .tv_nsec = (long)(wait_ns % NS_PER_S)};
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
	int key = getch();
	sigset_t mask;

	if (key != ERR)
		return key;
	(void)sigprocmask(SIG_SETMASK, NULL, &mask);
	sigdelset(&mask, SIGWINCH);
	(void)ppoll(&input, 1, &wait, &mask);
	return getch();
}

/* The selection stays with its program, wherever that is now. */
static void find_selected(struct top *top)
{
	const struct topdata *data = &top->data;

	for (size_t i = 0; i < data->shown; i++) {
		if (strcmp(data->rows[data->order[i]].name, top->selected) != 0)
			continue;
		top->at = i;
		return;
	}
	if (top->at >= data->shown)
		top->at = data->shown > 0 ? data->shown - 1 : 0;
	if (data->shown > 0)
		memcpy(top->selected, data->rows[data->order[top->at]].name, sizeof(top->selected));
}
