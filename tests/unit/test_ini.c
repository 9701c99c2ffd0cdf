/* SPDX-License-Identifier: Apache-2.0 */
/* INI text in, sections or exact error texts out. Files are made below a folder of their own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "config/ini.h"

struct ini_case {
	const char *name;
	struct str text;
	const char *sections; /* as dump() writes them */
	const char *errors;
};

#define T(literal)                              \
	{                                       \
		"" literal, sizeof(literal) - 1 \
	}
#define ONLY_EQUALS "(only \"=\" stands between key and value)\n"
#define NO_EQUALS   "no \"=\" in the line (allowed: key = value; a comment starts with # or ;)\n"
#define NOT_A_SECTION                                                                            \
	"not a section (allowed: [kind] or [kind NAME], with letters, digits, \"_\", \"-\" and " \
	"\".\")\n"
#define NAME_50 "rule a12345678901234567890123456789012345678901234"

static const struct ini_case CASES[] = {
	{ "empty", T(""), "", "" },
	{ "comments", T("# a = b\n;[x]\n\n \t\n  # [y]"), "", "" },
	{ "section without keys", T("[a]\n[b c]\n"), "1[a|] 2[b|c] ", "" },
	{ "keys", T("[a]\nk=v\nj  =  w x \t\n"), "1[a|] 2k=v 3j=w x ", "" },
	{ "no LF at the end", T("[a]\nk = v"), "1[a|] 2k=v ", "" },
	{ "empty value", T("[a]\nk =\n"), "1[a|] 2k= ", "" },
	{ "CRLF", T("[a]\r\nk = v\r\n\r\n[b]\r\n"), "1[a|] 2k=v 4[b|] ", "" },
	{ "BOM", T("\xef\xbb\xbf[a]\nk = v\n"), "1[a|] 2k=v ", "" },
	{ "indented is no continuation", T("[a]\nk = v\n  j = w\n\n\tl = x\n"),
		"1[a|] 2k=v 3j=w 5l=x ", "" },
	{ "blanks in a header", T(" [ a \t b ] \n"), "1[a|b] ", "" },
	{ "verbatim", T("[a]\nk = x ;y #z\nj = \"q\" 'r' \\\nl = a=b:c[d]\n"),
		"1[a|] 2k=x ;y #z 3j=\"q\" 'r' \\ 4l=a=b:c[d] ", "" },
	{ "value begins like a comment", T("[a]\nk = ;x\nj = #y\n"), "1[a|] 2k=;x 3j=#y ", "" },
	{ "colon in the value", T("[a]\nmatch.message = a:b\n"), "1[a|] 2match.message=a:b ", "" },
	{ "same key in two sections", T("[a]\nk = 1\n[b]\nk = 2\n"), "1[a|] 2k=1 3[b|] 4k=2 ", "" },
	{ "same name, other kind", T("[a x]\n[b x]\n"), "1[a|x] 2[b|x] ", "" },
	{ "header of 50", T("[" NAME_50 "]\n"), "",
		"f:1: the section is longer than 49 characters between its brackets\n" },
	{ "key : value", T("[a]\nkey : value\n"), "1[a|] ", "f:2: " NO_EQUALS },
	{ "key : value =", T("[a]\nkey : secret = x\n"), "1[a|] ",
		"f:2: \":\" in a key " ONLY_EQUALS },
	{ "no =", T("[a]\nhunter2\nk = v\n"), "1[a|] 3k=v ", "f:2: " NO_EQUALS },
	{ "no key", T("[a]\n = v\n"), "1[a|] ", "f:2: no key before the \"=\"\n" },
	{ "blank in key", T("[a]\npassword hunter2 = v\n"), "1[a|] ",
		"f:2: blank or control character in a key\n" },
	{ "control character in key", T("[a]\nk\x1b[1m = v\n"), "1[a|] ",
		"f:2: blank or control character in a key\n" },
	{ "outside", T("\nk = v\nj = w\n[a]\nl = x\n"), "4[a|] 5l=x ",
		"f:2: text before the first section (a file starts with a [section])\n" },
	{ "unterminated", T("[a]\n[b\nk = v\n[c]\nj = w\n"), "1[a|] 4[c|] 5j=w ",
		"f:2: the section has no closing \"]\"\n" },
	{ "junk tail", T("[a] b\nk = v\n"), "",
		"f:1: text behind the section's \"]\" (a comment needs a line of its own)\n" },
	{ "comment as tail", T("[a] ; b\n"), "",
		"f:1: text behind the section's \"]\" (a comment needs a line of its own)\n" },
	{ "empty header", T("[]\n[ ]\n"), "", "f:1: " NOT_A_SECTION "f:2: " NOT_A_SECTION },
	{ "three words", T("[a b c]\n"), "", "f:1: " NOT_A_SECTION },
	{ "bad name", T("[a b:c]\n[a/b]\n[a \xc3\xa4]\n"), "",
		"f:1: " NOT_A_SECTION "f:2: " NOT_A_SECTION "f:3: " NOT_A_SECTION },
	{ "duplicate key", T("[a b]\nk = 1\nj = 2\nk = 3\n"), "1[a|b] 2k=1 3j=2 ",
		"f:4: [a b] k: stands already in line 2\n" },
	{ "duplicate section", T("[a b]\nk = 1\n[c]\n[a  b]\nk = 2\n[c]\n"), "1[a|b] 2k=1 3[c|] ",
		"f:4: [a b] stands already at f:1\nf:6: [c] stands already at f:3\n" },
	{ "NUL", T("[a]\nk = v\nj = w\0x\n[b]\nl = y\n"), "1[a|] 2k=v ",
		"f:3: NUL byte: not a text file, the rest of it is not read\n" },
	{ "UTF-16 LE", T("\xff\xfe[\0a\0]\0\n\0"), "",
		"f:1: UTF-16 text (save the file as UTF-8)\n" },
	{ "UTF-16 BE", T("\xfe\xff\0[\0a\0]\0\n"), "",
		"f:1: UTF-16 text (save the file as UTF-8)\n" },
	{ "UTF-16 without mark", T("[\0a\0]\0\n\0k\0=\0v\0"), "",
		"f:1: NUL byte: not a text file, the rest of it is not read\n" },
	{ "two BOMs", T("\xef\xbb\xbf\xef\xbb\xbf[a]\n"), "",
		"f:1: two byte order marks (save the file as UTF-8 with one or none)\n" },
	{ "all errors", T("[a]\nx\n= y\n[b\n[c] d\n[a]\n"), "1[a|] ",
		"f:2: " NO_EQUALS "f:3: no key before the \"=\"\n"
		"f:4: the section has no closing \"]\"\n"
		"f:5: text behind the section's \"]\" (a comment needs a line of its own)\n"
		"f:6: [a] stands already at f:1\n" },
};

