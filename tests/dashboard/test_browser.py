"""The dashboard as a person sees it, in a real browser. `LRSEARCH_SCREENSHOTS=DIR` keeps what it saw."""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from chromium import started
from dashboard_client import HTML_ARTIFACT, TOKEN
from databases import close
from optuna.storages import BaseStorage
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from lrsearch.dashboard import thinning
from lrsearch.dashboard.app import application
from lrsearch.dashboard.artifacts import ArtifactFolder
from lrsearch.dashboard.publish import publish
from lrsearch.dashboard.server import Server
from lrsearch.search.runner import Runner
from lrsearch.signals import Interruption
from lrsearch.storage.rdb import open_storage
from lrsearch.study import open as opening
from lrsearch.study import stored as studies
from lrsearch.study_file.load import parse
from lrsearch.training.engine import SequentialEngine

PATIENCE = 60
"""Seconds for a page to appear on a busy machine."""


class Page:
    """A browser at a dashboard.

    Args:
        browser: The browser.
        url: Where the dashboard is.
    """

    def __init__(self, browser: webdriver.Chrome, url: str) -> None:
        self.browser, self.url = browser, url.rstrip("/")

    def open(self, path: str) -> Page:
        self.browser.get(self.url + path)
        return self

    def log_in(self, token: str = TOKEN) -> Page:
        self.open("/dashboard").browser.find_element(By.NAME, "token").send_keys(token)
        self.browser.find_element(By.TAG_NAME, "button").click()
        return self

    def until(self, happens: Callable[[], object]) -> None:
        """Wait until something is so."""
        WebDriverWait(self.browser, PATIENCE, ignored_exceptions=[Exception]).until(lambda _: happens())

    def says(self, words: str) -> None:
        self.until(lambda: words in self.browser.find_element(By.TAG_NAME, "body").text)

    def keep(self, name: str) -> None:
        """Keep a picture of the page, if somebody wants it."""
        if folder := os.environ.get("LRSEARCH_SCREENSHOTS"):
            self.browser.save_screenshot(str(Path(folder) / f"{name}.png"))

    def pictures(self) -> list[int]:
        """The width of each picture in pixels, 0 for one that could not be loaded."""
        widths: list[int] = self.browser.execute_script(
            "return [...document.images].filter(i => i.src.includes('/artifacts/')).map(i => i.naturalWidth)"
        )
        return widths


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    with started(tmp_path_factory.mktemp("browser")) as found:
        yield found


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[BaseStorage, Path]]:
    """A finished and published study, with an HTML artifact that would like to run a script."""
    place = tmp_path_factory.mktemp("published")
    storage = open_storage(f"sqlite:///{place}/s.db", create=True)
    definition = parse(
        {
            "study": {"name": "small", "trials": 9},
            "task": {"name": "polynomial", "rows": 60, "holdout_rows": 10},
            "training": {"epochs": 6},
            "search": {"schedulers": ["constant", "lambda", "one_cycle"]},
        },
        "test",
    )
    stored = studies.create(storage, definition, "mse")
    for _ in Runner(stored, opening.task_of(stored), SequentialEngine(), Interruption()).events():
        pass
    folder = ArtifactFolder(place / "artifacts")
    publish(stored, folder)
    script = b"<script>document.title = 'owned'; document.cookie = 'owned=1'</script>"
    folder.write(HTML_ARTIFACT, io.BytesIO(script))
    meta = f'{{"artifact_id": "{HTML_ARTIFACT}", "filename": "x.html", "mimetype": "text/html", "encoding": null}}'
    storage.set_study_system_attr(stored.study._study_id, f"artifacts:{HTML_ARTIFACT}", meta)
    yield storage, folder
    close(storage)


@contextmanager
def serving(published: tuple[BaseStorage, ArtifactFolder], browser: webdriver.Chrome, **rules: bool) -> Iterator[Page]:
    """A browser without cookies at a dashboard that asks for the token."""
    server = Server(application(*published, token=TOKEN, **rules), "127.0.0.1", 0)
    ended = threading.Event()
    thread = threading.Thread(target=server.run, args=(ended.is_set,))
    thread.start()
    try:
        browser.get(server.url)
        browser.delete_all_cookies()
        browser.get_log("browser")
        yield Page(browser, server.url)
    finally:
        browser.get("about:blank")
        ended.set()
        thread.join()


