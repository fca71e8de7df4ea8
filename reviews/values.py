"""A frozen value with some fields changed.

`dataclasses.replace` puts every field through `__init__` and `object.__setattr__`. A review has 36 fields and is
copied a dozen times between the request and its answer, so the values copied most have no slots: their fields lie in
one dictionary, which is copied as a whole, ten times as fast. The values of this house have no `__post_init__` to miss.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # Type checkers know the fields of this one.
    from dataclasses import replace
else:
    import dataclasses

    def replace(value, /, **changes):
        """The value with `changes`, which must name fields. Raises TypeError for others."""
        held = getattr(value, "__dict__", None)
        if held is None:
            return dataclasses.replace(value, **changes)
        made = object.__new__(value.__class__)
        fields = held | changes
        if len(fields) != len(held):
            raise TypeError(f"{value.__class__.__name__} has no field {sorted(fields.keys() - held.keys())[0]!r}")
        object.__setattr__(made, "__dict__", fields)
        return made


__all__ = ["replace"]
