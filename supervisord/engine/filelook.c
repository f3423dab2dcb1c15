/* SPDX-License-Identifier: ISC */
/*
 * filelook.c: see filelook.h.
 *
 * The thread's last word is `over`: after that it never touches the look again, so it is freed by
 * the next one who comes by and finds it over and let go.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/limits.h"
#include "supervisord/engine/filelook.h"

/* It makes a few system calls; a sanitizer wants more than that. */
#define STACK_BYTES (256 * 1024)
/* At the end of the engine, for threads that are about to come back. */
#define LAST_WAIT_MS 100

struct filelook {
	struct filelook *next;
	char *path;
	int fd;
	bool ended; /* nobody wants to know any more */
	FILELOOK_ACT((*act));
	int option;
	void (*release)(void *subject); /* of answer.subject */
	int error; /* written by the thread before it makes the descriptor readable, and so is: */
	struct filelook_answer answer;
	atomic_bool answered;
	atomic_bool over; /* the thread is done with all of this */
};

static int begin(struct filelooks *looks, const char *path, const struct filelook *wanted,
    struct filelook **ret_look);
static int start_thread(struct filelook *look);
static void *look_at(void *context);
static uint64_t mark_of(const struct stat *st);
static void sweep(struct filelooks *looks);

void filelooks_done(struct filelooks *looks)
{
	mounts_done(&looks->mounts);
	for (struct filelook *look = looks->list; look != NULL; look = look->next)
		look->ended = true;
	sweep(looks);
	for (int ms = 0; looks->count > 0 && ms < LAST_WAIT_MS; ms++) {
		(void)poll(NULL, 0, 1);
		sweep(looks);
	}
}

int filelook_begin(struct filelooks *looks, const char *path, FILELOOK_ACT((*act)), int option,
    struct filelook **ret_look)
{
	struct filelook look = {.act = act, .option = option};

	return begin(looks, path, &look, ret_look);
}

int filelook_begin_with(struct filelooks *looks, const char *path, FILELOOK_ACT((*act)),
    void *subject, void (*release)(void *subject), struct filelook **ret_look)
{
	struct filelook look = {.act = act, .release = release, .answer.subject = subject};

	return begin(looks, path, &look, ret_look);
}

int filelook_fd(const struct filelook *look)
{
	return look->fd;
}

int filelook_get(struct filelook *look, struct filelook_answer *ret_answer)
{
	if (!atomic_load(&look->answered))
		return -EINPROGRESS;
	if (look->error == 0) {
		*ret_answer = look->answer;
		look->answer.fd = -1;
		look->answer.subject = NULL;
	}
	return look->error;
}

void filelook_end(struct filelook *look)
{
	look->ended = true;
}

bool filelook_hangs(const struct filelooks *looks, const char *path)
{
	for (const struct filelook *look = looks->list; look != NULL; look = look->next)
		if (look->ended && !atomic_load(&look->answered) && strcmp(look->path, path) == 0)
			return true;
	return false;
}

int filelook_now(struct filelooks *looks, const char *path, FILELOOK_ACT((*act)), int option,
    int timeout_ms, struct filelook_answer *ret_answer)
{
	struct filelook *look;
	int error = filelook_begin(looks, path, act, option, &look);

	return error < 0 ? error : filelook_wait(look, timeout_ms, ret_answer);
}

int filelook_wait(struct filelook *look, int timeout_ms, struct filelook_answer *ret_answer)
{
	struct pollfd wait = {.fd = look->fd, .events = POLLIN};
	int error;

	(void)poll(&wait, 1, timeout_ms); /* no signal reaches us */
	error = filelook_get(look, ret_answer);
	filelook_end(look);
	return error == -EINPROGRESS ? -ETIMEDOUT : error;
}

FILELOOK_ACT(filelook_stat)
{
	struct stat st;

	(void)option;
	if (stat(path, &st) < 0)
		return -errno;
	ret_answer->mark = mark_of(&st);
	return 0;
}

static int begin(struct filelooks *looks, const char *path, const struct filelook *wanted,
    struct filelook **ret_look)
{
	struct filelook *look;
	int error;

	sweep(looks);
	if (looks->count >= LIMIT_FILE_LOOKS)
		return -EAGAIN;
	look = malloc(sizeof(*look));
	if (look == NULL)
		return -ENOMEM;
	*look = *wanted;
	look->answer.fd = -1;
	look->path = strdup(path);
	look->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	error = look->path == NULL ? -ENOMEM : look->fd < 0 ? -errno : start_thread(look);
	if (error < 0) {
		if (look->fd >= 0)
			close(look->fd);
		free(look->path);
		free(look);
		return error;
	}
	look->next = looks->list;
	looks->list = look;
	looks->count++;
	*ret_look = look;
	return 0;
}

/* Its signal mask is ours: all blocked. */
static int start_thread(struct filelook *look)
{
	pthread_attr_t attributes;
	pthread_t thread;
	int error = pthread_attr_init(&attributes);

	if (error != 0)
		return -error;
	error = pthread_attr_setstacksize(&attributes, STACK_BYTES);
	if (error == 0)
		error = pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	if (error == 0)
		error = pthread_create(&thread, &attributes, look_at, look);
	(void)pthread_attr_destroy(&attributes);
	return -error;
}

static void *look_at(void *context)
{
	static const uint64_t one = 1;
	struct filelook *look = context;

	look->error = look->act(look->path, look->option, &look->answer);
	atomic_store(&look->answered, true);
	(void)!write(look->fd, &one, sizeof(one));
	atomic_store(&look->over, true);
	return NULL;
}

/* A file that is written anew may get the old one's inode: its times and its size tell. */
static uint64_t mark_of(const struct stat *st)
{
	const uint64_t parts[] = {(uint64_t)st->st_dev, (uint64_t)st->st_ino, (uint64_t)st->st_size,
	    (uint64_t)st->st_ctim.tv_sec, (uint64_t)st->st_ctim.tv_nsec,
	    (uint64_t)st->st_mtim.tv_sec, (uint64_t)st->st_mtim.tv_nsec};
	uint64_t mark = 1;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		mark = (mark ^ parts[i]) * 0x9e3779b97f4a7c15ULL;
		mark ^= mark >> 32;
	}
	return mark != 0 ? mark : 1;
}

/* Free what is over and let go. */
static void sweep(struct filelooks *looks)
{
	struct filelook **at = &looks->list;

	while (*at != NULL) {
		struct filelook *look = *at;

		if (!look->ended || !atomic_load(&look->over)) {
			at = &look->next;
			continue;
		}
		*at = look->next;
		looks->count--;
		if (look->answer.fd >= 0)
			close(look->answer.fd);
		if (look->answer.subject != NULL)
			look->release(look->answer.subject);
		close(look->fd);
		free(look->path);
		free(look);
	}
}
