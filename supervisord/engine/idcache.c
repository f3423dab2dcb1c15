/* SPDX-License-Identifier: ISC */
/* idcache.c: see idcache.h. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "supervisord/engine/idcache.h"

struct idcache_entry {
	struct idcache_entry *next;
	char *user; /* as asked for; NULL: none */
	char *group;
	struct ids ids;
};

static bool is_same(const char *a, const char *b);
static int copy(const char *text, char **ret_text);
static void entry_free(struct idcache_entry *entry);

int idcache_get(
    struct idcache *cache, const char *user, const char *group, const struct ids **ret_ids)
{
	struct idcache_entry *entry;
	const char *what;
	int error;

	for (entry = cache->first; entry != NULL; entry = entry->next) {
		if (is_same(entry->user, user) && is_same(entry->group, group)) {
			*ret_ids = &entry->ids;
			return 0;
		}
	}
	entry = calloc(1, sizeof(*entry));
	if (entry == NULL)
		return -ENOMEM;
	error = copy(user, &entry->user);
	if (error == 0)
		error = copy(group, &entry->group);
	if (error == 0)
		error = ids_resolve(user, group, &entry->ids, &what);
	if (error < 0) {
		free(entry->user);
		free(entry->group);
		free(entry);
		return error;
	}
	entry->next = cache->first;
	cache->first = entry;
	*ret_ids = &entry->ids;
	return 0;
}

void idcache_clear(struct idcache *cache)
{
	while (cache->first != NULL) {
		struct idcache_entry *entry = cache->first;

		cache->first = entry->next;
		entry_free(entry);
	}
}

void idcache_fill(struct idcache *cache, const struct config *config)
{
	const struct ids *ids;
	int error = 0;

	idcache_clear(cache);
	for (size_t i = 0; i < config->program_count && error == 0; i++)
		error = idcache_get(
		    cache, config->programs[i]->key_user, config->programs[i]->key_group, &ids);
}

static bool is_same(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static int copy(const char *text, char **ret_text)
{
	*ret_text = text != NULL ? strdup(text) : NULL;
	return text != NULL && *ret_text == NULL ? -ENOMEM : 0;
}

static void entry_free(struct idcache_entry *entry)
{
	ids_done(&entry->ids);
	free(entry->user);
	free(entry->group);
	free(entry);
}
