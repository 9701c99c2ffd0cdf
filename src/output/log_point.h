/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A syslog message as a raw log point: Telegraf's schema, so that Chronograf's log viewer works
 * untouched (design section "raw log points" in docs/log-points.md). Written once, straight into
 * the batch.
 */
#pragma once

#include "base/buf.h"
#include "config/settings.h"
#include "output/sd_keys.h"
#include "parser/log_record.h"

struct log_point {
	const struct log_record *record;
	struct str source; /* peer address without port; absent for none */
	bool truncated;
};

struct log_point_encoder {
	const struct logs_settings *settings;
	struct str host; /* value of the tag host, or absent */
	/* private */
	struct buf measurement; /* escaped */
	struct buf host_tag;    /* `,host=...` or empty */
	struct sd_keys keys;
	struct buf rest; /* text of the parameters that get no field of their own */
	int64_t second;  /* whose digits are in second_text: most messages follow another one of the
			    same second */
	char second_text[20];
	size_t second_len;
};

void log_point_encoder_init(struct log_point_encoder *encoder, const struct logs_settings *settings,
	struct str host, struct sd_names *names);
void log_point_encoder_fini(struct log_point_encoder *encoder);

/*
 * Appends a line in two steps: all of it but the time, then the time (unique: output/time_slots.h)
 * and a LF. In between the table of times may still be on its way from memory.
 */
void
log_point_add(struct log_point_encoder *encoder, const struct log_point *point, struct buf *out);
void log_point_finish(struct log_point_encoder *encoder, int64_t time_ns, struct buf *out);
