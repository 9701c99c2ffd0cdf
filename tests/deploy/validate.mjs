// SPDX-License-Identifier: Apache-2.0
// Checks Kubernetes manifests without a cluster: node validate.mjs FOLDER RENDERED_FILE|- OUT.ts
// FOLDER has a kustomization.yaml. Its objects are read by the few lines of kustomize below and, with a RENDERED_FILE,
// once more from there: what `kubectl kustomize FOLDER` printed. Each object goes through the schema of its
// kind; OUT.ts lets the TypeScript compiler find keys that the schema does not know (the schema check lets them pass).
// Then what no schema sees: that the parts fit each other and logmill.ini.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import yaml from 'js-yaml';

const [folder, renderedFile, typesFile] = process.argv.slice(2);
const read = (file) => fs.readFileSync(file, 'utf8');

// The part of kustomize that deploy/k8s uses: resources (files and folders) and ConfigMaps made of files.
function objectsOf(dir) {
  const kustomization = yaml.load(read(path.join(dir, 'kustomization.yaml')));
  const objects = [];
  for (const name of kustomization.resources ?? []) {
    const file = path.join(dir, name);
    objects.push(...(fs.statSync(file).isDirectory() ? objectsOf(file) : yaml.loadAll(read(file))));
  }
  for (const { name, files } of kustomization.configMapGenerator ?? []) {
    const data = Object.fromEntries(files.map((file) => [file, read(path.join(dir, file))]));
    objects.push({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data });
  }
  return objects;
}

async function checkSchema(object) {
  const module = await import(`kubernetes-models/${object.apiVersion}/${object.kind}`);
  new module[object.kind](object).validate();
}

function typeScript(objects) {
  return objects.map((object, i) =>
    `import { I${object.kind} as T${i} } from "kubernetes-models/${object.apiVersion}/${object.kind}";\n` +
    `export const o${i}: T${i} = ${JSON.stringify(object, null, 1)};\n`).join('');
}

const only = (objects, kind) => {
  const found = objects.filter((object) => object.kind === kind);
  assert.equal(found.length, 1, `one ${kind}`);
  return found[0];
};
const configMap = (objects, start) => {
  const found = objects.filter((object) => object.kind === 'ConfigMap' && object.metadata.name.startsWith(start));
  assert.equal(found.length, 1, `one ConfigMap ${start}`);
  return found[0];
};

// The seconds of an option of logmill.ini that is written as `20s`.
function seconds(ini, key) {
  const found = ini.match(new RegExp(`^${key}\\s*=\\s*(\\d+)s$`, 'm'));
  assert.ok(found, `${key} in logmill.ini`);
  return Number(found[1]);
}

function checkFit(objects) {
  const pod = only(objects, 'Deployment').spec.template;
  const [container] = pod.spec.containers;
  const service = only(objects, 'Service');
  const ini = configMap(objects, 'logmill-config').data['logmill.ini'];

  // The Service selects the pods, and each of its ports is a port of the container, of the same protocol.
  assert.deepEqual(only(objects, 'Deployment').spec.selector.matchLabels, service.spec.selector);
  for (const [label, value] of Object.entries(service.spec.selector))
    assert.equal(pod.metadata.labels[label], value);
  assert.deepEqual(service.spec.ports.map((port) => `${port.protocol} ${port.port}`), ['TCP 6514', 'UDP 6514']);
  for (const port of service.spec.ports) {
    const target = container.ports.find((candidate) => candidate.name === port.targetPort);
    assert.equal(target?.protocol, port.protocol, `targetPort ${port.targetPort}`);
  }

  // logmill.ini listens on the container's ports, nowhere else.
  const listens = [...ini.matchAll(/^address\s*=\s*(?:(\w+):\/\/)?\S*:(\d+)$/gm)].map(([, protocol, port]) =>
    `${protocol === 'udp' ? 'UDP' : 'TCP'} ${port}`);
  assert.deepEqual(listens, container.ports.map((port) => `${port.protocol} ${port.containerPort}`));
  assert.equal(pod.metadata.annotations['prometheus.io/port'], '9514');

  for (const [probe, file] of [['startupProbe', '/livez'], ['livenessProbe', '/livez'], ['readinessProbe', '/readyz']])
    assert.deepEqual(container[probe].httpGet, { path: file, port: 'http' }, probe);

  // The process ends by itself before it is killed.
  assert.ok(pod.spec.terminationGracePeriodSeconds > seconds(ini, 'drain_timeout') + 5);
  assert.ok(seconds(ini, 'drain_timeout') > seconds(ini, 'drain_delay'));

  // Volumes: each mount has one; each ConfigMap they name is made here; nothing but these folders can be written.
  const volumes = Object.fromEntries(pod.spec.volumes.map((volume) => [volume.name, volume]));
  const mounts = Object.fromEntries(container.volumeMounts.map((mount) => [mount.mountPath, volumes[mount.name]]));
  assert.equal(mounts['/etc/logmill/conf'].configMap.name, configMap(objects, 'logmill-config').metadata.name);
  assert.equal(mounts['/etc/logmill/rules'].configMap.name, configMap(objects, 'logmill-rules').metadata.name);
  assert.ok(mounts['/var/lib/logmill'].emptyDir);
  assert.deepEqual(container.args, ['serve', '-c', '/etc/logmill/conf/logmill.ini']);

  // What the Pod Security Standard "restricted" asks for, and a root file system that stays as it was built.
  assert.equal(pod.spec.securityContext.runAsNonRoot, true);
  assert.ok(pod.spec.securityContext.runAsUser > 0);
  assert.equal(pod.spec.securityContext.seccompProfile.type, 'RuntimeDefault');
  assert.equal(container.securityContext.allowPrivilegeEscalation, false);
  assert.equal(container.securityContext.readOnlyRootFilesystem, true);
  assert.deepEqual(container.securityContext.capabilities.drop, ['ALL']);
  assert.equal(pod.spec.automountServiceAccountToken, false);
}

// The data of the ConfigMaps, by name without the hash that kustomize puts behind it.
const data = (objects) => Object.fromEntries(objects.filter((object) => object.kind === 'ConfigMap')
  .map((object) => [object.metadata.name.replace(/-[0-9a-z]{10}$/, ''), object.data]));

const own = objectsOf(folder);
assert.deepEqual(own.map((object) => object.kind).sort(),
  ['ConfigMap', 'ConfigMap', 'ConfigMap', 'Deployment', 'Namespace', 'Service']);
const sets = [own];
if (renderedFile !== '-') {
  const rendered = yaml.loadAll(read(renderedFile));
  assert.deepEqual(data(rendered), data(own));
  for (const object of rendered.filter((candidate) => candidate.kind !== 'Namespace'))
    assert.equal(object.metadata.namespace, only(rendered, 'Namespace').metadata.name);
  assert.match(configMap(rendered, 'logmill-rules').metadata.name, /-[0-9a-z]{10}$/); // a new rule rolls the pods
  assert.equal(configMap(rendered, 'logmill-rsyslog').metadata.name, 'logmill-rsyslog');
  sets.push(rendered);
}
for (const objects of sets) {
  for (const object of objects)
    await checkSchema(object);
  checkFit(objects);
}
fs.writeFileSync(typesFile, typeScript(own));
console.log(`${own.length} objects, ${renderedFile === '-' ? 'not ' : ''}rendered by kustomize as well`);
