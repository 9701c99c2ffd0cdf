/* SPDX-License-Identifier: Apache-2.0 */
/* A pattern, a NUL, a subject: PCRE2 finds no match where the pattern's literal is not. */
#include <assert.h>
#include <stdint.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "match/literal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *nul = size > 0 ? memchr(data, '\0', size) : NULL;
	int error;
	size_t offset, len = nul != NULL ? (size_t)(nul - data) : size;
	struct literal literal = literal_of((struct str){ (const char *)data, len });
	pcre2_code *code = nul != NULL ? pcre2_compile(data, len, 0, &error, &offset, NULL) : NULL;

	if (code == NULL)
		return 0;
	pcre2_match_data *found = pcre2_match_data_create_from_pattern(code, NULL);
	pcre2_match_context *limits = pcre2_match_context_create(NULL);
	pcre2_set_match_limit(limits, 100000);
	struct str subject = { (const char *)nul + 1, size - len - 1 };
	int rc = pcre2_match(code, nul + 1, subject.len, 0, 0, found, limits);
	assert(rc < 0 || literal.len == 0 || literal_in(&literal, subject));
	pcre2_match_context_free(limits);
	pcre2_match_data_free(found);
	pcre2_code_free(code);
	return 0;
}
