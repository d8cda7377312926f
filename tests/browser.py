"""A real browser for tests of pages: Debian's Chromium, driven by playwright, without any network."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from pathlib import Path

import pytest
from debian import needed

#: Software drawing, and none of the things that a browser does by itself.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--enable-unsafe-swiftshader",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def chromium():
    """The path of Chromium; root installs the Debian package, others skip with the reason."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return needed(
        "chromium",
        lambda: next((path for name in names if (path := shutil.which(name))), None),
        "chromium",
        "fonts-dejavu-core",
    )


class Watched:
    """A browser page and all that it did besides being shown."""

    def __init__(self, page):
        self.page = page
        self.errors: list[str] = []
        self.requests: list[str] = []
        self.dialogs: list[str] = []
        page.on("console", lambda message: self.errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("dialog", self._close)

    def _close(self, dialog):
        self.dialogs.append(dialog.message)
        dialog.dismiss()


@contextmanager
def browser():
    """A running Chromium."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright drives the browser: pip install playwright")
    with playwright.sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        yield running
        running.close()


@contextmanager
def opened(running, path: Path, *, width=1280, scheme="light", flags=None):
    """A watched page that shows a file."""
    page = running.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    watched = Watched(page)
    page.goto(path.as_uri())
    page.wait_for_function("document.querySelectorAll('.figure .main-svg').length > 0")
    yield watched
    page.close()
