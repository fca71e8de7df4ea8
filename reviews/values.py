"""A frozen value with some fields changed.

`dataclasses.replace` goes through `__init__`, which puts every field through `object.__setattr__`: twice as slow, and
every review opened makes seven such copies. The values of this house have no `__post_init__` to miss.
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
    def _slots(cls):
        """How each field of a class is read and written, and how it is written by name."""
        slots = {field.name: getattr(cls, field.name) for field in fields(cls)}
        writers = {name: slot.__set__ for name, slot in slots.items()}
        return tuple((slot.__get__, slot.__set__) for slot in slots.values()), writers

    def replace(value, /, **changes):
        """The value with `changes`, which must name fields. Raises TypeError for others. Slotted dataclasses only."""
        cls = value.__class__
        slots, writers = _slots(cls)
        made = object.__new__(cls)
        for read, write in slots:
            write(made, read(value))
        try:
            for name, new in changes.items():
                writers[name](made, new)
        except KeyError as unknown:
            raise TypeError(f"{cls.__name__} has no field {unknown}") from None
        return made


__all__ = ["replace"]
