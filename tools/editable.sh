#!/bin/sh
# Puts this checkout into .venv/ as `placet`. Takes nothing from outside: the build backend is in the lock.
set -eu

if [ -x .venv/bin/pip ]; then
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-index --no-deps --no-build-isolation -e .
else
    uv pip install --quiet --python .venv/bin/python --no-index --no-deps --no-build-isolation -e .
fi
