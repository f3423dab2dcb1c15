/* SPDX-License-Identifier: ISC */
/* limits.c: see limits.h. */
#include <sys/resource.h>

#include "supervisord/guardian/limits.h"

/* The kernel's default for fs.nr_open: no process can have more. */
#define NOFILE_CEILING 1048576

void limits_raise_nofile(uint64_t *ret_soft, uint64_t *ret_hard)
{
	struct rlimit limit, wanted;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0) {
		*ret_soft = *ret_hard = 1024;
		return;
	}
	*ret_soft = limit.rlim_cur;
	*ret_hard = limit.rlim_max;
	wanted.rlim_cur = wanted.rlim_max = NOFILE_CEILING;
	if (limit.rlim_max < NOFILE_CEILING && setrlimit(RLIMIT_NOFILE, &wanted) == 0)
		return; /* with CAP_SYS_RESOURCE */
	wanted = limit;
	wanted.rlim_cur = limit.rlim_max < NOFILE_CEILING ? limit.rlim_max : NOFILE_CEILING;
	(void)setrlimit(RLIMIT_NOFILE, &wanted);
}
