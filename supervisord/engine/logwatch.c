/* SPDX-License-Identifier: ISC */
/*
 * logwatch.c: see logwatch.h.
 *
 * The log is one stream of bytes that is cut into files: the archives and PATH.  A mark is a place
 * in that stream, and may lie past the end of its file: what earlier runs have left in the pipe is
 * skipped as it comes, wherever the logger puts it.  The file that is being read stays open, so a
 * rotation loses nothing; the logger never writes to a file that it has rotated away.  An archive
 * that is compressed before it was opened here is passed over.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <regex.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/archives.h"
#include "lib/clock.h"
#include "lib/limits.h"
#include "supervisord/engine/logwatch.h"

/* A mark: the offset, and above it so much of the file's identity as there is room for (0: there
 * was no file). */
#define MARK_OFFSET_BITS 44
#define MARK_OFFSET_MASK ((UINT64_C(1) << MARK_OFFSET_BITS) - 1)
#define MARK_FILE_BITS   (64 - MARK_OFFSET_BITS)

/* The logger may write or rotate between two looks that must fit each other; not every time. */
#define LOOK_AGAIN 100

/* The times of files come from a clock that ticks so slowly, and lag behind by as much. */
#define FILE_TICK_NS (10 * NS_PER_MS)

/* An open file of the log. */
struct member {
	int fd;         /* -1: none */
	struct stat st; /* as it was when it was opened */
};

struct logwatch {
	regex_t regex;
	char *path;
	struct archives archives; /* as they were listed last */
	uint64_t mark;
	int64_t since_wall_ns; /* of the mark */
	struct member file;    /* that is being read */
	bool left;             /* it was rotated away before the last read began */
	bool overlong;         /* the rest of this line is not looked at */
	off_t at;              /* the next byte to read */
	uint64_t skip;         /* bytes of earlier runs that come first */
	size_t length;         /* of the line so far */
	char line[LIMIT_CHECK_LINE + 1];
};

static uint64_t identify(int directory, const char *path, int flags, const struct stat *st);
static int begin(struct logwatch *watch);
static int open_marked(struct logwatch *watch, struct member *ret_file);
static int read_on(struct logwatch *watch, size_t *budget);
static void skip_bytes(struct logwatch *watch);
static bool match_lines(struct logwatch *watch, size_t seen);
static bool match_line(struct logwatch *watch, char *line, size_t length);
static int move_on(struct logwatch *watch);
static int open_next(struct logwatch *watch);
static int list_and_find_own(struct logwatch *watch);
static int open_since(struct logwatch *watch, int64_t since_wall_ns, struct member *ret_file);
static int64_t written_ns(const struct stat *st);
static int open_member(const struct logwatch *watch, size_t index, struct member *ret_file);
static bool is_same_file(const struct stat *one, const struct stat *other);

uint64_t logwatch_mark(const char *path, int pipe_fd)
{
	struct stat before, after;
	bool was = false, is;
	uint64_t file = 0;
	int waiting = 0;

	/*
	 * A splice holds the pipe's lock from before it writes to the file until it has taken the
	 * bytes out of the pipe, and FIONREAD takes that lock, too.  So with a file that has not
	 * changed from before to after it, no byte is counted twice or not at all.
	 */
	for (int i = 0; i < LOOK_AGAIN; i++) {
		was = stat(path, &before) == 0;
		if (was)
			file = identify(AT_FDCWD, path, AT_SYMLINK_FOLLOW, &before);
		if (pipe_fd >= 0 && ioctl(pipe_fd, FIONREAD, &waiting) < 0)
			waiting = 0;
		is = stat(path, &after) == 0;
		if (was == is &&
		    (!was || (is_same_file(&before, &after) && before.st_size == after.st_size)))
			break;
	}
	if (!was)
		return (uint64_t)waiting;
	return (file << MARK_OFFSET_BITS) |
	       (((uint64_t)before.st_size + (uint64_t)waiting) & MARK_OFFSET_MASK);
}

int logwatch_new(const char *path, const char *regex, uint64_t mark, int64_t since_wall_ns,
    struct logwatch **ret_watch)
{
	struct logwatch *watch = calloc(1, sizeof(*watch));

	if (watch == NULL)
		return -ENOMEM;
	if (regcomp(&watch->regex, regex, REG_EXTENDED | REG_NOSUB) != 0) {
		free(watch);
		return -EINVAL;
	}
	watch->path = strdup(path);
	if (watch->path == NULL) {
		regfree(&watch->regex);
		free(watch);
		return -ENOMEM;
	}
	archives_init(&watch->archives, watch->path);
	watch->mark = mark;
	watch->since_wall_ns = since_wall_ns - FILE_TICK_NS;
	watch->file.fd = -1;
	*ret_watch = watch;
	return 0;
}

