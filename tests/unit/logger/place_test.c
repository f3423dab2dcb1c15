/* SPDX-License-Identifier: ISC */
/* place_test.c: reading on across rotation, compression and removal, and finding a place again. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/limits.h"
#include "tests/unit/logger/archivefiles.h"
#include "supervisord/logger/place.h"

static struct place place;
static struct archives archives;

static int set_up(void **state)
{
	(void)state;
	place_init(&place);
	archives_init(&archives, files_log);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	place_done(&place);
	archives_done(&archives);
	return files_remove_all();
}

/* As the logger does: the reader is told. */
static void rotate(int64_t time_us)
{
	struct archive archive = files_rotate(time_us);

	place_note_rotated(&place, &archive);
	assert_int_equal(archives_add(&archives, &archive), 0);
}

/* All there is from the place on, with a # for each loss. */
static const char *read_all(void)
{
	static char all[4096];
	enum place_loss loss;
	size_t at = 0;
	ssize_t got;

	do {
		char bytes[7];

		got = place_read(&place, &archives, bytes, sizeof(bytes), &loss);
		if (loss != PLACE_LOST_NOTHING && got >= 0)
			all[at++] = '#';
		if (got > 0)
			memcpy(all + at, bytes, (size_t)got);
		at += got > 0 ? (size_t)got : 0;
		assert_true(at < sizeof(all) - 16);
	} while (got > 0 || got == -EAGAIN);
	assert_int_equal(got, 0);
	all[at] = '\0';
	return all;
}

/* Write the place down, forget it, and find it again as another logger would. */
static enum place_loss find_again(void)
{
	enum place_loss loss = PLACE_LOST_NOTHING;
	char text[LIMIT_LOG_PLACE];

	place_format(&place, text, sizeof(text));
	place_done(&place);
	archives_done(&archives);
	assert_int_equal(place_seek_text(&place, &archives, text, &loss), 0);
	return loss;
}

static void test_read_when_from_the_oldest_then_all_in_order(void **state)
{
	(void)state;
	files_archive(100, LOGSPEC_GZIP, "1\n2\n");
	files_archive(200, LOGSPEC_ZSTD, "3\n4\n");
	files_archive(300, LOGSPEC_PLAIN, "5\n");
	files_append("6\n7");
	assert_int_equal(place_seek_oldest(&place, &archives), 0);
	assert_string_equal(read_all(), "1\n2\n3\n4\n5\n6\n7");
	files_append("8\n");
	assert_string_equal(read_all(), "8\n");
}

static void test_read_when_there_is_no_log_then_what_comes(void **state)
{
	(void)state;
	assert_int_equal(place_seek_end(&place, &archives), 0);
	assert_string_equal(read_all(), "");
	files_append("1\n");
	assert_string_equal(read_all(), "1\n");
}

static void test_read_when_rotated_then_goes_on_in_the_next_file(void **state)
{
	(void)state;
	files_append("1\n");
	assert_int_equal(place_seek_oldest(&place, &archives), 0);
	assert_string_equal(read_all(), "1\n");
	files_append("2\n");
	rotate(100);
	files_append("3\n");
	rotate(200);
	files_append("4\n");
	assert_string_equal(read_all(), "2\n3\n4\n");
}

static void test_read_when_compressed_under_it_then_goes_on(void **state)
{
	(void)state;
	files_append("1\n");
	assert_int_equal(place_seek_oldest(&place, &archives), 0);
	assert_string_equal(read_all(), "1\n");
	files_append("2\n");
	rotate(100);
	files_compress(100, LOGSPEC_GZIP);
	files_append("3\n");
	rotate(200);
	files_compress(200, LOGSPEC_ZSTD);
	files_append("4\n");
	assert_string_equal(read_all(), "2\n3\n4\n");
}

static void test_read_when_the_next_archive_was_removed_then_the_loss_is_told(void **state)
{
	(void)state;
	files_append("1\n");
	assert_int_equal(place_seek_end(&place, &archives), 0);
	for (int i = 2; i <= 5; i++) {
		rotate(i * 100);
		files_append(i == 2 ? "2\n" : i == 3 ? "3\n" : i == 4 ? "4\n" : "5\n");
	}
	assert_int_equal(unlink(files_path(200, LOGSPEC_PLAIN)), 0);
	assert_int_equal(unlink(files_path(300, LOGSPEC_PLAIN)), 0);
	assert_string_equal(read_all(), "#3\n4\n5\n");
}

