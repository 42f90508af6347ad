"""The how-to, as it stands: its blocks run one after the other, and print what it says."""

from __future__ import annotations

import pages


def test_the_page_does_what_it_says() -> None:
    pages.run("calendars.md", {})