static void
dump(const struct ini *ini, struct buf *out)
{
	for (size_t i = 0; i < ini->n_sections; i++) {
		const struct ini_section *s = &ini->sections[i];

		buf_printf(out, "%d[%s|%s] ", s->line, s->kind, s->name);
		for (size_t k = 0; k < s->n_entries; k++)
			buf_printf(out, "%d%s=%s ", s->entries[k].line, s->entries[k].key,
				s->entries[k].value);
	}
}

static void
test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
		const struct ini_case *c = &CASES[i];
		struct ini ini = INI_EMPTY;
		struct err err = ERR_NONE;
		struct buf text = BUF_EMPTY;
		bool ok = ini_read_text(&ini, "f", c->text, &err);

		dump(&ini, &text);
		if (strcmp(buf_cstr(&text), c->sections) != 0 ||
			strcmp(buf_cstr(&err.text), c->errors) != 0)
			print_error("case: %s\n", c->name);
		assert_string_equal(buf_cstr(&text), c->sections);
		assert_string_equal(buf_cstr(&err.text), c->errors);
		assert_int_equal(ok, c->errors[0] == '\0');
		ini_fini(&ini);
		err_fini(&err);
		buf_fini(&text);
	}
}

/* The lengths at which inih, left alone, cuts names, lines and values. */
static void
test_lengths(void **state)
{
	static const size_t LENGTHS[] = { 1, 190, 199, 200, 201, 1000, 10000, INI_MAX_LINE - 4 };

	(void)state;
	for (size_t i = 0; i < sizeof(LENGTHS) / sizeof(LENGTHS[0]); i++) {
		struct ini ini = INI_EMPTY;
		struct err err = ERR_NONE;
		struct buf text = BUF_EMPTY, value = BUF_EMPTY;

		/* Were the line cut, its rest would be taken for a key or a section. */
		for (size_t k = 0; k < LENGTHS[i]; k++)
			buf_add_char(&value, k + 1 == LENGTHS[i] ? '.' : "a=b[c] ;"[k % 8]);
		buf_printf(&text, "[s]\nk = %s\r\nj = w\n", buf_cstr(&value));
		assert_true(ini_read_text(&ini, "f", buf_str(&text), &err));
		assert_int_equal(ini.n_sections, 1);
		assert_int_equal(ini.sections[0].n_entries, 2);
		assert_string_equal(ini.sections[0].entries[0].value, buf_cstr(&value));
		assert_string_equal(ini.sections[0].entries[1].value, "w");
		assert_int_equal(ini.sections[0].entries[1].line, 3);
		ini_fini(&ini);
		err_fini(&err);
		buf_fini(&text);
		buf_fini(&value);
	}
}

