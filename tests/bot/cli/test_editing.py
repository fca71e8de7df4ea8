"""An edit as written on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer

from bot.cli import editing
from reviews.model import Object
from reviews.redact import MASK

REVIEW: Object = {
    "action": {"arguments": {"amount": 180, "iban": MASK, "to": {"phone": MASK, "name": "Ana"}}},
    "hidden": ["/iban", "/to/phone"],
}


def test_settings_lie_over_what_is_shown_and_hidden_arguments_are_left_out() -> None:
    """JSON where it is JSON, text elsewhere; what stays blank keeps its value on the server."""
    changed = editing.changed(REVIEW, ["amount=120.5", "note=lost parcel"])
    assert changed == {"amount": 120.5, "to": {"name": "Ana"}, "note": "lost parcel"}


def test_a_hidden_argument_may_be_set() -> None:
    """Then it goes along."""
    assert editing.changed(REVIEW, ["iban=DE00"])["iban"] == "DE00"


def test_a_text_masked_in_part_is_not_sent_back_unless_it_is_set() -> None:
    """The mask would become the argument; the refusal says what to do, and that works."""
    review: Object = {"action": {"arguments": {"note": f"to {MASK}", "amount": 1}}, "hidden": []}
    with pytest.raises(typer.BadParameter, match="note is hidden from you in part; set it too"):
        editing.changed(review, ["amount=2"])
    assert editing.changed(review, ["amount=2", "note=to Ana"]) == {"note": "to Ana", "amount": 2}


@pytest.mark.parametrize("setting", ["amount", "=3", ""])
def test_a_setting_that_is_none(setting: str) -> None:
    """A sentence with the form."""
    with pytest.raises(typer.BadParameter, match="NAME=VALUE"):
        editing.changed(REVIEW, [setting])


@pytest.mark.parametrize("text", ["[1]", "{", None])
def test_a_file_that_holds_no_object(tmp_path: Path, text: str | None) -> None:
    """It is named, whatever is wrong with it."""
    path = tmp_path / "arguments.json"
    if text is not None:
        path.write_text(text, "utf-8")
    with pytest.raises(typer.BadParameter, match=r"arguments\.json"):
        editing.read(path)


def test_all_arguments_from_a_file(tmp_path: Path) -> None:
    """As they are."""
    path = tmp_path / "arguments.json"
    path.write_text('{"amount": 1}', "utf-8")
    assert editing.read(path) == {"amount": 1}
