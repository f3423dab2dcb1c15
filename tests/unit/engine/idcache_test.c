/* SPDX-License-Identifier: ISC */
/* Tests of supervisord/engine/idcache.h: who is asked, and when.  The user database is made up. */
#include <errno.h>
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "supervisord/engine/idcache.h"

static int asked;
static char empty[] = "", home[] = "/";

/* Everybody but "nobody-here" is there, and is who we are: that takes no rights. */
int getpwnam_r(
    const char *name, struct passwd *entry, char *buffer, size_t size, struct passwd **ret_found)
{
	asked++;
	*ret_found = NULL;
	if (strcmp(name, "nobody-here") == 0 || strlen(name) >= size)
		return 0;
	memcpy(buffer, name, strlen(name) + 1);
	*entry = (struct passwd){.pw_name = buffer,
	    .pw_passwd = empty,
	    .pw_uid = geteuid(),
	    .pw_gid = getegid(),
	    .pw_gecos = empty,
	    .pw_dir = home,
	    .pw_shell = empty};
	*ret_found = entry;
	return 0;
}

static void fill(struct idcache *cache, const char *const *users, size_t count)
{
	struct program_config programs[4] = {0}, *list[4];
	struct config config = {.programs = list, .program_count = count};

	for (size_t i = 0; i < count; i++) {
		programs[i].key_user = (char *)(uintptr_t)users[i];
		list[i] = &programs[i];
	}
	idcache_fill(cache, &config);
}

static void test_fill_then_later_nobody_is_asked(void **state)
{
	static const char *const users[] = {"ann", "bob", "ann"};
	struct idcache cache = {0};
	const struct ids *ids;

	(void)state;
	asked = 0;
	fill(&cache, users, 3);
	assert_int_equal(asked, 2);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(idcache_get(&cache, users[i], NULL, &ids), 0);
		assert_string_equal(ids->user, users[i]);
	}
	assert_int_equal(asked, 2);
	/* At the next apply: they may be others by then. */
	fill(&cache, users, 1);
	assert_int_equal(asked, 3);
	assert_int_equal(idcache_get(&cache, "bob", NULL, &ids), 0);
	assert_int_equal(asked, 4);
	idcache_clear(&cache);
}

static void test_fill_when_one_is_not_there_then_the_rest_is_left_to_the_launches(void **state)
{
	static const char *const users[] = {"ann", "nobody-here", "bob"};
	struct idcache cache = {0};
	const struct ids *ids;

	(void)state;
	asked = 0;
	fill(&cache, users, 3);
	assert_int_equal(asked, 2);
	assert_int_equal(idcache_get(&cache, "nobody-here", NULL, &ids), -ENOENT);
	assert_int_equal(idcache_get(&cache, "bob", NULL, &ids), 0);
	assert_int_equal(asked, 4);
	idcache_clear(&cache);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_fill_then_later_nobody_is_asked),
	    cmocka_unit_test(test_fill_when_one_is_not_there_then_the_rest_is_left_to_the_launches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
