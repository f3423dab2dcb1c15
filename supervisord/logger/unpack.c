/* SPDX-License-Identifier: ISC */
/* unpack.c: see unpack.h. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "lib/limits.h"
#include "supervisord/logger/unpack.h"

/* inflateInit2(3): the largest window, and gzip's framing. */
#define GZIP_WINDOW (15 + 16)

struct unpack {
	int fd;
	enum logspec_compress how;
	z_stream gzip;
	ZSTD_DStream *zstd;
	size_t at, length; /* of the input that is not used up */
	bool at_end;       /* of the file */
	bool between;      /* two members or frames, where the file may end */
	unsigned char input[LIMIT_LOG_UNPACK];
};

static int init(struct unpack *unpack);
static int fill(struct unpack *unpack);
static ssize_t inflate_some(struct unpack *unpack, char *ret_bytes, size_t size);
static ssize_t decompress_some(struct unpack *unpack, char *ret_bytes, size_t size);

int unpack_new(int fd, enum logspec_compress how, struct unpack **ret_unpack)
{
	struct unpack *unpack = calloc(1, sizeof(*unpack));
	int error;

	if (unpack == NULL)
		return -ENOMEM;
	unpack->how = how;
	unpack->fd = -1;
	unpack->between = true;
	error = init(unpack);
	if (error < 0) {
		free(unpack);
		return error;
	}
	unpack->fd = fd;
	*ret_unpack = unpack;
	return 0;
}

void unpack_free(struct unpack *unpack)
{
	if (unpack == NULL)
		return;
	if (unpack->how == LOGSPEC_GZIP)
		(void)inflateEnd(&unpack->gzip);
	else
		(void)ZSTD_freeDStream(unpack->zstd);
	if (unpack->fd >= 0)
		close(unpack->fd);
	free(unpack);
}

ssize_t unpack_read(struct unpack *unpack, char *ret_bytes, size_t size)
{
	ssize_t got;
	int error;

	if (unpack->at == unpack->length && !unpack->at_end) {
		error = fill(unpack);
		if (error < 0)
			return error;
	}
	/* At the end of the file there may still be output that did not fit before. */
	got = unpack->how == LOGSPEC_GZIP ? inflate_some(unpack, ret_bytes, size)
					  : decompress_some(unpack, ret_bytes, size);
	if (got != 0)
		return got;
	if (!unpack->at_end || unpack->at < unpack->length)
		return -EAGAIN;
	return unpack->between ? 0 : -EBADMSG;
}

static int init(struct unpack *unpack)
{
	if (unpack->how == LOGSPEC_GZIP)
		return inflateInit2(&unpack->gzip, GZIP_WINDOW) == Z_OK ? 0 : -ENOMEM;
	unpack->zstd = ZSTD_createDStream();
	if (unpack->zstd == NULL)
		return -ENOMEM;
	(void)ZSTD_DCtx_setParameter(unpack->zstd, ZSTD_d_windowLogMax, LIMIT_LOG_UNPACK_WINDOW);
	return 0;
}

static int fill(struct unpack *unpack)
{
	ssize_t got;

	do
		got = read(unpack->fd, unpack->input, sizeof(unpack->input));
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	unpack->at = 0;
	unpack->length = (size_t)got;
	unpack->at_end = got == 0;
	return 0;
}

static ssize_t inflate_some(struct unpack *unpack, char *ret_bytes, size_t size)
{
	z_stream *gzip = &unpack->gzip;
	int r;

	if (unpack->between && unpack->at == unpack->length)
		return 0;
	if (unpack->between && inflateReset(gzip) != Z_OK)
		return -EBADMSG;
	unpack->between = false;
	gzip->next_in = unpack->input + unpack->at;
	gzip->avail_in = (uInt)(unpack->length - unpack->at);
	gzip->next_out = (Bytef *)ret_bytes;
	gzip->avail_out = (uInt)size;
	r = inflate(gzip, Z_NO_FLUSH);
	unpack->at = unpack->length - gzip->avail_in;
	if (r == Z_STREAM_END)
		unpack->between = true;
	else if (r != Z_OK && r != Z_BUF_ERROR)
		return r == Z_MEM_ERROR ? -ENOMEM : -EBADMSG;
	return (ssize_t)(size - gzip->avail_out);
}

static ssize_t decompress_some(struct unpack *unpack, char *ret_bytes, size_t size)
{
	ZSTD_inBuffer in = {unpack->input, unpack->length, unpack->at};
	ZSTD_outBuffer out = {ret_bytes, size, 0};
	size_t r;

	if (unpack->between && unpack->at == unpack->length)
		return 0;
	r = ZSTD_decompressStream(unpack->zstd, &out, &in);
	if (ZSTD_isError(r))
		return -EBADMSG;
	unpack->at = in.pos;
	unpack->between = r == 0;
	return (ssize_t)out.pos;
}
