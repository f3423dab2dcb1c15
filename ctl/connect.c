/* SPDX-License-Identifier: ISC */
/* connect.c: see connect.h. */
#define _GNU_SOURCE /* struct ucred */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/rundir.h"
#include "ctl/connect.h"
#include "ctl/remote.h"

#define CANDIDATES 2

struct candidate {
	char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	bool check_peer;
	int error; /* 0: not tried */
};

static int list_candidates(struct ctl *ctl, struct candidate *candidates, size_t *ret_count);
static int connect_candidate(const struct candidate *candidate);
static enum exitcode complain(
    struct ctl *ctl, bool quiet, const struct candidate *candidates, size_t count);

enum exitcode connect_daemon(struct ctl *ctl, bool quiet, int *ret_fd)
{
	struct candidate candidates[CANDIDATES] = {0};
	size_t count = 0;

	if (ctl->options.host != NULL)
		return remote_connect(ctl, quiet, ret_fd);
	if (list_candidates(ctl, candidates, &count) < 0) {
		if (!quiet)
			ctl_complain(ctl, "%s: a socket's path has at most %zu bytes",
			    ctl->options.socket != NULL ? ctl->options.socket
							: "SUPERCTL_SOCKET or XDG_RUNTIME_DIR",
			    sizeof(candidates[0].path) - 1);
		return EXITCODE_USAGE;
	}
	for (size_t i = 0; i < count; i++) {
		int fd = connect_candidate(&candidates[i]);

		if (fd >= 0) {
			*ret_fd = fd;
			return EXITCODE_OK;
		}
		candidates[i].error = -fd;
	}
	return complain(ctl, quiet, candidates, count);
}

static int set_path(struct candidate *candidate, const char *path)
{
	size_t length = strlen(path);

	if (length == 0 || length >= sizeof(candidate->path))
		return -ENAMETOOLONG;
	memcpy(candidate->path, path, length + 1);
	return 0;
}

static int set_in_directory(struct candidate *candidate, const char *directory)
{
	return rundir_socket(directory, candidate->path, sizeof(candidate->path));
}

static int list_candidates(struct ctl *ctl, struct candidate *candidates, size_t *ret_count)
{
	const char *named = ctl->options.socket;
	char directory[sizeof(candidates->path)];
	int r;

	if (named == NULL)
		named = getenv("SUPERCTL_SOCKET");
	*ret_count = 1;
	if (named != NULL && (named[0] != '\0' || named == ctl->options.socket))
		return set_path(&candidates[0], named);
	r = rundir_default(directory, sizeof(directory));
	if (r == 0)
		r = set_in_directory(&candidates[0], directory);
	candidates[0].check_peer = true;
	if (r < 0 || geteuid() == 0)
		return r;
	*ret_count = 2;
	r = rundir_system(directory, sizeof(directory));
	return r < 0 ? r : set_in_directory(&candidates[1], directory);
}

/* -EOWNERDEAD stands for a socket of somebody else where only ours may be. */
static int check_peer(int fd)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return -errno;
	return peer.uid == 0 || peer.uid == geteuid() ? 0 : -EOWNERDEAD;
}

static int connect_candidate(const struct candidate *candidate)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int r = 0;

	if (fd < 0)
		return -errno;
	memcpy(address.sun_path, candidate->path, strlen(candidate->path) + 1);
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		r = -errno;
	else if (candidate->check_peer)
		r = check_peer(fd);
	if (r < 0) {
		close(fd);
		return r;
	}
	return fd;
}

static const char *explain(int error)
{
	switch (error) {
	case ENOENT:
		return "not there";
	case ECONNREFUSED:
		return "nobody listens";
	case EOWNERDEAD:
		return "belongs to another user";
	default:
		return strerror(error);
	}
}

static enum exitcode complain(
    struct ctl *ctl, bool quiet, const struct candidate *candidates, size_t count)
{
	const struct candidate *first = &candidates[0];
	const struct candidate *last = &candidates[count - 1];
	const struct candidate *closed = NULL;
	bool denied = false;

	for (size_t i = 0; i < count; i++) {
		if (candidates[i].error == EACCES || candidates[i].error == EPERM)
			closed = &candidates[i];
		denied = denied || closed != NULL || candidates[i].error == EOWNERDEAD;
	}
	if (!quiet && closed != NULL)
		ctl_complain(ctl,
		    "not allowed: %s: %s: control { group } of supervisord.conf(5) says who may "
		    "connect, besides root",
		    closed->path, explain(closed->error));
	else if (!quiet && count == 1)
		ctl_complain(ctl, "%s: %s: %s", denied ? "not allowed" : "no supervisord answers",
		    first->path, explain(first->error));
	else if (!quiet)
		ctl_complain(ctl, "%s: %s: %s; %s: %s",
		    denied ? "not allowed" : "no supervisord answers", first->path,
		    explain(first->error), last->path, explain(last->error));
	return denied ? EXITCODE_DENIED : EXITCODE_MISSING;
}
