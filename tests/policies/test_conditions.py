"""CEL as operators write it: durations, decimals, names that are checked, failures that say why."""

from __future__ import annotations

from typing import Any

import cel
import pytest

from policies.conditions import ConditionFault, Failure, Scope, compile_condition


def value(source: str, *, decimals: bool = False, **values: Any) -> Any:
    """What an expression comes to."""
    functions = {"count": lambda window: int(window.total_seconds()), "sum": lambda amount, window: amount}
    return Scope(values, functions).evaluate(compile_condition(source, decimals=decimals))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("count(90s)", 90),
        ("count(1h30m)", 5400),
        ("count( 1w )", 604800),
        ("sum(amount, 24h)", 5.0),
        ('"1h" == "1" + "h"', True),
        ("'1h' == args.d", True),
        ('r"\\d1h" == "\\\\d1h"', True),
        ("args.n == 0x1d // 1h\n", True),
        ("args.list[0] == 7", True),
        ('args["d"] == "1h"', True),
        ("duration(\"60s\") < duration('1h')", True),
    ],
)
def test_durations_are_read_where_they_are_meant(source: str, expected: Any) -> None:
    """A duration becomes CEL's; what looks like one in a text, a comment or a number does not."""
    assert value(source, amount=5.0, args={"d": "1h", "n": 29, "list": [7]}) == expected


def test_a_raw_string_ends_at_its_quote() -> None:
    """A backslash escapes nothing in it, so nothing after it is taken for text."""
    assert compile_condition(r'args.p == r"\" && agent == r"\"').paths == (("args", "p"), ("agent",))
    with pytest.raises(ConditionFault, match="sum adds up amounts"):
        compile_condition(r'args.p == r"\" || sum(confidence, 1h) > 1 || args.p == r"\"')
    assert compile_condition(r'args.p == """a\""" + agent""" && listed').paths == (("args", "p"), ("listed",))


def test_weights_mix_whole_numbers_and_decimals() -> None:
    """CEL refuses `1 - 0.9`; in a weight 1 is 1.0, but never as an index."""
    assert value("(1 - confidence) * 20", decimals=True, confidence=0.75) == 5.0
    assert value("args.w[1] * 2", decimals=True, args={"w": [0.5, 1.5]}) == 3.0
    assert isinstance(value("(1 - confidence) * 20", confidence=0.75), Failure)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("a ==", "cannot be read as CEL"),
        ("(" * 500 + "1" + ")" * 500, "cannot be read as CEL"),
        ("x" * 5000, "longer than 4096"),
        ("nope", "unknown name nope; allowed: action, args"),
        ("args.x.exists(i, j > 1)", "unknown name j"),
        ("action.arguments == 1", "unknown name action.arguments; allowed: name"),
        ("lower(agent)", "unknown function lower; allowed: count, sum, size"),
        ("agent.lower()", "unknown function lower"),
        ("sum(confidence, 1h)", "sum adds up amounts"),
        ("sum(amount)", "sum adds up amounts"),
        ("count(now)", "a counter needs a time to look back"),
        ('count("1h")', "a counter needs a time to look back"),
        ('count(duration("1h"))', "a counter needs a time to look back"),
    ],
)
def test_what_is_refused_says_what_is_allowed(source: str, message: str) -> None:
    """Refused at loading, not met in the night."""
    with pytest.raises(ConditionFault, match=message.replace("(", r"\(")):
        compile_condition(source)


def test_macros_bind_their_names() -> None:
    """The `x` of a macro is no unknown name, and no value that is read."""
    found = compile_condition("args.lines.exists(x, x.n > 1) && args.all(k, k != agent)")
    assert found.names == {"args", "agent"}
    assert found.paths == (("args", "lines"), ("args",), ("agent",))


def test_what_a_condition_reads_is_known() -> None:
    """Paths for the trace, windows for the counters, action names for the warnings."""
    found = compile_condition('has(risk.score) && action.name in ["a", "b"] && count(1h) > 1 && args.env.size() > 1')
    assert found.paths == (("risk", "score"), ("action", "name"), ("args", "env"))
    assert [window.total_seconds() for window in found.windows] == [3600]
    assert found.actions == ("a", "b")


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("args.none == 1", "there is no 'none'"),
        ("confidence > 0.5", "a value is absent or of another type"),
        ("args.n / 0 == 1", "division by zero"),
        ("args.n + 9223372036854775807 > 1", "too large"),
        ("agent.matches('(')", "refused its arguments"),
        ("session_id == 'x'", "a name has no value"),
    ],
)
def test_a_failure_says_why_and_no_value(source: str, why: str) -> None:
    """The reason is one people understand, and never holds what the request held."""
    found = value(source, args={"n": 12345}, confidence=None, agent="SECRET")
    assert isinstance(found, Failure)
    assert why in found.why
    assert "SECRET" not in found.why
    assert "12345" not in found.why


def test_a_panic_of_the_engine_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine's panics derive from BaseException; they fail the condition and end nothing else."""

    class Panic(BaseException):
        """What a panic looks like."""

    class Program:
        def execute(self, context: cel.Context) -> None:
            raise Panic("boom")

    condition = compile_condition("listed")
    object.__setattr__(condition, "program", Program())
    assert isinstance(Scope({"listed": True}, {}).evaluate(condition), Failure)


def test_an_interrupt_is_no_failure() -> None:
    """Control-C goes on its way."""

    class Program:
        def execute(self, context: cel.Context) -> None:
            raise KeyboardInterrupt

    condition = compile_condition("listed")
    object.__setattr__(condition, "program", Program())
    with pytest.raises(KeyboardInterrupt):
        Scope({"listed": True}, {}).evaluate(condition)


def test_one_failing_counter_does_not_fail_the_next_condition() -> None:
    """Trouble belongs to the condition it happened in."""

    def broken(window: object) -> int:
        raise OSError

    scope = Scope({"listed": True}, {"count": broken})
    assert isinstance(scope.evaluate(compile_condition("count(1h) > 1 || listed")), Failure)
    assert scope.evaluate(compile_condition("listed")) is True


def test_a_value_the_engine_cannot_take_is_left_out() -> None:
    """It is named, and whatever reads it fails."""
    scope = Scope({"metadata": {"x": {1, 2}}, "listed": True}, {})
    assert isinstance(scope.evaluate(compile_condition("metadata.x == 1")), Failure)
    assert scope.missing == ["metadata"]
    assert scope.evaluate(compile_condition("listed")) is True
