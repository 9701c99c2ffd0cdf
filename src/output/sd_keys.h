/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Field keys of structured data, encoded: ID, separator and PARAM-NAME escaped for line protocol,
 * with the prefix sd_ where the name is one of ours. Senders use the same few names in every
 * message, so each worker keeps the last ones it encoded.
 */
#pragma once

#include "base/buf.h"
#include "output/sd_names.h"
#include "parser/log_record.h"

enum {
	SD_KEY_MAX = 256,  /* bytes of SD-ID, separator and name together; longer ones get no field
			      of their own */
	SD_KEYS_KEPT = 64, /* a power of two */
	SD_KEPT_RAW = 64,  /* bytes of ID and name of a key that is kept */
	SD_KEPT_TEXT = 96, /* bytes of its encoding */
};

struct sd_key {
	struct str text; /* valid until the next sd_keys_find() */
	uint64_t hash;   /* of the text; odd */
	bool admitted;   /* may be a field: see sd_names.h. False for over-long ones too (their hash
			    is 0) */
};

struct sd_keys {
	struct str separator;
	struct sd_names *names; /* shared by all workers */
	struct buf scratch;     /* for keys that are not kept */
	struct {
		struct sd_key key; /* key.text.ptr is set when asked for */
		uint8_t id_len, name_len;
		bool has_name, used;
		char raw[SD_KEPT_RAW], text[SD_KEPT_TEXT];
	} kept[SD_KEYS_KEPT];
};

void sd_keys_init(struct sd_keys *keys, struct str separator, struct sd_names *names);
void sd_keys_fini(struct sd_keys *keys);

struct sd_key sd_keys_find(struct sd_keys *keys, const struct log_sd *sd);
