/* SPDX-License-Identifier: ISC */
/* nearest.c: see nearest.h. */
#include <string.h>

#include "lib/nearest.h"

unsigned nearest_distance(const char *a, const char *b)
{
	unsigned char cost[3][NEAREST_WORD + 1];
	size_t a_length = strlen(a);
	size_t b_length = strlen(b);

	if (a_length >= NEAREST_WORD || b_length >= NEAREST_WORD)
		return NEAREST_WORD;
	for (size_t j = 0; j <= b_length; j++)
		cost[0][j] = (unsigned char)j;
	for (size_t i = 1; i <= a_length; i++) {
		unsigned char *row = cost[i % 3];
		const unsigned char *above = cost[(i - 1) % 3];

		row[0] = (unsigned char)i;
		for (size_t j = 1; j <= b_length; j++) {
			unsigned best = above[j - 1] + (a[i - 1] != b[j - 1]);

			if (above[j] + 1U < best)
				best = above[j] + 1U;
			if (row[j - 1] + 1U < best)
				best = row[j - 1] + 1U;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    cost[(i - 2) % 3][j - 2] + 1U < best)
				best = cost[(i - 2) % 3][j - 2] + 1U;
			row[j] = (unsigned char)best;
		}
	}
	return cost[a_length % 3][b_length];
}

const char *nearest_find(const char *word, const char *const *names, size_t count)
{
	const char *nearest = NULL;
	size_t length = strlen(word);
	unsigned least = NEAREST_WORD;

	for (size_t i = 0; i < count; i++) {
		unsigned distance = nearest_distance(word, names[i]);

		if (length >= 2 && strncmp(word, names[i], length) == 0)
			return names[i]; /* its beginning: not mistyped, but not finished */
		if (distance < least) {
			least = distance;
			nearest = names[i];
		}
	}
	/* A third of the word may be wrong, but never all of a short one. */
	return least <= (length + 2) / 3 && least < length ? nearest : NULL;
}
