"""What Slack can do, and how much of it. Numbers are characters unless said otherwise.

Source: https://docs.slack.dev/reference/block-kit and, where Slack says nothing, what was seen to be refused.
"""

from __future__ import annotations

from typing import Final

from reviews.ports import Abilities

#: `max_bytes` is a budget: near 13,200 Slack answers `msg_blocks_too_long`, a limit it does not document.
ABILITIES: Final = Abilities(threads=True, live=False, finds=True, max_bytes=12_000, per_second=1.0)

MESSAGE_BLOCKS: Final = 50
#: Blocks of a modal and of Home, and a budget in bytes for them: Slack takes 250,000.
MODAL_BLOCKS: Final = 100
VIEW_BYTES: Final = 60_000
FALLBACK: Final = 3000
HEADER: Final = 150
CONTEXT_TEXT: Final = 2000
CONTEXT_ELEMENTS: Final = 10
TEXT: Final = 3000
ACTIONS: Final = 25
ID: Final = 255
BUTTON_TEXT: Final = 75
BUTTON_VALUE: Final = 2000
BUTTON_LABEL: Final = 75
URL: Final = 3000
CONFIRM_TITLE: Final = 100
CONFIRM_TEXT: Final = 300
CONFIRM_BUTTON: Final = 30
OPTIONS: Final = 100
OVERFLOW: Final = 5
CHECKBOXES: Final = 10
OPTION_TEXT: Final = 75
OPTION_VALUE: Final = 150
PLACEHOLDER: Final = 150
OPTION_DESCRIPTION: Final = 75
TABLE_ROWS: Final = 100
TABLE_COLUMNS: Final = 20
INPUT_LABEL: Final = 2000
INPUT_HINT: Final = 2000
INPUT_TEXT: Final = 3000
MODAL_TITLE: Final = 24
PRIVATE_METADATA: Final = 3000
