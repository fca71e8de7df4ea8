"""A frozen value with some fields changed.

`dataclasses.replace` goes through `__init__`, which puts every field through `object.__setattr__`: six times as slow,
and every review opened makes seven such copies. The values of this house have no `__post_init__` to miss.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # Type checkers know the fields of this one.
    from dataclasses import replace
else:
    from dataclasses import fields
    from functools import cache

    @cache
    def _maker(cls):
        """The copier of a class and its setters by field; written out as source, as `dataclasses` writes `__init__`."""
        setters = {field.name: getattr(cls, field.name).__set__ for field in fields(cls)}
        lines = [f" set_{name}(made, value.{name})" for name in setters]
        source = "\n".join(["def copy(value):", " made = new(cls)", *lines, " return made"])
        names = {f"set_{name}": setter for name, setter in setters.items()} | {"new": object.__new__, "cls": cls}
        exec(source, names)  # noqa: S102 - of our own field names only
        return names["copy"], setters

    def replace(value, /, **changes):
        """The value with `changes`, which must name fields. Raises TypeError for others. Slotted dataclasses only."""
        copy, setters = _maker(value.__class__)
        made = copy(value)
        try:
            for name, new in changes.items():
                setters[name](made, new)
        except KeyError as unknown:
            raise TypeError(f"{value.__class__.__name__} has no field {unknown}") from None
        return made


__all__ = ["replace"]
