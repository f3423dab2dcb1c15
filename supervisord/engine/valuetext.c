/* SPDX-License-Identifier: ISC */
/* valuetext.c: see valuetext.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>

#include "supervisord/engine/valuetext.h"

int valuetext_init(struct valuetext *text)
{
	*text = (struct valuetext){0};
	text->file = open_memstream(&text->text, &text->written);
	return text->file != NULL ? 0 : -ENOMEM;
}

void valuetext_done(struct valuetext *text)
{
	if (text->file != NULL)
		fclose(text->file);
	free(text->text);
	*text = (struct valuetext){0};
}

bool valuetext_put(struct valuetext *text, const struct key_row *row, const void *value)
{
	rewind(text->file);
	value_write(row, value, text->file);
	putc_unlocked('\0', text->file);
	if (fflush(text->file) == 0) {
		text->length = text->written - 1;
		return true;
	}
	text->length = 0;
	if (text->text != NULL)
		text->text[0] = '\0';
	return false;
}
