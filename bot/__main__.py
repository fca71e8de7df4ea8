"""The command `placet`: looks that its packages are its own, then hands over to `bot/cli`."""

from __future__ import annotations

import sys

from bot.neighbours import foreign


def main() -> None:
    """Run the command line. What a person can mend ends in one sentence and exit code 1, never in a traceback."""
    if strangers := foreign():
        _fail("\n".join(strangers))
    from bot.cli import app  # noqa: PLC0415 - a stranger's package must be named before anything trips over it
    from reviews.errors import PlacetError  # noqa: PLC0415 - as above

    try:
        app(prog_name="placet")
    except PlacetError as fault:
        _fail(str(fault) or (type(fault).__doc__ or type(fault).__name__))
    except BrokenPipeError:
        # Whoever read us, such as `head`, has seen enough; Python would complain once more on the way out.
        sys.stderr.close()
        raise SystemExit(1) from None


def _fail(sentence: str) -> None:
    sys.stderr.write(f"placet: {sentence}\n")
    raise SystemExit(1)


if __name__ == "__main__":
    main()
