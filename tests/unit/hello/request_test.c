/* SPDX-License-Identifier: ISC */
/*
 * request_test.c: the verdict on well-formed and malformed requests.  Each case is fed whole, cut
 * at every position, and byte by byte: the verdict must be the same,
 * and so must the length where there is one (a broken request has no end).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "hello/request.h"
#include "lib/limits.h"

#define HOST "Host: a\r\n"
#define GET  "GET / HTTP/1.1\r\n"
#define END  "\r\n"

struct verdict {
	bool is_complete;
	int status;
	bool close, broken;
	enum request_method method;
	size_t used;
};

struct row {
	const char *text;
	int status; /* 0: no verdict yet */
	bool close;
};

/* What follows a row's request on the wire must never be looked at. */
#define NEXT "GET /next HTTP/1.1\r\n"

static void feed(struct request *r, const char *text, size_t length, struct verdict *v)
{
	size_t used = 0;

	v->is_complete = request_feed(r, text, length, &used);
	v->used += used;
	v->status = v->is_complete ? r->status : 0;
	v->close = r->close;
	v->broken = r->broken;
	v->method = r->method;
}

static struct verdict judge_cut(const char *text, size_t length, size_t cut)
{
	struct request r;
	struct verdict v = {0};

	memset(&r, 0xa5, sizeof(r)); /* reset must not rely on what was there */
	request_reset(&r);
	feed(&r, text, cut, &v);
	if (!v.is_complete) {
		assert_int_equal(v.used, cut);
		feed(&r, text + cut, length - cut, &v);
	}
	return v;
}

static struct verdict judge_bytewise(const char *text, size_t length)
{
	struct request r;
	struct verdict v = {0};

	request_reset(&r);
	for (size_t i = 0; i < length && !v.is_complete; i++)
		feed(&r, text + i, 1, &v);
	return v;
}

static void assert_same(const struct verdict *a, const struct verdict *b)
{
	assert_int_equal(a->is_complete, b->is_complete);
	assert_int_equal(a->status, b->status);
	if (!a->broken)
		assert_int_equal(a->used, b->used);
	assert_int_equal(a->method, b->method);
	if (a->is_complete) {
		assert_int_equal(a->close, b->close);
		assert_int_equal(a->broken, b->broken);
	}
}

static struct verdict judge(const char *text, size_t length)
{
	struct verdict whole = judge_cut(text, length, length), other;

	for (size_t cut = 0; cut < length; cut++) {
		other = judge_cut(text, length, cut);
		assert_same(&whole, &other);
	}
	other = judge_bytewise(text, length);
	assert_same(&whole, &other);
	return whole;
}

static void check_rows(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t length = strlen(rows[i].text);
		char *text = malloc(length + sizeof(NEXT));
		struct verdict v;

		assert_non_null(text);
		memcpy(text, rows[i].text, length);
		memcpy(text + length, NEXT, sizeof(NEXT));
		v = judge(text, rows[i].status ? length + sizeof(NEXT) - 1 : length);
		if (v.status != rows[i].status || (v.status && v.close != rows[i].close))
			fail_msg(
			    "row %zu: status %d close %d: %s", i, v.status, v.close, rows[i].text);
		if (v.status && !v.broken)
			assert_int_equal(v.used, length);
		if (v.status)
			assert_true(v.used <= length);
		free(text);
	}
}
#define CHECK(rows) check_rows(rows, sizeof(rows) / sizeof(rows[0]))

static void test_verdict_when_well_formed_then_answered_by_method(void **state)
{
	static const struct row rows[] = {
	    {GET HOST END, 200, false},
	    {"HEAD / HTTP/1.1\r\n" HOST END, 200, false},
	    {"GET / HTTP/1.7\r\n" HOST END, 200, false},
	    {"\r\n\r\n" GET HOST END, 200, false},
	    {"GET http://a/b HTTP/1.1\r\n" HOST END, 200, false},
	    {"GET /~%20?a=b&c HTTP/1.1\r\n" HOST END, 200, false},
	    {"OPTIONS * HTTP/1.1\r\n" HOST END, 405, false},
	    {"POST / HTTP/1.1\r\n" HOST END, 405, false},
	    {"CONNECT a:1 HTTP/1.1\r\n" HOST END, 405, true},
	    {"BREW / HTTP/1.1\r\n" HOST END, 501, false},
	    {"get / HTTP/1.1\r\n" HOST END, 501, false},
	    {"AVERYVERYVERYVERYVERYVERYVERYLONGMETHOD / HTTP/1.1\r\n" HOST END, 501, false},
	    {GET "Host:\r\n" END, 200, false},
	    {GET "host: \t [::1]:80 \t \r\n" END, 200, false},
	    {GET HOST "X-Any: \xc3\xa4 \"(,;=)\t\r\n" END, 200, false},
	    {GET HOST "X-Empty:\r\n" END, 200, false},
	    {"GET / HTTP/1.1", 0, false},
	    {GET HOST, 0, false},
	    {GET HOST "\r", 0, false},
	};

	(void)state;
	CHECK(rows);
}

