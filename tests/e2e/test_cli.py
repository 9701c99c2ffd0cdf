#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The commands as a user meets them: exit codes, the exact text of errors, replay to the byte, the shipped files, and
the first run without a database."""
import glob
import os
import re
import shutil

from lab import PROJECT, Logmill, check, equal, octet, run, say, send_stream, utc_stamp, wait_until

RULES = """[rule kills]
when.appname = kernel
match = Killed process (?<pid>\\d+) \\((?<proc>.+)\\).* anon-rss:(?<rss>\\d+)kB
group_by = hostname proc
value = rss:KiB
fields = count total sum=rss_bytes max
[rule each]
measurement = seen
match = Killed process (?<pid>\\d+)
every = match
tags = pid
fields = total=count
"""
REPLAYED = """<3>1 2026-11-20T10:00:10.123456Z n2 kernel - - - Killed process 7 (java) total-vm:9kB, anon-rss:8kB
<3>1 2026-11-20T10:00:11.000001Z n2 kernel - - [a b="c,d"] Killed process 8 (my app) total-vm:9kB, anon-rss:16kB
<30>1 2026-11-20T10:00:25.5+01:00 n1 app 12 ID7 - said "hello" \\ there
not syslog
"""
POINTS = """\
syslog,appname=kernel,facility=kern,host=lab,hostname=n2,severity=err version=1i,severity_code=3i,facility_code=0i,\
timestamp=1795168810123456000i,message="Killed process 7 (java) total-vm:9kB, anon-rss:8kB" 1795168810123456###
syslog,appname=kernel,facility=kern,host=lab,hostname=n2,severity=err version=1i,severity_code=3i,facility_code=0i,\
timestamp=1795168811000001000i,message="Killed process 8 (my app) total-vm:9kB, anon-rss:16kB",a_b="c,d" 1795168811000001###
syslog,appname=app,facility=daemon,host=lab,hostname=n1,severity=info version=1i,severity_code=6i,facility_code=3i,\
timestamp=1795165225500000000i,procid="12",msgid="ID7",message="said \\"hello\\" \\\\ there" 17951652255########
syslog,facility=user,host=lab,severity=notice severity_code=5i,facility_code=1i,message="not syslog",\
parse_error="pri: expected a priority value <0> to <191> [col 1]" 1795168811000001000
kills,hostname=n2,proc=java count=1i,total=1i,rss_bytes=8192i,max=8192i 1795168810000000000
kills,hostname=n2,proc=my\\ app count=1i,total=1i,rss_bytes=16384i,max=16384i 1795168810000000000
seen,pid=7 count=1i 1795168810123456000
seen,pid=8 count=2i 1795168811000001000
"""

# What a user can get wrong, and what the program says; FILE is the configuration.
WRONG = [
    ("[server]\nworkers = many\n",
     ['FILE:2: [server] workers: "many" is not a whole number (allowed: auto or 1 to 256)']),
    ("[listen a]\naddress = tcp://127.0.0.1:1\ncolour = red\n",
     ['FILE:3: [listen a] colour: unknown key ("logmill options" shows the known ones)']),
    ("[influxdb x]\nbatch_points = 0\nbatch_points = 5\n[nope]\na = b\n",
     ['FILE:2: [influxdb x] batch_points: "0" is out of range (allowed: 1 to 1000000)',
      "FILE:3: [influxdb x] batch_points: stands already in line 2",
      'FILE:4: [nope]: unknown section ("logmill options" shows the known ones)']),
    ("[rule a]\nmatch = (x\n[listen a]\naddress = tcp://127.0.0.1:1\n",
     ["FILE:2: [rule a] match: missing closing parenthesis, at byte 2 of the pattern", "    (x", "      ^"]),
    ("[server]\nrules = missing.ini\n",
     ["FOLDER/missing.ini: cannot be read: No such file or directory (check the path)"]),
    ("[influxdb x]\nversion = 2\norg = o\nbucket = b\ntoken = ${LOGMILL_E2E_UNSET}\n",
     ["FILE:5: [influxdb x] token: the environment variable in it is not set"]),
    ("[listen a]\naddress = tls://:6515\n", None),
    ("stray\n[rule\n", ["FILE:1: text before the first section (a file starts with a [section])",
                        'FILE:2: the section has no closing "]"']),
]
# Every option of the design that is not built: refused by its name.
NOT_YET = """[listen a]
address = unix:///tmp/x
idle_timeout = 0
read_timeout = 60s
allow = 10.0.0.0/8
timezone = Europe/Berlin
tls_permitted_peers = x
[listen b]
address = relp://:2514
[listen c]
address = unixgram:///tmp/x
[logs]
max_values.hostname = 10000
[drop noise]
[metrics]
prometheus = no
instance = auto
[influxdb main]
gzip = yes
spool = yes
spool_limit = 1GiB
when_full = drop_newest
"""
NOT_YET_RULE = """[rule a]
parse = json
match.procid = x
once_per = pid within 10s
remember = a by b for 1s
absent = 5m
truncate = 1ms
buckets = 1 2 3
rollup = 1m>x
preset.proc = a b
when.json.a = x
fields = distinct
"""


def check_usage(lab):
    code, out, err = lab.run("--version")
    equal((code, err), (0, ""), "--version")
    check(re.fullmatch(r"logmill \d+\.\d+\.\d+\n", out), "--version says %r" % out)
    code, out, err = lab.run("--help")
    equal((code, err), (0, ""), "--help")
    for command in ("serve", "check", "explain", "replay", "options"):
        check("\n  logmill %s " % command in out, "--help tells of " + command)
    equal(lab.run()[0], 2, "exit code without a command")
    for arguments, text in (
            (["frobnicate"], "unknown command: frobnicate"), (["check", "--frob"], "unknown option: --frob"),
            (["serve", "-c"], "this option needs a value: -c"),
            (["check", "-c", "x", "y"], "too many arguments (the configuration goes behind -c): y"),
            (["explain", "-c", "x"], "explain needs the line to explain, in quotes"),
            (["check", "--write", "-c", "x"], "--write is for replay")):
        equal(lab.run(*arguments), (2, "", "logmill: %s (see logmill --help)\n" % text), "logmill " + " ".join(arguments))
    code, out, err = lab.run("options")
    equal((code, err), (0, ""), "logmill options")
    for words in ("[server]", "memory_limit", "256MiB", "[influxdb]", "batch_points", "1 to 1000000"):
        check(words in out, "logmill options: no %s in\n%s" % (words, out))


def check_errors(lab):
    """As `check` says them; replay and serve must say the same and exit with 2 too."""
    for config, lines in WRONG:
        path = lab.write("wrong.ini", config)
        for command in ("check", "serve", "replay"):
            code, out, err = lab.run(command, "-c", path)
            equal((code, out), (2, ""), "%s: exit code and stdout for\n%s\n%s" % (command, config, err))
            if lines is None:
                check(err.startswith(path + ":1: [listen a]") and "tls_cert" in err, "tls:// without certificate: " + err)
            else:
                got = sorted(err.replace(path, "FILE").replace(lab.folder, "FOLDER").splitlines()[:-1])
                equal(got, sorted(lines), command + ": errors of\n" + config)
    config = lab.write("wrong.ini", "[rule a]\nmatch = (x\n")
    equal(lab.run("serve", "-c", config)[2].splitlines()[-1], "2 errors in the configuration",
          "serve without a listener and with a bad rule")
    config = lab.write("wrong.ini", "[listen a]\naddress = tcp://:1\nfoo = 1\n[rule a]\nmatch = (x\n")
    equal(lab.run("check", "-c", config)[2].splitlines()[-1], "2 errors in the configuration",
          "a wrong option and a bad rule are said at once")
    path = lab.write("not-yet.ini", NOT_YET)
    code, _, err = lab.run("check", "-c", path)
    equal(code, 2, "exit code")
    refused = [line for line in err.splitlines() if "not supported yet" in line]
    equal([int(line.split(":")[1]) for line in refused], [2, 3, 4, 5, 6, 7, 9, 11, 13, 14, 16, 17, 19, 20, 21, 22],
          "lines refused as not supported yet, in\n" + err)
    path = lab.write("not-yet.ini", NOT_YET_RULE)
    refused = {line.split("] ")[1].split(":")[0] for line in lab.run("check", "-c", path)[2].splitlines()[:-1]}
    equal(refused, {line.split(" =")[0] for line in NOT_YET_RULE.splitlines()[1:]}, "keys of a rule refused")
    equal(lab.run("check", "-c", lab.path("nowhere.ini")),
          (2, "", "%s: cannot be read: No such file or directory (check the path)\n1 error in the configuration\n" %
           lab.path("nowhere.ini")), "a configuration that is not there")


def check_check(lab):
    for path in ["logmill.ini", "quickstart.ini", *sorted(glob.glob(PROJECT + "/conf/examples/*.ini"))]:
        code, out, err = lab.run("check", "-c", os.path.join(PROJECT, "conf", path))
        equal((code, err), (0, ""), "check " + path)
        check(re.search(r"[1-9]\d* rules: [1-9]\d* examples, 0 failed", out), "check %s says %r" % (path, out))
    config = lab.write("wrong.ini", "[rule c]\nmatch = x\nexample = <1>1 - - - - - - y\n"
                       "expect = c count=1i,total=1i\nreject = x\n")
    code, out, err = lab.run("check", "-c", config)
    equal((code, err), (1, ""), "check of a rule whose examples fail")
    for text in (config + ":3: [rule c] example does not match:\n", config + ":5: [rule c] must not match, but does:\n",
                 "2 examples, 2 failed\n"):
        check(text in out, "no %r in %r" % (text, out))
    config = lab.write("serve.ini", "[listen a]\naddress = tcp://127.0.0.1:1\n[rule c]\nmatch = x\n"
                       "example = <1>1 - - - - - - y\nexpect = c count=1i,total=1i\n")
    equal(lab.run("serve", "-c", config)[2].splitlines()[-2:],
          ["1 failed in 1 rule examples; `logmill check` shows the same", "1 error in the configuration"],
          "serve with an example that fails")
    config = lab.write("no-point.ini", "[rule c]\nexample = <1>1 - - - - - - y\nexpect = c 1\n")
    check(config + ":2: [rule c] expect is not a point in line protocol, bad field key:\n        c 1\n" in
          lab.run("check", "-c", config)[1], "an expect that is no line protocol")


def check_explain(lab):
    config = lab.write("explain.ini", "[server]\nhost = lab\nrules = rules.ini\n")
    code, out, err = lab.run("explain", "-c", config, REPLAYED.splitlines()[0])
    equal((code, err), (0, ""), "explain")
    for text in ("  hostname   n2\n", "  appname    kernel\n", "[rule kills] matches\n", '    proc = "java"\n',
                 "  point      " + POINTS.splitlines()[4], "  point      " + POINTS.splitlines()[6]):
        check(text in out, "explain: no %r in\n%s" % (text, out))
    code, out, _ = lab.run("explain", "-c", config, REPLAYED.splitlines()[2])
    equal(code, 0, "explain of a line that no rule matches")
    check("[rule kills] does not match\n  when.appname: " in out, "explain says what failed first:\n" + out)


def pattern(points):
    """The nanoseconds below a microsecond are logmill's own; ### stands for those digits."""
    return re.sub(r"(?:\\#|#)+", lambda match: r"\d{%d}" % match[0].count("#"), re.escape(points))


