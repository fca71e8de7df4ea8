#!/bin/sh
# tools/install.sh LOCK…: installs the locked packages into .venv/, by uv where it is on the PATH, else by pip.
# A package whose hash is not in the lock is refused. USE_UV=0 takes pip in any case.
set -eu

# uv looks at certificates of its own unless told to use the machine's; older releases know the second name.
export UV_SYSTEM_CERTS=1 UV_NATIVE_TLS=1

by_uv() {
    [ "${USE_UV:-1}" = 1 ] && command -v uv >/dev/null 2>&1 &&
        uv pip install --quiet --python .venv/bin/python --require-hashes -r "$1"
}

# Byte code is made when a module is first used: to compile all of it here is a third of the wait.
by_pip() {
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r "$1"
}

for lock in "$@"; do
    echo "installing $lock"
    # uv does not read pip's settings: where pip alone knows the way to the packages, pip goes.
    by_uv "$lock" || by_pip "$lock"
done
