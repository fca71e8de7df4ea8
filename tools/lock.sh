#!/bin/sh
# Writes the three lock files from pyproject.toml: every file of each release by its hash, for every Python and
# platform we run on, and no word about where it comes from. UPGRADE=1 takes the newest releases.
set -eu
export UV_SYSTEM_CERTS=1 UV_NATIVE_TLS=1 # the machine's certificates, under the name each release knows

uv=$(command -v uv || true)
if [ -z "$uv" ]; then
    [ -x .venv/lock/bin/uv ] || { .venv/bin/python -m venv .venv/lock && .venv/lock/bin/pip install --quiet uv; }
    uv=.venv/lock/bin/uv
fi

compile() {
    out=$1; shift
    "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --no-emit-find-links --no-emit-build-options --no-annotate \
        --custom-compile-command "make lock" ${UPGRADE:+--upgrade} --output-file "$out" "$@"
}

compile requirements.lock pyproject.toml --group build
# All that is in requirements.lock is in here as well, in the same version.
compile requirements-dev.lock pyproject.toml --group dev --constraint requirements.lock
compile requirements-node.lock --group node