def check_replay(lab):
    config = lab.write("replay.ini", "[server]\nhost = lab\nrules = rules.ini\nstate_dir = replay-state\n")
    log = lab.write("some.log", REPLAYED)
    code, out, err = lab.run("replay", "-c", config, log)
    equal((code, err), (0, ""), "replay")
    check(re.fullmatch(pattern("\n".join(sorted(POINTS.splitlines()))), "\n".join(sorted(out.splitlines()))),
          "replay printed\n%s\ninstead of\n%s" % (out, POINTS))
    equal(lab.run("replay", "-c", config, stdin=REPLAYED.encode())[1], out, "replay of standard input")
    counted = b"".join(octet(line) for line in REPLAYED.splitlines())
    with open(lab.path("counted.log"), "wb") as file:
        file.write(counted)
    equal(lab.run("replay", "-c", config, lab.path("counted.log"))[1], out, "replay of an octet-counted recording")
    check(not os.path.exists(lab.path("replay-state")), "replay made the state_dir")
    code, _, err = lab.run("replay", "-c", config, lab.path("no.log"))
    equal((code, err), (1, "logmill: %s: No such file or directory\n" % lab.path("no.log")), "replay of no file")
    equal(lab.run("replay", "-c", config, lab.path(".")),
          (1, "", "logmill: %s: Is a directory\n" % lab.path(".")), "replay of a folder")
    plain = lab.write("plain.log", "Nov 20 10:00:00 n1 cron[99]: one\nNov 20 10:00:00 n1 cron[99]: two\n")
    code, _, err = lab.run("replay", "-c", config, plain, plain)
    equal((code, err), (0, "logmill: 4 of 4 messages are not readable as syslog. Do lines lack the <PRI> in front? "
                        "Try:  sed 's/^/<13>/' FILE | logmill replay ...\n"), "replay of lines without PRI")
    with open(lab.path("broken.log"), "wb") as file:
        file.write(counted + b"x")
    code, _, err = lab.run("replay", "-c", config, log, lab.path("broken.log"))
    equal((code, err), (1, "logmill: %s: broken octet count after 4 messages\n" % lab.path("broken.log")),
          "replay of a broken recording")


