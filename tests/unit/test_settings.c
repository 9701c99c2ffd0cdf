/* SPDX-License-Identifier: Apache-2.0 */
/* Configurations in a folder of their own: values, defaults, and the exact text of every error. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/diag.h"
#include "config/options.h"

#define SEC INT64_C(1000000000)

static char folder[] = "/tmp/test_settings.XXXXXX";

static void
write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

/* The files are c.ini (main), rules/N.ini, cert.pem, key.pem, secret. */
static int
make_folder(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(folder));
	assert_int_equal(chdir(folder), 0);
	assert_int_equal(mkdir("rules", 0700), 0);
	assert_int_equal(mkdir("other", 0700), 0);
	assert_int_equal(mkdir("odd[1]*", 0700), 0);
	assert_int_equal(symlink("loop", "loop"), 0);
	write_file("cert.pem", "");
	write_file("key.pem", "");
	write_file("secret", "hunter2\n");
	assert_int_equal(setenv("LM_HOST", " web-1 ", 1), 0);
	assert_int_equal(setenv("LM_SECRET", "hunter2", 1), 0);
	assert_int_equal(setenv("LM_EMPTY", "", 1), 0);
	assert_int_equal(setenv("LM_LINES", "a\nb", 1), 0);
	assert_int_equal(unsetenv("LM_UNSET"), 0);
	return 0;
}

static int
remove_folder(void **state)
{
	static const char *const FILES[] = { "cert.pem", "key.pem", "secret", "loop", "c.ini",
		"rules/1.ini", "rules/2.ini", "other/c.ini", "odd[1]*/c.ini", "odd[1]*/x.ini" };

	(void)state;
	for (size_t i = 0; i < sizeof(FILES) / sizeof(FILES[0]); i++)
		unlink(FILES[i]);
	rmdir("rules");
	rmdir("other");
	rmdir("odd[1]*");
	return chdir("/") == 0 && rmdir(folder) == 0 ? 0 : -1;
}

/* Reads text as c.ini; prints the errors when there should be none. The caller frees. */
static struct settings
read_good(const char *text)
{
	struct settings settings;
	struct err err = ERR_NONE;

	write_file("c.ini", text);
	bool ok = settings_read(&settings, "c.ini", &err);
	if (!ok)
		print_error("%s\n%s", text, buf_cstr(&err.text));
	assert_true(ok);
	assert_int_equal(err.count, 0);
	err_fini(&err);
	return settings;
}

/* Prints what differs; the caller asserts, so that one run shows all wrong cases. */
static bool
has_errors(const char *text, const char *expected)
{
	struct settings settings;
	struct err err = ERR_NONE;

	write_file("c.ini", text);
	bool ok = settings_read(&settings, "c.ini", &err);
	bool good = !ok && strcmp(buf_cstr(&err.text), expected) == 0;
	if (!good)
		print_error(
			"config:\n%s\nsays:\n%sand not:\n%s", text, buf_cstr(&err.text), expected);
	assert_null(strstr(buf_cstr(&err.text), "hunter2"));
	err_fini(&err);
	settings_fini(&settings); /* owed after a failure too */
	return good;
}

#define IN_LISTEN(line)   "[listen a]\naddress = tcp://:1\n" line "\n"
#define IN_INFLUX(line)   "[influxdb a]\n" line "\n"
#define IN_SERVER(line)   "[server]\n" line "\n"
#define AT(line, section) "c.ini:" #line ": [" section "] "
#define SEE_OPTIONS       "(\"logmill options\" shows the known ones)\n"
#define ADDRESS_ALLOWED   "(allowed: tcp://, udp:// or tls:// and HOST:PORT)\n"
#define URL_ALLOWED       "(allowed: http:// or https:// addresses)\n"
#define LEAVE_OUT         "not supported yet (leave it out)\n"

