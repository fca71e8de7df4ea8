"""Changes of the policy that people approve first: proposed, decided, put in force, kept; and never when unsure."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.guard import SHOWN, CannotApply
from bot.rules import put_in_force
from policies.load import load_text
from reviews.errors import PolicyConflict
from reviews.keeping import Agent, Entry, Tx
from reviews.model import Object, Review, Status, Tier, Verb
from tests.fakes.app import CONFIG, POLICY, House, running
from tests.fakes.chat import FakeChat
from tests.fakes.clock import FakeClock

REVIEWED: Object = {"policy_changes": "reviewed"}
NEWER = POLICY.replace("version: 1", "version: 2").replace("{tier: auto}", "{tier: approve, role: clerk}")

#: Two who hold none of the roles asked for are called to whatever no rule knows.
CALLING = """chains:
  all: [{after: 0m, notify: ["channel:role", "person:cy", "person:di"]}, {after: 1h, then: expire}]
default: {tier: approve, role: manager, chain: all, valid_for: 15m}"""


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A Placet whose policy people guard."""
    async with running(tmp_path, config=REVIEWED, clock=FakeClock()) as made:
        yield made


async def proposed(house: House, text: str = NEWER, by: str | None = None) -> Review:
    """Propose a text; the review it made."""
    done = await house.app.operations.run("policy.apply", {"text": text, "by": by})
    return await read(house, done["review"])


async def read(house: House, review: str) -> Review:
    """The review as it stands."""
    found = await house.store.view(lambda tx: tx.read(review))
    assert found is not None
    return found


async def press(house: House, verb: Verb, review: Review, *people: str) -> None:
    """Each presses; each is heard."""
    for person in people:
        reply = await house.press(verb, {"id": review.id, "revision": 1}, person, reason="as I think")
        assert reply.answer == "done", reply.text


async def version(house: House) -> int:
    """The version in force, once the server has looked."""
    await house.app.reload(force=False)
    return house.app.router.policy.version


async def logged(house: House, kind: str) -> list[Entry]:
    """Entries of a kind."""
    return await house.store.view(lambda tx: [e for e in tx.log(limit=1000) if e.kind == kind])


async def test_a_change_holds_once_two_people_approved_it(house: House) -> None:
    """One is not enough; the log has the difference and the review, and the approval is used up."""
    review = await proposed(house)
    assert (review.route.tier, [str(need) for need in review.route.needs]) == (Tier.DUAL, ["manager", "manager"])
    assert review.request.action.arguments["sha256"]
    assert "~ rule reading" in str(review.request.action.preview)
    await press(house, Verb.APPROVE, review, "ana")
    assert await version(house) == 1
    await press(house, Verb.APPROVE, review, "bo")
    assert await version(house) == 2
    (entry,) = await logged(house, "policy.applied")
    assert "~ rule reading" in entry.detail["diff"]
    assert (entry.detail["review"], entry.detail["version"]) == (review.id, 2)
    used = await read(house, review.id)
    assert used.grant is not None
    assert used.grant.state == "used"
    assert await version(house) == 2


async def test_a_file_that_changed_only_waits(house: House) -> None:
    """Readiness says for what; reviews are routed by what is in force."""
    (house.app.folder / "policy.yml").write_text(NEWER, "utf-8")
    assert await version(house) == 1
    assert "`placet policy apply` asks people" in house.app.guard.said()
    review = await proposed(house)
    assert house.app.guard.said().endswith(f"stays in force: waiting for #{review.seq}.")
    checks = (await house.call("GET", "/readyz")).body["checks"]
    assert (checks["policy"]["ok"], checks["policy"]["vital"]) == (False, False)
    await press(house, Verb.APPROVE, review, "ana", "bo")
    assert await version(house) == 2
    assert house.app.guard.said() == ""


