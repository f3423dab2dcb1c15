/* SPDX-License-Identifier: ISC */
/* compress.c: see compress.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "lib/writeall.h"
#include "supervisord/logger/compress.h"

#define BLOCK_BYTES (64 * 1024)
/* deflateInit2(3): the largest window, and a header of gzip instead of zlib. */
#define GZIP_WINDOW (15 + 16)
#define GZIP_MEMORY 8
#define LOWEST_NICE 19
/* ioprio_set(2) has no header. */
#define IOPRIO_WHO_PROCESS 1
#define IOPRIO_IDLE        (3 << 13)

static void lower_priority(void);
static int make_compressed(
    const char *from, const char *half, enum logspec_compress form, struct stat *ret_st);
static int copy(enum logspec_compress form, int in_fd, int out_fd);
static int copy_gzip(int in_fd, int out_fd);
static int copy_zstd(int in_fd, int out_fd);
static ssize_t read_block(int fd, unsigned char *block);
static int take_attributes(int fd, const struct stat *st);
static int put_in_place(const char *from, const char *half, const char *to);

int compress_start(const char *path, const struct archive *archive, enum logspec_compress form,
    pid_t *ret_pid, int *ret_pidfd)
{
	pid_t parent = getpid(), pid = fork();
	int pidfd, error;

	if (pid < 0)
		return -errno;
	if (pid == 0) {
		/* Not of the logger's pipes, sockets and files is one ours. */
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent ||
		    syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0) < 0)
			_exit(errno > 0 ? errno : EIO);
		(void)prctl(PR_SET_NAME, "log-compress");
		lower_priority();
		_exit(-compress_archive(path, archive, form));
	}
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (pidfd < 0) {
		error = -errno;
		(void)kill(pid, SIGKILL);
		(void)waitpid(pid, NULL, 0);
		return error;
	}
	*ret_pid = pid;
	*ret_pidfd = pidfd;
	return 0;
}

int compress_archive(const char *path, const struct archive *archive, enum logspec_compress form)
{
	char from[ARCHIVE_PATH_SIZE], to[ARCHIVE_PATH_SIZE],
	    half[ARCHIVE_PATH_SIZE + sizeof(ARCHIVE_HALF)];
	struct archive compressed = *archive;
	struct stat st;
	int error;

	compressed.form = form;
	error = archive_format_path(from, sizeof(from), path, archive);
	if (error == 0)
		error = archive_format_path(to, sizeof(to), path, &compressed);
	if (error < 0)
		return error;
	(void)snprintf(half, sizeof(half), "%s" ARCHIVE_HALF, to);
	error = make_compressed(from, half, form, &st);
	if (error == 0)
		error = put_in_place(from, half, to);
	if (error < 0)
		(void)unlink(half);
	return error == -ENOENT ? 0 : error;
}

/* Neither processor nor disk is taken from anybody. */
static void lower_priority(void)
{
	(void)setpriority(PRIO_PROCESS, 0, LOWEST_NICE);
	(void)syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_IDLE);
}