static const struct {
	const char *text, *errors;
} BAD[] = {
	/* names */
	{ IN_SERVER("worker = 2"),
		AT(2, "server") "worker: unknown key (did you mean \"workers\"?)\n" },
	{ IN_SERVER("xyz = 2"), AT(2, "server") "xyz: unknown key " SEE_OPTIONS },
	{ "[servr]\nx = 1\n", "c.ini:1: [servr]: unknown section (did you mean [server]?)\n" },
	{ "[influx a]\n",
		"c.ini:1: [influx a]: unknown section (did you mean [influxdb NAME]?)\n" },
	{ "[quux]\n", "c.ini:1: [quux]: unknown section " SEE_OPTIONS },
	{ "[listen]\naddress = tcp://\n", "c.ini:1: [listen]: needs a name: [listen NAME]\n" },
	{ "[influxdb]\n", "c.ini:1: [influxdb]: needs a name: [influxdb NAME]\n" },
	{ "[file]\npath = -\n", "c.ini:1: [file]: needs a name: [file NAME]\n" },
	{ "[server x]\n", "c.ini:1: [server x]: takes no name: [server]\n" },
	{ "[rule]\n", "c.ini:1: [rule]: needs a name: [rule NAME]\n" },
	{ "[patterns x]\n", "c.ini:1: [patterns x]: takes no name: [patterns]\n" },
	/* types and ranges */
	{ IN_SERVER("workers = 0"),
		AT(2, "server") "workers: \"0\" is out of range (allowed: auto or 1 to 256)\n" },
	{ IN_SERVER("workers = -1"),
		AT(2, "server") "workers: \"-1\" is out of range (allowed: auto or 1 to 256)\n" },
	{ IN_SERVER("workers = 2x"),
		AT(2, "server") "workers: \"2x\" is not a whole number (allowed: auto or 1 to "
				"256)\n" },
	{ IN_SERVER("workers ="),
		AT(2, "server") "workers: \"\" is empty (allowed: auto or 1 to 256)\n" },
	{ IN_SERVER("memory_limit = 64KB"),
		AT(2, "server") "memory_limit: \"64KB\" is not a size in B, KiB, MiB or GiB "
				"(allowed: 1MiB to 1024GiB)\n" },
	{ IN_SERVER("memory_limit = 2000GiB"),
		AT(2, "server") "memory_limit: \"2000GiB\" is out of range (allowed: 1MiB to "
				"1024GiB)\n" },
	{ IN_SERVER("drain_delay = 5"),
		AT(2, "server") "drain_delay: \"5\" is not a duration in ns, us, ms, s, m, h or d "
				"(allowed: 0 to 1h)\n" },
	{ IN_SERVER("drain_timeout = 2h"),
		AT(2, "server") "drain_timeout: \"2h\" is out of range (allowed: 100ms to 1h)\n" },
	{ IN_SERVER("drain_delay = 10s"),
		AT(2, "server") "drain_delay: drain_timeout includes drain_delay and must be "
				"longer\n" },
	{ IN_SERVER("log_level = trace"),
		AT(2, "server") "log_level: \"trace\" is not allowed (allowed: "
				"debug|info|warn|error)\n" },
	{ IN_SERVER("host = a b"),
		AT(2, "server") "host: holds a blank, or a character beyond ASCII\n" },
	{ IN_LISTEN("best_effort = true"),
		AT(3, "listen a") "best_effort: \"true\" is not allowed (allowed: yes|no)\n" },
	{ IN_LISTEN("keepalive = 1ms"),
		AT(3, "listen a") "keepalive: \"1ms\" is out of range (allowed: 0 or 1s to 1d)\n" },
	{ IN_LISTEN("max_message_size = 2MiB"),
		AT(3, "listen a") "max_message_size: \"2MiB\" is out of range (allowed: 256B to "
				  "1MiB)\n" },
	{ IN_LISTEN("framing = crlf"),
		AT(3, "listen a") "framing: \"crlf\" is not allowed (allowed: "
				  "auto|octet-counting|lf|nul)\n" },
	{ IN_LISTEN("format = xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxyyyyy"),
		AT(3, "listen a") "format: "
				  "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.."
				  ".\""
				  " is not allowed (allowed: auto|rfc5424|rfc3164)\n" },
	{ "[logs]\nmeasurement = a\x01"
	  "b\n",
		AT(2, "logs") "measurement: holds a control character\n" },
	{ "[logs]\nmeasurement = a\xff\n", AT(2, "logs") "measurement: is not UTF-8\n" },
	{ "[logs]\nmeasurement = \xed\xa0\x80\n", AT(2, "logs") "measurement: is not UTF-8\n" },
	{ "[logs]\ntags = host procid\n",
		AT(2, "logs") "tags: unknown tag (allowed: severity facility hostname appname "
			      "source host)\n" },
	{ "[logs]\ntime = now\n",
		AT(2, "logs") "time: \"now\" is not allowed (allowed: message|received)\n" },
	{ "[logs]\noutput = mian x\n[file main]\npath = -\n",
		AT(2, "logs") "output: no output of that name (did you mean \"main\"?)\n" AT(
			2, "logs") "output: no output of that name\n" },
	/* listeners */
	{ "[listen a]\n", "c.ini:1: [listen a]: address is missing " ADDRESS_ALLOWED },
	{ "[listen a]\naddress =\n", AT(2, "listen a") "address: \"\" is empty " ADDRESS_ALLOWED },
	{ "[listen a]\naddress = :6514\n",
		AT(2, "listen a") "address: not an address " ADDRESS_ALLOWED },
	{ "[listen a]\naddress = tsl://h\ntls_cert = cert.pem\n",
		AT(2, "listen a") "address: not an address " ADDRESS_ALLOWED },
	{ "[listen a]\naddress = unix:///x\n",
		AT(2, "listen a") "address: unix:// not supported yet " ADDRESS_ALLOWED },
	{ "[listen a]\naddress = unixgram:///x\n",
		AT(2, "listen a") "address: unixgram:// not supported yet " ADDRESS_ALLOWED },
	{ "[listen a]\naddress = relp://h\n",
		AT(2, "listen a") "address: relp:// not supported yet " ADDRESS_ALLOWED },
	{ "[listen a]\naddress = tcp://h:0\n",
		AT(2, "listen a") "address: the port is not a number from 1 to "
				  "65535 " ADDRESS_ALLOWED },
	{ "[listen a]\naddress = tcp://h:65536\n",
		AT(2, "listen a") "address: the port is not a number from 1 to "
				  "65535 " ADDRESS_ALLOWED },
	{ "[listen a]\naddress = tcp://h:\n",
		AT(2, "listen a") "address: the port is not a number from 1 to "
				  "65535 " ADDRESS_ALLOWED },
	{ "[listen a]\naddress = tcp://h:+1\n",
		AT(2, "listen a") "address: the port is not a number from 1 to "
				  "65535 " ADDRESS_ALLOWED },
	{ "[listen a]\naddress = tcp://::1:6514\n",
		AT(2, "listen a") "address: an IPv6 address stands in [ ] " ADDRESS_ALLOWED },
	{ "[listen a]\naddress = tcp://[::1\n",
		AT(2, "listen a") "address: \"[\" without \"]\" " ADDRESS_ALLOWED },
	{ "[listen a]\naddress = tcp://[::1]6\n",
		AT(2, "listen a") "address: text behind \"]\" " ADDRESS_ALLOWED },
	{ "[listen a]\naddress = tcp://[h]:1\n",
		AT(2, "listen a") "address: not an IPv6 address in [ ] " ADDRESS_ALLOWED },
	{ "[listen a]\naddress = tcp://1.2.3.400\n",
		AT(2, "listen a") "address: not an IPv4 address " ADDRESS_ALLOWED },
	{ "[listen a]\naddress = tcp://a/b\n",
		AT(2, "listen a") "address: not a host name or address (IPv6 stands in [ "
				  "]) " ADDRESS_ALLOWED },
	{ "[listen a]\naddress = tls://h\n",
		"c.ini:1: [listen a]: a tls:// listener needs tls_cert, which is missing\n"
		"c.ini:1: [listen a]: a tls:// listener needs tls_key, which is missing\n" },
	{ "[listen a]\naddress = tls://h\ntls_cert = cert.pem\n",
		"c.ini:1: [listen a]: a tls:// listener needs tls_key, which is missing\n" },
	{ "[listen a]\naddress = tls://h\ntls_cert = none.pem\ntls_key = rules\n",
		AT(3, "listen a") "tls_cert: cannot be read: No such file or directory"
				  " (the path is taken from the folder .)\n" AT(4,
					  "listen a") "tls_key: cannot be read: Is a directory "
						      "(the path is taken from the folder .)\n" },
	{ "[listen a]\naddress = tls://h\ntls_cert = /none.pem\ntls_key = key.pem\n",
		AT(3, "listen a") "tls_cert: cannot be read: No such file or directory\n" },
	{ IN_LISTEN("tls_cert = cert.pem\ntls_min_version = 1.2"),
		AT(3, "listen a") "tls_cert: only a tls:// listener takes this, not tcp://\n" AT(
			4, "listen a") "tls_min_version: only a tls:// listener takes this, not "
				       "tcp://\n" },
	{ "[listen a]\naddress = udp://\ntls_ciphers = X\n",
		AT(3, "listen a") "tls_ciphers: only a tls:// listener takes this, not udp://\n" },
	{ "[listen a]\naddress = tcp://h\n[listen u]\naddress = udp://h\n[listen b]\naddress = "
	  "tcp://h:6514\n",
		AT(6, "listen b") "address: the same as that of [listen a]\n" },
	/* not built yet */
	{ IN_LISTEN("idle_timeout = 0"), AT(3, "listen a") "idle_timeout: " LEAVE_OUT },
	{ IN_LISTEN("read_timeout = 60s"), AT(3, "listen a") "read_timeout: " LEAVE_OUT },
	{ IN_LISTEN("allow = 10.0.0.0/8"), AT(3, "listen a") "allow: " LEAVE_OUT },
	{ IN_LISTEN("timezone = UTC"), AT(3, "listen a") "timezone: " LEAVE_OUT },
	{ IN_LISTEN("tls_permitted_peers = a"),
		AT(3, "listen a") "tls_permitted_peers: " LEAVE_OUT },
	{ "[logs]\nmax_values.hostname = 5\n", AT(2, "logs") "max_values.hostname: " LEAVE_OUT },
	{ "[drop x]\nwhen.appname = y\n", "c.ini:1: [drop x]: " LEAVE_OUT },
	{ "[metrics]\nprometheus = yes\ninstance = none\n",
		AT(2, "metrics") "prometheus: " LEAVE_OUT AT(3, "metrics") "instance: " LEAVE_OUT },
	{ IN_INFLUX("gzip = yes"),
		AT(2, "influxdb a") "gzip: \"yes\" is not supported yet (allowed: no)\n" },
	{ IN_INFLUX("spool = yes"),
		AT(2, "influxdb a") "spool: \"yes\" is not supported yet (allowed: no)\n" },
	{ IN_INFLUX("spool_limit = 1GiB"), AT(2, "influxdb a") "spool_limit: " LEAVE_OUT },
	{ IN_INFLUX("when_full = drop_oldest"),
		AT(2, "influxdb a") "when_full: \"drop_oldest\" is not supported yet (allowed: "
				    "block)\n" },
	/* outputs */
	{ IN_INFLUX("url = ftp://h"),
		AT(2, "influxdb a") "url: not an http:// or https:// address " URL_ALLOWED },
	{ IN_INFLUX("url = http://u:hunter2@h"),
		AT(2, "influxdb a") "url: no user in the address: username and password have "
				    "options of their own " URL_ALLOWED },
	{ IN_INFLUX("url = http://h/?p=hunter2"),
		AT(2, "influxdb a") "url: no \"?\" or \"#\" in the address: what is asked for has "
				    "options of its own " URL_ALLOWED },
	{ IN_INFLUX("url = http:///x"),
		AT(2, "influxdb a") "url: an address without a host " URL_ALLOWED },
	{ IN_INFLUX("url = http://a http://b:x"),
		AT(2, "influxdb a") "url: the port is not a number from 1 to 65535 " URL_ALLOWED },
	{ IN_INFLUX("url = http://h/\xc3\xa4"),
		AT(2, "influxdb a") "url: a character beyond ASCII in an address " URL_ALLOWED },
	{ IN_INFLUX("url = u://1 u://2 u://3 u://4 u://5 u://6 u://7 u://8 u://9 u://0 u://1 u://2 "
		    "u://3 u://4"),
		AT(2, "influxdb a") "url: not an http:// or https:// address " URL_ALLOWED },
	{ IN_INFLUX("batch_bytes = 5MiB"),
		AT(2, "influxdb a") "batch_bytes: \"5MiB\" is out of range (allowed: 1KiB to "
				    "4MiB)\n" },
	{ IN_INFLUX("version = 3"),
		AT(2, "influxdb a") "version: \"3\" is not allowed (allowed: 1|2)\n" },
	{ IN_INFLUX("version = 3\norg = o\ndatabase = d"),
		AT(2, "influxdb a") "version: \"3\" is not allowed (allowed: 1|2)\n" },
	{ IN_INFLUX("org = o\nbucket = b\ntoken = hunter2"),
		AT(2, "influxdb a") "org: only with version = 2\n" AT(
			3, "influxdb a") "bucket: only with version = 2\n" AT(4,
			"influxdb a") "token: only with version = 2\n" },
	{ IN_INFLUX("version = 2"),
		"c.ini:1: [influxdb a]: version = 2 needs org, which is missing\n"
		"c.ini:1: [influxdb a]: version = 2 needs bucket, which is missing\n"
		"c.ini:1: [influxdb a]: version = 2 needs token or token_file, which are "
		"missing\n" },
	{ IN_INFLUX("version = 2\norg = o\nbucket = b\ntoken = hunter2\ntoken_file = "
		    "secret\ndatabase = d"),
		AT(7, "influxdb a") "database: only with version = 1\n" AT(6,
			"influxdb a") "token_file: token is given too (allowed: one of them)\n" },
	{ IN_INFLUX("username = u"),
		AT(2, "influxdb a") "username: needs password or password_file, which are "
				    "missing\n" },
	{ IN_INFLUX("password = hunter2"),
		"c.ini:1: [influxdb a]: a password needs username, which is missing\n" },
	{ IN_INFLUX("username = u\npassword_file = hunter2"),
		AT(3, "influxdb a") "password_file: cannot be read: No such file or directory (the "
				    "path is taken from the folder .)\n" },
	{ IN_INFLUX("consistency = most"),
		AT(2, "influxdb a") "consistency: not a consistency (allowed: "
				    "any|one|quorum|all)\n" },
	{ IN_INFLUX("tls_ca = cert.pem"),
		AT(2, "influxdb a") "tls_ca: only with an https:// address in url\n" },
	{ IN_INFLUX("url = https://h\ntls_key = key.pem"),
		AT(3, "influxdb a") "tls_key: needs tls_cert, which is missing\n" },
	{ IN_INFLUX("url = https://h\ntls_cert = cert.pem"),
		AT(3, "influxdb a") "tls_cert: needs tls_key, which is missing\n" },
	{ "[file a]\n", "c.ini:1: [file a]: path is missing (allowed: a file, or - for stdout)\n" },
	{ "[file a]\npath = x\n[influxdb a]\n[file b]\npath = x\n",
		"c.ini:3: [influxdb a]: an output of that name is already there: [file a]\n" AT(
			5, "file b") "path: the same as that of [file a]\n" },
	/* http */
	{ "[http]\naddress = :9514\n",
		AT(2, "http") "address: no host: 0.0.0.0 is every address (allowed: "
			      "HOST:PORT|none)\n" },
	{ "[http]\naddress = h:x\n",
		AT(2, "http") "address: the port is not a number from 1 to 65535 (allowed: "
			      "HOST:PORT|none)\n" },
	{ "[http]\ntoken_file = hunter2\n",
		AT(2, "http") "token_file: cannot be read: No such file or directory (the path is "
			      "taken from the folder .)\n" },
	/* environment */
	{ IN_SERVER("host = ${LM_UNSET}"),
		AT(2, "server") "host: the environment variable LM_UNSET is not set\n" },
	{ IN_SERVER("host = x${LM_HOST"), AT(2, "server") "host: \"${\" without \"}\"\n" },
	{ IN_SERVER("host = ${}"),
		AT(2, "server") "host: not a variable's name in ${ } (allowed: letters, digits, "
				"_)\n" },
	{ IN_SERVER("host = ${1A}"),
		AT(2, "server") "host: not a variable's name in ${ } (allowed: letters, digits, "
				"_)\n" },
	{ IN_SERVER("workers = ${LM_SECRET}"),
		AT(2, "server") "workers: \"${LM_SECRET}\" is not a whole number (allowed: auto or "
				"1 to 256)\n" },
	{ IN_SERVER("workers = ${LM_EMPTY}"),
		AT(2, "server") "workers: \"${LM_EMPTY}\" is empty (allowed: auto or 1 to 256)\n" },
	{ "[logs]\nmeasurement = ${LM_LINES}\n",
		AT(2, "logs") "measurement: holds a control character\n" },
	{ IN_INFLUX("username = u\npassword = x${hunter2}"),
		AT(3, "influxdb a") "password: the environment variable in it is not set\n" },
	/* syntax, and all errors at once */
	{ "workers = 2\n",
		"c.ini:1: text before the first section (a file starts with a [section])\n" },
	{ "[server]\nworkers = 1\nworkers = 2\n",
		AT(3, "server") "workers: stands already in line 2\n" },
	{ IN_INFLUX("username = u\npassword hunter2\npassword: hunter2\n"),
		"c.ini:3: no \"=\" in the line (allowed: key = value; a comment starts with # or "
		";)\n"
		"c.ini:4: no \"=\" in the line (allowed: key = value; a comment starts with # or "
		";)\n" AT(2, "influxdb a") "username: needs password or password_file, which are "
					   "missing\n" },
	{ "[server]\nworkers = x\nhots = y\n[lisen b]\n[http]\naddress = [\n[a\n",
		"c.ini:7: the section has no closing \"]\"\n" AT(2,
			"server") "workers: \"x\" is not a whole number (allowed: auto or 1 to "
				  "256)\n" AT(3,
					  "server") "hots: unknown key (did you mean \"host\"?)\n"
						    "c.ini:4: [lisen b]: unknown section (did you "
						    "mean [listen NAME]?)\n" AT(6,
							    "http") "address: \"[\" without \"]\" "
								    "(allowed: HOST:PORT|none)\n" },
	/* rule files */
	{ IN_SERVER("rules = none.ini rules"),
		"none.ini: cannot be read: No such file or directory (check the path)\n"
		"rules: cannot be read: Is a directory (name a file, or DIR/*.ini where a list of "
		"globs is allowed)\n" },
	{ IN_SERVER("rules = loop/*.ini"),
		AT(2, "server") "rules: cannot look for loop/*.ini: Too many levels of symbolic "
				"links\n" },
	{ IN_SERVER("rules = c.ini"),
		"c.ini:1: [server]: not allowed in a rule file (allowed: [rule NAME] and "
		"[patterns])\n" },
};