@pytest.fixture
def page(published: tuple[BaseStorage, ArtifactFolder], browser: webdriver.Chrome) -> Iterator[Page]:
    with serving(published, browser) as opened:
        yield opened


def test_a_person_logs_in_with_the_token_and_with_no_other(page: Page) -> None:
    page.log_in("wrong").says("That is not the token.")
    page.keep("login")
    page.open("/dashboard/studies/1").says("Token")
    page.browser.find_element(By.NAME, "token").send_keys(TOKEN)
    page.browser.find_element(By.TAG_NAME, "button").click()
    page.until(lambda: page.browser.current_url.startswith(f"{page.url}/dashboard/studies/1"))
    page.says("History")
    assert page.browser.execute_script("return document.cookie") == "", "no script sees the session"


def test_studies_are_listed(page: Page) -> None:
    page.log_in().says("small")
    assert page.browser.current_url.startswith(f"{page.url}/dashboard")
    page.keep("studies")


@pytest.mark.filterwarnings("ignore:Some regimes for parameter")  # Optuna's, where a type has one complete trial
def test_a_study_shows_its_history_curves_plots_and_artifacts(page: Page) -> None:
    page.log_in().says("small")
    page.open("/dashboard/studies/1").says("Intermediate values")
    titles = ("Best trials: learning rate", "Best trials: test MSE")
    for title in titles:
        page.says(title)
    drawn = "return document.querySelectorAll('.js-plotly-plot .scatterlayer .trace').length"
    page.until(lambda: page.browser.execute_script(drawn) >= 9 + 2 * 3)
    page.says("Study Artifacts")
    page.until(lambda: len(page.pictures()) >= 3 and all(page.pictures()))
    page.keep("study")
    severe = [entry for entry in page.browser.get_log("browser") if entry["level"] == "SEVERE"]
    assert [entry for entry in severe if "401" not in entry["message"]] == []


def test_a_large_study_shows_the_curves_that_go_out_and_no_line_without_one(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thinning, "MOST_CURVES", 4)
    page.log_in().says("small")
    page.open("/dashboard/studies/1").says("Intermediate values")
    lines = "return document.getElementById('graph-intermediate-values').data.map(line => line.x.length)"
    page.until(lambda: page.browser.execute_script(lines))
    assert page.browser.execute_script(lines) == [6] * 4


def test_the_report_is_the_note_with_its_figures(page: Page) -> None:
    page.log_in().says("small")
    page.open("/").says("Learning-rate report: small")
    page.until(lambda: len(page.pictures()) >= 3 and all(page.pictures()))
    page.says("By scheduler type")
    assert "/note" in page.browser.current_url
    page.keep("note")


def test_the_report_and_the_plots_fit_on_a_phone(page: Page) -> None:
    page.log_in().says("small")
    size = {"width": 390, "height": 900, "deviceScaleFactor": 1, "mobile": True}
    width = "return document.documentElement.scrollWidth"
    page.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        for path, words in (("/dashboard/studies/1/note", "By scheduler type"), ("/dashboard/studies/1", "Artifacts")):
            page.open(path).says(words)
            page.until(lambda: page.browser.execute_script(width) <= size["width"])
            assert page.browser.execute_script(width) <= size["width"], path
            page.keep(f"phone{path.replace('/', '_')}")
    finally:
        page.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_an_html_artifact_runs_no_script_in_the_dashboards_origin(page: Page) -> None:
    page.log_in().says("small")
    page.open(f"/artifacts/1/{HTML_ARTIFACT}")
    assert page.browser.title != "owned"
    frame = "const f = document.createElement('iframe'); f.src = arguments[0]; document.body.append(f)"
    page.open("/dashboard").browser.execute_script(frame, f"/artifacts/1/{HTML_ARTIFACT}")
    loaded = "return fetch(arguments[0]).then(r => r.text())"
    assert "owned" in page.browser.execute_script(loaded, f"/artifacts/1/{HTML_ARTIFACT}")
    assert "owned" not in [cookie["name"] for cookie in page.browser.get_cookies()]


def test_read_only_shows_everything_and_changes_nothing(
    published: tuple[BaseStorage, ArtifactFolder], browser: webdriver.Chrome
) -> None:
    with serving(published, browser, read_only=True) as page:
        page.log_in().says("small")
        delete = "return fetch('/api/studies/1', {method: 'DELETE'}).then(r => r.status)"
        assert page.browser.execute_script(delete) == 403
        page.open("/dashboard/studies/1/note").says("Learning-rate report: small")
