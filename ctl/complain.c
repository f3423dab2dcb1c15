/* SPDX-License-Identifier: ISC */
/* complain.c: ctl_complain() of ctl.h, apart from main.c so that unit tests can link it. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "ctl/ctl.h"

void ctl_complain(struct ctl *ctl, const char *format, ...)
{
	va_list arguments;
	char *text = NULL;
	size_t start;
	int length;

	va_start(arguments, format);
	length = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	if (length >= 0)
		text = malloc((size_t)length + 1);
	if (text != NULL) {
		va_start(arguments, format);
		vsnprintf(text, (size_t)length + 1, format, arguments);
		va_end(arguments);
	}
	/* What was printed before comes first, also when both go to one terminal. */
	out_flush(&ctl->out);
	start = ctl->err.length;
	out_string(&ctl->err, "superctl: ");
	out_text(&ctl->err, text != NULL ? text : "out of memory", 0);
	out_end_line(&ctl->err, start, 2);
	out_flush(&ctl->err);
	free(text);
}
