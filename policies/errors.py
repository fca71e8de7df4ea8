"""What can be wrong with a policy or a schema. Each sentence says where and what is allowed."""

from __future__ import annotations

from dataclasses import dataclass

from reviews.errors import PlacetError


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing wrong in a policy file. `line` counts from 1; `rule` is the rule, chain or action it is in."""

    file: str
    line: int
    rule: str | None
    field: str
    message: str

    def __str__(self) -> str:
        place = f'rule "{self.rule}": ' if self.rule is not None else ""
        return f"{self.file}:{self.line}: {place}{self.field}: {self.message}"


class PolicyFault(PlacetError):
    """The policy does not load. `faults` holds everything found, in the order of the text."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = faults


class SchemaFault(PlacetError):
    """A JSON Schema is refused. `pointer` is where in the schema, `problem` what is wrong, `fix` what to do."""

    def __init__(self, pointer: str, problem: str, fix: str) -> None:
        super().__init__(f"schema at {pointer or '/'}: {problem}. {fix}")
        self.pointer = pointer
        self.problem = problem
        self.fix = fix


class RequestFault(PlacetError):
    """A request written as an object has no such shape. `faults` maps JSON Pointer to a sentence."""

    def __init__(self, faults: dict[str, str]) -> None:
        super().__init__("; ".join(f"{pointer or '/'}: {text}" for pointer, text in faults.items()))
        self.faults = faults
