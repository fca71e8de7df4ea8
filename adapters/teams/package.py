"""The app as Teams is told of it, and the zip it is uploaded as. Pure, no SDK.

`manifest/manifest.json` is the app of a server at an address made up; an operator's own names theirs.
https://learn.microsoft.com/microsoftteams/platform/resources/schema/manifest-schema
"""

from __future__ import annotations

import io
import json
from pathlib import Path
from urllib.parse import urlsplit
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from adapters.teams.config import TeamsMisconfigured
from adapters.teams.seam import Json

FOLDER = Path(__file__).parent / "manifest"
MANIFEST = "manifest.json"
#: What Teams calls the files of a package, and takes no other.
FILES = (MANIFEST, "color.png", "outline.png")

#: The same manifest gives the same bytes: when a file was written is left out of the zip.
_LONG_AGO = (1980, 1, 1, 0, 0, 0)


def document(*, app_id: str, url: str) -> Json:
    """The manifest of the bot `app_id` (GUID), for a server reached at `url` (https, no path).

    Raises TeamsMisconfigured where one of them is missing, or Teams cannot use the address.
    """
    where = _address(url)
    if not app_id:
        raise TeamsMisconfigured(
            "The app needs the bot's id: set teams.app_id in placet.yml, the Application (client) ID of the app "
            "registration."
        )
    found: Json = json.loads((FOLDER / MANIFEST).read_text("utf-8"))
    found["id"] = app_id
    for part in (*found["bots"], *found["composeExtensions"]):
        part["botId"] = app_id
    found["developer"] |= dict.fromkeys(("websiteUrl", "privacyUrl", "termsOfUseUrl"), where)
    found["validDomains"] = [urlsplit(where).hostname]
    return found


def text(found: Json) -> str:
    """A manifest as JSON, in the order it is read in."""
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


def zipped(found: Json) -> bytes:
    """The package: a manifest and the icons it names, as a zip."""
    held = {name: (FOLDER / name).read_bytes() for name in FILES} | {MANIFEST: text(found).encode()}
    out = io.BytesIO()
    with ZipFile(out, "w") as package:
        for name, data in held.items():
            package.writestr(ZipInfo(name, _LONG_AGO), data, ZIP_DEFLATED)
    return out.getvalue()


def _address(url: str) -> str:
    """The address Teams calls, without a trailing slash."""
    if not url:
        raise TeamsMisconfigured(
            "Teams must reach this server by https, and no address is known. Set server.public_url in placet.yml, such "
            "as https://placet.example.com; `placet teams package` takes it as --url too."
        )
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname or parts.path.strip("/") or parts.query or parts.fragment:
        raise TeamsMisconfigured(
            f"Teams cannot call {url}: write an https address without a path, such as https://placet.example.com."
        )
    return url.rstrip("/")
