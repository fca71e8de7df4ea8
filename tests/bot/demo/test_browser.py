"""The scripted reviewers' browser reads forms as browsers do."""

from __future__ import annotations

from bot.demo.browser import Form, forms

PAGE = """
<form action="/leave"><input type="hidden" name="csrf" value="a&amp;b"></form>
<form action="/reviews/rev_1"><input type="hidden" name="verb" value="edit">
<input name="f./order" type="text" value="A-1"><textarea name="f./note">
two
lines</textarea>
<select name="f./currency"><option value="EUR">EUR</option><option value="USD" selected>USD</option></select>
<input type="radio" name="f./sure" value="true"><input type="radio" name="f./sure" value="false" checked></form>
"""


def test_a_form_is_read_with_its_present_values() -> None:
    """Hidden fields, texts, what is selected and what is checked; entities are read."""
    assert forms(PAGE) == [
        Form(action="/leave", fields={"csrf": "a&b"}),
        Form(
            action="/reviews/rev_1",
            fields={
                "verb": "edit",
                "f./order": "A-1",
                "f./note": "two\nlines",
                "f./currency": "USD",
                "f./sure": "false",
            },
        ),
    ]