static void
test_errors(void **state)
{
	bool good = true;

	(void)state;
	for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++)
		good = has_errors(BAD[i].text, BAD[i].errors) && good;
	assert_true(good);
}

static void
test_too_many(void **state)
{
	struct buf text = BUF_EMPTY;

	(void)state;
	for (int i = 1; i <= 65; i++)
		buf_printf(&text, "[listen l%d]\naddress = tcp://:%d\n[file f%d]\npath = %d\n", i,
			i, i, i);
	assert_true(has_errors(buf_cstr(&text),
		"c.ini:257: [listen l65]: more than 64 listeners\nc.ini:259: [file f65]: more than "
		"64 outputs\n"));
	buf_clear(&text);
	buf_add_text(&text, "[influxdb a]\nurl =");
	for (int i = 0; i < 17; i++)
		buf_add_text(&text, " http://h");
	assert_true(has_errors(
		buf_cstr(&text), AT(2, "influxdb a") "url: more than 16 addresses " URL_ALLOWED));
	buf_fini(&text);
}

static void
test_defaults(void **state)
{
	struct settings s = read_good(
		"[listen a]\naddress = tcp://\n[influxdb i]\n[file f]\npath = p\n");
	const struct listen_settings *l = &s.listens[0];
	const struct output_settings *i = &s.outputs[0], *f = &s.outputs[1];
	char host[256] = "";

	(void)state;
	assert_int_equal(gethostname(host, sizeof(host) - 1), 0);
	assert_int_equal(s.workers, 0);
	assert_string_equal(s.state_dir, "/var/lib/logmill");
	assert_string_equal(s.host, host);
	assert_int_equal(s.log_level, DIAG_INFO);
	assert_int_equal(s.memory_limit, 256 << 20);
	assert_int_equal(s.drain_delay_ns, 0);
	assert_int_equal(s.drain_timeout_ns, 10 * SEC);
	assert_int_equal(s.n_listens, 1);
	assert_string_equal(l->name, "a");
	assert_string_equal(l->address, "tcp://");
	assert_int_equal(l->transport, LISTEN_TCP);
	assert_null(l->host);
	assert_int_equal(l->port, 6514);
	assert_int_equal(l->framing, FRAMING_AUTO);
	assert_int_equal(l->format, LOG_PARSE_AUTO);
	assert_true(l->best_effort);
	assert_true(l->source);
	assert_int_equal(l->max_message_size, 65536);
	assert_int_equal(l->max_connections, 1024);
	assert_int_equal(l->keepalive_ns, 300 * SEC);
	assert_null(l->tls_cert);
	assert_null(l->tls_key);
	assert_null(l->tls_ca);
	assert_int_equal(l->tls_min_version, 12);
	assert_null(l->tls_ciphers);
	assert_true(s.logs.enabled);
	assert_string_equal(s.logs.measurement, "syslog");
	assert_int_equal(s.logs.tags, LOG_TAG_ALL);
	assert_string_equal(s.logs.sdparam_separator, "_");
	assert_false(s.logs.time_received);
	assert_int_equal(s.logs.max_age_ns, 7 * 86400 * SEC);
	assert_int_equal(s.logs.max_future_ns, 10 * SEC);
	assert_int_equal(s.logs.outputs, 3);
	assert_int_equal(s.metrics.every_ns, 10 * SEC);
	assert_int_equal(s.metrics.lateness_ns, 300 * SEC);
	assert_int_equal(s.metrics.expire_ns, 3600 * SEC);
	assert_false(s.metrics.time_received);
	assert_int_equal(s.metrics.max_series, 10000);
	assert_int_equal(s.n_outputs, 2);
	assert_false(s.default_output);
	assert_int_equal(i->kind, OUTPUT_INFLUXDB);
	assert_string_equal(i->name, "i");
	assert_int_equal(i->n_urls, 1);
	assert_string_equal(i->urls[0], "http://127.0.0.1:8086");
	assert_int_equal(i->version, 1);
	assert_string_equal(i->database, "telegraf");
	assert_null(i->retention_policy);
	assert_null(i->username);
	assert_null(i->password);
	assert_null(i->password_file);
	assert_null(i->consistency);
	assert_null(i->org);
	assert_null(i->bucket);
	assert_null(i->token);
	assert_null(i->token_file);
	assert_true(i->create_database);
	assert_int_equal(i->batch_points, 5000);
	assert_int_equal(i->batch_bytes, 1 << 20);
	assert_int_equal(i->flush_interval_ns, SEC);
	assert_int_equal(i->timeout_ns, 10 * SEC);
	assert_int_equal(i->connections, 2);
	assert_false(i->gzip);
	assert_null(i->tls_ca);
	assert_null(i->tls_cert);
	assert_null(i->tls_key);
	assert_true(i->tls_verify);
	assert_int_equal(f->kind, OUTPUT_FILE);
	assert_string_equal(f->name, "f");
	assert_string_equal(f->path, "p");
	assert_int_equal(f->rotate_size, 64 << 20);
	assert_int_equal(f->keep, 4);
	assert_string_equal(s.http.host, "127.0.0.1");
	assert_int_equal(s.http.port, 9514);
	assert_null(s.http.token_file);
	assert_int_equal(s.rules.n_sections, 0);
	assert_int_equal(s.n_rule_files, 0);
	settings_fini(&s);
}

