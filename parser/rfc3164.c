/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The RFC 3164 shape: STAMP HOST TAG[PID]: MSG. The RFC describes what was seen, it is no grammar:
 * the stamp may be an RFC 3339 one (rsyslog's RSYSLOG_ForwardFormat), host, pid, colon and message
 * may be missing. So each part is taken when it is there.
 */
#include "parser/parse.h"
#include "parser/scan.h"

/* "-" stands for "not there". */
static struct str
nil_or_text(const char *ptr, const char *end)
{
	return end - ptr == 1 && *ptr == '-' ? STR_ABSENT
					     : (struct str){ ptr, (size_t)(end - ptr) };
}

/* Bytes of any script, but no blanks and no control characters. */
static bool
is_visible(char c)
{
	return (unsigned char)c > ' ' && c != 0x7f;
}

static const char *
visible_end(const char *p, const char *end)
{
	while (p < end && is_visible(*p))
		p++;
	return p;
}

/* "tag:" and "tag[pid]:": such a first word is no hostname, though "fe80::1" is. */
static bool
is_tag(const char *word, const char *end)
{
	if (end > word && end[-1] == ':')
		return true;
	const char *pid = memchr(word, '[', (size_t)(end - word));
	if (pid == NULL || pid == word)
		return false;
	const char *close = memchr(pid, ']', (size_t)(end - pid));
	return close != NULL && close + 1 < end && close[1] == ':';
}

/* Returns what follows the hostname's space, or NULL: nothing more can be read. */
static const char *
read_hostname(struct parse *parse, const char *p)
{
	const char *end = scan(p, parse->end, BYTE_WORD);

	parse->expect = LOG_ERR_HOSTNAME;
	parse->field = p;
	if (is_tag(p, visible_end(p, parse->end)))
		return p;
	if (end == p || (end < parse->end && *end != ' ')) {
		parse_hard_error(parse, end);
		return NULL;
	}
	if (end - p > MAX_HOSTNAME)
		parse_soft_error(parse, LOG_ERR_HOSTNAME, p + MAX_HOSTNAME);
	parse->record->hostname = nil_or_text(p, end);
	return end < parse->end ? end + 1 : end;
}

/* "[pid]" when it is one; returns what follows it. */
static const char *
read_pid(struct parse *parse, const char *p)
{
	const char *start = p + 1, *end = p;

	if (p == parse->end || *p != '[')
		return p;
	while (end < parse->end && is_visible(*end) && *end != ']')
		end++;
	if (end == parse->end || *end != ']')
		return p;
	if (end - start > MAX_PROCID)
		parse_soft_error(parse, LOG_ERR_PROCID, start + MAX_PROCID);
	if (end > start)
		parse->record->procid = nil_or_text(start, end);
	return end + 1;
}

/* The tag has no limit: RFC 3164's 32 are exceeded everywhere. */
static const char *
read_tag(struct parse *parse, const char *p)
{
	const char *end = p;

	while (end < parse->end && is_visible(*end) && *end != ':' && *end != '[')
		end++;
	if (end == p) {
		parse_soft_error(parse, LOG_ERR_TAG, p);
		return p;
	}
	parse->record->appname = nil_or_text(p, end);
	p = read_pid(parse, end);
	return p < parse->end && *p == ':' ? p + 1 : p;
}

static const char *
read_stamp(struct parse *parse, const char *p, int64_t now_ns)
{
	struct timestamp stamp = { .in_range = false };
	const char *start = p;
	bool digit = p < parse->end && *p >= '0' && *p <= '9';
	bool read = digit ? timestamp_rfc3339(&p, parse->end, &stamp)
			  : timestamp_rfc3164(&p, parse->end, now_ns, &stamp);

	parse->expect = LOG_ERR_STAMP;
	parse->field = start;
	if (!read || (p < parse->end && *p != ' ')) {
		parse_hard_error(parse, p);
		return NULL;
	}
	parse_time(parse, &stamp, start);
	return p < parse->end ? p + 1 : p;
}

void
rfc3164_parse(struct parse *parse, const char *p, int64_t now_ns)
{
	parse->record->format = LOG_FORMAT_RFC3164;
	p = read_stamp(parse, p, now_ns);
	if (p == NULL)
		return;
	p = read_hostname(parse, p);
	if (p == NULL)
		return;
	p = read_tag(parse, p);
	if (p < parse->end)
		parse_message(parse, *p == ' ' ? p + 1 : p);
}
