"""Run by tools/try-wheel.sh with the Python that has the wheel, from a folder without the checkout.

What it looks for are the ways a wheel breaks that a checkout never shows: a file left out, a package that comes from
somewhere else, an entry point that names nothing, a dependency only the developers have.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import sys
import sysconfig
from importlib.metadata import entry_points
from pathlib import Path

PACKAGES = ("reviews", "policies", "storage", "adapters", "bot")
NOBODY = "00000000-0000-0000-0000-000000000000"
SITE = Path(sysconfig.get_paths()["purelib"]).resolve()


def files_of(package: str, pattern: str) -> list[Path]:
    return sorted((SITE / package).rglob(pattern))


def check_every_module_loads() -> int:
    count = 0
    for name in PACKAGES:
        package = importlib.import_module(name)
        assert Path(str(package.__file__)).resolve().is_relative_to(SITE), f"{name} comes from {package.__file__}"
        for found in pkgutil.walk_packages(package.__path__, f"{name}."):
            # Alembic runs these itself, inside a migration's context; and __main__ is a program.
            if ".migrations." in found.name or found.name.endswith(".__main__"):
                continue
            importlib.import_module(found.name)
            count += 1
    return count


def check_package_data() -> None:
    assert files_of("policies", "library/*.yml"), "the policy library is missing"
    json.loads((SITE / "policies" / "schema.json").read_text("utf-8"))
    assert files_of("adapters/web", "*.html"), "the inbox's templates are missing"
    assert files_of("adapters/web", "*.css"), "the inbox's style is missing"
    assert len(files_of("adapters/teams/manifest", "*.*")) == 3, "the Teams app's manifest or icons are missing"
    assert files_of("storage/migrations", "versions/*.py"), "the migrations are missing"


def check_entry_points() -> None:
    adapters = {point.name: point.load() for point in entry_points(group="placet.adapters")}
    assert {"web", "slack", "teams"} <= adapters.keys(), f"adapters found: {sorted(adapters)}"
    assert all(callable(create) for create in adapters.values())
    tools = {point.name: point.load() for point in entry_points(group="placet.tools")}
    assert tools["slack"].manifest({}, url="https://placet.example.com", socket=False), "no manifest is printed"
    teams = {"app_id": NOBODY, "tenant_id": NOBODY}
    assert tools["teams"].package(teams, url="https://placet.example.com"), "no Teams app is packed"


def main() -> None:
    modules = check_every_module_loads()
    check_package_data()
    check_entry_points()
    assert "pytest" not in sys.modules, "the application imports pytest"
    print(f"wheel: {modules} modules load, package data and entry points are there")


if __name__ == "__main__":
    main()
