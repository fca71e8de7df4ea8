"""What is hidden stays hidden: wherever the words stand, however they are grouped, in time linear in the text."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviews.redact import MASK, Scrubber, scrubber, words_of
from tests.fakes.builders import a_request

IBAN = "ES9121000418450200051332"


def hiding(*values: object, text: str) -> str:
    """The text with these values hidden."""
    arguments = {str(n): value for n, value in enumerate(values)}
    return scrubber(a_request(arguments=arguments), [f"/action/arguments/{n}" for n in arguments])(text)


@pytest.mark.parametrize(
    "written",
    [
        IBAN,
        IBAN.lower(),
        "ES91 2100 0418 4502 0005 1332",
        "ES91-2100-0418-4502-0005-1332",
        "es91.2100.0418.4502.0005.1332",
        "ES91\N{NO-BREAK SPACE}2100\N{EN DASH}0418\N{ZERO WIDTH SPACE}4502 0005\n1332",
    ],
)
def test_a_value_is_found_however_it_is_grouped(written: str) -> None:
    """An account number, in either direction: hidden bare and written grouped, hidden grouped and written bare."""
    assert hiding(IBAN, text=f"Pay to {written}, today.") == f"Pay to {MASK}, today."
    assert hiding(written, text=f"Pay to {IBAN}, today.") == f"Pay to {MASK}, today."


@pytest.mark.parametrize(
    ("hidden", "text", "shown"),
    [
        ("+34 600 123 456", "call +34600123456 or (34) 600-123-456", f"call +{MASK} or ({MASK}"),
        ("600123456", "+34600 123 456 is hers", f"+34{MASK} is hers"),
        ("4111111111111111", "card 4111 1111 1111 1111.", f"card {MASK}."),
        (1250000.0, "worth 1,250,000 EUR", f"worth {MASK} EUR"),
        (1234567, "1 234 567 in all", f"{MASK} in all"),
        ("Maria Lopez", "maria.lopez@example.com, MARIA  LOPEZ", f"{MASK}@example.com, {MASK}"),
        ("Straße 12", "STRASSE-12!", f"{MASK}!"),
    ],
)
def test_phones_cards_amounts_and_names(hidden: object, text: str, shown: str) -> None:
    """What is not a letter or a digit does not count, nor does case."""
    assert hiding(hidden, text=text) == shown


@pytest.mark.parametrize(
    ("hidden", "text"),
    [("123", "CVV 123"), ("abc", "abc"), (180, "180 EUR"), (True, "true"), (None, "none"), ("1234", "12:34 and 12 34")],
)
def test_short_values_are_not_looked_for(hidden: object, text: str) -> None:
    """Three digits stand in half of all numbers; four are found as written only: 12:34 is a time of day."""
    assert hiding(hidden, text=text) == text


def test_four_characters_are_found_as_written() -> None:
    """Also inside longer ones, also with signs."""
    assert hiding("1234", "a-b!", text="pin 1234, 91234, A-B!") == f"pin {MASK}, 9{MASK}, {MASK}"


def test_words_made_up_of_two_others_are_left() -> None:
    """Letters that only meet over a gap are another word; over the whole of both they are the same one."""
    assert hiding("Ireland", text="hire Landlord, Ire-land, Irelands") == f"hire Landlord, {MASK}, {MASK}s"


def test_of_two_values_the_longer_is_found() -> None:
    """One that begins like another is hidden whole."""
    assert hiding("600123", "600123456789", text="600 123 456 789 / 600-123-9") == f"{MASK} / {MASK}-9"


def test_a_long_value_is_hidden_as_far_as_it_is_quoted() -> None:
    """In full where all of it stands; where it breaks off, its beginning."""
    note = "The patient 42 said that nobody may know of this, " * 5
    assert hiding(note, text=f"He wrote: {note}. Yes.") == f"He wrote: {MASK}, . Yes."
    assert "patient" not in hiding(note, text=f"He wrote: {note[:60]}")


def test_earlier_arguments_are_hidden_too() -> None:
    """What an edit replaced may still be spoken of."""
    scrub = scrubber(a_request(arguments={"iban": "new-9999"}), ("/action/arguments/iban",), {"iban": "old-8888"})
    assert scrub("from old 8888 to new 9999") == f"from {MASK} to {MASK}"


def test_with_too_much_to_hide_all_is_hidden() -> None:
    """Rather than let something through."""
    assert hiding([f"value {n}" for n in range(501)], text="harmless") == MASK


def test_the_pattern_never_looks_back() -> None:
    """No repetition in it, so each character of a text costs at most the beginning of one word: linear, by its form."""
    words = [*("a" * n + "b" for n in range(4, 40)), *(f"a{n}" * 9 for n in range(200))]
    finder = Scrubber(words)
    for pattern in (found._heads.pattern for found in (finder._bare, finder._exact) if found._heads is not None):
        assert not re.search(r"(?<!\\)[*+{]", pattern)
        assert max(len(part) for part in re.split(r"[(|)?:]+", pattern)) <= 2 * 32


def test_large_hostile_texts_are_done_with() -> None:
    """Half a thousand values alike, a million characters alike, and runs of nothing between two digits."""
    alike = ["a" * 1200 + f"{n}b" for n in range(400)]
    assert MASK in hiding(*alike, text="a " * 500_000)
    assert hiding("a" * 50_000 + "b", text="a" * 31) == "a" * 31
    assert hiding("12345678", text="1" + " " * 1_000_000 + "2").startswith("1 ")


TEXTS = st.text(alphabet="abAB19ß \u200b-.,é‘\n", max_size=30)


@given(hidden=st.lists(TEXTS, max_size=4), text=TEXTS)
def test_no_hidden_value_is_left_as_it_was_written(hidden: list[str], text: str) -> None:
    """Whatever the values and the text: none of four characters or more stands in what is shown, case aside."""
    long = [word.casefold() for word in hidden if len(word) >= 4 and re.search(r"\d", word)]
    for word in hidden:
        shown = hiding(word, text=text + word + text).casefold()
        assert word.casefold() not in long or word.casefold() not in shown


@given(text=st.text(max_size=60))
def test_what_says_nothing_hidden_is_left_alone(text: str) -> None:
    """Not a character changes, however it folds."""
    assert hiding("0123456789", "never!", text=text.replace("0", "").replace("!", "")) == text.replace("0", "").replace(
        "!", ""
    )


def test_numbers_without_a_fraction_are_also_whole_ones() -> None:
    """`180000.0` is spoken of as 180000."""
    assert set(words_of([180000.0, 1.5, True, None, {"a": "b"}])) == {"180000.0", "180000", "1.5", "b"}


@pytest.mark.parametrize(
    ("hidden", "said"),
    [
        ("ana@example.com", "see https://crm.example/?q=ana%40example.com for her"),
        ("Ana Maria Ruiz", "https://crm.example/?name=Ana+Maria+Ruiz"),
        (
            "-----BEGIN KEY-----\nMIIC\n-----END-----",
            'as in {"pem": "-----BEGIN KEY-----\\nMIIC\\n-----END-----"}',
        ),
    ],
)
def test_a_hidden_value_is_found_as_it_is_written_elsewhere(hidden: str, said: str) -> None:
    """Within a web address, a form's, and within JSON."""
    request = a_request(arguments={"secret": hidden})
    told = scrubber(request, ["/action/arguments/secret"])(said)
    assert MASK in told
    assert "MIIC" not in told
    assert "Ruiz" not in told
    assert "ana%40" not in told
