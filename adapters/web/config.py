"""The `web:` section of placet.yml."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from reviews.errors import PlacetError


class ConfigFault(PlacetError):
    """The `web:` section of placet.yml cannot be used; the text names the key and what it may be."""


class WebConfig(BaseModel):
    """How the inbox is served. Every key may be left out."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: bool = Field(default=True, description="Whether the web inbox is served at all.")
    title: str = Field(default="Placet", min_length=1, max_length=40, description="The name in the page header.")
    page_size: int = Field(default=50, ge=5, le=200, description="How many reviews one page of the queue holds.")


def read(section: Mapping[str, Any]) -> WebConfig:
    """Check the section. Raises ConfigFault naming the first key that is wrong."""
    try:
        return WebConfig.model_validate(dict(section))
    except ValidationError as fault:
        first = fault.errors(include_url=False)[0]
        key = ".".join(str(part) for part in ("web", *first["loc"]))
        known = ", ".join(WebConfig.model_fields)
        raise ConfigFault(f"placet.yml: {key}: {first['msg']}. Keys of web: {known}.") from fault
