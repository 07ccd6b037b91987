"""A real browser for tests of pages."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from databases import skip
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

BROWSER, DRIVER = "chromium", "chromedriver"
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--window-size=1400,2600",
)  # fmt: skip


@contextmanager
def started(folder: Path) -> Iterator[webdriver.Chrome]:
    """A browser with a profile of its own; the test is skipped where there is none.

    Args:
        folder: Where the profile goes.
    """
    found = {name: shutil.which(name) for name in (BROWSER, DRIVER)}
    if None in found.values():
        skip(BROWSER, f"{BROWSER} and {DRIVER} must be installed")
    options = webdriver.ChromeOptions()
    options.binary_location = str(found[BROWSER])
    for flag in (*FLAGS, f"--user-data-dir={folder}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = webdriver.Chrome(options=options, service=Service(found[DRIVER]))
    try:
        yield browser
    finally:
        browser.quit()
