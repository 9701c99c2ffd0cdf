#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A million numbered messages over 4 TCP connections into a real InfluxDB: a million rows, each number once. Once with
live microsecond stamps, once with the stamps of one and the same second; then a tenth of that over UDP. While they
run the account on /metrics closes at every scrape, and afterwards every rule has counted what was sent."""
import os
import time

from lab import PROJECT, check, check_each_once, equal, run, say, wait_equal

MESSAGES = int(os.environ.get("LOGMILL_E2E_MESSAGES", "1000000"))
UDP_RATE = 10000  # a second; the kernel's buffer holds many times what comes while the receiver is off the CPU
PATIENCE = 300
CONFIG = """[server]
state_dir = {state}
rules = {project}/tests/bench/rules10.ini
host = lab
[listen in]
address = {kind}://127.0.0.1:{port}
[influxdb main]
url = {url}
database = {database}
"""


def check_rules(influx, database, kinds, what):
    for rule, sent in kinds.items():
        if rule != "other":
            wait_equal(lambda rule=rule: influx.value('SELECT sum("count") FROM "%s"' % rule, database), sent,
                       "%s: count of the rule %s" % (what, rule))


def deliver(lab, influx, database, kind, messages, *options):
    """Sends and checks; the server is stopped in the end, so that windows are written."""
    port = lab.free_port()
    logmill = lab.serve(CONFIG.format(state=lab.subfolder("state"), project=PROJECT, kind=kind, port=port,
                                      url=influx.url, database=database), name=database)
    started = time.monotonic()
    load = lab.start_load("--" + kind, "127.0.0.1:%d" % port, "--connections", 4, "--messages", messages,
                          "--timeout", PATIENCE, *options, name="load-" + database)
    scrapes = busy = 0
    while load.running():
        metrics = logmill.metrics()
        metrics.check_conservation()
        scrapes += 1
        busy += 0 < metrics.sum("logmill_messages_received_total") < messages
        time.sleep(0.3)
    sent = lab.finish_load(load)
    equal(sent["messages"], messages, "messages sent")
    logmill.wait_written(messages, PATIENCE)
    seconds = time.monotonic() - started
    metrics = logmill.metrics()
    metrics.check_conservation()
    for what in ("messages_skipped_total", "points_rejected_total", "points_dropped_total", "points_queued",
                 "parse_errors_total", "connection_errors_total", "clock_skew_total"):
        equal(metrics.sum("logmill_" + what), 0, database + ": " + what)
    for rule, count in sent["kinds"].items():
        if rule != "other":
            equal(metrics.sum("logmill_rule_matches_total", rule=rule), count, database + ": matches of " + rule)
    if kind == "udp":
        equal(metrics.sum("logmill_udp_kernel_drops_total"), 0, "datagrams dropped by the kernel")
    equal(logmill.stop(), 0, "exit code of logmill")
    equal(influx.value('SELECT count("message") FROM "syslog"', database), messages, database + ": rows")
    check_each_once(influx.numbers(messages, database, rb"seq=(\d{8})\""), database)
    check_rules(influx, database, sent["kinds"], database)
    check(messages < 500000 or busy > 0, "no scrape fell into the run: too few to mean anything")
    say("%s: %d messages in %.1f s, each there once; %d scrapes (%d in mid-run) add up; 10 rules exact" % (
        database, messages, seconds, scrapes, busy))


def main(lab):
    influx = lab.influx()
    deliver(lab, influx, "tcp_live", "tcp", MESSAGES, "--stamp", "live")
    influx.query('DROP DATABASE "tcp_live"')
    deliver(lab, influx, "tcp_one_second", "tcp", MESSAGES, "--stamp", "second")
    influx.query('DROP DATABASE "tcp_one_second"')
    deliver(lab, influx, "udp", "udp", MESSAGES // 10, "--rate", UDP_RATE)


run(main)
