/* SPDX-License-Identifier: ISC */
/*
 * confmix.h: the text of a configuration of which only a part comes from the files.
 *
 * A configuration is a list of sources, and each stanza stands in one of them.  So an apply of some
 * programs takes their stanzas out of the sources that are applied, and adds sources that have
 * nothing but these stanzas, at the lines where they stand in their files: an error names the place
 * where a person finds it, and a new engine reads the mixture as it reads anything else.
 *
 * Settings, defaults and other stanzas stay as they are applied.  Pure.
 */
#ifndef ENGINE_CONFMIX_H
#define ENGINE_CONFMIX_H

#include <stdbool.h>
#include <stddef.h>

#include "supervisord/engine/config.h"

/* Is the stanza of this name to be taken from the files?  A socket may be called as a program is.
 */
struct confmix_names {
	bool (*takes)(const void *context, bool is_socket, const char *name);
	const void *context;
};

/* Sources in the order of reading. */
struct confmix_text {
	const struct config_source *list;
	size_t count;
};

/*
 * The sources of `applied` with the stanzas of `names` from `files`; both are good.  Borrows them
 * and gives a list (confsource_free()).  0 or -ENOMEM.
 */
int confmix_make(struct confmix_text applied, struct confmix_text files,
    const struct confmix_names *names, struct config_source **ret_sources, size_t *ret_count);

#endif
