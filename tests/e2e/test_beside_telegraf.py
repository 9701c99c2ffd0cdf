#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A database that Telegraf has written takes logmill's points beside Telegraf's: the same measurement, the same tags,
the same type of every field. InfluxDB refuses a point when one of its fields has another type than before in that
shard, so `rejected` says it all; to be sure, the types are asked for too."""
import time

from lab import check, equal, octet, run, say, send_stream, utc_stamp

# As Telegraf's outputs.influxdb writes what its syslog input makes: host last of the global tags, integers with `i`,
# structured data as strings, an element without parameters as a boolean, the timestamp in ns.
TELEGRAF = (
    'syslog,appname=someservice,facility=daemon,host=lab,hostname=web1,severity=notice,source=127.0.0.1 '
    'facility_code=3i,severity_code=5i,version=1i,procid="2341",msgid="2",origin=true,meta_sequence="14125553",'
    'meta_service="someservice",timestamp=1456029177000000000i,message="GET /v1/ok" {now}\n'
    'syslog,facility=kern,host=lab,severity=alert,source=127.0.0.1 facility_code=0i,severity_code=1i,version=1i {now}1\n'
    'syslog,appname=app,facility=user,host=lab,hostname=host,severity=notice,source=127.0.0.1 '
    'facility_code=1i,severity_code=5i,message="Test",timestamp=1456029177000000000i,procid="77" {now}2\n'
    'syslog,appname=app,facility=user,host=lab,hostname=host,severity=notice,source=127.0.0.1 '
    'facility_code=1i,severity_code=5i,version=1i,message="quoted \\"text\\" \\\\ and\nlines",'
    'exampleSDID@32473_iut="3",exampleSDID@32473_eventSource="Application" {now}3\n')

# The same things, and what could clash: structured data named like a field, a tag or with another type of value.
MESSAGES = [
    '<29>1 {stamp} web1 someservice 2341 2 [origin][meta sequence="14125553" service="someservice"] GET /v1/ok',
    '<1>1 {stamp} - - - - -',
    '<13>1 {stamp} host app 77 - - Test',
    '<13>1 {stamp} host app 0042 7 [exampleSDID@32473 iut="4" eventSource="Application"] quoted "text" \\ and\nlines',
    '<13>1 {stamp} host app - - [message a="b"][severity code="high"][facility code="x"] sd named like fields',
    '<13>1 {stamp} host app - - [timestamp][version][host x="y"][time] sd named like fields, as booleans',
    '<13>1 {stamp} host app - - [procid][msgid][hostname][appname][source][severity] more of them',
    '<13>{stamp} host app[12]: the shape of omfwd\'s default template',
    '<13>Nov 20 10:00:00 host app[12]: RFC 3164',
    'not syslog at all',
    '<999>1 broken',
]


def types(influx):
    return {row["fieldKey"]: row["fieldType"] for row in influx.rows('SHOW FIELD KEYS FROM "syslog"')}


def main(lab):
    influx, port = lab.influx(), lab.free_port()
    influx.create("telegraf")
    now = time.time_ns() // 10  # one digit short: the lines above end it
    influx.write("telegraf", TELEGRAF.replace("{now}1", str(now * 10 + 1)).replace("{now}2", str(now * 10 + 2))
                 .replace("{now}3", str(now * 10 + 3)).replace("{now}", str(now * 10)))
    before, tags = types(influx), influx.rows('SHOW TAG KEYS FROM "syslog"')
    equal(influx.value('SELECT count("severity_code") FROM "syslog"'), 4, "Telegraf's points")

    logmill = lab.serve("[listen in]\naddress = tcp://127.0.0.1:%d\n[influxdb main]\nurl = %s\n" % (port, influx.url))
    messages = [message.format(stamp=utc_stamp()) for message in MESSAGES]
    send_stream(port, b"".join(octet(message) for message in messages))
    sent = len(messages)
    logmill.wait_received(sent)
    logmill.wait_written(sent)
    metrics = logmill.metrics()
    metrics.check_conservation()
    equal(metrics.sum("logmill_points_rejected_total"), 0, "rejected points")
    equal(influx.value('SELECT count("severity_code") FROM "syslog"'), 4 + sent, "rows, Telegraf's and ours")

    after = types(influx)
    equal({field: after[field] for field in before}, before, "types of Telegraf's fields")
    equal(influx.rows('SHOW TAG KEYS FROM "syslog"'), tags, "tag keys")
    mine = influx.rows('SELECT * FROM "syslog" WHERE "message" = \'GET /v1/ok\'')
    equal(len(mine), 2, "rows of the message that both wrote")
    same = [{key: value for key, value in row.items() if key not in ("time", "timestamp")} for row in mine]
    equal(same[0], same[1], "Telegraf's row and ours of one message")
    check(after.get("sd_message_a") == "string" or after.get("message_a") == "string", "structured data is kept")
    say("%d points beside Telegraf's, none rejected; %d fields, types as before" % (sent, len(after)))


run(main)
