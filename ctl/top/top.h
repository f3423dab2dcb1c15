/* SPDX-License-Identifier: ISC */
/* top.h: superctl top on a terminal. */
#ifndef CTL_TOP_TOP_H
#define CTL_TOP_TOP_H

#include "ctl/topdata.h"

struct top {
	struct ctl ctl;
	struct topdata data;
	char selected[LIMIT_NAME];   /* the program that keys are about; "": none yet */
	size_t at;                   /* its place in the order */
	size_t first;                /* the first one on the screen */
	char message[256];           /* what the last key did; "": nothing to say */
	char stop_asked[LIMIT_NAME]; /* stop this one, once y is pressed */
	bool filtering;              /* the filter is being typed */
	bool helping;
	bool colour;
};

/* Draw everything.  (screen.c) */
void screen_open(struct top *top);
void screen_close(void);
void screen_draw(struct top *top);
/* Lines of programs that fit. */
size_t screen_rows(void);

/* Do what a key says.  False: it was the last.  (keys.c) */
bool keys_take(struct top *top, int key);

/* Start, stop or restart the selected program without waiting; what came of it is the message.
 * (act.c) */
void act_command(struct top *top, const char *verb, const char *name);
/* Show what a command prints, on the whole terminal, below `heading`. */
void act_show(struct top *top, const char *heading, const char *const *words, size_t count);

#endif
