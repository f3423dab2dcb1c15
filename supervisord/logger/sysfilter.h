/* SPDX-License-Identifier: ISC */
/*
 * sysfilter.h: system calls that the logger will never need, refused by the kernel (seccomp(2)).
 *
 * A list of what is forbidden, not of what is allowed: the calls that libc, zlib and zstd make
 * differ between versions and machines, the calls by which a process becomes something else do
 * not.  A child that compresses is forked and not executed, so fork(2) stays.
 */
#ifndef LOGGER_SYSFILTER_H
#define LOGGER_SYSFILTER_H

/*
 * From now on, and in every child: no exec of any kind, no namespaces, mounts, modules, tracing,
 * keys, BPF, io_uring or foreign descriptors: they fail with EPERM.  Calls of another architecture
 * kill the process.  Needs no_new_privs or CAP_SYS_ADMIN.  Returns 0 or -errno; -ENOTSUP: nothing
 * is known of this architecture.
 */
int sysfilter_enforce(void);

#endif
