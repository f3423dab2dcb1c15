/* SPDX-License-Identifier: ISC */
/* tab.c: completion in the shell, by complete.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/complete.h"
#include "ctl/shell/shell.h"
#include "ctl/words.h"

#define LIST_MAX 200 /* shown; of more only how many there are */
#define GAP      2

/* The candidates that begin as the word at hand. */
struct found {
	const char *current;
	char **list;
	size_t count;
	size_t common; /* bytes in which all agree */
	size_t longest;
};

static void on_candidate(void *context, const char *word);
static unsigned char offer(EditLine *edit, const struct found *found);
static void show(struct shell *shell, const struct found *found);

unsigned char shell_complete(EditLine *edit, int key)
{
	const LineInfo *line = el_line(edit);
	struct shell *shell = NULL;
	struct found found = {.current = ""};
	unsigned char result = CC_ERROR;
	struct words words;

	(void)key;
	el_get(edit, EL_CLIENTDATA, &shell);
	if (words_split(line->buffer, (size_t)(line->cursor - line->buffer), &words) == 0 &&
	    !words.open) {
		size_t before = words.count;

		if (!words.blank && words.count > 0)
			found.current = words.list[--before];
		complete_offer(
		    &shell->ctl, words.list, before, found.current, on_candidate, &found);
		if (before == 0)
			on_candidate(&found, "exit");
		result = offer(edit, &found);
		if (result == CC_REDISPLAY)
			show(shell, &found);
	}
	for (size_t i = 0; i < found.count; i++)
		free(found.list[i]);
	free(found.list);
	words_done(&words);
	return result;
}

static void on_candidate(void *context, const char *word)
{
	struct found *found = context;
	char **list;
	size_t i = 0;

	if (strncmp(word, found->current, strlen(found->current)) != 0)
		return;
	list = realloc(found->list, (found->count + 1) * sizeof(*list));
	if (list == NULL)
		return;
	found->list = list;
	list[found->count] = strdup(word);
	if (list[found->count] == NULL)
		return;
	if (found->count++ == 0)
		found->common = strlen(word);
	while (i < found->common && list[0][i] == word[i])
		i++;
	found->common = i;
	if (strlen(word) > found->longest)
		found->longest = strlen(word);
}

/* What all candidates agree in goes into the line; REDISPLAY: nothing does, and they are to be
 * shown. */
static unsigned char offer(EditLine *edit, const struct found *found)
{
	size_t typed = strlen(found->current);
	char *rest;

	if (found->count == 0)
		return CC_ERROR;
	if (found->common <= typed && found->count > 1)
		return CC_REDISPLAY;
	rest = strndup(found->list[0] + typed, found->common - typed);
	if (rest == NULL)
		return CC_ERROR;
	(void)el_insertstr(edit, rest);
	free(rest);
	if (found->count == 1)
		(void)el_insertstr(edit, " ");
	return CC_REFRESH;
}

static void show(struct shell *shell, const struct found *found)
{
	struct out *out = &shell->ctl.out;
	size_t column = found->longest + GAP, columns, lines;

	/* The terminal may have changed. */
	out_done(out);
	out_init(out, STDOUT_FILENO);
	columns = out->width > column ? out->width / column : 1;
	lines = (found->count + columns - 1) / columns;
	out_string(out, "\n");
	if (found->count > LIST_MAX) {
		out_format(out, "%zu possibilities\n", found->count);
	} else {
		for (size_t line = 0; line < lines; line++) {
			for (size_t i = line; i < found->count; i += lines) {
				out_text(out, found->list[i], 0);
				if (i + lines < found->count)
					out_pad(out, column - strlen(found->list[i]));
			}
			out_string(out, "\n");
		}
	}
	out_flush(out);
}
