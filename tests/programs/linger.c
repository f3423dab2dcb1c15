/* SPDX-License-Identifier: ISC */
/*
 * linger FILE: a program that ends while its child keeps standard output open.
 *
 * The leader writes "early" and exits 0 at once.  The child waits until FILE exists, writes "late"
 * and exits too.
 */
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc != 2 || write(STDOUT_FILENO, "early\n", 6) != 6)
		return 2;
	if (fork() > 0)
		_exit(0);
	while (access(argv[1], F_OK) != 0)
		usleep(10000);
	return write(STDOUT_FILENO, "late\n", 5) == 5 ? 0 : 1;
}
