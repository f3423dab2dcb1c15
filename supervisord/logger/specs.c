/* SPDX-License-Identifier: ISC */
/* specs.c: see specs.h. */
#include <errno.h>
#include <stdlib.h>

#include "supervisord/logger/specs.h"

static int pack(const struct logspec_table *table, struct logspec_table *ret_packed);
static int compare_specs(const void *left, const void *right);

int specs_read(int fd, struct specs *ret_specs)
{
	struct logspec_table table;
	int error = logspec_read(fd, &table);

	if (error < 0)
		return error;
	if (table.count > 0)
		qsort(table.specs, table.count, sizeof(*table.specs), compare_specs);
	error = pack(&table, &ret_specs->table);
	logspec_done(&table);
	return error;
}

void specs_done(struct specs *specs)
{
	logspec_done(&specs->table);
}

const struct logspec *specs_find(const struct specs *specs, uint32_t row, uint16_t stream)
{
	const struct logspec key = {.row = row, .stream = stream};

	if (specs->table.count == 0)
		return NULL;
	return bsearch(&key, specs->table.specs, specs->table.count, sizeof(key), compare_specs);
}

struct logspec *specs_copy(const struct logspec *spec)
{
	struct logspec *copy = malloc(sizeof(*copy) + logspec_text_size(spec));

	if (copy != NULL)
		(void)logspec_copy(spec, (char *)(copy + 1), copy);
	return copy;
}

const char *specs_stream_name(uint16_t stream)
{
	return stream == 0 ? "stdout" : "stderr";
}

/* One block with the specs and their texts: the table as it was read has each record twice. */
static int pack(const struct logspec_table *table, struct logspec_table *ret_packed)
{
	size_t size = table->count * sizeof(*table->specs);
	struct logspec *specs;
	char *at;

	for (size_t i = 0; i < table->count; i++)
		size += logspec_text_size(&table->specs[i]);
	specs = malloc(size + 1);
	if (specs == NULL)
		return -ENOMEM;
	at = (char *)(specs + table->count);
	for (size_t i = 0; i < table->count; i++)
		at = logspec_copy(&table->specs[i], at, &specs[i]);
	*ret_packed = (struct logspec_table){.count = table->count, .specs = specs};
	return 0;
}

static int compare_specs(const void *left, const void *right)
{
	const struct logspec *a = left, *b = right;

	if (a->row != b->row)
		return a->row < b->row ? -1 : 1;
	return (a->stream > b->stream) - (a->stream < b->stream);
}