static void
test_server(void **state)
{
	struct settings s = read_good(
		"[server]\nworkers = 256\nstate_dir = st\nhost = web-1.x\n"
		"log_level = error\nmemory_limit = 1GiB\ndrain_delay = 1m30s\n"
		"drain_timeout = 1h\n");

	(void)state;
	assert_int_equal(s.workers, 256);
	assert_string_equal(s.state_dir, "st");
	assert_string_equal(s.host, "web-1.x");
	assert_int_equal(s.log_level, DIAG_ERROR);
	assert_int_equal(s.memory_limit, 1 << 30);
	assert_int_equal(s.drain_delay_ns, 90 * SEC);
	assert_int_equal(s.drain_timeout_ns, 3600 * SEC);
	assert_true(s.default_output);
	assert_int_equal(s.n_outputs, 1);
	assert_string_equal(s.outputs[0].name, "default");
	assert_string_equal(s.outputs[0].path, "st/points.lp");
	assert_int_equal(s.outputs[0].kind, OUTPUT_FILE);
	assert_int_equal(s.outputs[0].rotate_size, 64 << 20);
	assert_int_equal(s.logs.outputs, 1);
	settings_fini(&s);
	s = read_good("[server]\nhost = none\nworkers = auto\n");
	assert_null(s.host);
	assert_int_equal(s.workers, 0);
	settings_fini(&s);
}

