"""What Teams sends, read: identities, places, presses, words, and what is none of these."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.selection import Pick
from adapters.teams import parse, press
from adapters.teams.parse import Kind, Nobody
from adapters.teams.press import How
from adapters.token import Malformed, Token
from reviews.card import Go
from reviews.events import Interaction
from reviews.model import Identity, Verb
from tests.adapters.teams.fake_connector import SERVICE
from tests.fakes import teams_payloads as payloads
from tests.fakes.teams_payloads import CHANNEL, GROUP, TEAMS_ANA, TENANT, Json

ROOT = "1760000000007"
THREAD = f"{CHANNEL};messageid={ROOT}"
ANA = Identity(surface="teams", id=TEAMS_ANA, tenant=TENANT)


def _pressed(data: Json, place: str = THREAD, under: str = ROOT, who: str = TEAMS_ANA) -> Json:
    return payloads.pressed({"type": "Action.Execute"}, data, who, place, under, service=SERVICE)


def _reject(**more: Any) -> Json:
    token = Token(copy="copy-7", review="rev_1", revision=2, shown="d1")
    return press.data(How.FORM, verb=Verb.REJECT, token=token, version=5, fields=["reason"], **more)


# ---------------------------------------------------------------------------------------------- where from


def test_who_pressed_is_the_verified_object_id_and_tenant() -> None:
    """In lower case, as placet.yml has them; never a name."""
    payload = _pressed({})
    payload["from"]["aadObjectId"] = TEAMS_ANA.upper()
    payload["conversation"]["tenantId"] = TENANT.upper()
    assert parse.origin(payload).identity == ANA


def test_a_tenant_may_stand_in_the_channel_data_alone() -> None:
    """Where the conversation names none."""
    payload = _pressed({})
    del payload["conversation"]["tenantId"]
    assert parse.origin(payload).identity.tenant == TENANT


@pytest.mark.parametrize("who", [None, "", " ", 7, {"id": TEAMS_ANA}])
def test_nobody_is_guessed(who: object) -> None:
    """Without the directory's id nobody did it; the sentence is for them."""
    payload = _pressed({})
    payload["from"]["aadObjectId"] = who
    with pytest.raises(Nobody, match="did not say who you are"):
        parse.origin(payload)


def test_a_payload_without_a_conversation() -> None:
    """There is nowhere to answer."""
    with pytest.raises(Malformed):
        parse.origin(_pressed({}, place=""))


def test_a_thread_of_a_channel() -> None:
    """The channel, and the message its thread hangs on, are told apart; the exact id is kept."""
    where = parse.origin(_pressed({}))
    assert (where.conversation, where.channel, where.root) == (THREAD, CHANNEL, ROOT)
    assert (where.kind, where.activity, where.service) == (Kind.CHANNEL, ROOT, SERVICE)
    assert where.user == payloads.teams_id(TEAMS_ANA)


@pytest.mark.parametrize(
    ("place", "kind"),
    [
        (CHANNEL, Kind.CHANNEL),
        ("19:old@thread.skype", Kind.CHANNEL),
        (GROUP, Kind.GROUP),
        (payloads.chat_of(TEAMS_ANA), Kind.PERSONAL),
        ("19:a_b@unq.gbl.spaces", Kind.PERSONAL),
    ],
)
def test_a_place_tells_its_kind_where_teams_does_not(place: str, kind: Kind) -> None:
    """By how its id ends."""
    assert parse.kind_of(place) is kind


def test_an_action_on_a_message_in_other_peoples_chat_is_not_in_ours() -> None:
    """Teams names that chat as it names one with us; the other one there reads it."""
    asked = {"service": SERVICE}
    payload = payloads.pointed("composeExtension/fetchTask", "x", TEAMS_ANA, "19:a_b@unq.gbl.spaces", **asked)
    payload["conversation"]["conversationType"] = "personal"
    assert parse.anywhere(payload)
    assert not parse.origin(payload).alone
    ours = payloads.pointed("composeExtension/submitAction", "x", TEAMS_ANA, payloads.chat_of(TEAMS_ANA), **asked)
    assert parse.origin(ours).alone