static void test_read_when_only_its_own_archive_was_removed_then_nothing_is_lost(void **state)
{
	(void)state;
	files_append("1\n");
	assert_int_equal(place_seek_end(&place, &archives), 0);
	files_append("2\n");
	rotate(100);
	assert_int_equal(unlink(files_path(100, LOGSPEC_PLAIN)), 0);
	files_append("3\n");
	assert_string_equal(read_all(), "2\n3\n");
}

/* log_keep = 0 */
static void test_read_when_logs_are_removed_then_the_loss_is_told(void **state)
{
	(void)state;
	files_append("1\n");
	assert_int_equal(place_seek_end(&place, &archives), 0);
	assert_int_equal(unlink(files_log), 0);
	place_note_removed(&place);
	files_append("2\n");
	assert_string_equal(read_all(), "2\n");
	assert_int_equal(unlink(files_log), 0);
	place_note_removed(&place);
	files_append("3\n");
	assert_int_equal(unlink(files_log), 0);
	place_note_removed(&place);
	files_append("4\n");
	assert_string_equal(read_all(), "#4\n");
}

static void test_read_when_deleted_by_hand_then_waits_for_the_new_file(void **state)
{
	(void)state;
	files_append("1\n");
	assert_int_equal(place_seek_end(&place, &archives), 0);
	assert_int_equal(unlink(files_log), 0);
	assert_string_equal(read_all(), "");
	files_append("");
	assert_string_equal(read_all(), "");
	files_append("2\n");
	assert_string_equal(read_all(), "2\n");
}

/* As logrotate does it: the line that was begun is finished in the file that was moved. */
static void test_read_when_moved_by_hand_then_its_end_comes_first(void **state)
{
	char elsewhere[96];

	(void)state;
	files_append("1\nbeg");
	assert_int_equal(place_seek_oldest(&place, &archives), 0);
	assert_string_equal(read_all(), "1\nbeg");
	(void)snprintf(elsewhere, sizeof(elsewhere), "%s.old", files_log);
	assert_int_equal(rename(files_log, elsewhere), 0);
	files_append("");
	assert_string_equal(read_all(), "");
	files_append_bytes(elsewhere, "un\n", 3);
	files_append("2\n");
	assert_string_equal(read_all(), "un\n2\n");
}

static void test_read_when_truncated_then_from_its_start(void **state)
{
	(void)state;
	files_append("a long line\n");
	assert_int_equal(place_seek_end(&place, &archives), 0);
	assert_int_equal(truncate(files_log, 0), 0);
	files_append("1\n");
	assert_string_equal(read_all(), "1\n");
}

/* What comes afterwards may be longer than what was there: by the size alone nobody could tell. */
static void test_read_when_cleared_then_all_that_comes_afterwards(void **state)
{
	(void)state;
	files_append("1\n");
	rotate(100);
	files_append("2\n");
	assert_int_equal(place_seek_end(&place, &archives), 0);
	assert_int_equal(unlink(files_path(100, LOGSPEC_PLAIN)), 0);
	assert_int_equal(truncate(files_log, 0), 0);
	place_note_cleared(&place);
	files_append("more than before\n");
	assert_string_equal(read_all(), "more than before\n");
	assert_int_equal(place_seek_oldest(&place, &archives), 0);
	rotate(200);
	files_append("");
	rotate(300);
	assert_int_equal(unlink(files_path(200, LOGSPEC_PLAIN)), 0);
	assert_int_equal(unlink(files_path(300, LOGSPEC_PLAIN)), 0);
	place_note_cleared(&place);
	files_append("3\n");
	assert_string_equal(read_all(), "more than before\n3\n");
}

static void test_read_when_an_archive_is_damaged_then_told_and_passed_over(void **state)
{
	(void)state;
	files_archive(100, LOGSPEC_GZIP, "1\n");
	assert_int_equal(truncate(files_path(100, LOGSPEC_GZIP), 15), 0);
	files_append("2\n");
	assert_int_equal(place_seek_oldest(&place, &archives), 0);
	assert_string_equal(read_all(), "1\n#2\n");
}

