"""optuna-dashboard's script: one plot draws a line for the trials that have one, and all else is as it was."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import optuna_dashboard
import pytest
from dashboard_client import Client

from lrsearch.dashboard.page_script import PATH, WITH_CURVES, PageScript, changed

BEFORE, AFTER = b"const o=e.filter(e=>e.values)", b"e=>e.step)}});n(s)"
SPELLINGS = (
    b",s=o.map(e=>{const t=e.constraints.every(e=>e<=0);return{x:e.intermediate_values.map(",
    b",s=o.map((e=>{const t=e.constraints.every((e=>e<=0));return{x:e.intermediate_values.map(",
)


class Files:
    """Answers as optuna-dashboard does: a file, as the browser asks for it."""

    def __init__(self, content: bytes, status: str = "200 OK") -> None:
        self.content, self.status, self.asked = content, status, 0

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        self.asked += 1
        packed = "gzip" in environ.get("HTTP_ACCEPT_ENCODING", "")
        start_response(self.status, [("Content-Encoding", "gzip")] if packed else [("X-Path", environ["PATH_INFO"])])
        return [gzip.compress(self.content) if packed else self.content]


@pytest.mark.parametrize("lines", SPELLINGS)
def test_only_trials_with_values_become_lines(lines: bytes) -> None:
    assert changed(BEFORE + lines + AFTER) == BEFORE + WITH_CURVES + lines + AFTER


@pytest.mark.parametrize("script", [b"", BEFORE + AFTER, BEFORE + 2 * SPELLINGS[0] + AFTER])
def test_a_script_without_just_one_such_place_is_left_alone(script: bytes) -> None:
    assert changed(script) is None
    files = Files(script)
    client = Client(PageScript(files))
    assert [client(PATH).body for _ in range(2)] == [script] * 2
    assert client(PATH).headers == {"X-Path": PATH}


def test_the_installed_dashboard_has_the_place() -> None:
    """If a new version has not, its pages of large studies are slow again: look for the new spelling."""
    assert changed((Path(optuna_dashboard.__file__).parent / "public" / "bundle.js").read_bytes()) is not None


def test_the_script_goes_out_packed_or_not_and_only_if_it_is_another() -> None:
    files = Files(BEFORE + SPELLINGS[0] + AFTER)
    client = Client(PageScript(files))
    plain, packed = client(PATH), client(PATH, accept_encoding="br, gzip")
    assert plain.body == gzip.decompress(packed.body) == changed(files.content)
    assert (plain.headers["Content-Length"], packed.headers["Content-Length"]) == (
        str(len(plain.body)),
        str(len(packed.body)),
    )
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    again = client(PATH, if_none_match=packed.headers["ETag"], accept_encoding="gzip")
    assert (again.status, again.body) == (304, b"")
    assert client(PATH, if_none_match='"another"', range="bytes=0-5").body == plain.body
    head = client(PATH, "HEAD", accept_encoding="gzip")
    assert (head.status, head.body, head.headers) == (200, b"", packed.headers)
    assert files.asked == 1, "the script is changed once"


def test_all_else_is_the_dashboards_own() -> None:
    files = Files(BEFORE + SPELLINGS[0] + AFTER)
    client = Client(PageScript(files))
    assert client("/static/other.js").body == client(PATH, "POST").body == files.content


def test_a_script_that_could_not_be_read_is_asked_for_again() -> None:
    files = Files(b"away", "503 Service Unavailable")
    client = Client(PageScript(files))
    assert (client(PATH).status, client(PATH).body) == (503, b"away")
    files.content, files.status = BEFORE + SPELLINGS[0] + AFTER, "200 OK"
    assert client(PATH).body == changed(files.content)
