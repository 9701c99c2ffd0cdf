/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The line is written front to back at a pointer, after one reservation that is large enough for
 * the worst case: every byte of the frame appears once, escaped or replaced (LP_GROWTH), but for
 * SD-IDs, which stand before each of their parameters and are bounded by SD_KEY_MAX.
 *
 *      measurement + tags in key order + fixed fields + structured data + parse_error, truncated +
 * time
 */
#include "output/log_point.h"

#include "base/clock.h"
#include "metric/line_protocol.h"

enum {
	/* Bytes of a tag value: InfluxDB refuses a line whose tags exceed 64 KiB together. */
	TAG_MAX = 1024,
	/* All constant text of a line, its integers, the error's name and sentence. */
	FIXED_ROOM = 1024,
	TIME_ROOM = 64,
};

void
log_point_encoder_init(struct log_point_encoder *encoder, const struct logs_settings *settings,
	struct str host, struct sd_names *names)
{
	struct str measurement = str_from(settings->measurement);
	char *start;

	*encoder = (struct log_point_encoder){
		.settings = settings, .host = host, .second = INT64_MIN
	};
	sd_keys_init(&encoder->keys, str_from(settings->sdparam_separator), names);
	start = buf_reserve(&encoder->measurement, measurement.len * LP_GROWTH);
	encoder->measurement.len = (size_t)(lp_put_measurement(start, measurement) - start);
	if (host.len > 0) {
		buf_add_text(&encoder->host_tag, ",host=");
		start = buf_reserve(&encoder->host_tag, host.len * LP_GROWTH);
		encoder->host_tag.len += (size_t)(lp_put_key(start, host) - start);
	}
}

void
log_point_encoder_fini(struct log_point_encoder *encoder)
{
	buf_fini(&encoder->measurement);
	buf_fini(&encoder->host_tag);
	sd_keys_fini(&encoder->keys);
	buf_fini(&encoder->rest);
}

/* A key that a later one of the message overrides; hashes of keys are odd, or 0 for none. */
#define OVERRIDDEN UINT64_C(2)

static char *
put(char *out, struct str s)
{
	memcpy(out, s.ptr, s.len);
	return out + s.len;
}

/* `,key=value`; nothing when the value is absent or comes out empty. lead = ",key=" */
static char *
put_tag(char *out, struct str lead, struct str value)
{
	char *start = out;

	if (value.len == 0)
		return out;
	if (value.len > TAG_MAX)
		value.len = TAG_MAX;
	out = put(out, lead);
	char *text = out;
	out = lp_put_key(out, value);
	return out == text ? start : out;
}

static char *
put_tags(char *out, const struct log_point_encoder *encoder, const struct log_point *point)
{
	const struct log_record *record = point->record;
	unsigned tags = encoder->settings->tags;

	if (tags & LOG_TAG_APPNAME)
		out = put_tag(out, STR(",appname="), record->appname);
	if (tags & LOG_TAG_FACILITY)
		out = put(put(out, STR(",facility=")), log_facility_names[record->facility]);
	if (tags & LOG_TAG_HOST)
		out = put(out, buf_str(&encoder->host_tag));
	if (tags & LOG_TAG_HOSTNAME)
		out = put_tag(out, STR(",hostname="), record->hostname);
	if (tags & LOG_TAG_SEVERITY)
		out = put(put(out, STR(",severity=")), log_severity_names[record->severity]);
	if (tags & LOG_TAG_SOURCE)
		out = put_tag(out, STR(",source="), point->source);
	return out;
}

/* `key="value",`; nothing when absent. lead = "key=" */
static char *
put_text_field(char *out, struct str lead, struct str value)
{
	if (!str_present(value))
		return out;
	out = lp_put_string(put(out, lead), value);
	*out++ = ',';
	return out;
}

static char *
put_int_field(char *out, struct str lead, int64_t value)
{
	out = lp_put_int(put(out, lead), value);
	*out++ = ',';
	return out;
}

/* Header values that are not tags are kept as fields. */
static char *
put_untagged(char *out, const struct log_point_encoder *encoder, const struct log_point *point)
{
	const struct log_record *record = point->record;
	unsigned fields = ~encoder->settings->tags;

	if (fields & LOG_TAG_APPNAME)
		out = put_text_field(out, STR("appname="), record->appname);
	if (fields & LOG_TAG_FACILITY)
		out = put_text_field(out, STR("facility="), log_facility_names[record->facility]);
	if (fields & LOG_TAG_HOST && encoder->host.len > 0)
		out = put_text_field(out, STR("host="), encoder->host);
	if (fields & LOG_TAG_HOSTNAME)
		out = put_text_field(out, STR("hostname="), record->hostname);
	if (fields & LOG_TAG_SEVERITY)
		out = put_text_field(out, STR("severity="), log_severity_names[record->severity]);
	if (fields & LOG_TAG_SOURCE)
		out = put_text_field(out, STR("source="), point->source);
	return out;
}

/* Nanoseconds as decimal digits, the seconds' from the last time where they are the same. */
static char *
put_time(char *out, struct log_point_encoder *encoder, int64_t time_ns)
{
	int64_t second = time_ns / NS_PER_SEC, rest = time_ns % NS_PER_SEC;

	if (second <= 0)
		return out + format_int(out, time_ns);
	if (second != encoder->second) {
		encoder->second_len = format_int(encoder->second_text, second);
		encoder->second = second;
	}
	memcpy(out, encoder->second_text, sizeof(encoder->second_text));
	out += encoder->second_len;
	format_nine_digits(out, (uint32_t)rest);
	return out + 9;
}

