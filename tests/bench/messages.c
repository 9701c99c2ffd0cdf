/* SPDX-License-Identifier: Apache-2.0 */
#include "messages.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define K8S          "[k8s ns=\"{ns}\" pod=\"{svc}-{hex}-{word5}\"]"

enum {
	KERN = 0,
	USER = 1,
	DAEMON = 3,
	AUTH = 4,
	SYSLOG = 5,
	CRON = 9,
	AUTHPRIV = 10,
	LOCAL0 = 16,
	LOCAL3 = 19
};
enum { CRIT = 2, ERR = 3, WARNING = 4, NOTICE = 5, INFO = 6, DEBUG = 7 };

const char *const kind_names[KIND_N] = {
	[KIND_OTHER] = "other",
	[KIND_OOM_KILL] = "oom_kill",
	[KIND_OOM_INVOKED] = "oom_invoked",
	[KIND_SSHD_FAILED] = "sshd_failed",
	[KIND_SSHD_ACCEPTED] = "sshd_accepted",
	[KIND_HTTP_5XX] = "http_5xx",
	[KIND_SYNC_ERROR] = "sync_error",
	[KIND_PROBE_FAILED] = "probe_failed",
	[KIND_SEGFAULT] = "segfault",
	[KIND_SYN_FLOOD] = "syn_flood",
	[KIND_ACCT_FAILED] = "acct_failed",
};