def test_only_the_chat_of_two_is_alone() -> None:
    """What is private may go there."""
    assert parse.origin(_pressed({}, place=payloads.chat_of(TEAMS_ANA))).alone
    assert not parse.origin(_pressed({}, place=GROUP)).alone


# ---------------------------------------------------------------------------------------------- presses


def test_a_press_is_an_interaction_of_what_was_seen() -> None:
    """`ref` holds what every copy kept holds, so that a twin is known by it."""
    payload = _pressed(_reject() | {"field:reject:reason": "no"})
    made = parse.interaction(parse.origin(payload), parse.pressed(payload))
    assert made == Interaction(
        verb=Verb.REJECT,
        identity=ANA,
        review="rev_1",
        revision=2,
        copy="copy-7",
        shown="d1",
        ref={"channel": CHANNEL, "activity": ROOT},
        mark=f"{CHANNEL}:{ROOT}",
    )


def test_a_copy_in_somebodys_thread_has_no_mark() -> None:
    """What is said there need not be for us."""
    payload = _pressed(_reject(), under="1760000000099")
    made = parse.interaction(parse.origin(payload), parse.pressed(payload))
    assert made.ref == {"channel": CHANNEL, "activity": "1760000000099"}
    assert made.mark is None


def test_a_card_that_is_no_copy_is_not_adopted() -> None:
    """What one person alone sees names no copy."""
    token = Token(copy="", review="rev_1", revision=2, shown="d1")
    payload = _pressed(press.data(How.ACT, verb=Verb.APPROVE, token=token), place=payloads.chat_of(TEAMS_ANA))
    made = parse.interaction(parse.origin(payload), parse.pressed(payload))
    assert (made.copy, made.ref, made.mark) == (None, None, None)


def _once(payload: Json) -> str | None:
    return parse.interaction(parse.origin(payload), parse.pressed(payload)).once


def _escalate(version: int, review: str = "rev_1") -> Json:
    token = Token(copy="copy-7", review=review, revision=2, shown="d1")
    return press.data(How.ACT, verb=Verb.ESCALATE, token=token, version=version)


def test_a_press_sent_again_is_the_same_under_any_id() -> None:
    """Teams sends it with the same activity id, later with a new one."""
    first, again = _pressed(_escalate(5)), _pressed(_escalate(5))
    assert first["id"] != again["id"]
    assert _once(first) == _once(again) is not None


def test_an_honest_second_press_is_another() -> None:
    """The card was redrawn in between; other people, reviews and words are others too."""
    comment = {"way": "form", "verb": "comment", "fields": ["field:comment:reason"]}
    payloads_ = [
        _pressed(_escalate(5)),
        _pressed(_escalate(6)),
        _pressed(_escalate(5, "rev_2")),
        _pressed(_escalate(5), who=payloads.TEAMS_BO),
        _pressed(_escalate(5) | comment | {"field:comment:reason": "one"}),
        _pressed(_escalate(5) | comment | {"field:comment:reason": "two"}),
    ]
    assert len({_once(payload) for payload in payloads_}) == len(payloads_)


def test_a_vote_has_no_key() -> None:
    """The domain itself knows a vote given twice, and answers a refused one as refused."""
    assert _once(_pressed(_reject())) is None


def test_a_dialog_and_a_message_carry_the_same() -> None:
    """`task/submit` has it as `data`, a submitted action as the `value` itself."""
    data = _reject() | {"field:reject:reason": "no"}
    dialog = payloads.dialog("task/submit", data, TEAMS_ANA, THREAD, ROOT, service=SERVICE)
    message = payloads.activity("message", TEAMS_ANA, THREAD, service=SERVICE, value=data)
    assert parse.pressed(dialog) == parse.pressed(message) == parse.pressed(_pressed(data))
    assert parse.pressed(dialog).values == {"reason": "no"}