static int make_compressed(
    const char *from, const char *half, enum logspec_compress form, struct stat *ret_st)
{
	int in_fd = open(from, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), out_fd = -1,
	    error = 0;

	if (in_fd < 0)
		return -errno;
	if (fstat(in_fd, ret_st) < 0)
		error = -errno;
	else if (!S_ISREG(ret_st->st_mode))
		error = -EINVAL;
	if (error == 0) {
		(void)unlink(half);
		out_fd = open(half, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (out_fd < 0)
			error = -errno;
	}
	if (error == 0)
		error = copy(form, in_fd, out_fd);
	if (error == 0)
		error = take_attributes(out_fd, ret_st);
	if (error == 0 && fsync(out_fd) < 0)
		error = -errno;
	close(in_fd);
	if (out_fd >= 0 && close(out_fd) < 0 && error == 0)
		error = -errno;
	return error;
}

static int copy(enum logspec_compress form, int in_fd, int out_fd)
{
	switch (form) {
	case LOGSPEC_PLAIN:
		break;
	case LOGSPEC_GZIP:
		return copy_gzip(in_fd, out_fd);
	case LOGSPEC_ZSTD:
		return copy_zstd(in_fd, out_fd);
	}
	return -EINVAL;
}

static int copy_gzip(int in_fd, int out_fd)
{
	static unsigned char in[BLOCK_BYTES], out[BLOCK_BYTES];
	z_stream stream = {0};
	ssize_t got;
	int error = 0;

	if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, GZIP_MEMORY,
		Z_DEFAULT_STRATEGY) != Z_OK)
		return -ENOMEM;
	do {
		got = read_block(in_fd, in);
		if (got < 0) {
			error = (int)got;
			break;
		}
		stream.next_in = in;
		stream.avail_in = (uInt)got;
		do {
			stream.next_out = out;
			stream.avail_out = sizeof(out);
			(void)deflate(&stream, got == 0 ? Z_FINISH : Z_NO_FLUSH);
			error = write_all(out_fd, out, sizeof(out) - stream.avail_out);
		} while (stream.avail_out == 0 && error == 0);
	} while (got > 0 && error == 0);
	(void)deflateEnd(&stream);
	return error;
}

static int copy_zstd(int in_fd, int out_fd)
{
	static unsigned char in[BLOCK_BYTES], out[BLOCK_BYTES];
	ZSTD_CCtx *context = ZSTD_createCCtx();
	int error = context == NULL ? -ENOMEM : 0;
	ssize_t got = 1;

	if (error == 0 && ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)))
		error = -EINVAL;
	while (got > 0 && error == 0) {
		ZSTD_inBuffer from = {.src = in};
		size_t left;

		got = read_block(in_fd, in);
		if (got < 0)
			error = (int)got;
		from.size = got > 0 ? (size_t)got : 0;
		do {
			ZSTD_outBuffer to = {.dst = out, .size = sizeof(out)};

			if (error < 0)
				break;
			left = ZSTD_compressStream2(
			    context, &to, &from, got == 0 ? ZSTD_e_end : ZSTD_e_continue);
			error = ZSTD_isError(left) ? -EIO : write_all(out_fd, out, to.pos);
		} while (got == 0 ? left > 0 : from.pos < from.size);
	}
	(void)ZSTD_freeCCtx(context);
	return error;
}

static ssize_t read_block(int fd, unsigned char *block)
{
	ssize_t got;

	do
		got = read(fd, block, BLOCK_BYTES);
	while (got < 0 && errno == EINTR);
	return got < 0 ? -errno : got;
}

/* As the archive: owner, mode and time. */
static int take_attributes(int fd, const struct stat *st)
{
	const struct timespec times[2] = {st->st_atim, st->st_mtim};

	if (fchown(fd, st->st_uid, st->st_gid) < 0 && errno != EPERM)
		return -errno;
	if (fchmod(fd, st->st_mode & 07777) < 0 || futimens(fd, times) < 0)
		return -errno;
	return 0;
}

/* When the archive has been removed meanwhile, the compressed one goes as well. */
static int put_in_place(const char *from, const char *half, const char *to)
{
	char directory[ARCHIVE_PATH_SIZE];
	const char *slash = strrchr(to, '/');
	size_t length = slash != NULL ? (size_t)(slash - to) + 1 : 0;
	int fd;

	if (rename(half, to) < 0)
		return -errno;
	memcpy(directory, to, length);
	directory[length] = '\0';
	/* The new name is on disk before the old one goes. */
	fd = open(length > 0 ? directory : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		(void)fsync(fd);
		close(fd);
	}
	if (unlink(from) == 0)
		return 0;
	if (errno == ENOENT)
		(void)unlink(to);
	return -errno;
}
