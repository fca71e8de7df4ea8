"""Our table of limits against another's."""

from __future__ import annotations

import pytest
from slackblocks import _limits as known

from adapters.slack import limits


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (limits.MESSAGE_BLOCKS, known.MESSAGE_BLOCKS_MAX_ITEMS),
        (limits.MODAL_BLOCKS, known.VIEW_BLOCKS_MAX_ITEMS),
        (limits.HEADER, known.HEADER_TEXT_MAX_LENGTH),
        (limits.CONTEXT_ELEMENTS, known.CONTEXT_ELEMENTS_MAX_ITEMS),
        (limits.TEXT, known.TEXT_MAX_LENGTH),
        (limits.ACTIONS, known.ACTIONS_ELEMENTS_MAX_ITEMS),
        (limits.ID, known.BLOCK_ID_MAX_LENGTH),
        (limits.ID, known.ACTION_ID_MAX_LENGTH),
        (limits.BUTTON_TEXT, known.BUTTON_TEXT_MAX_LENGTH),
        (limits.BUTTON_VALUE, known.BUTTON_VALUE_MAX_LENGTH),
        (limits.BUTTON_LABEL, known.BUTTON_ACCESSIBILITY_LABEL_MAX_LENGTH),
        (limits.URL, known.BUTTON_URL_MAX_LENGTH),
        (limits.CONFIRM_TITLE, known.CONFIRMATION_TITLE_MAX_LENGTH),
        (limits.CONFIRM_TEXT, known.CONFIRMATION_TEXT_MAX_LENGTH),
        (limits.CONFIRM_BUTTON, known.CONFIRMATION_CONFIRM_MAX_LENGTH),
        (limits.CONFIRM_BUTTON, known.CONFIRMATION_DENY_MAX_LENGTH),
        (limits.OPTIONS, known.SELECT_OPTIONS_MAX_ITEMS),
        (limits.OVERFLOW, known.OVERFLOW_OPTIONS_MAX_ITEMS),
        (limits.CHECKBOXES, known.CHECKBOXES_OPTIONS_MAX_ITEMS),
        (limits.OPTION_DESCRIPTION, known.OPTION_DESCRIPTION_MAX_LENGTH),
        (limits.OPTION_TEXT, known.OPTION_TEXT_MAX_LENGTH),
        (limits.OPTION_VALUE, known.OPTION_VALUE_MAX_LENGTH),
        (limits.PLACEHOLDER, known.SELECT_PLACEHOLDER_MAX_LENGTH),
        (limits.TABLE_ROWS, known.TABLE_ROWS_MAX_ITEMS),
        (limits.TABLE_COLUMNS, known.TABLE_COLUMNS_MAX_ITEMS),
        (limits.INPUT_LABEL, known.INPUT_LABEL_MAX_LENGTH),
        (limits.INPUT_HINT, known.INPUT_HINT_MAX_LENGTH),
        (limits.INPUT_TEXT, known.PLAIN_TEXT_INPUT_MAX_LENGTH_MAX),
        (limits.MODAL_TITLE, known.VIEW_TITLE_MAX_LENGTH),
        (limits.MODAL_TITLE, known.VIEW_SUBMIT_MAX_LENGTH),
        (limits.PRIVATE_METADATA, known.VIEW_PRIVATE_METADATA_MAX_LENGTH),
    ],
)
def test_a_limit_is_what_others_found_it_to_be(ours: int, theirs: int) -> None:
    """A number that one of us has wrong is found here and not in a channel."""
    assert ours == theirs
