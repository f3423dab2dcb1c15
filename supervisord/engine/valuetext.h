/* SPDX-License-Identifier: ISC */
/* valuetext.h: values one after the other as text that a file could have, in one buffer. */
#ifndef ENGINE_VALUETEXT_H
#define ENGINE_VALUETEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "supervisord/engine/value.h"

struct valuetext {
	FILE *file;
	char *text; /* of the last value, NUL-terminated; "": it is unset */
	size_t length;
	size_t written; /* with the NUL; the file's own */
};

/* 0 or -ENOMEM; valuetext_done() is due in both cases. */
int valuetext_init(struct valuetext *text);
void valuetext_done(struct valuetext *text);

/* In place of what the text was.  False: no memory, and it is "". */
bool valuetext_put(struct valuetext *text, const struct key_row *row, const void *value);

#endif
