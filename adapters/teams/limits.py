"""What Teams can do, and how much of it. Numbers are characters unless said otherwise.

Source: https://learn.microsoft.com/microsoftteams/platform/task-modules-and-cards/cards/cards-reference and, where it
is silent, what was seen.
"""

from __future__ import annotations

from typing import Final

from reviews.ports import Abilities

#: `max_bytes` is a budget for the card's JSON: some of Teams' ways refuse 28 KB.
ABILITIES: Final = Abilities(threads=True, live=False, finds=False, max_bytes=24_000, per_second=7.0)

#: Bytes that the buttons may take with the forms behind them, so that the card keeps room for what it says.
BUTTONS_BYTES: Final = 12_000
#: Buttons at a card's end, the menu's among them: on a narrow screen more would be three rows.
BUTTONS: Final = 5
#: Teams shows six buttons of one row and hides the others.
ROW: Final = 6
#: A control's token that no longer could be ours to read.
TOKEN: Final = 600
SUMMARY: Final = 400
TITLE: Final = 400
NOTE: Final = 4000
BUTTON_TEXT: Final = 60
LABEL: Final = 200
HINT: Final = 300
CHOICES: Final = 100
CHOICE_TEXT: Final = 200
CHOICE_VALUE: Final = 500
#: Characters of a text field: Teams says no number, and a card has no room for more.
INPUT_TEXT: Final = 10_000
URL: Final = 2000
TABLE_COLUMNS: Final = 5
DIALOG_TITLE: Final = 60