static void
test_listen(void **state)
{
	struct settings s = read_good(
		"[listen a]\naddress = tls://[::1]:7000\ntls_cert = cert.pem\ntls_key = "
		"key.pem\ntls_ca = cert.pem\n"
		"tls_min_version = 1.3\ntls_ciphers = HIGH:!aNULL\nframing = "
		"octet-counting\nformat = rfc5424\n"
		"best_effort = no\nsource = no\nmax_message_size = 1MiB\nmax_connections = "
		"7\nkeepalive = 0\n"
		"[listen b]\naddress = udp://10.0.0.1\nframing = nul\nformat = rfc3164\nkeepalive "
		"= 1s\n"
		"[listen c]\naddress = tcp://log-host_1.example:1\nframing = lf\ntls_cert =\n"
		"[listen d]\naddress = tcp://:65535\n");
	const struct listen_settings *l = s.listens;

	(void)state;
	assert_int_equal(s.n_listens, 4);
	assert_string_equal(l[0].address, "tls://[::1]:7000");
	assert_int_equal(l[0].transport, LISTEN_TLS);
	assert_string_equal(l[0].host, "::1");
	assert_int_equal(l[0].port, 7000);
	assert_string_equal(l[0].tls_cert, "cert.pem");
	assert_string_equal(l[0].tls_key, "key.pem");
	assert_string_equal(l[0].tls_ca, "cert.pem");
	assert_int_equal(l[0].tls_min_version, 13);
	assert_string_equal(l[0].tls_ciphers, "HIGH:!aNULL");
	assert_int_equal(l[0].framing, FRAMING_OCTET_COUNTING);
	assert_int_equal(l[0].format, LOG_PARSE_RFC5424);
	assert_false(l[0].best_effort);
	assert_false(l[0].source);
	assert_int_equal(l[0].max_message_size, 1 << 20);
	assert_int_equal(l[0].max_connections, 7);
	assert_int_equal(l[0].keepalive_ns, 0);
	assert_int_equal(l[1].transport, LISTEN_UDP);
	assert_string_equal(l[1].host, "10.0.0.1");
	assert_int_equal(l[1].port, 6514);
	assert_int_equal(l[1].framing, FRAMING_NUL);
	assert_int_equal(l[1].format, LOG_PARSE_RFC3164);
	assert_int_equal(l[1].keepalive_ns, SEC);
	assert_string_equal(l[2].host, "log-host_1.example");
	assert_int_equal(l[2].port, 1);
	assert_int_equal(l[2].framing, FRAMING_LF);
	assert_null(l[3].host);
	assert_int_equal(l[3].port, 65535);
	settings_fini(&s);
}

