/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A syslog message as a raw log point: Telegraf's schema, so that Chronograf's log viewer works untouched
 * (docs/log-points.md has the table). Written once, straight into the batch.
 */
#pragma once

#include "base/buf.h"
#include "config/settings.h"
#include "parser/log_record.h"

struct log_point {
	const struct log_record *record;
	struct str source;  /* peer address without port; absent for none */
	bool truncated;
	int64_t time_ns;    /* the point's time, already made unique (output/time_slots.h) */
};

/*
 * Structured-data field names seen so far, over all workers: a fixed, lock-free set, so that a hostile sender cannot fill
 * InfluxDB with field names. Beyond its cap (1,000 names) a parameter's text goes to the field sd_rest.
 */
struct sd_names;
struct sd_names *sd_names_new(void);
void sd_names_free(struct sd_names **names);

struct log_point_encoder {
	const struct logs_settings *settings;
	struct str host;         /* value of the tag host, or absent */
	struct sd_names *names;  /* shared by all workers */
	struct buf prefix;       /* private: escaped measurement */
	struct buf scratch;      /* private */
};

void log_point_encoder_init(struct log_point_encoder *encoder, const struct logs_settings *settings, struct str host, struct sd_names *names);
void log_point_encoder_fini(struct log_point_encoder *encoder);

/* Appends one line ended by LF. */
void log_point_add(struct log_point_encoder *encoder, const struct log_point *point, struct buf *out);
