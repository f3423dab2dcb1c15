/* SPDX-License-Identifier: ISC */
/* keys.c: what each key does; see top.h. */
#include <curses.h>
#include <string.h>

#include "ctl/top/top.h"
#include "ctl/verbs.h"

#define KEY_ESCAPE 27
#define CTRL(key)  ((key)&0x1f)

static bool take_filter_key(struct top *top, int key);
static bool take_movement(struct top *top, int key);
static bool take_sort(struct top *top, int key);
static void move_to(struct top *top, size_t at);
static void show_selected(struct top *top, const char *verb, const char *option);

bool keys_take(struct top *top, int key)
{
	bool asked = top->stop_asked[0] != '\0';

	if (key == KEY_RESIZE)
		return true;
	if (top->filtering)
		return take_filter_key(top, key);
	top->message[0] = '\0';
	top->helping = key == 'h' || key == '?';
	if (asked && (key == 'y' || key == 'Y'))
		act_command(top, "stop", top->stop_asked);
	top->stop_asked[0] = '\0';
	if (asked || take_movement(top, key) || take_sort(top, key))
		return true;
	switch (key) {
	case 'q':
	case 'Q':
		return false;
	case '/':
		top->filtering = true;
		top->data.filter[0] = '\0';
		topdata_arrange(&top->data);
		break;
	case 's':
		act_command(top, "start", top->selected);
		break;
	case 'r':
		act_command(top, "restart", top->selected);
		break;
	case 'x':
		memcpy(top->stop_asked, top->selected, sizeof(top->stop_asked));
		break;
	case 'l':
		show_selected(top, "logs", "-f");
		break;
	case 'i':
		show_selected(top, "status", "-l");
		break;
	case 'w':
		if (verbs_find("why") != NULL)
			show_selected(top, "why", NULL);
		else
			show_selected(top, "status", "-l");
		break;
	}
	return true;
}

static bool take_filter_key(struct top *top, int key)
{
	char *filter = top->data.filter;
	size_t length = strlen(filter);

	if (key == '\n' || key == '\r' || key == KEY_ENTER) {
		top->filtering = false;
	} else if (key == KEY_ESCAPE) {
		top->filtering = false;
		filter[0] = '\0';
	} else if ((key == KEY_BACKSPACE || key == 127 || key == CTRL('h')) && length > 0) {
		filter[length - 1] = '\0';
	} else if (key > ' ' && key < 127 && length + 1 < sizeof(top->data.filter)) {
		filter[length] = (char)key;
		filter[length + 1] = '\0';
	}
	topdata_arrange(&top->data);
	return true;
}

static bool take_movement(struct top *top, int key)
{
	size_t page = screen_rows() > 0 ? screen_rows() : 1;
	size_t last = top->data.shown > 0 ? top->data.shown - 1 : 0;

	switch (key) {
	case KEY_UP:
	case 'k':
		move_to(top, top->at > 0 ? top->at - 1 : 0);
		return true;
	case KEY_DOWN:
	case 'j':
		move_to(top, top->at < last ? top->at + 1 : last);
		return true;
	case KEY_PPAGE:
		move_to(top, top->at > page ? top->at - page : 0);
		return true;
	case KEY_NPAGE:
		move_to(top, top->at + page < last ? top->at + page : last);
		return true;
	case KEY_HOME:
		move_to(top, 0);
		return true;
	case KEY_END:
		move_to(top, last);
		return true;
	default:
		return false;
	}
}

static void move_to(struct top *top, size_t at)
{
	const struct topdata *data = &top->data;

	top->at = at;
	if (at < data->shown)
		memcpy(top->selected, data->rows[data->order[at]].name, sizeof(top->selected));
}

static bool take_sort(struct top *top, int key)
{
	static const struct {
		int key;
		enum topdata_sort sort;
	} sorts[] = {
	    {'n', TOPDATA_NAME},
	    {'t', TOPDATA_STATE},
	    {'c', TOPDATA_CPU},
	    {'m', TOPDATA_MEMORY},
	    {'u', TOPDATA_STARTS},
	    {'a', TOPDATA_AGE},
	};

	for (size_t i = 0; i < sizeof(sorts) / sizeof(sorts[0]); i++) {
		if (sorts[i].key != key)
			continue;
		top->data.reverse = top->data.sort == sorts[i].sort && !top->data.reverse;
		top->data.sort = sorts[i].sort;
		topdata_arrange(&top->data);
		top->first = 0;
		move_to(top, 0);
		return true;
	}
	return false;
}

static void show_selected(struct top *top, const char *verb, const char *option)
{
	const char *words[3] = {verb};
	size_t count = 1;
	/* A log may have nothing to show for long. */
	bool follows = option != NULL && strcmp(option, "-f") == 0;

	if (top->selected[0] == '\0')
		return;
	if (option != NULL)
		words[count++] = option;
	words[count++] = top->selected;
	act_show(top, follows ? "-- Ctrl-C ends this --\r\n" : "", words, count);
}