@pytest.mark.parametrize("verdict", [Verb.REJECT, None])
async def test_what_is_not_approved_never_holds(house: House, verdict: Verb | None) -> None:
    """Rejected or expired: the old stays, and it is said why; it may be proposed again."""
    (house.app.folder / "policy.yml").write_text(NEWER, "utf-8")
    review = await proposed(house)
    clock = house.app.clock
    assert isinstance(clock, FakeClock)
    if verdict is None:
        clock.forward(timedelta(days=30))
        await house.app.service.fire()
    else:
        await press(house, verdict, review, "ana")
    assert await version(house) == 1
    said = "it expired undecided" if verdict is None else "it was rejected"
    assert house.app.guard.said().endswith(f"{said} (#{review.seq}).")
    (entry,) = await logged(house, "policy.kept")
    assert entry.detail["review"] == review.id
    again = await proposed(house)
    assert again.id != review.id
    await press(house, Verb.APPROVE, again, "ana", "bo")
    assert await version(house) == 2


@pytest.mark.parametrize(("what", "holds"), [("undone", 1), ("lapsed", 1), ("rested", 2)])
async def test_an_approval_rests_as_long_as_it_may_be_undone(tmp_path: Path, what: str, holds: int) -> None:
    """The change holds only once that has passed; taken back or lapsed meanwhile, it never does."""
    rule = "rules:\n  - {name: itself, when: 'action.name == \"policy.change\"', route: {tier: approve, role: manager, "
    careful = POLICY.replace("rules:\n", f"{rule}sla: 1h, undo: 2m, valid_for: 15m}}}}\n")
    async with running(tmp_path, policy=careful, config=REVIEWED, clock=FakeClock()) as house:
        review = await proposed(house, NEWER)
        await press(house, Verb.APPROVE, review, "ana", "bo")
        assert await version(house) == 1
        clock = house.app.clock
        assert isinstance(clock, FakeClock)
        if what == "undone":
            await press(house, Verb.UNDO, review, "bo")
        clock.forward(timedelta(minutes=1))
        assert await version(house) == 1
        clock.forward(timedelta(minutes=2) if what == "rested" else timedelta(days=1))
        await house.app.service.fire()
        assert await version(house) == holds
        assert len(await logged(house, "policy.kept")) == 2 - holds


async def test_the_same_text_again_is_the_same_review_and_another_takes_its_place(house: House) -> None:
    """So that at most one change waits; one approved beforehand for another text is not used."""
    first = await proposed(house)
    assert (await proposed(house)).id == first.id
    await press(house, Verb.APPROVE, first, "ana")
    second = await proposed(house, NEWER.replace("version: 2", "version: 3"))
    assert (await read(house, first.id)).status is Status.WITHDRAWN
    await press(house, Verb.APPROVE, second, "ana", "bo")
    assert await version(house) == 3


async def test_who_proposes_decides_nothing_of_it(tmp_path: Path) -> None:
    """Named by --as, they are left out; somebody unknown is no name."""
    people = [*CONFIG["people"], {"id": "gil", "name": "Gil", "roles": ["manager"]}]
    async with running(tmp_path, config=REVIEWED | {"people": people}) as house:
        review = await proposed(house, by="ana")
        reply = await house.press(Verb.APPROVE, {"id": review.id, "revision": 1}, "ana")
        assert reply.answer in ("forbidden", "refused")
        with pytest.raises(CannotApply, match="nobody 'zed'"):
            await proposed(house, by="zed")


async def test_nobody_is_asked_where_nobody_could_approve(house: House) -> None:
    """There are two managers, and one of them proposes it: said at once, not when it expires."""
    with pytest.raises(CannotApply, match=r"2 of manager \(there are 1 besides ana\)"):
        await proposed(house, by="ana")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (POLICY, "in force already"),
        (POLICY.replace("tier: deny", "tier: auto"), "Raise `version`"),
        (NEWER.replace("role: clerk", "role: king", 1), "king"),
        (NEWER.replace("{name: reading", f"{{name: {'x' * (SHOWN + 1)}"), "people are shown"),
        (
            NEWER + "tests: [{name: free, given: {action: {name: x}}, expect: {tier: auto}}]\n",
            "Tests of its own fail: free",
        ),
    ],
)
async def test_what_cannot_be_proposed_is_refused_with_why(house: House, text: str, why: str) -> None:
    """Nobody is asked."""
    with pytest.raises(Exception, match=why):
        await proposed(house, text)
    assert await house.store.view(lambda tx: tx.reference("policy", "proposed")) is None