/* clang-format off */
const struct message_text message_texts[] = {
	{ KIND_OOM_KILL, 10, "kernel", KERN, ERR, "",
		"Memory cgroup out of memory: Killed process {pid} ({proc}) total-vm:{kb}kB, anon-rss:{kb}kB, "
		"file-rss:{kb}kB, shmem-rss:0kB, UID:0 pgtables:{n}kB oom_score_adj:{n}" },
	{ KIND_OOM_INVOKED, 10, "kernel", KERN, WARNING, "",
		"{proc} invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj={n}" },
	{ KIND_SEGFAULT, 5, "kernel", KERN, INFO, "",
		"{bin}[{pid}]: segfault at {n} ip 00007f{hex}0 sp 00007ffd{hex} error 4 in libc.so.6[7f{hex}+155000]" },
	{ KIND_SYN_FLOOD, 5, "kernel", KERN, INFO, "",
		"TCP: request_sock_TCP: Possible SYN flooding on port {listen}. Sending cookies.  Check SNMP counters." },
	{ KIND_SSHD_FAILED, 20, "sshd", AUTH, INFO, "",
		"Failed password for {user} from 10.{b}.{b}.{b} port {port} ssh2" },
	{ KIND_SSHD_FAILED, 20, "sshd", AUTH, INFO, "",
		"Failed password for invalid user {user} from 10.{b}.{b}.{b} port {port} ssh2" },
	{ KIND_SSHD_ACCEPTED, 30, "sshd", AUTH, INFO, "",
		"Accepted {method} for {user} from 10.{b}.{b}.{b} port {port} ssh2: RSA SHA256:{hex}{hex}{hex}" },
	{ KIND_HTTP_5XX, 25, "nginx", LOCAL0, WARNING, K8S,
		"10.{b}.{b}.{b} - - \"{verb} /api/v1/{svc}/{n} HTTP/1.1\" {status5} {kb} \"-\" \"{agent}\" rt=0.{ms}" },
	{ KIND_SYNC_ERROR, 20, "kubelet", DAEMON, ERR, K8S,
		"pod_workers.go:190] pod sync error: {reason} for container {svc} in pod {ns}/{svc}-{hex}, back-off {n}s" },
	{ KIND_PROBE_FAILED, 20, "kubelet", DAEMON, WARNING, K8S,
		"prober.go:107] {probe} probe failed for {ns}/{svc}-{hex}: Get \"http://10.{b}.{b}.{b}:8080/healthz\": EOF" },
	{ KIND_ACCT_FAILED, 10, "auditd", AUTHPRIV, NOTICE, "",
		"type=USER_AUTH pid={pid} uid=0 auid=4294967295 op=PAM:authentication acct=\"{user}\" "
		"exe=\"/usr/sbin/sshd\" addr=10.{b}.{b}.{b} terminal=ssh res=failed" },

	{ KIND_OTHER, 20, "auditd", AUTHPRIV, INFO, "",
		"type=USER_AUTH pid={pid} uid=0 auid=1000 op=PAM:authentication acct=\"{user}\" "
		"exe=\"/usr/bin/sudo\" terminal=/dev/pts/0 res=success" },
	{ KIND_OTHER, 20, "kernel", KERN, INFO, "",
		"oom_reaper: reaped process {pid} ({proc}), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB" },
	{ KIND_OTHER, 20, "kernel", KERN, INFO, "",
		"IPv6: ADDRCONF(NETDEV_CHANGE): veth{hex}: link becomes ready" },
	{ KIND_OTHER, 40, "sshd", AUTH, INFO, "",
		"Disconnected from user {user} 10.{b}.{b}.{b} port {port}" },
	{ KIND_OTHER, 200, "nginx", LOCAL0, INFO, K8S,
		"10.{b}.{b}.{b} - - \"{verb} /api/v1/{svc}/{n} HTTP/1.1\" {status2} {kb} \"-\" \"{agent}\" rt=0.{ms}" },
	{ KIND_OTHER, 60, "kubelet", DAEMON, INFO, K8S,
		"reconciler.go:221] operationExecutor.MountVolume started for volume \"config-{n}\" pod \"{svc}-{hex}\"" },
	{ KIND_OTHER, 40, "containerd", DAEMON, INFO, K8S,
		"level=info msg=\"StartContainer for \\\"{hex}{hex}\\\" returns successfully\" runtime=io.containerd.runc.v2" },
	{ KIND_OTHER, 20, "dockerd", DAEMON, INFO, "",
		"level=info msg=\"ignoring event\" container={hex}{hex} module=libcontainerd topic=/tasks/delete" },
	{ KIND_OTHER, 25, "etcd", DAEMON, INFO, "",
		"mvcc: finished scheduled compaction at {kb} (took {ms}.{n}ms), hash {kb}, current db size {n} kB" },
	{ KIND_OTHER, 50, "kube-apiserver", DAEMON, INFO, K8S,
		"httplog.go:109] \"HTTP\" verb=\"GET\" URI=\"/api/v1/namespaces/{ns}/pods\" latency=\"{ms}ms\" resp={status2}" },
	{ KIND_OTHER, 15, "kube-scheduler", DAEMON, INFO, K8S,
		"scheduler.go:675] Successfully bound pod {ns}/{svc}-{hex} to node, evaluated={n} feasible={n}" },
	{ KIND_OTHER, 15, "kube-controller-manager", DAEMON, INFO, K8S,
		"replica_set.go:653] Finished syncing ReplicaSet {ns}/{svc}-{hex} ({ms}.{n}us)" },
	{ KIND_OTHER, 15, "kube-proxy", DAEMON, DEBUG, K8S,
		"proxier.go:853] Syncing iptables rules took {ms}ms, endpoints={n} services={n}" },
	{ KIND_OTHER, 25, "coredns", DAEMON, INFO, K8S,
		"[INFO] 10.{b}.{b}.{b}:{port} - {n} \"A IN {svc}.{ns}.svc.cluster.local. udp 56 false 512\" NOERROR 0.00{ms}s" },
	{ KIND_OTHER, 20, "calico-node", DAEMON, INFO, K8S,
		"felix/int_dataplane.go 1245: Applying dataplane updates, finished in {ms}.{n} ms, routes={n}" },
	{ KIND_OTHER, 40, "haproxy", LOCAL3, INFO, "",
		"10.{b}.{b}.{b}:{port} fe_https~ be_{svc}/srv{n} 0/0/1/{ms}/{ms} {status2} {kb} - - ---- 12/12/3/1/0 0/0" },
	{ KIND_OTHER, 40, "postgres", LOCAL0, INFO, "",
		"[{n}-1] LOG:  duration: {ms}.{n} ms  statement: SELECT id, total FROM orders WHERE customer = {kb} LIMIT 10" },
	{ KIND_OTHER, 15, "mysqld", DAEMON, NOTICE, "",
		"[Note] Aborted connection {n} to db: '{svc}' user: '{user}' (Got timeout reading communication packets)" },
	{ KIND_OTHER, 15, "redis-server", LOCAL0, NOTICE, "",
		"{n} changes in 60 seconds. Saving... Background saving started by pid {pid}" },
	{ KIND_OTHER, 10, "rabbitmq", DAEMON, INFO, "",
		"[info] <0.{n}.0> accepting AMQP connection <0.{n}.0> (10.{b}.{b}.{b}:{port} -> 10.{b}.{b}.{b}:5672)" },
	{ KIND_OTHER, 15, "kafka", LOCAL0, INFO, K8S,
		"[GroupCoordinator {n}]: Stabilized group {svc} generation {n} (__consumer_offsets-{b}) with {b} members" },
	{ KIND_OTHER, 10, "prometheus", DAEMON, INFO, K8S,
		"level=info component=tsdb msg=\"write block\" mint={kb}000 maxt={kb}000 ulid={hex}{hex} duration={ms}ms" },
	{ KIND_OTHER, 10, "grafana", DAEMON, INFO, K8S,
		"logger=context userId={n} orgId=1 uname={user} level=info msg=\"Request Completed\" status={status2} time_ms={ms}" },
	{ KIND_OTHER, 30, "systemd", DAEMON, INFO, "",
		"run-docker-runtime\\x2drunc-moby-{hex}{hex}-runc.{word5}.mount: Deactivated successfully." },
	{ KIND_OTHER, 10, "systemd-logind", AUTH, INFO, "",
		"New session {n} of user {user}." },
	{ KIND_OTHER, 15, "CRON", CRON, INFO, "",
		"({user}) CMD (command -v debian-sa1 > /dev/null && debian-sa1 {b} {b})" },
	{ KIND_OTHER, 10, "sudo", AUTHPRIV, NOTICE, "",
		"{user} : TTY=pts/0 ; PWD=/home/{user} ; USER=root ; COMMAND=/usr/bin/systemctl restart {svc}" },
	{ KIND_OTHER, 5, "rsyslogd", SYSLOG, INFO, "",
		"action 'fwd' resumed (module 'builtin:omfwd') [v8.2302.0 try https://www.rsyslog.com/e/2359 ]" },
	{ KIND_OTHER, 5, "chronyd", DAEMON, INFO, "",
		"Selected source 10.{b}.{b}.{b} ({svc}.pool.example.net)" },
	{ KIND_OTHER, 5, "dhclient", DAEMON, INFO, "",
		"DHCPREQUEST for 10.{b}.{b}.{b} on eth0 to 10.{b}.{b}.{b} port 67" },
	{ KIND_OTHER, 5, "NetworkManager", DAEMON, INFO, "",
		"<info>  [{kb}.{n}] device (veth{hex}): state change: unmanaged -> unavailable (reason 'connection-assumed')" },
};
/* clang-format on */
const size_t n_message_texts = COUNT(message_texts);