static void
test_logs_metrics_http(void **state)
{
	struct settings s = read_good(
		"[logs]\nenabled = no\nmeasurement = l\xc3\xb6g \"x\" = ;y\ntags = host  source\n"
		"sdparam_separator = .\ntime = received\nmax_age = 1ns\nmax_future = 0\n"
		"output = f2\n"
		"[metrics]\nevery = 1m\ntime = received\nlateness = 0\nmax_series = 1\n"
		"expire = 365d\n"
		"[http]\naddress = [::]:80\ntoken_file = secret\n"
		"[file f1]\npath = -\n[file f2]\npath = /p\nrotate_size = 1KiB\nkeep = 1\n");

	(void)state;
	assert_false(s.logs.enabled);
	assert_string_equal(s.logs.measurement, "l\xc3\xb6g \"x\" = ;y");
	assert_int_equal(s.logs.tags, LOG_TAG_HOST | LOG_TAG_SOURCE);
	assert_string_equal(s.logs.sdparam_separator, ".");
	assert_true(s.logs.time_received);
	assert_int_equal(s.logs.max_age_ns, 1);
	assert_int_equal(s.logs.max_future_ns, 0);
	assert_int_equal(s.logs.outputs, 2);
	assert_int_equal(s.metrics.every_ns, 60 * SEC);
	assert_true(s.metrics.time_received);
	assert_int_equal(s.metrics.lateness_ns, 0);
	assert_int_equal(s.metrics.max_series, 1);
	assert_int_equal(s.metrics.expire_ns, 365 * 86400 * SEC);
	assert_string_equal(s.http.host, "::");
	assert_int_equal(s.http.port, 80);
	assert_string_equal(s.http.token_file, "secret");
	assert_string_equal(s.outputs[0].path, "-");
	assert_string_equal(s.outputs[1].path, "/p");
	assert_int_equal(s.outputs[1].rotate_size, 1024);
	assert_int_equal(s.outputs[1].keep, 1);
	assert_int_equal(settings_find_output(&s, STR("f2")), 1);
	assert_int_equal(settings_find_output(&s, STR("f")), -1);
	settings_fini(&s);
	s = read_good("[http]\naddress = none\n");
	assert_null(s.http.host);
	settings_fini(&s);
	s = read_good("[http]\naddress = localhost\n");
	assert_string_equal(s.http.host, "localhost");
	assert_int_equal(s.http.port, 9514);
	settings_fini(&s);
}

static void
test_influxdb(void **state)
{
	struct settings s = read_good(
		"[influxdb a]\nurl = http://a/ https://b.x:1/pre/  http://[::1]:8086\nversion = "
		"1\ndatabase = d b\n"
		"retention_policy = rp\nusername = u\npassword = p ;#\"=:$x\nconsistency = quorum\n"
		"create_database = no\nbatch_points = 1\nbatch_bytes = 4MiB\nflush_interval = "
		"10ms\ntimeout = 10m\n"
		"connections = 64\ngzip = no\nspool = no\nwhen_full = block\ntls_ca = cert.pem\n"
		"tls_cert = cert.pem\ntls_key = key.pem\ntls_verify = no\n"
		"[influxdb b]\nversion = 2\norg = o\nbucket = b\ntoken_file = "
		"secret\nretention_policy =\n"
		"[influxdb c]\nversion = 2\norg = o\nbucket = b\ntoken = ${LM_SECRET}\n"
		"[influxdb d]\nusername = ${LM_HOST}\npassword_file = secret\n");
	const struct output_settings *o = s.outputs;

	(void)state;
	assert_int_equal(s.n_outputs, 4);
	assert_int_equal(o[0].n_urls, 3);
	assert_string_equal(o[0].urls[0], "http://a");
	assert_string_equal(o[0].urls[1], "https://b.x:1/pre");
	assert_string_equal(o[0].urls[2], "http://[::1]:8086");
	assert_int_equal(o[0].version, 1);
	assert_string_equal(o[0].database, "d b");
	assert_string_equal(o[0].retention_policy, "rp");
	assert_string_equal(o[0].username, "u");
	assert_string_equal(o[0].password, "p ;#\"=:$x");
	assert_string_equal(o[0].consistency, "quorum");
	assert_false(o[0].create_database);
	assert_int_equal(o[0].batch_points, 1);
	assert_int_equal(o[0].batch_bytes, 4 << 20);
	assert_int_equal(o[0].flush_interval_ns, SEC / 100);
	assert_int_equal(o[0].timeout_ns, 600 * SEC);
	assert_int_equal(o[0].connections, 64);
	assert_string_equal(o[0].tls_ca, "cert.pem");
	assert_string_equal(o[0].tls_cert, "cert.pem");
	assert_string_equal(o[0].tls_key, "key.pem");
	assert_false(o[0].tls_verify);
	assert_int_equal(o[1].version, 2);
	assert_string_equal(o[1].org, "o");
	assert_string_equal(o[1].bucket, "b");
	assert_string_equal(o[1].token_file, "secret");
	assert_string_equal(o[2].token, "hunter2");
	assert_string_equal(o[3].username, "web-1");
	assert_string_equal(o[3].password_file, "secret");
	settings_fini(&s);
}

static void
test_paths(void **state)
{
	struct settings s;
	struct err err = ERR_NONE;
	struct buf path = BUF_EMPTY;

	(void)state;
	write_file("other/c.ini",
		"[server]\nstate_dir = s\nrules = ../rules/?.ini /none/*.ini\n[file f]\npath = "
		"../p\n"
		"[listen a]\naddress = tls://\ntls_cert = ../cert.pem\ntls_key = ./../key.pem\n");
	assert_true(settings_read(&s, "other/c.ini", &err));
	assert_string_equal(s.state_dir, "other/s");
	assert_string_equal(s.outputs[0].path, "other/../p");
	assert_string_equal(s.listens[0].tls_cert, "other/../cert.pem");
	assert_string_equal(s.listens[0].tls_key, "other/./../key.pem");
	settings_fini(&s);
	buf_printf(&path, "%s/other/c.ini", folder);
	assert_true(settings_read(&s, buf_cstr(&path), &err));
	buf_clear(&path);
	buf_printf(&path, "%s/other/s", folder);
	assert_string_equal(s.state_dir, buf_cstr(&path));
	settings_fini(&s);
	assert_false(settings_read(&s, "none.ini", &err));
	assert_string_equal(buf_cstr(&err.text),
		"none.ini: cannot be read: No such file or directory (check the path)\n");
	settings_fini(&s);
	err_fini(&err);
	buf_fini(&path);
}

