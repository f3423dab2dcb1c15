/* SPDX-License-Identifier: ISC */
/*
 * hangfs DIRECTORY READY: a file system whose server is gone.
 *
 * Mounts a FUSE file system on DIRECTORY and never answers a request, so that whoever asks for a
 * file in it hangs, as on a network file system, until it is killed.  Writes "ready" to READY,
 * waits for TERM, and unmounts.  Exit status 77: not allowed here.  See fuse(4).
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

static int write_ready(const char *path);

int main(int argc, char **argv)
{
	char options[64];
	sigset_t term;
	int signal, fd;

	if (argc != 3)
		return 2;
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, NULL);
	fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return 77;
	(void)snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0", fd);
	if (mount("hangfs", argv[1], "fuse", MS_NOSUID | MS_NODEV, options) < 0)
		return 77;
	if (write_ready(argv[2]) < 0)
		return 1;
	(void)sigwait(&term, &signal);
	return umount2(argv[1], MNT_DETACH) < 0;
}

static int write_ready(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	ssize_t written;

	if (fd < 0)
		return -1;
	written = write(fd, "ready\n", strlen("ready\n"));
	close(fd);
	return written < 0 ? -1 : 0;
}
