/* SPDX-License-Identifier: ISC */
/* main.c: superctl(1). */
#include "ctl/superctl.h"

int main(int argc, char **argv)
{
	return superctl_run(argc, argv);
}