async def test_a_version_is_one_text(tmp_path: Path) -> None:
    """Also where the other text was in force long ago: said before anybody is asked. What is proposed takes none."""
    async with running(tmp_path, config=REVIEWED) as house:
        first = await proposed(house)
        await press(house, Verb.REJECT, first, "ana")
        assert await version(house) == 1
        second = await proposed(house, NEWER + "# another try\n")
        await press(house, Verb.APPROVE, second, "ana", "bo")
        assert await version(house) == 2
        with pytest.raises(PolicyConflict, match="with another text"):
            await proposed(house, POLICY + "# not as it was\n")
        back = await proposed(house, POLICY)
        await press(house, Verb.APPROVE, back, "ana", "bo")
        assert await version(house) == 1


@pytest.mark.parametrize(("tier", "status"), [("deny", "rejected"), ("human_only", None)])
async def test_a_policy_may_refuse_to_be_changed(tmp_path: Path, tier: str, status: str | None) -> None:
    """It stays, and that is said at once."""
    route = "{tier: deny}" if tier == "deny" else "{tier: human_only, role: manager}"
    firm = POLICY.replace(
        "rules:\n", f"rules:\n  - {{name: itself, when: 'action.name == \"policy.change\"', route: {route}}}\n"
    )
    async with running(tmp_path, policy=firm, config=REVIEWED) as house:
        if status is None:
            with pytest.raises(CannotApply, match="human_only"):
                await proposed(house)
        else:
            assert (await proposed(house)).status == status
        assert await version(house) == 1


async def test_nobody_else_acts_in_the_houses_name(house: House) -> None:
    """An agent called as the house is could use the approval."""
    await house.store.tx(lambda tx: tx.put_agent(Agent(name="desk", key_hash="x", secrets=())))
    await house.app.keyring.load()
    with pytest.raises(CannotApply, match="placet agent revoke desk"):
        await proposed(house)


async def test_an_agents_own_request_of_that_name_changes_nothing(house: House) -> None:
    """It needs two people, and approved it still puts nothing in force."""
    agent = await house.agent()
    asked = await agent.asked({"name": "policy.change", "arguments": {"sha256": "0" * 64}})
    review = await read(house, asked["id"])
    assert review.route.tier is Tier.DUAL
    await press(house, Verb.APPROVE, review, "ana", "bo")
    assert await version(house) == 1


async def test_free_changes_are_taken_over_and_recorded_with_their_difference(tmp_path: Path) -> None:
    """As ever; and there is nothing to apply."""
    async with running(tmp_path) as house:
        (tmp_path / "policy.yml").write_text(NEWER, "utf-8")
        assert await version(house) == 2
        first, second = await logged(house, "policy.loaded")
        assert "diff" not in first.detail
        assert "~ rule reading" in second.detail["diff"]
        with pytest.raises(CannotApply, match="are free here"):
            await proposed(house)


async def test_what_is_in_force_wins_at_the_next_start(tmp_path: Path) -> None:
    """Over a file that differs, and over one that does not load."""
    store = f"sqlite:///{tmp_path / 'kept.db'}"
    async with running(tmp_path, config=REVIEWED, store=store) as house:
        assert await version(house) == 1
    for text in (NEWER, "policy: ["):
        async with running(tmp_path, config=REVIEWED, store=store, policy=text) as house:
            assert await version(house) == 1
            assert house.app.guard.said()
    async with running(tmp_path, config=REVIEWED, store=store, policy=NEWER) as house:
        review = await proposed(house)
        await press(house, Verb.APPROVE, review, "ana", "bo")
    async with running(tmp_path, config=REVIEWED, store=store, policy=NEWER) as house:
        assert await version(house) == 2
        assert house.app.guard.said() == ""


