"""Where links go."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from adapters.web.links import safe_link
from reviews.card import Snippet


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://docs.example.com/a?b", "docs.example.com"),
        ("http://10.0.0.1:8080/", "10.0.0.1:8080"),
        ("https://bank.example@evil.example/", "evil.example"),
        ("https://аpple.example/", "xn--pple-43d.example"),
        ("javascript:alert(1)", None),
        ("data:text/html,x", None),
        ("//evil.example", None),
        ("https://", None),
        ("https://[bad", None),
        ("https://a:99999999/", None),
        ("https://evil.example\\@bank.example/", None),
        ("https://evil.example%2f.bank.example/", None),
        ("https://bank.example/\x00", None),
        ("", None),
    ],
)
def test_links_show_where_they_go(url: str, host: str | None) -> None:
    """The host beside a link is the link's own, in ASCII; only http and https are links."""
    link = safe_link(Snippet(title="T", url=url, host="bank.example"))
    assert (link[1] if link else None) == host
    assert link is None or urlsplit(link[0]).netloc == host