static void
test_line_too_long(void **state)
{
	struct ini ini = INI_EMPTY;
	struct err err = ERR_NONE;
	struct buf text = BUF_EMPTY, seen = BUF_EMPTY;

	(void)state;
	buf_add_text(&text, "[s]\nk = ");
	for (size_t k = 0; k < INI_MAX_LINE; k++)
		buf_add_char(&text, 'x');
	buf_add_text(&text, "\nj = w\n");
	assert_false(ini_read_text(&ini, "f", buf_str(&text), &err));
	assert_string_equal(buf_cstr(&err.text), "f:2: line longer than 65536 bytes\n");
	dump(&ini, &seen);
	assert_string_equal(buf_cstr(&seen), "1[s|] 3j=w ");
	ini_fini(&ini);
	err_fini(&err);
	buf_fini(&text);
	buf_fini(&seen);
}

static void
test_caps(void **state)
{
	struct ini ini = INI_EMPTY;
	struct err err = ERR_NONE;
	struct buf text = BUF_EMPTY;

	(void)state;
	/* 49 characters are the most. */
	assert_true(ini_read_text(
		&ini, "f", STR("[r n1234567890123456789012345678901234567890123456]\n"), &err));
	assert_int_equal(strlen(ini.sections[0].name), 47);
	buf_add_text(&text, "[many]\n");
	for (unsigned i = 0; i < 5000; i++)
		buf_printf(&text, "k%u = v\n", i);
	assert_false(ini_read_text(&ini, "g", buf_str(&text), &err));
	assert_string_equal(buf_cstr(&err.text),
		"g:4098: more than 4096 keys in a section, the rest of the file is not read\n");
	assert_int_equal(ini.sections[1].n_entries, 4096);
	err_fini(&err);

	buf_clear(&text);
	for (unsigned i = 0; i < 20000; i++)
		buf_printf(&text, "[s%u]\n", i);
	assert_false(ini_read_text(&ini, "h", buf_str(&text), &err));
	assert_string_equal(buf_cstr(&err.text),
		"h:16383: more than 16384 sections, the rest of the file is not read\n");
	err_fini(&err);

	buf_clear(&text);
	for (unsigned i = 0; i < 200; i++)
		buf_add_text(&text, "[x\n");
	assert_false(ini_read_text(&ini, "i", buf_str(&text), &err));
	assert_int_equal(err.count, 51);
	assert_non_null(strstr(
		buf_cstr(&err.text), "i:50: too many errors, the rest of the file is not read\n"));
	err_fini(&err);
	ini_fini(&ini);
	buf_fini(&text);
}