void logwatch_free(struct logwatch *watch)
{
	if (watch == NULL)
		return;
	if (watch->file.fd >= 0)
		close(watch->file.fd);
	regfree(&watch->regex);
	archives_done(&watch->archives);
	free(watch->path);
	free(watch);
}

int logwatch_look(struct logwatch *watch)
{
	size_t budget = LIMIT_CHECK_LOG_READ;
	int result = 0;

	if (watch->file.fd < 0)
		result = begin(watch);
	if (result < 0)
		return result == -ENOENT ? 0 : result;
	for (;;) {
		result = read_on(watch, &budget);
		if (result != 0)
			return result;
		result = move_on(watch);
		if (result <= 0)
			return result;
	}
}

/*
 * Never 0.  Arguments as of name_to_handle_at(2): a file handle tells a file from a later one that
 * got its inode, which is what most file systems do at once.  Where there are none the inode must
 * do.
 */
static uint64_t identify(int directory, const char *path, int flags, const struct stat *st)
{
	union {
		struct file_handle head;
		char room[sizeof(struct file_handle) + MAX_HANDLE_SZ];
	} handle = {.head = {.handle_bytes = MAX_HANDLE_SZ}};
	uint64_t mixed = (uint64_t)st->st_ino;
	int mount;

	if (name_to_handle_at(directory, path, &handle.head, &mount, flags) == 0)
		for (unsigned i = 0; i < handle.head.handle_bytes; i++)
			mixed = (mixed ^ handle.head.f_handle[i]) * 0x9e3779b97f4a7c15ULL;
	else
		mixed *= 0x9e3779b97f4a7c15ULL;
	mixed >>= 64 - MARK_FILE_BITS;
	return mixed != 0 ? mixed : 1;
}

/* Open the first file.  0 or -errno; -ENOENT: there is none yet. */
static int begin(struct logwatch *watch)
{
	uint64_t offset = watch->mark & MARK_OFFSET_MASK;
	bool had_file = watch->mark >> MARK_OFFSET_BITS != 0;
	int error = had_file ? open_marked(watch, &watch->file) : -ENOENT;

	if (error == 0) {
		off_t size = watch->file.st.st_size;

		watch->at = offset < (uint64_t)size ? (off_t)offset : size;
		watch->skip = offset - (uint64_t)watch->at;
		return 0;
	}
	/* There was none then, or it is gone. */
	error = open_since(watch, watch->since_wall_ns, &watch->file);
	if (error == 0 && !had_file)
		watch->skip = offset;
	return error;
}

/* The newest first: what is rotated while we look is looked at once more as the log. */
static int open_marked(struct logwatch *watch, struct member *ret_file)
{
	int error = 0;

	for (int i = 0; i < LOOK_AGAIN && error == 0; i++) {
		size_t known = watch->archives.count;

		error = archives_read(&watch->archives);
		if (error < 0 || (i > 0 && watch->archives.count == known))
			break;
		for (size_t n = watch->archives.count + 1; n-- > 0;) {
			struct member file = {.fd = -1};

			if (open_member(watch, n, &file) != 0)
				continue;
			if (identify(file.fd, "", AT_EMPTY_PATH, &file.st) ==
			    watch->mark >> MARK_OFFSET_BITS) {
				*ret_file = file;
				return 0;
			}
			close(file.fd);
		}
	}
	return error < 0 ? error : -ENOENT;
}

/* To the end of the open file.  1: a line matches, 0: none does, -EAGAIN: the budget is spent. */
static int read_on(struct logwatch *watch, size_t *budget)
{
	struct stat st;

	if (fstat(watch->file.fd, &st) < 0)
		return -errno;
	if (st.st_size < watch->at) { /* somebody has emptied it */
		watch->at = 0;
		watch->length = 0;
		watch->overlong = false;
	}
	for (;;) {
		size_t seen = watch->length, wanted = LIMIT_CHECK_LINE - seen;
		ssize_t got;

		if (*budget == 0)
			return -EAGAIN;
		if (wanted > *budget)
			wanted = *budget;
		got = pread(watch->file.fd, watch->line + seen, wanted, watch->at);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			return 0;
		*budget -= (size_t)got;
		watch->at += got;
		watch->length += (size_t)got;
		skip_bytes(watch);
		if (match_lines(watch, seen))
			return 1;
	}
}

/* Of the bytes just read; there is no part of a line before the first one that counts. */
static void skip_bytes(struct logwatch *watch)
{
	size_t count = watch->skip < watch->length ? (size_t)watch->skip : watch->length;

	if (count == 0)
		return;
	watch->skip -= count;
	watch->length -= count;
	memmove(watch->line, watch->line + count, watch->length);
}