async def test_two_processes_put_it_in_force_once(house: House) -> None:
    """The second sees that it is, and follows."""
    review = await proposed(house)
    await press(house, Verb.APPROVE, review, "ana", "bo")
    first, second = await house.app.guard.look(), await house.app.guard.look()
    assert first is not None
    assert first.version == 2
    assert second is not None  # it is in force, and this process has not swapped it in yet
    assert second.version == 2
    assert len(await logged(house, "policy.applied")) == 1


async def test_a_role_that_may_change_the_policy_fills_a_slot(tmp_path: Path) -> None:
    """Where there is one, one of the two holds it; and its holders are told what became of the change."""
    roles = CONFIG["roles"] | {"clerk": {"level": 1, "may": ["policy"]}}
    people = [each | {"identities": {"slack": f"U{n}"}} for n, each in enumerate(CONFIG["people"])]
    chat = FakeChat()
    config = REVIEWED | {"roles": roles, "people": people, "slack": {}}
    async with running(tmp_path, config=config, adapters={"slack": chat}) as house:
        review = await proposed(house)
        assert [str(need) for need in review.route.needs] == ["manager", "clerk"]
        await press(house, Verb.APPROVE, review, "ana", "cy")
        assert await version(house) == 2

        def told(_: Tx) -> set[str]:
            cards = [(target.address, cards[0].title) for target, cards in chat.posts.values()]
            found = {address for address, title in cards if title == "The policy was changed"}
            return found if len(found) == 2 else set()

        assert await house.store.until(told) == {"U2", "U3"}


async def test_what_another_replica_put_in_force_is_followed_where_it_loads(house: House) -> None:
    """Where it does not, with another placet.yml than theirs, the one before stays and readiness says why."""
    fresh = load_text(NEWER)
    await house.store.tx(lambda tx: put_in_force(tx, fresh, tx.now(), "policy.applied", {}))
    assert await version(house) == 2
    strange = load_text(NEWER.replace("version: 2", "version: 3").replace("clerk", "king"))
    await house.store.tx(lambda tx: put_in_force(tx, strange, tx.now(), "policy.applied", {}))
    assert await version(house) == 2
    assert "does not load with this placet.yml" in house.app.guard.said()
    assert (await house.call("GET", "/readyz")).status == 200


async def test_no_policy_is_changed_by_breaking_the_glass(tmp_path: Path) -> None:
    """Two who may break it are not two who may decide it; it is said, and the old one stays."""
    roles = CONFIG["roles"] | {"clerk": {"level": 1, "may": ["break_glass"]}}
    async with running(tmp_path, config=REVIEWED | {"roles": roles}, clock=FakeClock()) as house:
        review = await proposed(house)
        await press(house, Verb.BREAK_GLASS, review, "cy", "di")
        assert (await read(house, review.id)).status is Status.APPROVED
        assert await version(house) == 1
        (entry,) = await logged(house, "policy.kept")
        assert "breaking the glass" in entry.detail["why"]


async def test_to_be_called_is_not_to_hold_the_right(tmp_path: Path) -> None:
    """Where a role may change the policy, whom the chain calls besides fills no slot of it."""
    policy = POLICY.replace("default: {tier: approve, role: manager, sla: 1h, valid_for: 15m}", CALLING)
    roles = CONFIG["roles"] | {"keeper": {"level": 3, "may": ["policy"]}}
    people = [*CONFIG["people"], {"id": "flo", "name": "Flo", "roles": ["keeper"]}]
    config = REVIEWED | {"roles": roles, "people": people}
    async with running(tmp_path, policy=policy, config=config, clock=FakeClock()) as house:
        review = await proposed(house, policy.replace("version: 1", "version: 2"))
        await press(house, Verb.APPROVE, review, "ana")
        for called in ("cy", "di"):
            reply = await house.press(Verb.APPROVE, {"id": review.id, "revision": 1}, called)
            assert reply.answer == "forbidden"
        await press(house, Verb.APPROVE, review, "flo")
        assert await version(house) == 2