static void
test_files(void **state)
{
	char folder[] = "/tmp/test_ini.XXXXXX";
	struct ini ini = INI_EMPTY;
	struct err err = ERR_NONE;
	struct buf seen = BUF_EMPTY;

	(void)state;
	assert_non_null(mkdtemp(folder));
	assert_int_equal(chdir(folder), 0);
	FILE *file = fopen("a.ini", "w");
	assert_non_null(file);
	assert_true(fputs("[rule a]\nmatch = x\n", file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(mkdir("d", 0700), 0);

	assert_true(ini_read_file(&ini, "a.ini", &err));
	assert_false(ini_read_file(&ini, "./a.ini", &err));
	assert_false(ini_read_file(&ini, "none.ini", &err));
	assert_false(ini_read_file(&ini, "d", &err));
	assert_false(ini_read_file(&ini, "a.ini/b", &err));
	assert_string_equal(buf_cstr(&err.text),
		"./a.ini:1: [rule a] stands already at a.ini:1\n"
		"none.ini: cannot be read: No such file or directory (check the path)\n"
		"d: cannot be read: Is a directory (name a file, or DIR/*.ini where a list of "
		"globs is allowed)\n"
		"a.ini/b: cannot be read: Not a directory (check the path)\n");
	dump(&ini, &seen);
	assert_string_equal(buf_cstr(&seen), "1[rule|a] 2match=x ");
	assert_string_equal(ini.sections[0].file, "a.ini");
	err_fini(&err);

	/* Larger than any INI file; sparse, so that it takes no room. */
	assert_int_equal(truncate("a.ini", 20 << 20), 0);
	assert_false(ini_read_file(&ini, "a.ini", &err));
	assert_string_equal(buf_cstr(&err.text), "a.ini: cannot be read: File too large\n");
	assert_int_equal(unlink("a.ini"), 0);
	assert_int_equal(rmdir("d"), 0);
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(rmdir(folder), 0);
	ini_fini(&ini);
	err_fini(&err);
	buf_fini(&seen);
}

static void
test_find_and_error(void **state)
{
	struct ini ini = INI_EMPTY, other = INI_EMPTY;
	struct err err = ERR_NONE;

	(void)state;
	assert_true(ini_read_text(&ini, "f", STR("[a]\n[b c]\nk = v\n[d]\n"), &err));
	struct ini_section *s = &ini.sections[1];
	assert_null(ini_find(s, "j"));
	assert_false(s->entries[0].used);
	assert_ptr_equal(ini_find(s, "k"), &s->entries[0]);
	assert_true(s->entries[0].used);
	assert_false(ini_error(&err, s, &s->entries[0], "is %d", 1));
	assert_false(ini_error(&err, s, NULL, "two\nlines \x1b"));
	assert_false(ini_error(&err, &ini.sections[0], NULL, "no name"));
	assert_string_equal(buf_cstr(&err.text),
		"f:3: [b c] k: is 1\nf:2: [b c]: two?lines ?\nf:1: [a]: no name\n");

	ini_move_section(&other, &ini, 1);
	assert_int_equal(ini.n_sections, 2);
	assert_string_equal(ini.sections[1].kind, "d");
	assert_int_equal(other.n_sections, 1);
	assert_string_equal(other.sections[0].entries[0].value, "v");
	ini_fini(&ini);
	ini_fini(&other);
	err_fini(&err);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_line_too_long),
		cmocka_unit_test(test_caps),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_find_and_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