static void test_read_when_the_log_is_elsewhere_then_on_from_where_it_went(void **state)
{
	char other[96];

	(void)state;
	(void)snprintf(other, sizeof(other), "%s/other.log", files_directory);
	files_append("1\n");
	files_append_bytes(other, "of before\n", 10);
	assert_int_equal(place_seek_oldest(&place, &archives), 0);
	place_note_moved(&place, 10);
	archives_done(&archives);
	archives_init(&archives, other);
	assert_string_equal(read_all(), "1\n");
	files_append("2\n");
	assert_string_equal(read_all(), "2\n");
	files_append_bytes(other, "3\n", 2);
	assert_string_equal(read_all(), "3\n");
}

static void test_unread_when_given_back_then_read_again(void **state)
{
	enum place_loss loss;
	char bytes[8];

	(void)state;
	files_archive(100, LOGSPEC_GZIP, "abcdefgh");
	files_append("ijkl");
	assert_int_equal(place_seek_oldest(&place, &archives), 0);
	assert_int_equal(place_read(&place, &archives, bytes, 8, &loss), 8);
	place_unread(&place, 3);
	assert_string_equal(read_all(), "fghijkl");
	place_unread(&place, 2);
	assert_string_equal(read_all(), "kl");
}

static void test_seek_time_when_archives_are_older_then_they_are_passed_over(void **state)
{
	(void)state;
	files_archive(100, LOGSPEC_PLAIN, "1\n");
	files_archive(200, LOGSPEC_GZIP, "2\n");
	files_append("3\n");
	assert_int_equal(place_seek_time(&place, &archives, 100), 0);
	assert_string_equal(read_all(), "1\n2\n3\n");
	assert_int_equal(place_seek_time(&place, &archives, 101), 0);
	assert_string_equal(read_all(), "2\n3\n");
	assert_int_equal(place_seek_time(&place, &archives, 201), 0);
	assert_string_equal(read_all(), "3\n");
	assert_int_equal(place_seek_time(&place, &archives, INT64_MAX / 2), 0);
	assert_string_equal(read_all(), "");
	files_append("4\n");
	assert_string_equal(read_all(), "4\n");
}

/* At every byte of the log, and whatever becomes of it before the place is found again. */
static void test_find_again_when_at_any_byte_then_exactly_there(void **state)
{
	static const char before[] = "1\n22\n333\n4444\n", after[] = "55555\n";

	(void)state;
	for (size_t at = 0; at <= strlen(before); at++)
		for (int fate = 0; fate < 4; fate++) {
			enum place_loss loss;
			char byte, rest[64];

			files_archive(100, LOGSPEC_GZIP, "1\n22\n");
			files_archive(200, LOGSPEC_PLAIN, "333\n");
			files_append("4444\n");
			assert_int_equal(place_seek_oldest(&place, &archives), 0);
			for (size_t read = 0; read < at;) {
				ssize_t got = place_read(&place, &archives, &byte, 1, &loss);

				assert_true(got == 1 || got == -EAGAIN);
				read += got == 1;
			}
			if (fate > 0)
				(void)files_rotate(300);
			if (fate > 1)
				files_compress(300, LOGSPEC_ZSTD);
			if (fate > 2)
				files_compress(200, LOGSPEC_GZIP);
			files_append(after);
			(void)snprintf(rest, sizeof(rest), "%s%s", before + at, after);
			assert_int_equal(find_again(), PLACE_LOST_NOTHING);
			assert_string_equal(read_all(), rest);
			place_done(&place);
			assert_int_equal(files_remove_all(), 0);
		}
}

static void test_find_again_when_its_archive_is_gone_then_told(void **state)
{
	(void)state;
	files_archive(100, LOGSPEC_PLAIN, "1\n");
	files_append("2\n");
	assert_int_equal(place_seek_oldest(&place, &archives), 0);
	assert_int_equal(unlink(files_path(100, LOGSPEC_PLAIN)), 0);
	assert_int_equal(find_again(), PLACE_LOST_ROTATED);
	assert_string_equal(read_all(), "2\n");
}

