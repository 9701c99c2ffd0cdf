#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test_manifests.sh REPOSITORY WORK_FOLDER LOGMILL: checks deploy/k8s offline (validate.mjs says what), and that the
# logmill.ini and the rules in its ConfigMaps pass `logmill check`, mounted as the pod mounts them.
set -euo pipefail
repository=$1 work=$2 logmill=$3
here=$repository/tests/deploy
mkdir -p "$work"

# The validators, as the lock file pins them; once per version of it.
if ! cmp -s "$here/package-lock.json" "$work/installed.json"; then
	cp "$here/package.json" "$here/package-lock.json" "$work/"
	(cd "$work" && npm ci --no-audit --no-fund --loglevel=error)
	cp "$here/package-lock.json" "$work/installed.json"
fi

rendered=-
if command -v kubectl >/dev/null; then
	rendered=$work/rendered.yaml
	kubectl kustomize "$repository/deploy/k8s" >"$rendered"
fi
cp "$here/validate.mjs" "$work/" # beside node_modules, where its imports are looked for
cd "$work"
node validate.mjs "$repository/deploy/k8s" "$rendered" objects.ts
node_modules/.bin/tsc --noEmit --strict --skipLibCheck --module nodenext --moduleResolution nodenext objects.ts

rm -rf etc
mkdir -p etc/conf etc/rules
cp "$repository/deploy/k8s/logmill.ini" etc/conf/
cp "$repository/rules/kernel.ini" etc/rules/
"$logmill" check -c etc/conf/logmill.ini
