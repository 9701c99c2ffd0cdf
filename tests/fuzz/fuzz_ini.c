/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as an INI file: no crash, names are never empty, nothing is read twice, errors and the
 * result agree. */
#include <assert.h>

#include "config/ini.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ini ini = INI_EMPTY;
	struct err err = ERR_NONE;
	bool ok = ini_read_text(&ini, "f", (struct str){ (const char *)data, size }, &err);

	assert(ok == (err.count == 0));
	for (size_t i = 0; i < ini.n_sections; i++) {
		const struct ini_section *s = &ini.sections[i];

		assert(s->kind[0] != '\0' && strlen(s->kind) + strlen(s->name) < 50);
		for (size_t k = 0; k < s->n_entries; k++)
			assert(s->entries[k].key[0] != '\0' &&
				strpbrk(s->entries[k].key, "=: ") == NULL &&
				s->entries[k].line > s->line);
	}
	ini_fini(&ini);
	err_fini(&err);
	return 0;
}
