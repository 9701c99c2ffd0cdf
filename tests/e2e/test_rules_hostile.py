#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Rules under load and under attack: counts exact over several workers; a rule whose pattern explodes on a hostile line
is cut off and counted while the others go on; more series than allowed fold into `_other` and sums stay true."""
import time

from lab import (PROJECT, check, connect, equal, finish, octet, run, say, send_stream, utc_stamp, wait_equal)

CONFIG = """[server]
host = lab
state_dir = {state}
rules = {rules}
workers = {workers}
[listen in]
address = tcp://127.0.0.1:{port}
[metrics]
every = 1s
[influxdb main]
url = {url}
database = {database}
flush_interval = 200ms
"""
HOSTILE_RULES = """[rule explodes]
match = ^(?:a+)+(?:b|c+)+$
[rule explodes_otherwise]
match = (x+x+)+(?<word>y)
group_by = word
[rule words]
match = ^ ?(?<word>\\w+)
group_by = word
[rule numbers]
match = number (?<number>\\d+)
value = number:int
fields = count sum
"""
SERIES_RULES = """[rule by_proc]
match = killed (?<proc>\\S+)
group_by = proc
max_series = 1000
[rule all]
match = killed
"""


def counts(influx, database, rule, group=""):
    query = 'SELECT sum("count") FROM "%s"%s' % (rule, group)
    return influx.value(query, database) if not group else influx.rows(query, database)


def start(lab, influx, database, rules, workers=2):
    port = lab.free_port()
    return port, lab.serve(CONFIG.format(state=lab.subfolder("state"), rules=rules, workers=workers, port=port,
                                         url=influx.url, database=database), name=database)


def exact_over_workers(lab, influx):
    port, logmill = start(lab, influx, "workers", PROJECT + "/tests/bench/rules10.ini", workers=4)
    messages = 100000
    sent = lab.send("--tcp", "127.0.0.1:%d" % port, "--connections", 16, "--messages", messages)
    logmill.wait_received(messages)
    equal(logmill.stop(), 0, "exit code")
    for rule, count in sent["kinds"].items():
        if rule != "other":
            equal(counts(influx, "workers", rule), count, "count of %s over 4 workers" % rule)
            # max, not last: a zero that was written before a late match keeps the total it had then.
            totals = influx.rows('SELECT max("total") FROM "%s" GROUP BY *' % rule, "workers")
            equal(sum(row["max"] for row in totals), count, "total of %s over 4 workers" % rule)
    say("4 workers, 16 connections: %d messages, 10 rules exact" % messages)


def line(text, appname="app"):
    return octet("<134>1 %s host %s - - - %s" % (utc_stamp(), appname, text))


def hostile(lab, influx):
    port, logmill = start(lab, influx, "hostile", lab.write("hostile-rules.ini", HOSTILE_RULES))
    quiet, every = 2000, 50
    attacks = 2 * (quiet // every)
    ways = [connect(port), connect(port)]
    begun = time.monotonic()
    for i in range(quiet):
        ways[i % 2].sendall(line("plain number %d" % i))
        if i % every == 0:
            ways[0].sendall(line("a" * 5000 + "!"))
            ways[1].sendall(line("x" * 5000 + " y"))
    for way in ways:
        finish(way)
    seconds = time.monotonic() - begun
    logmill.wait_received(quiet + attacks)
    wait_equal(lambda: logmill.metrics().sum("logmill_rule_matches_total", rule="numbers"), quiet, "matches of numbers")
    metrics = logmill.metrics()
    for rule in ("explodes", "explodes_otherwise"):
        cut = {reason: metrics.sum("logmill_rule_errors_total", rule=rule, reason=reason)
               for reason in ("step_limit", "over_budget", "suspended")}
        check(cut["step_limit"] > 0, "%s was never cut off: %r" % (rule, cut))
        check(sum(cut.values()) >= attacks // 2, "%s: hostile lines that are not accounted for: %r" % (rule, cut))
        equal(metrics.sum("logmill_rule_matches_total", rule=rule), 0, "matches of " + rule)
        say("%s: %r" % (rule, cut))
    for rule in ("words", "numbers"):
        equal(metrics.sum("logmill_rule_errors_total", rule=rule), 0, "errors of " + rule)
    logmill.wait_written(quiet + attacks)
    equal(logmill.stop(), 0, "exit code")
    equal(counts(influx, "hostile", "numbers"), quiet, "count of numbers")
    equal(influx.value('SELECT sum("sum") FROM "numbers"', "hostile"), quiet * (quiet - 1) // 2, "sum of numbers")
    equal(counts(influx, "hostile", "words"), quiet + attacks, "count of words")
    equal(influx.value('SELECT count("message") FROM "syslog"', "hostile"), quiet + attacks, "raw points")
    check(seconds < 30, "%d hostile lines took %.1f s" % (attacks, seconds))
    say("%d hostile lines among %d: %.2f s, the other rules exact" % (attacks, quiet, seconds))


def many_series(lab, influx):
    """10,000 processes, three times each, where 1,000 series are allowed."""
    port, logmill = start(lab, influx, "series", lab.write("series-rules.ini", SERIES_RULES))
    procs, limit, times = 10000, 1000, 3
    send_stream(port, b"".join(line("killed p%05d" % (i % procs)) for i in range(procs * times)))
    logmill.wait_received(procs * times)
    wait_equal(lambda: logmill.metrics().sum("logmill_rule_matches_total", rule="all"), procs * times, "matches")
    metrics = logmill.metrics()
    series, folded = (metrics.sum("logmill_rule_" + what, rule="by_proc") for what in ("series", "overflow_total"))
    check(limit - 1 <= series <= limit + 1, "%d series where %d are allowed" % (series, limit))
    equal(metrics.sum("logmill_rule_series", rule="all"), 1, "series of the rule without group_by")
    equal(logmill.stop(), 0, "exit code")
    equal(counts(influx, "series", "all"), procs * times, "count of all")
    equal(counts(influx, "series", "by_proc"), procs * times, "sum over all series of by_proc")
    rows = {row["proc"]: row["sum"] for row in counts(influx, "series", "by_proc", ' GROUP BY "proc"')}
    check(limit <= len(rows) <= limit + 1, "%d tag values in the database" % len(rows))
    equal(rows["_other"], folded, "count of _other = logmill_rule_overflow_total")
    equal({proc for proc, n in rows.items() if proc != "_other" and n != times}, set(), "kept series that miss a count")
    say("%d processes in %d series, %d counts in _other, sum exact" % (procs, series, folded))


def main(lab):
    influx = lab.influx()
    exact_over_workers(lab, influx)
    hostile(lab, influx)
    many_series(lab, influx)


run(main)
