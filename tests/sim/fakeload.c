/* SPDX-License-Identifier: ISC */
/* fakeload.c: what is left of the load of configurations where nobody writes nonsense. */
#include "supervisord/engine/confreport.h"
#include "supervisord/engine/confshow.h"
#include "supervisord/engine/confstamp.h"
#include "supervisord/engine/parse.h"
#include "supervisord/engine/streams.h"
#include "supervisord/engine/value.h"
#include "lib/nearest.h"

/* Where a key stands is only told to people. */
int parse_text(const char *file, const char *text, size_t length, struct confreport *report,
    int (*each)(void *context, const struct stanza *stanza), void *context,
    struct parse_result *ret_result)
{
	(void)file;
	(void)text;
	(void)length;
	(void)report;
	(void)each;
	(void)context;
	*ret_result = (struct parse_result){.complete = true};
	return 0;
}

void confreport_add(
    struct confreport *report, const char *file, int line, const char *key, const char *format, ...)
{
	(void)report;
	(void)file;
	(void)line;
	(void)key;
	(void)format;
}

void confshow_errors(
    struct jsonw *w, const struct config_errors *errors, const struct config_errors *notes)
{
	(void)w;
	(void)errors;
	(void)notes;
}

void confstamp_free(struct confstamp *stamp)
{
	(void)stamp;
}

const char *value_check_name(const char *name)
{
	(void)name;
	return NULL;
}

const char *nearest_find(const char *word, const char *const *names, size_t count)
{
	(void)word;
	(void)names;
	(void)count;
	return NULL;
}

size_t streams_count_unlogged(const struct streams *streams, const struct slots *slots)
{
	(void)streams;
	(void)slots;
	return 0;
}
