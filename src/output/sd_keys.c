/* SPDX-License-Identifier: Apache-2.0 */
#include "output/sd_keys.h"

#include "base/hash.h"
#include "metric/line_protocol.h"

void
sd_keys_init(struct sd_keys *keys, struct str separator, struct sd_names *names)
{
	memset(keys, 0, sizeof(*keys));
	keys->separator = separator;
	keys->names = names;
}

void
sd_keys_fini(struct sd_keys *keys)
{
	buf_fini(&keys->scratch);
}

/* Names that structured data may not take: our own fields and tags. */
static bool
is_reserved(struct str key)
{
	static const struct str names[] = { STR_INIT("time"), STR_INIT("host"), STR_INIT("msgid"),
		STR_INIT("procid"), STR_INIT("source"), STR_INIT("version"), STR_INIT("message"),
		STR_INIT("appname"), STR_INIT("sd_rest"), STR_INIT("hostname"),
		STR_INIT("severity"), STR_INIT("facility"), STR_INIT("timestamp"),
		STR_INIT("truncated"), STR_INIT("hostname_real"), STR_INIT("appname_real"),
		STR_INIT("parse_error"), STR_INIT("severity_code"), STR_INIT("facility_code") };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (str_equal(key, names[i]))
			return true;
	return false;
}

static struct sd_key
encode(struct sd_keys *keys, const struct log_sd *sd)
{
	if (sd->id.len + keys->separator.len + sd->name.len > SD_KEY_MAX)
		return (struct sd_key){ .text = STR(""), .hash = 0, .admitted = false };

	buf_clear(&keys->scratch);
	char *out = buf_reserve(&keys->scratch, 3 + SD_KEY_MAX * LP_GROWTH);
	char *key = out + 3; /* room for "sd_" in front */
	char *end = lp_put_key(key, sd->id);

	if (str_present(sd->name)) {
		end = lp_put_key(end, keys->separator);
		end = lp_put_key(end, sd->name);
	}
	struct str text = { key, (size_t)(end - key) };
	if (text.len == 0 || is_reserved(text)) {
		memcpy(out, "sd_", 3);
		text = (struct str){ out, text.len + 3 };
	}
	uint64_t hash = hash64(text, 0) | 1;
	return (struct sd_key){ text, hash, sd_names_admit(keys->names, hash) };
}

struct sd_key
sd_keys_find(struct sd_keys *keys, const struct log_sd *sd)
{
	struct str id = sd->id, name = sd->name;

	if (id.len + name.len > SD_KEPT_RAW || id.len == 0)
		return encode(keys, sd);

	size_t slot = id.len * 7 + name.len * 31 + (unsigned char)id.ptr[0] * 5U;
	if (name.len > 0)
		slot += (unsigned char)name.ptr[0] + (unsigned char)name.ptr[name.len - 1] * 11U;
	slot %= SD_KEYS_KEPT;
	bool same = keys->kept[slot].used && keys->kept[slot].id_len == id.len &&
		keys->kept[slot].name_len == name.len &&
		keys->kept[slot].has_name == str_present(name) &&
		memcmp(keys->kept[slot].raw, id.ptr, id.len) == 0 &&
		(name.len == 0 || memcmp(keys->kept[slot].raw + id.len, name.ptr, name.len) == 0);
	if (!same) {
		struct sd_key fresh = encode(keys, sd);

		/* A name that was not admitted may be later, by another worker: asked again each
		 * time. */
		if (!fresh.admitted || fresh.text.len > SD_KEPT_TEXT)
			return fresh;
		memcpy(keys->kept[slot].raw, id.ptr, id.len);
		if (name.len > 0)
			memcpy(keys->kept[slot].raw + id.len, name.ptr, name.len);
		memcpy(keys->kept[slot].text, fresh.text.ptr, fresh.text.len);
		keys->kept[slot].key = fresh;
		keys->kept[slot].id_len = (uint8_t)id.len;
		keys->kept[slot].name_len = (uint8_t)name.len;
		keys->kept[slot].has_name = str_present(name);
		keys->kept[slot].used = true;
	}
	struct sd_key found = keys->kept[slot].key;
	found.text.ptr = keys->kept[slot].text;
	return found;
}