def check_replay_write(lab):
    influx = lab.influx()
    config = lab.write("write.ini", "[server]\nhost = lab\nrules = rules.ini\nstate_dir = write-state\n"
                       "[influxdb main]\nurl = %s\n" % influx.url)
    log = lab.write("some.log", REPLAYED)
    for times in (1, 2):  # the second time on the same points
        code, out, err = lab.run("replay", "--write", "-c", config, log)
        equal((code, out), (0, ""), "replay --write: " + err)
        equal([influx.value('SELECT count(%s) FROM "%s"' % (field, measurement)) for measurement, field in
               (("syslog", "message"), ("kills", "rss_bytes"), ("seen", '"count"'))], [4, 2, 2],
              "points after writing %d times" % times)
    influx.stop()
    say("replay: exact, and --write is in the database")


def copy_shipped(lab):
    """conf/ and rules/ in a folder of the test, so that what the first run writes goes there too."""
    for folder in ("conf", "rules"):
        shutil.copytree(os.path.join(PROJECT, folder), lab.path(folder))
    return lab.path("conf/quickstart.ini")


def check_quickstart(lab):
    """The shipped file as it is but for its ports, which may be taken on this machine."""
    path, port, http_port = copy_shipped(lab), lab.free_port(), lab.free_port()
    with open(path) as file:
        text = file.read()
    equal(text.count("127.0.0.1:6514"), 2, "ports in quickstart.ini")
    check("[influxdb" not in text and "[http]" not in text, "quickstart.ini has no output and no [http]")
    lab.write("conf/quickstart.ini", text.replace("127.0.0.1:6514", "127.0.0.1:%d" % port) +
              "\n[metrics]\nevery = 1s\n[http]\naddress = 127.0.0.1:%d\n" % http_port)
    logmill = lab.keep(Logmill(lab, path, "quickstart", http_port))
    check("event=no_database" in logmill.log, "the start says that there is no database")
    for page in ("/livez", "/readyz"):
        equal(logmill.get(page), (200, "ok\n"), page)
    equal(logmill.get("/nowhere")[0], 404, "a page that is not there")
    stamp = utc_stamp()
    send_stream(port, octet("<12>1 %s web1 shop - - - <b>first & \"run\"</b>" % stamp) + octet(
        "<3>1 %s web1 kernel - - - Killed process 9 (java) total-vm:9kB, anon-rss:8kB, file-rss:0kB" % stamp))
    points = lab.path("quickstart-data/points.lp")
    def lines():
        if not os.path.exists(points):
            return []
        with open(points) as file:
            return file.read().splitlines()
    wait_until(lambda: any(line.startswith("oom_kill,hostname=web1,proc=java ") for line in lines()), "rows in points.lp")
    raw = [line for line in lines() if line.startswith("syslog,")]
    equal(len(raw), 2, "raw points in points.lp")
    check(any('message="<b>first & \\"run\\"</b>"' in line for line in raw), "the message in points.lp: %r" % raw)
    wait_until(lambda: "&lt;b&gt;first &amp; &quot;run&quot;&lt;/b&gt;" in logmill.get("/")[1], "the message on the page")
    page = logmill.get("/")[1]
    for text in ("web1", "oom_kill", "java", "<!"):
        check(text in page, "the page has no %s" % text)
    check("<b>first" not in page and "<script" not in page, "the page shows messages unescaped")
    metrics = logmill.metrics()
    metrics.check_conservation()
    equal(metrics.sum("logmill_messages_received_total"), 2, "messages received")
    equal(metrics.sum("logmill_rule_matches_total", rule="oom_kill"), 1, "matches of oom_kill")
    equal(logmill.stop(), 0, "exit code")
    check(re.search(r"event=stopped lost_points=0\n$", logmill.log), "the end of the log: " + logmill.log[-200:])
    say("first run: points.lp, the page and the probes are there without a database")


