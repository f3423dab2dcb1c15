/* SPDX-License-Identifier: ISC */
/* sandbox.c: see sandbox.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/capability.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/ownlog.h"
#include "supervisord/logger/sandbox.h"
#include "supervisord/logger/sysfilter.h"

/*
 * What root needs to write and give away files in directories of other users: to search and write
 * there, to change the owner, and to change the mode of what is not its own any more.
 */
static const struct {
	unsigned number;
	const char *name;
} kept[] = {
    {CAP_CHOWN, "chown"},
    {CAP_DAC_OVERRIDE, "dac_override"},
    {CAP_FOWNER, "fowner"},
};

#define KEPT_COUNT (sizeof(kept) / sizeof(kept[0]))
/* Capabilities that any kernel may have: two words of bits. */
#define CAPABILITY_MAX 64

/* The words of the one line. */
struct text {
	char bytes[512];
	size_t length;
};

static bool has_file(const struct logspec *spec);
static bool is_same_directory(const char *path, const char *other);
static bool is_kept(unsigned number);
static int drop_bounding_set(void);
static int drop_capabilities(void);
static void tell(const struct sandbox *sandbox);
static void tell_capabilities(struct text *text);
static void tell_missing(struct text *text, const char *what, int error);
static void append(struct text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

void sandbox_enter(struct sandbox *sandbox)
{
	*sandbox = (struct sandbox){.paths = -EAGAIN};
	/* First, as it takes a capability that is dropped afterwards. */
	sandbox->bounding_set = drop_bounding_set();
	sandbox->capabilities = drop_capabilities();
	sandbox->no_new_privs = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
	sandbox->filter = sysfilter_enforce();
}

void sandbox_close_paths(struct sandbox *sandbox, const struct logspec_table *specs)
{
	int error = 0;

	if (sandbox->is_closed || specs->count == 0)
		return;
	sandbox->is_closed = true;
	for (size_t i = 0; i < specs->count && error == 0; i++)
		if (has_file(&specs->specs[i]))
			error = pathrules_add(&sandbox->rules, specs->specs[i].path);
	if (error == 0)
		error = pathrules_enforce(&sandbox->rules);
	sandbox->paths = error;
	tell(sandbox);
}

bool sandbox_is_outdated(const struct sandbox *sandbox, const char *path)
{
	return sandbox->is_closed && sandbox->paths == 0 &&
	       pathrules_is_outdated(&sandbox->rules, path);
}

bool sandbox_is_outdated_for(const struct sandbox *sandbox, const struct logspec_table *specs)
{
	const char *before = "";

	for (size_t i = 0; i < specs->count; i++) {
		const char *path = specs->specs[i].path;

		if (!has_file(&specs->specs[i]) || is_same_directory(path, before))
			continue;
		if (sandbox_is_outdated(sandbox, path))
			return true;
		before = path;
	}
	return false;
}

void sandbox_done(struct sandbox *sandbox)
{
	pathrules_done(&sandbox->rules);
}

/* Not every stream goes to a file. */
static bool has_file(const struct logspec *spec)
{
	return spec->path != NULL && spec->path[0] == '/';
}

static bool is_same_directory(const char *path, const char *other)
{
	size_t length = (size_t)(strrchr(path, '/') - path) + 1;

	return strncmp(path, other, length) == 0 && strchr(other + length, '/') == NULL;
}

static bool is_kept(unsigned number)
{
	for (size_t i = 0; i < KEPT_COUNT; i++)
		if (kept[i].number == number)
			return true;
	return false;
}

/* What an exec could give back.  There is none any more, but the set is easily shown to be small.
 */
static int drop_bounding_set(void)
{
	for (unsigned number = 0; number < CAPABILITY_MAX; number++) {
		if (is_kept(number) || prctl(PR_CAPBSET_READ, number, 0, 0, 0) != 1)
			continue;
		if (prctl(PR_CAPBSET_DROP, number, 0, 0, 0) < 0)
			return -errno;
	}
	return 0;
}

/* Of what there is, keep those of the table; nothing can be inherited. */
static int drop_capabilities(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];
	uint32_t mask[2] = {0, 0};

	/* Kernels before 4.3 have no ambient set to clear. */
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (syscall(SYS_capget, &head, data) < 0)
		return -errno;
	for (size_t i = 0; i < KEPT_COUNT; i++)
		mask[kept[i].number / 32] |= 1U << kept[i].number % 32;
	for (unsigned i = 0; i < 2; i++) {
		data[i].permitted &= mask[i];
		data[i].effective = data[i].permitted;
		data[i].inheritable = 0;
	}
	return syscall(SYS_capset, &head, data) < 0 ? -errno : 0;
}

static void tell(const struct sandbox *sandbox)
{
	struct text text = {.length = 0}, missing = {.length = 0};
	size_t count = pathrules_count(&sandbox->rules);

	if (sandbox->capabilities == 0)
		tell_capabilities(&text);
	tell_missing(&missing, "capabilities", sandbox->capabilities);
	/* Who has no capabilities may not shrink what an exec could give, and needs not. */
	if (geteuid() == 0)
		tell_missing(&missing, "bounding set", sandbox->bounding_set);
	if (sandbox->no_new_privs == 0)
		append(&text, "%sno new privileges", text.length > 0 ? ", " : "");
	tell_missing(&missing, "no new privileges", sandbox->no_new_privs);
	if (sandbox->filter == 0)
		append(&text, "%sno exec (seccomp)", text.length > 0 ? ", " : "");
	tell_missing(&missing, "no exec (seccomp)", sandbox->filter);
	if (sandbox->paths == 0)
		append(&text, "%sfiles of %zu %s only (Landlock)", text.length > 0 ? ", " : "",
		    count, count == 1 ? "directory" : "directories");
	tell_missing(&missing, "files of the log directories only (Landlock)", sandbox->paths);
	if (missing.length == 0)
		log_notice("confined: %s", text.bytes);
	else
		log_notice("confined: %s; not enforced: %s", text.bytes, missing.bytes);
}

static void tell_capabilities(struct text *text)
{
	const char *before = "capabilities ";

	for (size_t i = 0; i < KEPT_COUNT; i++) {
		struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
		struct __user_cap_data_struct data[2];
		unsigned number = kept[i].number;

		if (syscall(SYS_capget, &head, data) < 0 ||
		    !(data[number / 32].permitted >> number % 32 & 1))
			continue;
		append(text, "%s%s", before, kept[i].name);
		before = " ";
	}
	if (text->length == 0)
		append(text, "no capabilities");
}

static void tell_missing(struct text *text, const char *what, int error)
{
	if (error < 0)
		append(text, "%s%s: %s", text->length > 0 ? ", " : "", what, strerror(-error));
}

/* The words are ours and fit. */
static void append(struct text *text, const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(
	    text->bytes + text->length, sizeof(text->bytes) - text->length, format, arguments);
	va_end(arguments);
	if (length > 0 && (size_t)length < sizeof(text->bytes) - text->length)
		text->length += (size_t)length;
}