#define WORDS(...)                \
	(const char *const[])     \
	{                         \
		__VA_ARGS__, NULL \
	}

/* A placeholder is one of a list of words or a number in [low, high]. */
struct placeholder {
	const char *name;
	const char *const *words;
	uint64_t low, high;
	bool hex;
};

static const struct placeholder placeholders[] = {
	{ .name = "pid", .low = 300, .high = 32767 },
	{ .name = "kb", .low = 1000, .high = 9999999 },
	{ .name = "n", .low = 0, .high = 9999 },
	{ .name = "ms", .low = 100, .high = 999 },
	{ .name = "b", .low = 1, .high = 254 },
	{ .name = "port", .low = 1024, .high = 65535 },
	{ .name = "hex", .low = 0x10000000, .high = 0xffffffff, .hex = true },
	{ .name = "listen", .words = WORDS("80", "443", "6443", "8080") },
	{ .name = "status2",
		.words = WORDS("200", "200", "200", "201", "204", "301", "304", "404") },
	{ .name = "status5", .words = WORDS("500", "502", "503", "504") },
	{ .name = "verb", .words = WORDS("GET", "GET", "GET", "POST", "PUT", "DELETE") },
	{ .name = "agent", .words = WORDS("curl/7.88.1", "Go-http-client/2.0", "kube-probe/1.28") },
	{ .name = "method", .words = WORDS("publickey", "password") },
	{ .name = "probe", .words = WORDS("Liveness", "Readiness", "Startup") },
	{ .name = "reason",
		.words = WORDS("CrashLoopBackOff", "ImagePullBackOff", "RunContainerError") },
	{ .name = "ns", .words = WORDS("prod", "staging", "kube-system", "monitoring", "data") },
	{ .name = "svc",
		.words = WORDS(
			"checkout", "cart", "search", "billing", "auth", "frontend", "mailer") },
	{ .name = "word5", .words = WORDS("x2x1z", "b7q9k", "m4t6w", "c8d5h", "zz2pf", "k9v3r") },
	{ .name = "user",
		.words = WORDS(
			"root", "admin", "deploy", "ubuntu", "git", "oracle", "test", "alice") },
	/* A blank and a colon, as some programs name their processes: such a tag value must be
	   escaped. */
	{ .name = "proc",
		.words = WORDS("java", "node", "python3", "mysqld", "gunicorn: worker", "chrome") },
	{ .name = "bin", .words = WORDS("java", "node", "php-fpm", "nginx", "traefik") },
};

/* splitmix64 */
uint64_t
dice_roll(struct dice *dice, uint64_t sides)
{
	uint64_t z = (dice->state += 0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return (z ^ (z >> 31)) % sides;
}

static const struct placeholder *
find_placeholder(const char *name, size_t len)
{
	for (size_t i = 0; i < COUNT(placeholders); i++)
		if (strlen(placeholders[i].name) == len &&
			memcmp(placeholders[i].name, name, len) == 0)
			return &placeholders[i];
	assert(false && "unknown placeholder");
	return NULL;
}

static size_t
write_placeholder(const struct placeholder *p, struct dice *dice, char *out, size_t size)
{
	size_t n_words = 0;
	int len;

	while (p->words != NULL && p->words[n_words] != NULL)
		n_words++;
	if (n_words > 0) {
		len = snprintf(out, size, "%s", p->words[dice_roll(dice, n_words)]);
	} else {
		unsigned long long number = p->low + dice_roll(dice, p->high - p->low + 1);

		len = p->hex ? snprintf(out, size, "%llx", number)
			     : snprintf(out, size, "%llu", number);
	}
	assert(len > 0 && (size_t)len < size);
	return (size_t)len;
}

size_t
message_expand(const char *text, struct dice *dice, char *out, size_t size)
{
	size_t len = 0;

	while (*text != '\0') {
		if (*text == '{') {
			size_t name = strcspn(text + 1, "}");

			len += write_placeholder(
				find_placeholder(text + 1, name), dice, out + len, size - len);
			text += name + 2;
		} else {
			assert(len < size);
			out[len++] = *text++;
		}
	}
	return len;
}
