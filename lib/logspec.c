/* SPDX-License-Identifier: ISC */
/*
 * logspec.c: see logspec.h.  Layout: magic, count, then a fixed record each, then the strings.  The
 * reader checks every length although it trusts the writer: the table may come from an older build.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/limits.h"
#include "lib/logspec.h"

#define MAGIC 0x31636570736c6f67ULL

struct file_head {
	uint64_t magic;
	uint64_t count;
};

struct file_record {
	uint64_t max_bytes;
	uint32_t row;
	uint32_t keep;
	uint32_t name; /* offsets from the start of the file, of NUL-terminated strings */
	uint32_t path;
	uint32_t stream;
	uint32_t spare;
};

static int write_table(FILE *file, const struct logspec *specs, size_t count);
static int decode(struct logspec_table *table, size_t size);

int logspec_write(const struct logspec *specs, size_t count, int *ret_fd)
{
	FILE *file;
	int fd, error;

	fd = memfd_create("supervisord-logspecs", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -errno;
	file = fdopen(dup(fd), "w");
	if (file == NULL) {
		error = -errno;
		close(fd);
		return error;
	}
	error = write_table(file, specs, count);
	if (fclose(file) != 0 && error == 0)
		error = -errno;
	if (error == 0 &&
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
		error = -errno;
	if (error < 0) {
		close(fd);
		return error;
	}
	*ret_fd = fd;
	return 0;
}

int logspec_read(int fd, struct logspec_table *ret_table)
{
	struct logspec_table table = {0};
	struct stat st;
	int error;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size < (off_t)sizeof(struct file_head) || st.st_size > UINT32_MAX)
		return -EBADMSG;
	table.bytes = malloc((size_t)st.st_size);
	if (table.bytes == NULL)
		return -ENOMEM;
	if (pread(fd, table.bytes, (size_t)st.st_size, 0) != st.st_size)
		error = -EBADMSG;
	else
		error = decode(&table, (size_t)st.st_size);
	if (error < 0) {
		logspec_done(&table);
		return error;
	}
	*ret_table = table;
	return 0;
}

void logspec_done(struct logspec_table *table)
{
	free(table->specs);
	free(table->bytes);
	*table = (struct logspec_table){0};
}

const struct logspec *logspec_find(const struct logspec_table *table, uint32_t row, uint16_t stream)
{
	for (size_t i = 0; i < table->count; i++)
		if (table->specs[i].row == row && table->specs[i].stream == stream)
			return &table->specs[i];
	return NULL;
}

static int write_table(FILE *file, const struct logspec *specs, size_t count)
{
	struct file_head head = {.magic = MAGIC, .count = count};
	size_t at = sizeof(head) + count * sizeof(struct file_record);

	fwrite(&head, sizeof(head), 1, file);
	for (size_t i = 0; i < count; i++) {
		struct file_record record = {
		    .max_bytes = specs[i].max_bytes,
		    .row = specs[i].row,
		    .keep = specs[i].keep,
		    .stream = specs[i].stream,
		    .name = (uint32_t)at,
		    .path = (uint32_t)(at + strlen(specs[i].name) + 1),
		};

		at = record.path + strlen(specs[i].path) + 1;
		if (at > UINT32_MAX)
			return -EFBIG;
		fwrite(&record, sizeof(record), 1, file);
	}
	for (size_t i = 0; i < count; i++) {
		fwrite(specs[i].name, strlen(specs[i].name) + 1, 1, file);
		fwrite(specs[i].path, strlen(specs[i].path) + 1, 1, file);
	}
	return ferror(file) ? -EIO : 0;
}

static int decode(struct logspec_table *table, size_t size)
{
	struct file_head head;

	memcpy(&head, table->bytes, sizeof(head));
	if (head.magic != MAGIC || head.count > 2 * LIMIT_ROWS + 1 ||
	    head.count > (size - sizeof(head)) / sizeof(struct file_record))
		return -EBADMSG;
	if (head.count > 0 && table->bytes[size - 1] != '\0')
		return -EBADMSG;
	table->specs = calloc(head.count + 1, sizeof(*table->specs));
	if (table->specs == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < head.count; i++) {
		struct file_record record;

		memcpy(&record, table->bytes + sizeof(head) + i * sizeof(record), sizeof(record));
		if (record.name >= size || record.path >= size)
			return -EBADMSG;
		table->specs[i] = (struct logspec){
		    .row = record.row,
		    .stream = (uint16_t)record.stream,
		    .keep = record.keep,
		    .max_bytes = record.max_bytes,
		    .name = table->bytes + record.name,
		    .path = table->bytes + record.path,
		};
	}
	table->count = head.count;
	return 0;
}
