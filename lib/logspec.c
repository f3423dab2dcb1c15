/* SPDX-License-Identifier: ISC */
/*
 * logspec.c: see logspec.h.  Layout: magic, size of a record, count, then a record each, then the
 * texts. The reader checks every length although it trusts the writer: the table may come from an
 * older build, whose records have another size.
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

#define MAGIC 0x32636570736c6f67ULL

struct file_head {
	uint64_t magic;
	uint64_t record_size;
	uint64_t count;
};

/* clang-format off */
#define NUMBER(type, member) type member;
/* Offset from the start of the file, of a NUL-terminated string; 0: NULL. */
#define TEXT(member) uint32_t member;
struct file_record {
	LOGSPEC_NUMBERS(NUMBER)
	LOGSPEC_TEXTS(TEXT)
};
#undef NUMBER
#undef TEXT
/* clang-format on */

static int write_table(FILE *file, const struct logspec *specs, size_t count);
static int find_shared(const struct logspec *specs, size_t count, bool **ret_shared);
static int compare_paths(const void *left, const void *right);
static int write_record(FILE *file, const struct logspec *spec, bool shared, size_t *at);
static void write_texts(FILE *file, const struct logspec *spec);
static int decode(struct logspec_table *table, size_t size);
static int decode_record(const struct logspec_table *table, size_t size,
    const struct file_record *record, struct logspec *ret_spec);

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

size_t logspec_text_size(const struct logspec *spec)
{
	size_t size = 0;

#define TEXT(member) size += spec->member != NULL ? strlen(spec->member) + 1 : 0;
	LOGSPEC_TEXTS(TEXT)
#undef TEXT
	return size;
}

char *logspec_copy(const struct logspec *spec, char *at, struct logspec *ret_copy)
{
	*ret_copy = *spec;
#define TEXT(member)                                                                               \
	if (spec->member != NULL) {                                                                \
		size_t length = strlen(spec->member) + 1;                                          \
                                                                                                   \
		ret_copy->member = memcpy(at, spec->member, length);                               \
		at += length;                                                                      \
	}
	LOGSPEC_TEXTS(TEXT)
#undef TEXT
	return at;
}

static int write_table(FILE *file, const struct logspec *specs, size_t count)
{
	struct file_head head = {
	    .magic = MAGIC, .record_size = sizeof(struct file_record), .count = count};
	size_t at = sizeof(head) + count * sizeof(struct file_record);
	bool *shared = NULL;
	int error = find_shared(specs, count, &shared);

	fwrite(&head, sizeof(head), 1, file);
	for (size_t i = 0; i < count && error == 0; i++)
		error = write_record(file, &specs[i], shared[i], &at);
	free(shared);
	for (size_t i = 0; i < count && error == 0; i++)
		write_texts(file, &specs[i]);
	return error < 0 ? error : ferror(file) ? -EIO : 0;
}

/* Which specs have a path that another one has, too.  Gives. */
static int find_shared(const struct logspec *specs, size_t count, bool **ret_shared)
{
	const struct logspec **by_path = calloc(count + 1, sizeof(const struct logspec *));
	bool *shared = calloc(count + 1, sizeof(*shared));

	if (by_path == NULL || shared == NULL) {
		free(by_path);
		free(shared);
		return -ENOMEM;
	}
	for (size_t i = 0; i < count; i++)
		by_path[i] = &specs[i];
	qsort(by_path, count, sizeof(*by_path), compare_paths);
	for (size_t i = 1; i < count; i++)
		if (strcmp(by_path[i]->path, by_path[i - 1]->path) == 0)
			shared[by_path[i] - specs] = shared[by_path[i - 1] - specs] = true;
	free(by_path);
	*ret_shared = shared;
	return 0;
}

static int compare_paths(const void *left, const void *right)
{
	const struct logspec *const *a = left, *const *b = right;

	return strcmp((*a)->path, (*b)->path);
}

/* `at`: where its texts will stand; moved past them. */
static int write_record(FILE *file, const struct logspec *spec, bool shared, size_t *at)
{
	struct file_record record;

	memset(&record, 0, sizeof(record));
#define NUMBER(type, member) record.member = spec->member;
	LOGSPEC_NUMBERS(NUMBER)
#undef NUMBER
	record.shared = shared;
#define TEXT(member)                                                                               \
	if (spec->member != NULL) {                                                                \
		record.member = (uint32_t)*at;                                                     \
		*at += strlen(spec->member) + 1;                                                   \
	}
	LOGSPEC_TEXTS(TEXT)
#undef TEXT
	fwrite(&record, sizeof(record), 1, file);
	return *at > UINT32_MAX ? -EFBIG : 0;
}

static void write_texts(FILE *file, const struct logspec *spec)
{
#define TEXT(member)                                                                               \
	if (spec->member != NULL)                                                                  \
		fwrite(spec->member, strlen(spec->member) + 1, 1, file);
	LOGSPEC_TEXTS(TEXT)
#undef TEXT
}

static int decode(struct logspec_table *table, size_t size)
{
	struct file_head head;

	memcpy(&head, table->bytes, sizeof(head));
	if (head.magic != MAGIC || head.record_size != sizeof(struct file_record) ||
	    head.count > 2 * LIMIT_ROWS + 1 ||
	    head.count > (size - sizeof(head)) / sizeof(struct file_record))
		return -EBADMSG;
	if (head.count > 0 && table->bytes[size - 1] != '\0')
		return -EBADMSG;
	table->specs = calloc(head.count + 1, sizeof(*table->specs));
	if (table->specs == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < head.count; i++) {
		struct file_record record;
		int error;

		memcpy(&record, table->bytes + sizeof(head) + i * sizeof(record), sizeof(record));
		error = decode_record(table, size, &record, &table->specs[i]);
		if (error < 0)
			return error;
	}
	table->count = head.count;
	return 0;
}

static int decode_record(const struct logspec_table *table, size_t size,
    const struct file_record *record, struct logspec *ret_spec)
{
	struct logspec spec = {0};

#define NUMBER(type, member) spec.member = record->member;
	LOGSPEC_NUMBERS(NUMBER)
#undef NUMBER
#define TEXT(member)                                                                               \
	if (record->member >= size)                                                                \
		return -EBADMSG;                                                                   \
	if (record->member > 0)                                                                    \
		spec.member = table->bytes + record->member;
	LOGSPEC_TEXTS(TEXT)
#undef TEXT
	if (spec.name == NULL || spec.path == NULL)
		return -EBADMSG;
	*ret_spec = spec;
	return 0;
}