static void
test_rules(void **state)
{
	struct settings s;
	struct err err = ERR_NONE;
	struct buf text = BUF_EMPTY;

	(void)state;
	/* 10,000 characters, nothing is cut, nothing is expanded. */
	buf_add_text(&text, "[patterns]\nip = \\d+ ;x\n[rule b]\nmatch = ${LM_UNSET} ");
	for (int i = 0; i < 1000; i++)
		buf_add_text(&text, "a=b:c ;\"d'");
	buf_add_text(&text, "\n");
	write_file("rules/1.ini", buf_cstr(&text));
	write_file("rules/2.ini", "# none yet\n");
	s = read_good("[rule a]\nmatch = x\n[server]\n[rule z]\n");
	assert_int_equal(s.n_rule_files, 2);
	assert_int_equal(s.rules.n_sections, 4);
	assert_string_equal(s.rules.sections[0].name, "a");
	assert_string_equal(s.rules.sections[0].file, "c.ini");
	assert_string_equal(s.rules.sections[1].name, "z");
	assert_int_equal(s.rules.sections[1].line, 4);
	assert_string_equal(s.rules.sections[2].kind, "patterns");
	assert_string_equal(s.rules.sections[2].entries[0].value, "\\d+ ;x");
	assert_string_equal(s.rules.sections[3].file, "rules/1.ini");
	assert_int_equal(s.rules.sections[3].line, 3);
	assert_int_equal(s.rules.sections[3].entries[0].line, 4);
	assert_int_equal(strlen(s.rules.sections[3].entries[0].value), 10012);
	assert_memory_equal(s.rules.sections[3].entries[0].value, "${LM_UNSET} a=b:c ;\"d'", 22);
	assert_false(s.rules.sections[3].entries[0].used);
	settings_fini(&s);

	/* A file that two words name is read once. */
	s = read_good("[server]\nrules = rules/1.ini rules/*.ini rules/[12].ini\n");
	assert_int_equal(s.n_rule_files, 2);
	assert_int_equal(s.rules.n_sections, 2);
	settings_fini(&s);

	/* The name of the folder is no glob. */
	write_file("odd[1]*/c.ini", "[server]\nrules = x*.ini\n");
	write_file("odd[1]*/x.ini", "[rule x]\n");
	assert_true(settings_read(&s, "odd[1]*/c.ini", &err));
	assert_int_equal(s.n_rule_files, 1);
	assert_string_equal(s.rules.sections[0].file, "odd[1]*/x.ini");
	settings_fini(&s);

	write_file("rules/2.ini", "[rule b]\n[listen x]\n[rule]\n[rule a]\nk\n");
	assert_true(has_errors("[rule a]\n",
		"rules/2.ini:1: [rule b] stands already at rules/1.ini:3\n"
		"rules/2.ini:4: [rule a] stands already at c.ini:1\n"
		"rules/2.ini:5: no \"=\" in the line (allowed: key = value; a comment starts with "
		"# or ;)\n"
		"rules/2.ini:2: [listen x]: not allowed in a rule file (allowed: [rule NAME] and "
		"[patterns])\n"
		"rules/2.ini:3: [rule]: needs a name: [rule NAME]\n"));
	assert_int_equal(unlink("rules/1.ini"), 0);
	assert_int_equal(unlink("rules/2.ini"), 0);
	buf_fini(&text);
}

static void
test_environment(void **state)
{
	struct settings s = read_good(
		"[server]\nstate_dir = /a/${LM_SECRET}/$x/{y}$\nhost = ${LM_HOST}\n"
		"[logs]\nmeasurement = a${LM_EMPTY}b${LM_SECRET}${LM_SECRET}\n");
	struct buf text = BUF_EMPTY;

	(void)state;
	assert_string_equal(s.state_dir, "/a/hunter2/$x/{y}$");
	assert_string_equal(s.host, "web-1");
	assert_string_equal(s.logs.measurement, "abhunter2hunter2");
	settings_fini(&s);

	for (int i = 0; i < 30000; i++)
		buf_add_char(&text, 'x');
	assert_int_equal(setenv("LM_LONG", buf_cstr(&text), 1), 0);
	s = read_good("[logs]\nmeasurement = ${LM_LONG}${LM_LONG}\n");
	assert_int_equal(strlen(s.logs.measurement), 60000);
	settings_fini(&s);
	assert_true(has_errors("[logs]\nmeasurement = ${LM_LONG}${LM_LONG}${LM_LONG}\n",
		AT(2, "logs") "measurement: longer than 65536 bytes with its variables\n"));
	buf_fini(&text);
}

