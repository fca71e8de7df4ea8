"""How to say who may decide, walked: every file saved, every command typed, without a server and with one."""

from __future__ import annotations

import pytest

from tests.walk import ROOT, Walk, blocks, save, steps

PAGE = "docs/how-to/people.md"


@pytest.mark.slow
def test_how_to_say_who_may_decide(reader: Walk) -> None:
    """Fay is added from the table, Gil is left to be settled; the server takes a person over, and asks for a change."""
    printed = [_step(reader, block.info, block.text) for block in steps(PAGE)]
    everything = "".join(printed)
    assert "lead (placet.yml)" in everything
    assert "# New: append to `people:`" in everything
    assert "{id: bo, identities: {slack: U02AB}}" in everything
    assert "no e-mail is known" in everything
    assert "Added 1 to placet.yml" in everything
    assert "bo is called instead" in everything
    assert "Ana Ruiz is back." in everything
    file = reader.folder / "crew" / "placet.yml"
    assert "# Who decides." in file.read_text("utf-8")
    assert "fay" not in file.with_name("placet.yml.bak").read_text("utf-8")


def _step(reader: Walk, info: str, text: str) -> str:
    if info.startswith("sh"):
        return reader.type(text)
    save(reader.folder / "crew", text)
    return ""


@pytest.mark.slow
def test_a_change_of_the_policy_is_asked_of_people(reader: Walk) -> None:
    """As the page says, with a server that runs."""
    begin, people, *_ = steps(PAGE)
    reader.type(begin.text)
    save(reader.folder / "crew", people.text)
    save(reader.folder / "crew", f"# placet.yml\n{_block('policy_changes: reviewed')}")
    reader.serve("placet serve")
    policy = reader.folder / "crew" / "policy.yml"
    policy.write_text(policy.read_text("utf-8").replace("version: 1", "version: 2").replace("15m", "20m"), "utf-8")
    printed = reader.type(_block("placet policy apply"))
    assert "#1 asks people to approve this, in chat or on the web" in printed
    ready = reader.type("curl --silent 127.0.0.1:8080/readyz")
    assert "waiting for #1" in ready


def _block(begins: str) -> str:
    return next(block.text for block in blocks(ROOT / PAGE) if block.text.startswith(begins))
