/* SPDX-License-Identifier: ISC */
/* screen.c: what stands where; see top.h. */
#include <curses.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "lib/clock.h"
#include "ctl/top/top.h"

/* Summary, message, heading; and the keys below. */
#define LINES_ABOVE 3
#define LINES_BELOW 1
/* From so many columns on all samples of the CPU are shown. */
#define WIDE 100

static const char *const help[] = {
    "Up Down PgUp PgDn Home End   choose a program",
    "s   start it                 r   restart it",
    "x   stop it (asks)           l   its log, as it comes; Ctrl-C ends that",
    "w   why it is as it is       i   all that status says of it",
    "/   show only names or states that have this in them",
    "n t c m u a   sort by name, state, CPU, memory, starts, age;",
    "              the same key again: the other way round",
    "Space   look now             q   end",
};

static void put_line(int line, struct out *text, int attributes);
static int style_of(const struct top *top, enum out_style style);
static struct topdata_layout find_layout(void);
static void draw_rows(struct top *top, const struct topdata_layout *layout);
static void draw_message(struct top *top);
static void draw_help(void);

void screen_open(struct top *top)
{
	sigset_t size;

	sigemptyset(&size);
	sigaddset(&size, SIGWINCH);
	(void)sigprocmask(SIG_BLOCK, &size, NULL);
	initscr();
	cbreak();
	noecho();
	nodelay(stdscr, TRUE);
	keypad(stdscr, TRUE);
	set_escdelay(25);
	(void)curs_set(0);
	top->colour = top->ctl.out.colour && has_colors();
	if (!top->colour)
		return;
	start_color();
	use_default_colors();
	init_pair(OUT_GREEN, COLOR_GREEN, -1);
	init_pair(OUT_YELLOW, COLOR_YELLOW, -1);
	init_pair(OUT_RED, COLOR_RED, -1);
}

void screen_close(void)
{
	endwin();
}

size_t screen_rows(void)
{
	return LINES > LINES_ABOVE + LINES_BELOW ? (size_t)(LINES - LINES_ABOVE - LINES_BELOW) : 0;
}

void screen_draw(struct top *top)
{
	const struct topdata_layout layout = find_layout();
	struct out text = {.fd = -1, .utf8 = top->ctl.out.utf8};

	erase();
	topdata_write_summary(&top->data, &text);
	put_line(0, &text, A_BOLD);
	draw_message(top);
	topdata_write_heading(&top->data, &text, &layout);
	put_line(LINES_ABOVE - 1, &text, A_REVERSE);
	if (top->helping)
		draw_help();
	else
		draw_rows(top, &layout);
	out_string(
	    &text, "q end  h help  s start  x stop  r restart  l logs  w why  / filter  sort: ");
	out_string(&text, topdata_sort_name(top->data.sort));
	out_string(&text, top->data.reverse ? " (reversed)" : "");
	put_line(LINES - 1, &text, A_DIM);
	out_done(&text);
	refresh();
}

/* One line, as wide as the screen, and empty the text. */
static void put_line(int line, struct out *text, int attributes)
{
	if (line < 0 || line >= LINES)
		return;
	attron(attributes);
	if (attributes & A_REVERSE)
		mvhline(line, 0, ' ', COLS);
	out_bytes(text, "", 1);
	if (text->error == 0) {
		struct out cut = {.fd = -1};

		out_text(&cut, text->data, (size_t)COLS);
		if (cut.error == 0)
			mvaddnstr(line, 0, cut.data, (int)cut.length);
		out_done(&cut);
	}
	attroff(attributes);
	text->length = 0;
}

/* Where there is little room the reasons get it. */
static struct topdata_layout find_layout(void)
{
	return (struct topdata_layout){.columns = (size_t)COLS,
	    .sparkline = COLS >= WIDE ? TOPDATA_SAMPLES : TOPDATA_SAMPLES / 4};
}

static int style_of(const struct top *top, enum out_style style)
{
	switch (style) {
	case OUT_GREEN:
	case OUT_YELLOW:
	case OUT_RED:
		return top->colour ? COLOR_PAIR(style) : A_NORMAL;
	case OUT_DIM:
		return A_DIM;
	case OUT_BOLD:
		return A_BOLD;
	case OUT_PLAIN:
	case OUT_BLUE:
	case OUT_MAGENTA:
	case OUT_CYAN:
		break;
	}
	return A_NORMAL;
}

static void draw_rows(struct top *top, const struct topdata_layout *layout)
{
	const struct topdata *data = &top->data;
	size_t rows = screen_rows();
	int64_t now_ns = clock_wall_ns();

	/* The selected one is on the screen, and the screen is as full as can be. */
	if (top->at < top->first)
		top->first = top->at;
	if (rows > 0 && top->at >= top->first + rows)
		top->first = top->at - rows + 1;
	if (top->first + rows > data->shown)
		top->first = data->shown > rows ? data->shown - rows : 0;
	for (size_t i = 0; i < rows && top->first + i < data->shown; i++) {
		const struct topdata_row *row = &data->rows[data->order[top->first + i]];
		struct out text = {.fd = -1, .utf8 = top->ctl.out.utf8};
		int attributes = style_of(top, row->style);

		if (data->code != EXITCODE_OK)
			attributes = A_DIM;
		if (top->first + i == top->at)
			attributes |= A_REVERSE;
		topdata_write_row(data, row, &text, now_ns, layout);
		put_line(LINES_ABOVE + (int)i, &text, attributes);
		out_done(&text);
	}
}

/* What needs to be known now: a question, the filter, that the daemon is away, what a key did. */
static void draw_message(struct top *top)
{
	struct out text = {.fd = -1};
	int attributes = A_NORMAL;

	if (top->stop_asked[0] != '\0') {
		out_format(&text, "stop %s? y stops it, any other key does not", top->stop_asked);
		attributes = A_BOLD;
	} else if (top->filtering) {
		out_format(&text, "/%s_", top->data.filter);
	} else if (top->data.code != EXITCODE_OK) {
		out_string(&text, "no supervisord answers; this is as it was");
		attributes = A_BOLD | style_of(top, OUT_RED);
	} else if (top->message[0] != '\0') {
		out_text(&text, top->message, 0);
	} else if (top->data.filter[0] != '\0') {
		out_format(&text, "%zu with \"%s\"; / and Enter shows all", top->data.shown,
		    top->data.filter);
	}
	put_line(1, &text, attributes);
	out_done(&text);
}

static void draw_help(void)
{
	for (size_t i = 0; i < sizeof(help) / sizeof(help[0]); i++)
		if (i < screen_rows())
			mvaddnstr(LINES_ABOVE + (int)i, 1, help[i], COLS > 1 ? COLS - 1 : 0);
}
