"""Frozen values made and copied as a whole.

A frozen dataclass puts every field through `object.__setattr__`, when it is made and when it is copied. A review has 36
fields and is copied again and again between the request and its answer, so the largest values have no slots: their
fields lie in one dictionary, which is made and copied at once, several times as fast. The values of this house have
no `__post_init__` to miss.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # Type checkers know the fields of these.
    from dataclasses import replace
    from typing import TypeVar

    T = TypeVar("T")

    def whole(cls: type[T]) -> type[T]: ...
else:
    import dataclasses

    _MISSING = dataclasses.MISSING

    def whole(cls):
        """Make the values of a frozen, keyword-only dataclass without slots at once."""
        every = dataclasses.fields(cls)
        required = frozenset(f.name for f in every if f.default is _MISSING and f.default_factory is _MISSING)
        factories = [(f.name, f.default_factory) for f in every if f.default_factory is not _MISSING]
        unset = {f.name: f.default for f in every}

        def init(self, /, **given):
            fields = unset | given
            if len(fields) != len(unset) or not required <= given.keys():
                raise TypeError(_faults(cls, given.keys() - unset.keys(), required - given.keys()))
            for name, made in factories:
                if name not in given:
                    fields[name] = made()
            object.__setattr__(self, "__dict__", fields)

        cls.__init__ = init
        return cls

    def replace(value, /, **changes):
        """The value with `changes`, which must name fields. Raises TypeError for others."""
        held = getattr(value, "__dict__", None)
        if held is None:
            return dataclasses.replace(value, **changes)
        fields = held | changes
        if len(fields) != len(held):
            raise TypeError(_faults(value.__class__, fields.keys() - held.keys()))
        made = object.__new__(value.__class__)
        object.__setattr__(made, "__dict__", fields)
        return made

    def _faults(cls, unknown, missing=()):
        said = [f"has no field {name!r}" for name in sorted(unknown)]
        return f"{cls.__name__} {', '.join(said + [f'needs {name!r}' for name in sorted(missing)])}"


__all__ = ["replace", "whole"]