def check_token(lab):
    token, port = lab.write("token", "secret-of-the-test\n"), lab.free_port()
    http_port = lab.free_port()
    config = lab.write("token.ini", "[server]\nrules = none.ini\nstate_dir = %s\n[listen a]\naddress = tcp://127.0.0.1:%d\n"
                       "[http]\naddress = 127.0.0.1:%d\ntoken_file = %s\n" % (
                           lab.subfolder("token-state"), port, http_port, token))
    lab.write("none.ini", "")
    logmill = lab.keep(Logmill(lab, config, "token", http_port))
    for path, headers, wanted in (
            ("/livez", {}, 200), ("/readyz", {}, 200), ("/metrics", {}, 401), ("/", {}, 401),
            ("/metrics", {"Authorization": "Bearer wrong"}, 401), ("/", {"Authorization": "Bearer secret-of-the-tes"}, 401),
            ("/metrics", {"Authorization": "secret-of-the-test"}, 401),
            ("/metrics", {"Authorization": "Bearer secret-of-the-test"}, 200),
            ("/", {"Authorization": "Bearer secret-of-the-test"}, 200)):
        equal(logmill.get(path, headers)[0], wanted, "%s with %r" % (path, headers))
    lab.write("token", "another\n")
    equal(logmill.get("/metrics", {"Authorization": "Bearer another"})[0], 200, "a changed token counts at once")
    equal(logmill.get("/metrics", {"Authorization": "Bearer secret-of-the-test"})[0], 401, "the old one no more")
    check("secret-of-the-test" not in logmill.log, "the token is in the log")
    code, _, err = lab.run("serve", "-c", lab.write("taken.ini", "[server]\nstate_dir = taken-state\nrules = none.ini\n"
                           "[listen a]\naddress = tcp://127.0.0.1:%d\n[http]\naddress = none\n" % port))
    equal((code, err), (2, "[listen a] address tcp://127.0.0.1:%d: Address already in use (another program has it: stop "
                        "that, or choose another port)\n1 error at the start\n" % port), "a port that is taken")
    equal(logmill.stop(), 0, "exit code")


def main(lab):
    lab.write("rules.ini", RULES)
    check_usage(lab)
    check_errors(lab)
    check_check(lab)
    check_explain(lab)
    check_replay(lab)
    check_replay_write(lab)
    check_quickstart(lab)
    check_token(lab)


run(main)
