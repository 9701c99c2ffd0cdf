/* SPDX-License-Identifier: Apache-2.0 */
/* Every view lies inside the frame, every number in its range, and strict mode agrees with best
 * effort. */
#include <assert.h>
#include <stdlib.h>

#include "parser/log_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
assert_inside(struct str frame, struct str view)
{
	assert(!str_present(view) ||
		(view.ptr >= frame.ptr && view.ptr + view.len <= frame.ptr + frame.len));
}

static void
assert_sane(struct str frame, const struct log_record *r, bool clean)
{
	const struct str views[] = { r->frame, r->hostname, r->appname, r->procid, r->msgid,
		r->message, r->sd_rest };

	for (size_t i = 0; i < sizeof(views) / sizeof(views[0]); i++)
		assert_inside(frame, views[i]);
	assert(r->n_sd <= LOG_SD_MAX);
	for (size_t i = 0; i < r->n_sd; i++) {
		assert_inside(frame, r->sd[i].id);
		assert_inside(frame, r->sd[i].name);
		assert_inside(frame, r->sd[i].value);
		assert(r->sd[i].id.len > 0 &&
			str_present(r->sd[i].name) == str_present(r->sd[i].value));
	}
	assert(clean == (r->error == LOG_ERR_NONE) && clean == (r->column == 0) &&
		r->column <= frame.len + 1);
	assert(r->facility < 24 && r->severity < 8 && r->version <= 999 && r->time_digits <= 9);
	assert(r->has_time || r->time_ns == 0);
	assert((r->format == LOG_FORMAT_RFC5424) >= (r->version > 0));
}

/* First byte: the format. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct log_record lenient, strict;
	struct log_parse_options options = { .best_effort = true, .now_ns = 1795217709000000000 };

	if (size < 1)
		return 0;
	options.format = data[0] % 3;
	struct str frame = { (const char *)data + 1, size - 1 };
	assert_sane(frame, &lenient, log_parse(frame, &options, &lenient));
	options.best_effort = false;
	bool clean = log_parse(frame, &options, &strict);
	assert_sane(frame, &strict, clean);
	assert(strict.error == lenient.error && strict.column == lenient.column);
	assert(clean || (strict.format == LOG_FORMAT_RAW && strict.n_sd == 0));
	assert(!clean || memcmp(&strict, &lenient, offsetof(struct log_record, sd)) == 0);
	return 0;
}