static void test_connection_when_version_and_field_then_kept_or_closed(void **state)
{
	static const struct row rows[] = {
	    {"GET / HTTP/1.0\r\n" END, 200, true},
	    {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n" END, 200, false},
	    {"GET / HTTP/1.0\r\nConnection: Keep-Alive, close\r\n" END, 200, true},
	    {GET HOST "Connection: close\r\n" END, 200, true},
	    {GET HOST "CONNECTION: Upgrade , ,\tCLOSE \r\n" END, 200, true},
	    {GET HOST "Connection: keep-alive\r\n" END, 200, false},
	    {GET HOST "Connection: closed, not close, clos\r\n" END, 200, false},
	    {GET HOST "Connection: averyveryverylongoptionthatdoesnotfit, close\r\n" END, 200,
		true},
	    {GET HOST "Connection: x\r\nConnection: close\r\n" END, 200, true},
	};

	(void)state;
	CHECK(rows);
}

static void test_body_when_framed_then_skipped_exactly(void **state)
{
	static const struct row rows[] = {
	    {GET HOST "Content-Length: 0\r\n" END, 200, false},
	    {GET HOST "Content-Length: 5\r\n" END "12345", 200, false},
	    {GET HOST "content-length:\t0005 \r\n" END "\r\n\r\n1", 200, false},
	    {GET HOST "Content-Length: 5\r\n" END "1234", 0, false},
	    {"POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\n" END "abc", 405, false},
	    {GET HOST "Transfer-Encoding: chunked\r\n" END "0\r\n\r\n", 200, false},
	    {GET HOST "Transfer-Encoding: Chunked\r\n" END "5\r\n12345\r\n0aA\r\n"
		      "0123456789012345678901234567890123456789012345678901234567890123456789"
		      "0123456789012345678901234567890123456789012345678901234567890123456789"
		      "012345678901234567890123456789\r\n00\r\n\r\n",
		200, false},
	    {GET HOST "Transfer-Encoding: ,chunked,\r\n" END "1;a=b;c=\"d\"\r\nx\r\n0 \t;z\r\n\r\n",
		200, false},
	    {GET HOST
		"Transfer-Encoding: chunked\r\n" END
		"0\r\nTrailer: x\r\nContent-Length: 9\r\nHost: b\r\nTransfer-Encoding: y\r\n\r\n",
		200, false},
	    {GET HOST "Transfer-Encoding: chunked\r\n" END "1\r\nx\r\n", 0, false},
	};

	(void)state;
	CHECK(rows);
}

static void test_request_line_when_malformed_then_refused(void **state)
{
	static const struct row rows[] = {
	    {" GET / HTTP/1.1\r\n", 400, true},
	    {"\rGET / HTTP/1.1\r\n", 400, true},
	    {"\nGET / HTTP/1.1\r\n", 400, true},
	    {"GET  / HTTP/1.1\r\n", 400, true},
	    {"GET /  HTTP/1.1\r\n", 400, true},
	    {"GET /\r\n", 400, true},
	    {"GET\r\n", 400, true},
	    {"G@T / HTTP/1.1\r\n", 400, true},
	    {"GET x HTTP/1.1\r\n", 400, true},
	    {"GET * HTTP/1.1\r\n", 400, true},
	    {"GET :// HTTP/1.1\r\n", 400, true},
	    {"GET /\t HTTP/1.1\r\n", 400, true},
	    {"GET /\x80 HTTP/1.1\r\n", 400, true},
	    {"GET / http/1.1\r\n", 400, true},
	    {"GET / HTTP/1.1 \r\n", 400, true},
	    {"GET / HTTP/1.10\r\n", 400, true},
	    {"GET / HTTP/11.1\r\n", 400, true},
	    {"GET / HTTP/1.x\r\n", 400, true},
	    {"GET / HTTP/1.1\n", 400, true},
	    {"GET / HTTP/1.1\rX", 400, true},
	    {"GET / HTTP/2.0\r\n", 505, true},
	    {"GET / HTTP/0.9\r\n", 505, true},
	    {"PRI * HTTP/2.0\r\n", 400, true},
	    {"\x16\x03\x01", 400, true},
	};

	(void)state;
	CHECK(rows);
}

static void test_fields_when_malformed_then_refused(void **state)
{
	static const struct row rows[] = {
	    {GET END, 400, true},
	    {GET "Host: a\r\nHost: a\r\n", 400, true},
	    {GET "Host: a b\r\n", 400, true},
	    {GET "Host: a/b\r\n", 400, true},
	    {GET "Host: <\r\n", 400, true},
	    {GET " X: folded\r\n", 400, true},
	    {GET HOST "X: a\r\n folded\r\n", 400, true},
	    {GET HOST "X: a\r\n\tfolded\r\n", 400, true},
	    {GET HOST "X : a\r\n", 400, true},
	    {GET HOST "X\t: a\r\n", 400, true},
	    {GET HOST ": a\r\n", 400, true},
	    {GET HOST "X\r\n", 400, true},
	    {GET HOST "X: a\rb\r\n", 400, true},
	    {GET HOST "X: a\nb\r\n", 400, true},
	    {GET HOST "X: a\x01\r\n", 400, true},
	    {GET HOST "X: a\x7f\r\n", 400, true},
	    {GET HOST "X(: a\r\n", 400, true},
	    {GET HOST "\rX", 400, true},
	    {GET HOST "\n", 400, true},
	};

	(void)state;
	CHECK(rows);
}

/* Each of these is read differently by different servers: RFC 9112 chapter 11.2. */
static void test_framing_when_ambiguous_then_refused(void **state)
{
	static const struct row rows[] = {
	    {GET HOST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n" END, 400, true},
	    {GET HOST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n" END, 400, true},
	    {GET HOST "Content-Length: 5\r\nContent-Length: 6\r\n", 400, true},
	    {GET HOST "Content-Length: 5\r\nContent-Length: 5\r\n", 400, true},
	    {GET HOST "Content-Length: 5, 5\r\n", 400, true},
	    {GET HOST "Content-Length: 5,\r\n", 400, true},
	    {GET HOST "Content-Length: 5 5\r\n", 400, true},
	    {GET HOST "Content-Length:\r\n", 400, true},
	    {GET HOST "Content-Length: +5\r\n", 400, true},
	    {GET HOST "Content-Length: -5\r\n", 400, true},
	    {GET HOST "Content-Length: 0x5\r\n", 400, true},
	    {GET HOST "Content-Length: 5.0\r\n", 400, true},
	    {GET HOST "Transfer-Encoding:\r\n" END, 400, true},
	    {GET HOST "Transfer-Encoding: identity\r\n" END, 400, true},
	    {GET HOST "Transfer-Encoding: xchunked\r\n" END, 400, true},
	    {GET HOST "Transfer-Encoding: chunked;q=1\r\n" END, 400, true},
	    {GET HOST "Transfer-Encoding: chun ked\r\n" END, 400, true},
	    {GET HOST "Transfer-Encoding: chunked, identity\r\n", 400, true},
	    {GET HOST "Transfer-Encoding: chunked, chunked\r\n", 400, true},
	    {GET HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 400, true},
	    {GET HOST "Transfer-Encoding: gzip, chunked\r\n" END, 501, true},
	    {"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n" END, 400, true},
	};

	(void)state;
	CHECK(rows);
}

static void test_chunks_when_malformed_then_refused(void **state)
{
#define CHUNKED GET HOST "Transfer-Encoding: chunked\r\n" END
	static const struct row rows[] = {
	    {CHUNKED "\r\n", 400, true},
	    {CHUNKED "g\r\n", 400, true},
	    {CHUNKED "-1\r\n", 400, true},
	    {CHUNKED "0x1\r\n", 400, true},
	    {CHUNKED " 1\r\n", 400, true},
	    {CHUNKED "1 \r\n", 400, true},
	    {CHUNKED ";x\r\n", 400, true},
	    {CHUNKED "1\nx", 400, true},
	    {CHUNKED "1\rx", 400, true},
	    {CHUNKED "1;a\nx", 400, true},
	    {CHUNKED "1\r\nxx", 400, true},
	    {CHUNKED "1\r\nx\n", 400, true},
	    {CHUNKED "1\r\nx\rx", 400, true},
	    {CHUNKED "0\r\n x: y\r\n", 400, true},
	    {CHUNKED "0\r\nx\r\n", 400, true},
	    {CHUNKED "0\r\n\n", 400, true},
	    {CHUNKED "fffffffff\r\n", 413, true},
	    {CHUNKED "ffffffffffffffffffffffff\r\n", 413, true},
	};

	(void)state;
	CHECK(rows);
}

static void test_body_when_over_limit_then_413(void **state)
{
	char text[200];
	struct verdict v;
	int n =
	    snprintf(text, sizeof(text), GET HOST "Content-Length: %d\r\n\r\n", LIMIT_HELLO_BODY);

	(void)state;
	v = judge(text, (size_t)n);
	assert_false(v.is_complete);
	n = snprintf(
	    text, sizeof(text), GET HOST "Content-Length: %d\r\n\r\n", LIMIT_HELLO_BODY + 1);
	v = judge(text, (size_t)n);
	assert_int_equal(v.status, 413);
	n = snprintf(
	    text, sizeof(text), GET HOST "Content-Length: 99999999999999999999999\r\n\r\n");
	v = judge(text, (size_t)n);
	assert_int_equal(v.status, 413);
	n = snprintf(text, sizeof(text), CHUNKED "1\r\nx\r\n%x\r\n", LIMIT_HELLO_BODY);
	v = judge(text, (size_t)n);
	assert_int_equal(v.status, 413);
}

/* Makes `text` a request of `head` + filler + `tail` of exactly `length` bytes. */
static char *fill(const char *head, size_t length, const char *tail)
{
	char *text = malloc(length + 1);

	assert_non_null(text);
	memset(text, 'a', length);
	memcpy(text, head, strlen(head));
	memcpy(text + length - strlen(tail), tail, strlen(tail));
	return text;
}

static void check_filled(const char *head, size_t length, const char *tail, int status)
{
	char *text = fill(head, length, tail);
	struct verdict whole = judge_cut(text, length, length), other;

	assert_int_equal(whole.status, status);
	for (size_t cut = 0; cut < length; cut += cut + 40 < length ? 37 : 1) {
		other = judge_cut(text, length, cut);
		assert_same(&whole, &other);
	}
	other = judge_bytewise(text, length);
	assert_same(&whole, &other);
	free(text);
}

static void test_limits_when_one_byte_over_then_refused(void **state)
{
	(void)state;
	check_filled(GET HOST "X: ", LIMIT_HELLO_HEAD, "\r\n\r\n", 200);
	check_filled(GET HOST "X: ", LIMIT_HELLO_HEAD + 1, "\r\n\r\n", 431);
	check_filled("GET /", LIMIT_HELLO_HEAD, " HTTP/1.1\r\n" HOST END, 200);
	check_filled("GET /", LIMIT_HELLO_HEAD + 100, " HTTP/1.1\r\n" HOST END, 414);
	check_filled(CHUNKED "0;", strlen(CHUNKED) + LIMIT_HELLO_CHUNK_LINE + 2, "\r\n\r\n", 200);
	check_filled(CHUNKED "0;", strlen(CHUNKED) + LIMIT_HELLO_CHUNK_LINE + 3, "\r\n\r\n", 400);
	check_filled(
	    CHUNKED "0\r\nX: ", strlen(CHUNKED "0\r\n") + LIMIT_HELLO_HEAD, "\r\n\r\n", 200);
	check_filled(
	    CHUNKED "0\r\nX: ", strlen(CHUNKED "0\r\n") + LIMIT_HELLO_HEAD + 1, "\r\n\r\n", 431);
	check_filled(CHUNKED "1\r\nx\r\n0;",
	    strlen(CHUNKED "1\r\nx\r\n") + LIMIT_HELLO_CHUNK_LINE + 2, "\r\n\r\n", 200);
}

static void test_nul_byte_when_in_head_then_refused(void **state)
{
	static const char in_target[] = "GET /\0 HTTP/1.1\r\n", in_value[] = GET HOST "X: \0\r\n";

	(void)state;
	assert_int_equal(judge(in_target, sizeof(in_target) - 1).status, 400);
	assert_int_equal(judge(in_value, sizeof(in_value) - 1).status, 400);
}

static void test_expect_when_body_outstanding_then_continue_once(void **state)
{
	static const char text[] = GET HOST "Expect: 100-Continue\r\nContent-Length: 2\r\n" END;
	struct request r;
	size_t used;

	(void)state;
	request_reset(&r);
	assert_false(request_feed(&r, text, sizeof(text) - 2, &used));
	assert_false(request_take_continue(&r));
	assert_false(request_feed(&r, text + sizeof(text) - 2, 1, &used));
	assert_true(request_take_continue(&r));
	assert_false(request_take_continue(&r));
	assert_true(request_feed(&r, "ab", 2, &used));
	assert_int_equal(r.status, 200);
	assert_false(r.close);
}

static void test_expect_when_body_has_begun_then_no_continue(void **state)
{
	static const char text[] =
	    GET HOST "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n" END "1";
	struct request r;
	size_t used;

	(void)state;
	request_reset(&r);
	assert_false(request_feed(&r, text, sizeof(text) - 1, &used));
	assert_false(request_take_continue(&r));
}

static void test_expect_when_method_refused_then_answered_without_body(void **state)
{
	static const char text[] =
	    "PUT / HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 2\r\n" END;
	struct verdict v = judge(text, sizeof(text) - 1);

	(void)state;
	assert_int_equal(v.status, 405);
	assert_true(v.close);
}

static void test_phase_when_bytes_come_then_idle_head_body(void **state)
{
	struct request r;
	size_t used;

	(void)state;
	request_reset(&r);
	assert_true(request_is_idle(&r));
	assert_false(request_feed(&r, "\r\n", 2, &used));
	assert_true(request_is_idle(&r));
	assert_false(request_feed(&r, "G", 1, &used));
	assert_false(request_is_idle(&r));
	assert_false(request_is_in_body(&r));
	assert_false(request_feed(&r, &CHUNKED[1], strlen(CHUNKED) - 1, &used));
	assert_true(request_is_in_body(&r));
	assert_false(request_feed(&r, "0\r\nX: y", 7, &used));
	assert_true(request_is_in_body(&r));
	assert_true(request_feed(&r, "\r\n\r\n", 4, &used));
	request_reset(&r);
	assert_true(request_is_idle(&r));
}

/* Random bytes and random changes of a good request: no crash, and the same verdict in any cut. */
static void test_verdict_when_input_is_mangled_then_independent_of_cut(void **state)
{
	static const char good[] = CHUNKED "5;x=y\r\n12345\r\n0\r\nT: x\r\n\r\n";
	static const char bytes[] = "\r\n\t :,;0a5\x80/";
	uint32_t seed = 12345;

	(void)state;
	for (int round = 0; round < 3000; round++) {
		char text[sizeof(good)];

		memcpy(text, good, sizeof(good));
		for (int i = 0; i < 1 + round % 3; i++) {
			seed = seed * 1664525U + 1013904223U;
			text[(seed >> 8) % (sizeof(good) - 1)] =
			    bytes[(seed >> 24) % (sizeof(bytes) - 1)];
		}
		(void)judge(text, sizeof(good) - 1);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_verdict_when_well_formed_then_answered_by_method),
	    cmocka_unit_test(test_connection_when_version_and_field_then_kept_or_closed),
	    cmocka_unit_test(test_body_when_framed_then_skipped_exactly),
	    cmocka_unit_test(test_request_line_when_malformed_then_refused),
	    cmocka_unit_test(test_fields_when_malformed_then_refused),
	    cmocka_unit_test(test_framing_when_ambiguous_then_refused),
	    cmocka_unit_test(test_chunks_when_malformed_then_refused),
	    cmocka_unit_test(test_body_when_over_limit_then_413),
	    cmocka_unit_test(test_limits_when_one_byte_over_then_refused),
	    cmocka_unit_test(test_nul_byte_when_in_head_then_refused),
	    cmocka_unit_test(test_expect_when_body_outstanding_then_continue_once),
	    cmocka_unit_test(test_expect_when_body_has_begun_then_no_continue),
	    cmocka_unit_test(test_expect_when_method_refused_then_answered_without_body),
	    cmocka_unit_test(test_phase_when_bytes_come_then_idle_head_body),
	    cmocka_unit_test(test_verdict_when_input_is_mangled_then_independent_of_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
