/* SPDX-License-Identifier: ISC */
/*
 * rights_fuzz.c: libFuzzer target: any text as a rule of control { allow }.
 *
 * What is taken has its three parts and covers what it says, and nobody else's; what is not says
 * why. Links supervisord/engine/rights.c.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "supervisord/engine/rights.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds)
{
	if (!holds)
		abort();
}

static void try_rule(struct right_rule *rule)
{
	const struct rights rights = {.count = 1, .list = rule};
	const struct rights_peer him = {.uid = 7, .gid = 7}, other = {.uid = 8, .gid = 8};

	rule->id = 7;
	require(rule->who[0] != '\0' && rule->rights != 0 && rule->count > 0);
	require(rights_has(&rights, &him, RIGHT_ANY) && !rights_has(&rights, &other, RIGHT_ANY));
	for (int right = RIGHT_ANY + 1; right < RIGHT_COUNT; right++) {
		bool has = (rule->rights >> right) & 1;

		for (size_t i = 0; i < rule->count; i++) {
			const char *name = rule->patterns[i];
			bool is_glob = strpbrk(name, "*?[") != NULL;

			require(name[0] != '\0');
			require(!rights_covers(&rights, &other, (enum right)right, name));
			require(is_glob ||
				rights_covers(&rights, &him, (enum right)right, name) == has);
		}
		require(!rights_has(&rights, &other, (enum right)right));
		require(has || !rights_has(&rights, &him, (enum right)right));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), *problem = NULL;
	struct right_rule rule = {0};
	int error;

	if (text == NULL)
		return 0;
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	error = rights_parse(text, &rule, &problem);
	require(error == 0 || (error == -EINVAL && problem != NULL));
	if (error == 0)
		try_rule(&rule);
	rights_done_rule(&rule);
	free(problem);
	free(text);
	return 0;
}
