#!/bin/sh
# Installs the newest wheel of dist/ into an environment of its own, and tries it from a folder where the checkout
# cannot be seen: what passes here is what people get.
set -eu

wheel=$(ls -t "$PWD"/dist/placet-*.whl | head -n 1)
elsewhere=$(mktemp -d)
trap 'rm -rf "$elsewhere"' EXIT

cp requirements.lock tests/wheel_smoke.py "$elsewhere"
"$PWD/.venv/bin/python" -m venv "$elsewhere/.venv"
cd "$elsewhere"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-index --no-deps "$wheel"
.venv/bin/placet --help
# -I: neither this folder nor PYTHONPATH may lend it a module.
.venv/bin/python -I wheel_smoke.py