static char *
put_header_fields(char *out, struct log_point_encoder *encoder, const struct log_record *record)
{
	if (record->version != 0)
		out = put_int_field(out, STR("version="), record->version);
	out = put_int_field(out, STR("severity_code="), record->severity);
	out = put_int_field(out, STR("facility_code="), record->facility);
	if (record->has_time)
		out = put(
			put_time(put(out, STR("timestamp=")), encoder, record->time_ns), STR("i,"));
	out = put_text_field(out, STR("procid="), record->procid);
	out = put_text_field(out, STR("msgid="), record->msgid);
	if (record->hostname.len > TAG_MAX) /* the tag is cut there */
		out = put_text_field(out, STR("hostname_real="), record->hostname);
	if (record->appname.len > TAG_MAX)
		out = put_text_field(out, STR("appname_real="), record->appname);
	return put_text_field(out, STR("message="), record->message);
}

static void
add_rest(struct buf *rest, const struct log_sd *sd)
{
	if (rest->len > 0)
		buf_add_char(rest, ' ');
	buf_add(rest, sd->id);
	if (str_present(sd->name)) {
		buf_add_char(rest, ' ');
		buf_add(rest, sd->name);
		buf_add_text(rest, "=\"");
		buf_add(rest, sd->value);
		buf_add_char(rest, '"');
	}
}

static char *
put_sd_value(char *out, const struct log_sd *sd)
{
	if (!str_present(sd->name))
		return put(out, STR("true"));
	if (!sd->escaped)
		return lp_put_string(out, sd->value);
	/* Unescape at the far end of the room that the longest possible encoding needs, then encode
	 * towards it. */
	char *plain = out + sd->value.len * (LP_GROWTH - 1) + 2;
	size_t n = log_sd_unescape(sd->value, plain);
	return lp_put_string(out, (struct str){ plain, n });
}

/*
 * One field a parameter. Of equal keys the last one wins: a key is written when no later one has
 * its hash (64 keys at most).
 */
static char *
put_structured_data(char *out, struct log_point_encoder *encoder, const struct log_record *record)
{
	uint64_t hashes[LOG_SD_MAX];
	size_t n = record->n_sd;

	buf_clear(&encoder->rest);
	for (size_t i = n; i-- > 0;) {
		hashes[i] = sd_keys_find(&encoder->keys, &record->sd[i]).hash;
		for (size_t j = i + 1; j < n && hashes[i] != 0; j++)
			if (hashes[j] == hashes[i])
				hashes[i] = OVERRIDDEN;
	}
	for (size_t i = 0; i < n; i++) {
		if (hashes[i] == OVERRIDDEN)
			continue;
		struct sd_key key = sd_keys_find(&encoder->keys, &record->sd[i]);
		if (!key.admitted) {
			add_rest(&encoder->rest, &record->sd[i]);
			continue;
		}
		out = put(out, key.text);
		*out++ = '=';
		out = put_sd_value(out, &record->sd[i]);
		*out++ = ',';
	}
	if (str_present(record->sd_rest)) {
		if (encoder->rest.len > 0)
			buf_add_char(&encoder->rest, ' ');
		buf_add(&encoder->rest, record->sd_rest);
	}
	if (encoder->rest.len > 0)
		out = put_text_field(out, STR("sd_rest="), buf_str(&encoder->rest));
	return out;
}

static char *
put_error(char *out, const struct log_record *record)
{
	out = put(out, STR("parse_error=\""));
	out = put(out, str_from(log_error_name(record->error)));
	out = put(out, STR(": "));
	out = put(out, str_from(log_error_text(record->error)));
	out = put(out, STR(" [col "));
	out += format_uint(out, record->column);
	return put(out, STR("]\","));
}

void
log_point_add(struct log_point_encoder *encoder, const struct log_point *point, struct buf *out)
{
	const struct log_record *record = point->record;
	size_t room = FIXED_ROOM + encoder->measurement.len + encoder->host_tag.len +
		encoder->host.len * LP_GROWTH +
		(record->frame.len * 2 + point->source.len) *
			LP_GROWTH + /* names may stand twice */
		record->n_sd * (size_t)((SD_KEY_MAX + 8) * LP_GROWTH + 8) * 2;
	char *start = buf_reserve(out, room), *end = start;

	end = put(end, buf_str(&encoder->measurement));
	end = put_tags(end, encoder, point);
	*end++ = ' ';
	end = put_header_fields(end, encoder, record);
	end = put_untagged(end, encoder, point);
	if (record->n_sd > 0 || str_present(record->sd_rest))
		end = put_structured_data(end, encoder, record);
	if (record->error != LOG_ERR_NONE)
		end = put_error(end, record);
	if (point->truncated)
		end = put(end, STR("truncated=true,"));
	end[-1] = ' '; /* the last field's comma; severity_code is always there */
	out->len += (size_t)(end - start);
}

void
log_point_finish(struct log_point_encoder *encoder, int64_t time_ns, struct buf *out)
{
	char *start = buf_reserve(out, TIME_ROOM);
	char *end = put_time(start, encoder, time_ns);

	*end++ = '\n';
	out->len += (size_t)(end - start);
}
