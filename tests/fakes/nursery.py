"""Runs pytest again and again, each time in a fork of a process that has imported what all runs need.

    python -P nursery.py BESIDE MODULE…

Each line on stdin is `{folder, said, args}`: pytest is run with `args` in `folder`, which is looked at first for
imports, then BESIDE; what it prints goes to the file `said`, and its exit code is the line that comes back.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import sys

import pytest
from hypothesis import HealthCheck, settings


def main() -> None:
    """Until there are no more lines."""
    beside, *modules = sys.argv[1:]
    sys.path.insert(0, beside)
    for name in modules:
        importlib.import_module(name)
    # As in tests/conftest.py, which is not among the tests.
    settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("untimed")
    gc.freeze()
    for line in sys.stdin:
        run = json.loads(line)
        child = os.fork()
        if child == 0:
            _run(run["folder"], run["said"], run["args"])
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def _run(folder: str, said: str, args: list[str]) -> None:
    """Does not return."""
    code = int(pytest.ExitCode.INTERNAL_ERROR)
    try:
        with open(said, "wb") as kept:
            for stream in (1, 2):
                os.dup2(kept.fileno(), stream)
        os.chdir(folder)
        sys.path.insert(0, folder)
        code = int(pytest.main(args))
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


if __name__ == "__main__":
    main()