def test_a_way_decides_nothing() -> None:
    """It has no interaction."""
    payload = _pressed(press.data(How.GO, go=Go.OPEN, value="rev_1"))
    with pytest.raises(Malformed):
        parse.interaction(parse.origin(payload), parse.pressed(payload))


def test_a_selection_is_its_ticked_lines() -> None:
    """Each a review as it was shown."""
    data = press.data(How.BULK, action="refund.issue") | {"pick:rev_1|3|d1": "true", "pick:rev_2|1|d2": "false"}
    pick = Pick(review="rev_1", revision=3, digest="d1", action="refund.issue")
    assert parse.pressed(_pressed(data)).picks == (pick,)


@pytest.mark.parametrize("value", [None, [], "x", 7, {}, {"action": None}, {"action": {"data": "x"}}, {"data": {}}])
@pytest.mark.parametrize("name", ["adaptiveCard/action", "task/fetch", "task/submit", "composeExtension/submitAction"])
def test_what_is_not_ours_is_malformed(name: str, value: object) -> None:
    """Never another exception: all of it is hostile."""
    payload = payloads.activity("invoke", TEAMS_ANA, THREAD, service=SERVICE, name=name, value=value)
    with pytest.raises(Malformed):
        parse.pressed(payload)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
_NAMES = ("way", "verb", "token", "go", "value", "action", "version", "nonce", "fields")
_OURS = st.fixed_dictionaries(
    {"placet": st.just(1)}, optional={name: _JSON | st.sampled_from([*How, *Verb, "a|b|1|c"]) for name in _NAMES}
)


@given(data=_OURS | _JSON)
def test_a_crafted_payload_is_read_or_malformed(data: object) -> None:
    """Nothing else comes out, whatever somebody puts into the data of a card."""
    payload = _pressed({})
    payload["value"]["action"]["data"] = data
    try:
        found = parse.pressed(payload)
        parse.interaction(parse.origin(payload), found)
    except Malformed:
        return
    assert isinstance(found.verb, Verb)
    assert found.token is not None


@given(payload=st.dictionaries(st.sampled_from(["type", "from", "conversation", "value", "text", "entities"]), _JSON))
def test_no_shape_of_a_payload_breaks_the_reader(payload: Json) -> None:
    """What is missing or of another kind is malformed, or nothing."""
    assert parse.welcomed(payload) in (True, False)
    assert parse.pointed(payload).link == ""
    with pytest.raises(Malformed):
        parse.origin(payload)


# ---------------------------------------------------------------------------------------------- words


def _said(text: str, place: str = THREAD, *, mention: bool = True) -> parse.Said:
    return parse.said(payloads.message(text, TEAMS_ANA, place, mention=mention, service=SERVICE))


def test_our_name_is_taken_out_of_what_was_typed() -> None:
    """By the mention of us, not by how we are called; other people's mentions stay words."""
    assert _said("list refund.issue").text == "list refund.issue"
    payload = payloads.message("comment ask <at>Bo</at> & me", TEAMS_ANA, THREAD, mention=True, service=SERVICE)
    payload["text"] = "<at>Placet</at>&nbsp;comment ask <at>Bo</at> &amp; me "
    payload["entities"].append({"type": "mention", "mentioned": {"id": "29:bo"}, "text": "<at>Bo</at>"})
    assert parse.said(payload).text == "comment ask Bo & me"


def test_a_message_of_many_mentions_is_read_at_once() -> None:
    """Each one taken out goes through the whole text; ours counts, however many other people's stand before it."""
    payload = payloads.message("", TEAMS_ANA, THREAD, mention=True, service=SERVICE)
    (ours,) = (one for one in payload["entities"] if one["type"] == "mention")
    payload["text"], payload["entities"] = ours["text"] * 200, [ours] * 200
    assert parse.said(payload).text.count("Placet") == 150
    others = [{"type": "mention", "mentioned": {"id": f"29:{n}"}, "text": f"<at>P{n}</at>"} for n in range(200)]
    assert parse.said(payload | {"entities": [*others, ours]}).meant