/* `seen`: bytes of the line that have no newline, as was found before. */
static bool match_lines(struct logwatch *watch, size_t seen)
{
	char *line = watch->line, *end = watch->line + watch->length;
	char *newline = memchr(line + seen, '\n', watch->length > seen ? watch->length - seen : 0);

	for (; newline != NULL; newline = memchr(line, '\n', (size_t)(end - line))) {
		bool whole = !watch->overlong;

		watch->overlong = false;
		if (whole && match_line(watch, line, (size_t)(newline - line)))
			return true;
		line = newline + 1;
	}
	watch->length = (size_t)(end - line);
	memmove(watch->line, line, watch->length);
	if (watch->length < LIMIT_CHECK_LINE)
		return false;
	/* Of a line that is too long its beginning counts. */
	watch->length = 0;
	if (watch->overlong)
		return false;
	watch->overlong = true;
	return match_line(watch, watch->line, LIMIT_CHECK_LINE);
}

/* There is room for a NUL behind the line. */
static bool match_line(struct logwatch *watch, char *line, size_t length)
{
	if (length > 0 && line[length - 1] == '\r')
		length--;
	for (size_t i = 0; i < length; i++)
		if (line[i] == '\0') /* would end it for regexec(3) */
			line[i] = ' ';
	line[length] = '\0';
	return regexec(&watch->regex, line, 0, NULL, 0) == 0;
}

/* At the end of the open file.  1: read on, 0: there is no more yet, else -errno. */
static int move_on(struct logwatch *watch)
{
	struct stat st;

	if (stat(watch->path, &st) < 0)
		return 0; /* the logger is about to make it, or nobody will write any more */
	if (is_same_file(&st, &watch->file.st))
		return 0;
	if (!watch->left) { /* what came between our last read and the rotation */
		watch->left = true;
		return 1;
	}
	return open_next(watch);
}

/* The file after the open one, which is left.  1: there it is, 0: not yet, else -errno. */
static int open_next(struct logwatch *watch)
{
	struct member next = {.fd = -1};
	int own = -ENOENT, error = -EAGAIN;
	struct stat st;

	for (int i = 0; i < LOOK_AGAIN && error == -EAGAIN; i++) {
		size_t n, count;

		own = list_and_find_own(watch);
		count = watch->archives.count;
		error = -ENOENT;
		for (n = own >= 0 ? (size_t)own + 1 : count + 1; n <= count && error == -ENOENT;
		     n++)
			error = open_member(watch, n, &next);
		if (error == 0 && n == count + 1 &&
		    (list_and_find_own(watch) != own || watch->archives.count != count)) {
			/* It was the log, and may have become so after another rotation. */
			close(next.fd);
			error = -EAGAIN;
		}
	}
	if (own < 0 && own != -ENOENT)
		return own;
	if (own < 0)
		error = fstat(watch->file.fd, &st) < 0 ? -errno
						       : open_since(watch, written_ns(&st), &next);
	if (error < 0)
		return error == -ENOENT || error == -EAGAIN ? 0 : error;
	close(watch->file.fd);
	watch->file = next;
	watch->at = 0;
	watch->left = false;
	return 1;
}

/* The index that the open file has now; -ENOENT: it is not among the archives. */
static int list_and_find_own(struct logwatch *watch)
{
	int error = archives_read(&watch->archives);

	return error < 0 ? error : archives_find_file(&watch->archives, &watch->file.st);
}

/* The oldest file that was written since then; the present one in any case. */
static int open_since(struct logwatch *watch, int64_t since_wall_ns, struct member *ret_file)
{
	int error = archives_read(&watch->archives);

	for (size_t n = 0; n < watch->archives.count && error == 0; n++) {
		struct member file;

		if (open_member(watch, n, &file) != 0)
			continue;
		if (written_ns(&file.st) >= since_wall_ns) {
			*ret_file = file;
			return 0;
		}
		close(file.fd);
	}
	return error < 0 ? error : open_member(watch, watch->archives.count, ret_file);
}

static int64_t written_ns(const struct stat *st)
{
	return (int64_t)st->st_mtim.tv_sec * NS_PER_S + st->st_mtim.tv_nsec;
}

/* -ENOENT also for one that is compressed. */
static int open_member(const struct logwatch *watch, size_t index, struct member *ret_file)
{
	enum logspec_compress form;
	struct member file;
	int error = archives_open(&watch->archives, index, &file.fd, &file.st, &form);

	if (error == 0 && form != LOGSPEC_PLAIN) {
		close(file.fd);
		error = -ENOENT;
	}
	if (error == 0)
		*ret_file = file;
	return error;
}

static bool is_same_file(const struct stat *one, const struct stat *other)
{
	return one->st_ino == other->st_ino && one->st_dev == other->st_dev;
}