static void
test_durations(void **state)
{
	static const struct {
		const char *text;
		int64_t ns; /* -1: refused */
	} CASES[] = {
		{ "0", 0 },
		{ "0s", 0 },
		{ "1ns", 1 },
		{ "2us", 2000 },
		{ "250ms", SEC / 4 },
		{ "10s", 10 * SEC },
		{ "5m", 300 * SEC },
		{ "1h", 3600 * SEC },
		{ "7d", 604800 * SEC },
		{ "1h30m", 5400 * SEC },
		{ "1d1h1m1s1ms1us1ns", 90061 * SEC + 1001001 },
		{ "106751d", 106751 * (86400 * SEC) },
		{ "9223372036854775807ns", INT64_MAX },
		{ "9223372036854775808ns", -1 },
		{ "106752d", -1 },
		{ "18446744073709551616ns", -1 },
		{ "99999999999999999999s", -1 },
		{ "18446744073709551615ns1", -1 },
		{ "", -1 },
		{ "1", -1 },
		{ "00", -1 },
		{ "s", -1 },
		{ "-1s", -1 },
		{ "+1s", -1 },
		{ "1.5s", -1 },
		{ "1 s", -1 },
		{ " 1s", -1 },
		{ "1s ", -1 },
		{ "30m1h", -1 },
		{ "1h1h", -1 },
		{ "1h30", -1 },
		{ "1S", -1 },
		{ "1min", -1 },
		{ "1w", -1 },
		{ "0x1s", -1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
		int64_t ns = -1;
		bool ok = value_duration(str_from(CASES[i].text), &ns);

		if (ok != (CASES[i].ns >= 0))
			print_error("case: \"%s\"\n", CASES[i].text);
		assert_int_equal(ok, CASES[i].ns >= 0);
		assert_int_equal(ns, CASES[i].ns);
	}
}

static void
test_sizes(void **state)
{
	static const struct {
		const char *text;
		bool ok;
		uint64_t bytes;
	} CASES[] = {
		{ "0", true, 0 },
		{ "1", true, 1 },
		{ "7B", true, 7 },
		{ "64KiB", true, 65536 },
		{ "3MiB", true, 3 << 20 },
		{ "1GiB", true, 1 << 30 },
		{ "18446744073709551615", true, UINT64_MAX },
		{ "18446744073709551616", false, 0 },
		{ "17179869183GiB", true, UINT64_C(17179869183) << 30 },
		{ "17179869184GiB", false, 0 },
		{ "", false, 0 },
		{ "KiB", false, 0 },
		{ "1KB", false, 0 },
		{ "1MB", false, 0 },
		{ "1K", false, 0 },
		{ "1kib", false, 0 },
		{ "1.5KiB", false, 0 },
		{ "-1", false, 0 },
		{ "1 KiB", false, 0 },
		{ "1MiB1KiB", false, 0 },
		{ "1KiB ", false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
		uint64_t bytes = 0;

		assert_int_equal(value_size(str_from(CASES[i].text), &bytes), CASES[i].ok);
		assert_int_equal(bytes, CASES[i].bytes);
	}
}

static void
test_yes_no(void **state)
{
	bool yes = false;

	(void)state;
	assert_true(value_yes_no(STR("yes"), &yes));
	assert_true(yes);
	assert_true(value_yes_no(STR("no"), &yes));
	assert_false(yes);
	assert_false(value_yes_no(STR(""), &yes));
	assert_false(value_yes_no(STR("true"), &yes));
	assert_false(value_yes_no(STR("Yes"), &yes));
	assert_false(value_yes_no(STR("yes "), &yes));
}

/* Rows are complete, keys are unique, every default is one that its own parser takes (asserted
 * there). */
static void
test_table(void **state)
{
	size_t n;
	const struct option *o = option_table(&n);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		assert_non_null(o[i].help);
		assert_true(o[i].type != OPTION_CUSTOM || o[i].not_yet != NULL ||
			(o[i].read != NULL && o[i].allowed != NULL));
		assert_true(o[i].size > 0 || o[i].not_yet != NULL || o[i].type == OPTION_CUSTOM);
		for (size_t k = 0; k < i; k++)
			assert_false(strcmp(o[i].section, o[k].section) == 0 &&
				strcmp(o[i].key, o[k].key) == 0);
	}
	assert_ptr_equal(option_find("server", STR("workers")), &o[0]);
	assert_null(option_find("server", STR("tags")));
	assert_string_equal(option_find("logs", STR("max_values.appname"))->key, "max_values.*");
}

static void
test_print(void **state)
{
	static const char *const LINES[] = {
		"SECTION     OPTION               DEFAULT                                "
		"         ALLOWED                                 HELP\n",
		"\n[server]    workers              auto                                   "
		"         auto or 1 to 256                        worker threads; auto: one per "
		"core\n",
		"\n[listen]    address              (required)                             "
		"         tcp://, udp:// or tls:// and HOST:PORT  no host: every address; no port: "
		"6514\n",
		"\n[listen]    max_message_size     64KiB                                  "
		"         256B to 1MiB                            longer messages are cut\n",
		"\n[listen]    read_timeout         -                                      "
		"         -                                       closes a connection with a "
		"half-received message (not supported yet)\n",
		"\n[influxdb]  flush_interval       1s                                     "
		"         10ms to 1h                              a batch that is not full goes "
		"out after this\n",
		"\n[influxdb]  spool                no                                     "
		"         no                                      keep on disk what does not fit "
		"in memory (other values: not supported yet)\n",
	};
	struct buf out = BUF_EMPTY;
	size_t n, lines = 0;

	(void)state;
	option_table(&n);
	options_print(&out);
	for (const char *c = buf_cstr(&out); *c != '\0'; c++)
		lines += *c == '\n' ? 1 : 0;
	assert_int_equal(lines, n + 1);
	for (size_t i = 0; i < sizeof(LINES) / sizeof(LINES[0]); i++) {
		if (strstr(buf_cstr(&out), LINES[i]) == NULL)
			print_error("%s\nis not in\n%s", LINES[i], buf_cstr(&out));
		assert_non_null(strstr(buf_cstr(&out), LINES[i]));
	}
	buf_fini(&out);
}

/*
 * conf/logmill.ini as struct ini, with its commented-out options and sections taken in when
 * `defaults`.
 * `#key = value` is such an option, `# text` is a comment.
 */
static void
read_sample(struct ini *ini, bool defaults)
{
	struct err err = ERR_NONE;
	struct buf text = BUF_EMPTY;
	char line[512];
	FILE *file = fopen(TESTS_DIR "/../conf/logmill.ini", "r");

	assert_non_null(file);
	while (fgets(line, sizeof(line), file) != NULL) {
		bool option = line[0] == '#' && line[1] != ' ' && line[1] != '\n';

		/* What is set at its side stands in the file as well: take the default then. */
		if (defaults && (option || line[0] == '[' || strncmp(line, "rules", 5) != 0))
			buf_add_text(&text, option ? line + 1 : line);
		else if (!defaults)
			buf_add_text(&text, line);
	}
	assert_int_equal(fclose(file), 0);
	assert_true(ini_read_text(ini, "logmill.ini", buf_str(&text), &err));
	err_fini(&err);
	buf_fini(&text);
}

static struct ini_entry *
find_in_kind(struct ini *ini, const char *kind, const char *key)
{
	for (size_t i = 0; i < ini->n_sections; i++) {
		struct ini_entry *entry = strcmp(ini->sections[i].kind, kind) == 0
			? ini_find(&ini->sections[i], key)
			: NULL;

		if (entry != NULL)
			return entry;
	}
	return NULL;
}

/* Every supported option stands in the sample with its default, and nothing else does. */
static void
test_sample_is_complete(void **state)
{
	struct ini ini = INI_EMPTY;
	size_t n;
	const struct option *o = option_table(&n);

	(void)state;
	read_sample(&ini, true);
	for (size_t i = 0; i < n; i++) {
		struct ini_entry *entry = find_in_kind(&ini, o[i].section, o[i].key);

		if (o[i].not_yet != NULL && o[i].not_yet[0] == '\0') {
			assert_null(entry);
			continue;
		}
		if (entry == NULL)
			print_error("[%s] %s is not in conf/logmill.ini\n", o[i].section, o[i].key);
		assert_non_null(entry);
		if (o[i].standard != NULL)
			assert_string_equal(entry->value, o[i].standard);
	}
	for (size_t i = 0; i < ini.n_sections; i++)
		for (size_t k = 0; k < ini.sections[i].n_entries; k++)
			assert_non_null(option_find(
				ini.sections[i].kind, str_from(ini.sections[i].entries[k].key)));
	ini_fini(&ini);
}

static void
test_shipped_files(void **state)
{
	struct settings s;
	struct err err = ERR_NONE;

	(void)state;
	if (!settings_read(&s, TESTS_DIR "/../conf/logmill.ini", &err))
		fail_msg("%s", buf_cstr(&err.text));
	assert_int_equal(s.n_listens, 2);
	assert_int_equal(s.listens[0].transport, LISTEN_TCP);
	assert_int_equal(s.listens[1].transport, LISTEN_UDP);
	assert_null(s.listens[0].host);
	assert_int_equal(s.listens[0].port, 6514);
	assert_int_equal(s.n_outputs, 1);
	assert_int_equal(s.outputs[0].kind, OUTPUT_INFLUXDB);
	assert_false(s.default_output);
	settings_fini(&s);

	if (!settings_read(&s, TESTS_DIR "/../conf/quickstart.ini", &err))
		fail_msg("%s", buf_cstr(&err.text));
	assert_int_equal(s.n_listens, 2);
	assert_string_equal(s.listens[0].address, "tcp://127.0.0.1:6514");
	assert_string_equal(s.listens[1].address, "udp://127.0.0.1:6514");
	assert_true(s.default_output);
	assert_string_equal(s.outputs[0].path, TESTS_DIR "/../conf/../quickstart-data/points.lp");
	settings_fini(&s);
	err_fini(&err);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_server),
		cmocka_unit_test(test_listen),
		cmocka_unit_test(test_logs_metrics_http),
		cmocka_unit_test(test_influxdb),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_durations),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_yes_no),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_print),
		cmocka_unit_test(test_sample_is_complete),
		cmocka_unit_test(test_shipped_files),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