/* The file was the log and is compressed now, and what could tell that it is the one is gone. */
static void test_find_again_when_not_to_be_known_then_told(void **state)
{
	(void)state;
	files_archive(100, LOGSPEC_PLAIN, "1\n");
	files_append("2\n");
	assert_int_equal(place_seek_end(&place, &archives), 0);
	(void)files_rotate(200);
	files_compress(200, LOGSPEC_GZIP);
	assert_int_equal(unlink(files_path(100, LOGSPEC_PLAIN)), 0);
	files_append("3\n");
	assert_int_equal(find_again(), PLACE_LOST_UNSURE);
	assert_string_equal(read_all(), "2\n3\n");
}

static void test_find_again_when_there_was_no_log_then_from_its_start(void **state)
{
	(void)state;
	assert_int_equal(place_seek_end(&place, &archives), 0);
	files_append("1\n");
	assert_int_equal(find_again(), PLACE_LOST_NOTHING);
	assert_string_equal(read_all(), "1\n");
}

static void test_seek_text_when_it_is_none_then_einval(void **state)
{
	static const char *const texts[] = {"", "f", "f1.2.3.4", "f1.2.3.4.5.6", "f1.2.3.4.",
	    "f-1.2.3.4.5", "x1.2.3.4.5", "f 1.2.3.4.5", "f1.2.3.4.8000000000000000",
	    "f11111111111111111.2.3.4.5", "f1.2.3.4.0x5", "f1.2.3.4.5 "};
	enum place_loss loss;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(place_seek_text(&place, &archives, texts[i], &loss), -EINVAL);
	assert_int_equal(place_seek_text(&place, &archives, "f1.2.3.4.5", &loss), 0);
}

static void test_end_when_the_log_goes_on_then_as_it_was(void **state)
{
	struct place_end end;
	enum place_loss loss;
	char bytes[64];

	(void)state;
	files_archive(100, LOGSPEC_PLAIN, "1\n");
	files_append("22\n");
	assert_int_equal(place_seek_oldest(&place, &archives), 0);
	assert_int_equal(place_find_end(&archives, &end), 0);
	files_append("333\n");
	rotate(200);
	files_append("4444\n");
	assert_true(place_count_to(&place, &end) == UINT64_MAX);
	assert_int_equal(place_read(&place, &archives, bytes, 64, &loss), 2);
	assert_int_equal(place_read(&place, &archives, bytes, 1, &loss), 1);
	assert_int_equal(place_count_to(&place, &end), 2);
	assert_int_equal(place_read(&place, &archives, bytes, 2, &loss), 2);
	assert_int_equal(place_count_to(&place, &end), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(test_read_when_from_the_oldest_then_all_in_order),
	    TEST(test_read_when_there_is_no_log_then_what_comes),
	    TEST(test_read_when_rotated_then_goes_on_in_the_next_file),
	    TEST(test_read_when_compressed_under_it_then_goes_on),
	    TEST(test_read_when_the_next_archive_was_removed_then_the_loss_is_told),
	    TEST(test_read_when_only_its_own_archive_was_removed_then_nothing_is_lost),
	    TEST(test_read_when_logs_are_removed_then_the_loss_is_told),
	    TEST(test_read_when_deleted_by_hand_then_waits_for_the_new_file),
	    TEST(test_read_when_moved_by_hand_then_its_end_comes_first),
	    TEST(test_read_when_truncated_then_from_its_start),
	    TEST(test_read_when_cleared_then_all_that_comes_afterwards),
	    TEST(test_read_when_an_archive_is_damaged_then_told_and_passed_over),
	    TEST(test_read_when_the_log_is_elsewhere_then_on_from_where_it_went),
	    TEST(test_unread_when_given_back_then_read_again),
	    TEST(test_seek_time_when_archives_are_older_then_they_are_passed_over),
	    TEST(test_find_again_when_at_any_byte_then_exactly_there),
	    TEST(test_find_again_when_its_archive_is_gone_then_told),
	    TEST(test_find_again_when_not_to_be_known_then_told),
	    TEST(test_find_again_when_there_was_no_log_then_from_its_start),
	    TEST(test_seek_text_when_it_is_none_then_einval),
	    TEST(test_end_when_the_log_goes_on_then_as_it_was),
	};
#undef TEST

	return cmocka_run_group_tests(tests, files_set_up_group, files_tear_down_group);
}
