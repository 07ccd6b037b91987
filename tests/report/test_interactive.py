"""The HTML page in a real browser: it draws, filters and follows a trial, on a wide screen and on a phone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import optuna
import pytest
from chromium import started
from optuna.trial import FrozenTrial
from selenium import webdriver
from selenium.webdriver.support.ui import WebDriverWait

from lrsearch.report import markdown
from lrsearch.report.document import Form
from lrsearch.report.frames import read

HOSTILE = "<img src=x onerror=document.title='owned'>"
PLOTS = "return document.querySelectorAll('.js-plotly-plot .main-svg').length"
TRACES = "return document.querySelectorAll('.js-plotly-plot')[{}].data.filter(t => t.visible !== 'legendonly').length"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    with started(tmp_path_factory.mktemp("browser")) as found:
        yield found


@pytest.fixture
def page(
    browser: webdriver.Chrome, trial: Callable[..., FrozenTrial], study: Callable[..., optuna.Study], tmp_path: Path
) -> Callable[[int], Callable[..., Any]]:
    """Opens the report of a study with pruned trials, in a window of some width."""
    types = ("constant", "lambda", HOSTILE)
    trials = [trial(8.0 + n, types[n % 3], 10 ** (-n / 6)) for n in range(12)]
    pruned = [trial(20.0 + n, types[n % 3], 10 ** (-n / 6), "pruned", 2) for n in range(12)]
    far = [trial(9e4, lr=0.3), trial(lr=0.9, diverged=True, epochs=1)]
    file = markdown.write(read(study([*trials, *pruned, *far], HOSTILE)), tmp_path, Form.HTML)

    def open_page(width: int) -> Callable[..., Any]:
        size = {"width": width, "height": 1200, "deviceScaleFactor": 1, "mobile": False}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        browser.get(file.as_uri())
        WebDriverWait(browser, 60).until(lambda _: browser.execute_script(PLOTS) >= 2)
        return browser.execute_script  # type: ignore[no-any-return]

    return open_page


@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_fits_and_runs_nothing_of_the_database(
    width: int, page: Callable[[int], Callable[..., Any]], browser: webdriver.Chrome
) -> None:
    run = page(width)
    assert run("return document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert run("return document.title") == HOSTILE
    assert run("return document.querySelectorAll('body img[onerror]').length") == 0
    assert [entry["message"] for entry in browser.get_log("browser")] == []
    domains = run("const l = document.querySelectorAll('.js-plotly-plot')[0].layout; return [l.xaxis, l.xaxis2]")
    same = domains[0]["domain"] == domains[1]["domain"]
    assert same == (width < 600), "panels stand below each other on a phone"


def test_a_mark_names_its_trial_and_shows_its_curve(page: Callable[[int], Callable[..., Any]]) -> None:
    run = page(1280)
    marks = "const p = document.querySelectorAll('.js-plotly-plot'); "
    assert run(marks + "return p[0].data[0].text[0]").startswith("trial 0: constant, lr 1: 8")
    point = "{points: [{customdata: 20}]}"
    run(marks + f"p[0].emit('plotly_click', {point})")
    thick = marks + "const d = p[1].data; return [d[d.length - 1].name, d[d.length - 1].y.length]"
    assert run(thick) == ["trial 20", 2]
    said = run("return [...document.querySelectorAll('.said')].map(one => one.textContent)")
    assert said[1].startswith("The thick line is trial 20: ")
    assert "Arrows at the edge of the plot lie beyond it (2)" in said[0]
    symbols = run(marks + "return p[0].data[1].marker.symbol")
    assert [symbols[0], *symbols[-2:]] == ["circle", "arrow-up", "x-thin-open"]
    assert "‹img" in run(marks + "return p[0].data.map(t => t.name).join(' ')")


def contrast(colour: str, ground: str) -> float:
    """As the Web Content Accessibility Guidelines define it."""
    parts = [[part / 255 for part in bytes.fromhex(one.lstrip("#"))] for one in (colour, ground)]
    linear = [[x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in own] for own in parts]
    bright, other = ((0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05) for red, green, blue in linear)
    return max(bright, other) / min(bright, other)


def test_every_type_is_seen_in_the_dark(
    browser: webdriver.Chrome,
    trial: Callable[..., FrozenTrial],
    study: Callable[..., optuna.Study],
    tmp_path: Path,
) -> None:
    trials = [trial(8.0 + n, f"type {n}", 10 ** (-n / 6)) for n in range(14)]
    file = markdown.write(read(study(trials)), tmp_path, Form.HTML)
    dark = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", dark)
    try:
        browser.get(file.as_uri())
        WebDriverWait(browser, 60).until(lambda _: browser.execute_script(PLOTS) >= 2)
        colours = browser.execute_script(
            "const p = document.querySelector('.js-plotly-plot');"
            "return [p.layout.paper_bgcolor, ...p.data.slice(0, 14).map(t => t.marker.color)]"
        )
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    ground, *types = colours
    assert len(set(types)) == 14
    assert min(contrast(own, ground) for own in types) >= 3


def test_a_type_is_switched_off_by_its_legend(page: Callable[[int], Callable[..., Any]]) -> None:
    run = page(1280)
    before = run(TRACES.format(0))
    run("document.querySelector('.js-plotly-plot').scrollIntoView()")
    click = "const e = document.querySelectorAll('.js-plotly-plot')[0].querySelector('.legendtoggle'); "
    for kind in ("mousedown", "mouseup"):
        run(click + f"e.dispatchEvent(new MouseEvent('{kind}', {{bubbles: true}}))")
    visible = (
        "return document.querySelectorAll('.js-plotly-plot')[0].data.filter(t => t.visible === 'legendonly').length"
    )
    WebDriverWait(None, 30).until(lambda _: run(visible) == 2)  # the type in both panels
    assert run(TRACES.format(0)) == before - 2