def test_what_does_not_mention_us_is_not_meant_for_us() -> None:
    """An app with the permission to read all messages gets them all."""
    assert not _said("list", mention=False).meant
    assert _said("list", payloads.chat_of(TEAMS_ANA), mention=False).meant


def test_a_comment_names_the_card_it_stands_beneath() -> None:
    """In a channel by its thread, in a chat by what it quotes; a message sent again is one comment."""
    typed = _said("comment Is it insured?")
    made = parse.comment(typed, "Is it insured?")
    assert made is not None
    assert (made.verb, made.reason, made.mark) == (Verb.COMMENT, "Is it insured?", f"{CHANNEL}:{ROOT}")
    assert made.once == typed.origin.sent
    payload = payloads.message("comment Why?", TEAMS_ANA, GROUP, mention=True, service=SERVICE)
    assert parse.comment(parse.said(payload), "Why?") is None
    quote = '<blockquote itemscope itemtype="http://schema.skype.com/Reply" itemid="17600000"><p>x</p></blockquote>'
    payload["attachments"] = [{"contentType": "text/html", "content": quote}]
    quoted = parse.comment(parse.said(payload), "Why?")
    assert quoted is not None
    assert quoted.mark == f"{GROUP}:17600000"


def test_a_message_pointed_at_comes_as_plain_words() -> None:
    """No tag of it is left, and its lines are."""
    payload = payloads.pointed("composeExtension/fetchTask", "", TEAMS_ANA, CHANNEL, service=SERVICE)
    body = payload["value"]["messagePayload"]["body"]
    body["content"] = "<p>Pay&nbsp;A &amp; B?</p><script>x</script><div>Now<br>or later</div>"
    pointed = parse.pointed(payload)
    assert pointed.text == "Pay A & B?\nx\nNow\nor later"
    assert pointed.link.startswith("https://teams.microsoft.com/l/message/")
    assert pointed.thread == payload["value"]["messagePayload"]["id"]


@pytest.mark.parametrize("piece", ["<a ", "<!--", "<a b='", '<a"', "<![", "</", "<?", "&#"])
def test_a_message_made_to_keep_the_reader_busy_is_read_at_once(piece: str) -> None:
    """A reader that looks through the rest at each piece would take minutes, and nothing else would happen."""
    payload = payloads.pointed("composeExtension/fetchTask", "", TEAMS_ANA, CHANNEL, service=SERVICE)
    payload["value"]["messagePayload"]["body"]["content"] = "Pay 1<2 <b>A</b>" + piece * 100_000
    assert parse.pointed(payload).text.startswith("Pay 1<2 A")


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "http://x", "https://", "https://" + "a" * 3000, "https://[", ""]
)
def test_an_address_no_browser_should_open_is_left_out(url: str) -> None:
    """It stands on a card, later."""
    payload = payloads.pointed("composeExtension/fetchTask", "x", TEAMS_ANA, CHANNEL, service=SERVICE)
    payload["value"]["messagePayload"]["linkToMessage"] = url
    assert parse.pointed(payload).link == ""


def test_being_added_is_told_from_the_coming_of_others() -> None:
    """Teams tells of it in two ways, and of everybody else in one of them."""
    assert parse.welcomed(payloads.installed(TEAMS_ANA, CHANNEL, service=SERVICE))
    assert parse.welcomed(payloads.joined(TEAMS_ANA, CHANNEL, service=SERVICE))
    assert not parse.welcomed(payloads.installed(TEAMS_ANA, CHANNEL, "remove", service=SERVICE))
    joined = payloads.joined(TEAMS_ANA, CHANNEL, service=SERVICE)
    joined["membersAdded"] = [{"id": "29:bo"}]
    assert not parse.welcomed(joined)
