"""Who gets through to the dashboard, and who does not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import optuna_dashboard
import pytest
from dashboard_client import HTML_ARTIFACT, TOKEN, Client
from optuna.storages import BaseStorage

from lrsearch.dashboard import sessions
from lrsearch.dashboard.front_page import STYLE
from lrsearch.dashboard.sessions import Sessions

Serve = Callable[..., Client]
PATHS = (
    "/", "/dashboard", "/dashboard/studies/1", "/static/bundle.js", "/favicon.ico", "/api/meta", "/api/studies",
    "/api/studies/1", "/api/studies/1/plot/slice", "/csv/1", f"/artifacts/1/{HTML_ARTIFACT}", "/login", "/nowhere",
)  # fmt: skip
BEARER = {"Authorization": f"Bearer {TOKEN}"}


def log_in(client: Client, token: str = TOKEN, **headers: str) -> str:
    """The cookie of a login."""
    answer = client("/login", "POST", f"token={quote(token)}".encode(), **headers)
    assert answer.status == 303
    return answer.headers["Set-Cookie"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "credentials",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": f"Bearer {TOKEN}x"},
        {"Authorization": "Bearer \xff\xfe"},
        {"Cookie": f"lrsearch_session={TOKEN}"},
        {"Cookie": "lrsearch_session=9999999999.00"},
        {"Cookie": "lrsearch_session=\xb2.\xff"},
    ],
)
def test_nothing_is_shown_without_the_token(serve: Serve, path: str, credentials: dict[str, str]) -> None:
    for method in ("GET", "HEAD", "POST", "PUT", "DELETE"):
        if (path, method) != ("/login", "POST"):
            assert serve()(path, method, **credentials).status == 401


def test_every_page_has_our_style_whatever_a_browser_kept(serve: Serve) -> None:
    for path in ("/dashboard", "/dashboard/studies/1/note"):
        page = serve()(path, **BEARER, If_Modified_Since="Fri, 01 Jan 2100 00:00:00 GMT", Range="bytes=0-9")
        assert page.status == 200
        assert STYLE in page.body, "long attributes do not stretch it"
        assert int(page.headers["Content-Length"]) == len(page.body)


@pytest.mark.parametrize("path", [path for path in PATHS if path not in ("/login", "/nowhere")])
def test_a_bearer_header_opens_everything(serve: Serve, path: str) -> None:
    assert serve()(path, **BEARER).status == (302 if path == "/" else 200)


def test_a_person_logs_in_and_goes_on_where_she_wanted_to(serve: Serve) -> None:
    client = serve()
    asked = client("/dashboard/studies/1", Accept="text/html")
    assert asked.status == 401
    assert b'name="next" type="hidden" value="/dashboard/studies/1"' in asked.body
    answer = client("/login", "POST", f"token={TOKEN}&next=/dashboard/studies/1".encode())
    assert (answer.status, answer.headers["Location"]) == (303, "/dashboard/studies/1")
    cookie = answer.headers["Set-Cookie"].partition(";")[0]
    assert client("/dashboard", Cookie=cookie).status == 200
    assert client("/api/studies", Cookie=f"other=1; {cookie}; lrsearch_session=stale").status == 200


def test_a_wrong_token_is_not_repeated(serve: Serve) -> None:
    answer = serve()("/login", "POST", b"token=guess-1234")
    assert answer.status == 401
    assert "Set-Cookie" not in answer.headers
    assert b"That is not the token" in answer.body
    assert b"guess-1234" not in answer.body


@pytest.mark.parametrize(
    "onward", ["//evil.example", "https://evil.example", "/dashboard/..//x", "/api/studies", "\r\n"]
)
def test_the_login_leads_to_no_other_site(serve: Serve, onward: str) -> None:
    answer = serve()("/login", "POST", f"token={TOKEN}&next={quote(onward)}".encode())
    assert answer.headers["Location"] == "/dashboard"


def test_the_cookie_is_for_this_site_alone_and_does_not_hold_the_token(serve: Serve) -> None:
    client = serve()
    cookie = log_in(client)
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
    assert "Secure" not in cookie
    assert TOKEN not in cookie
    assert log_in(client, X_Forwarded_Proto="https").endswith("; Secure")
    proxied = serve(allowed_hosts=["search.example.org"])
    assert log_in(proxied, Origin="https://search.example.org").endswith("; Secure")


def test_a_cookie_ends_and_cannot_be_prolonged() -> None:
    moment = [1000.0]
    known = Sessions(TOKEN, clock=lambda: moment[0])
    cookie = known.cookie(secure=False).partition(";")[0]
    assert known.is_session(cookie)
    end, _, signature = cookie.partition("=")[2].partition(".")
    assert not known.is_session(f"{sessions.COOKIE}={int(end) + 1}.{signature}")
    assert not Sessions(TOKEN).is_session(cookie), "another process has another key"
    moment[0] += sessions.LIFETIME
    assert not known.is_session(cookie)


def test_a_token_may_have_any_letters(serve: Serve) -> None:
    client = serve(token="schlüssel-🗝")
    assert log_in(client, "schlüssel-🗝")
    as_sent = "schlüssel-🗝".encode().decode("latin-1")
    assert client(Authorization=f"Bearer {as_sent}").status == 200
    assert client(Authorization="Bearer schl\xfcssel").status == 401


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1, evil.example", "", "[::1", "@"])
@pytest.mark.parametrize("token", [None, TOKEN])
def test_a_foreign_host_is_refused(serve: Serve, host: str, token: str | None) -> None:
    """A page whose name was made to point here must not reach the dashboard (DNS rebinding)."""
    assert serve(token)("/api/studies", Host=host, **BEARER).status == 421


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:9000", "127.0.0.1:8080", "[::1]:8080", "[0:0:0:0:0:0:0:1]"])
def test_its_own_names_are_served_on_every_port(serve: Serve, host: str) -> None:
    """A tunnel may end at another port than the dashboard's."""
    assert serve(None)("/api/studies", Host=host).status == 200


def test_names_are_added_for_a_proxy(serve: Serve) -> None:
    client = serve(allowed_hosts=["search.example.org", "other.example.org:8443"])
    for host, status in {
        "search.example.org": 200, "search.example.org:8443": 200, "other.example.org:8443": 200,
        "other.example.org": 421, "example.org": 421,
    }.items():  # fmt: skip
        assert client(Host=host, **BEARER).status == status
    for origin, status in {
        "https://search.example.org": 200, "https://search.example.org:8443": 403,
        "https://other.example.org:8443": 200, "https://other.example.org": 403,
    }.items():  # fmt: skip
        assert client(Origin=origin, **BEARER).status == status


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", "", "http://127.0.0.1:3000", "http://127.0.0.1", "file://", "127.0.0.1:8080"],
)
@pytest.mark.parametrize("token", [None, TOKEN])
def test_a_foreign_origin_is_refused(serve: Serve, method: str, origin: str, token: str | None) -> None:
    """Another program's page on this machine is another origin, too."""
    assert serve(token)("/api/studies", method, Origin=origin, **BEARER).status == 403


def test_its_own_pages_may_change_things(copy: tuple[Path, Serve]) -> None:
    serve = copy[1]
    body = b'{"study_name": "new", "directions": ["minimize"]}'
    answer = serve(None)("/api/studies", "POST", body, Origin="http://127.0.0.1:8080", Content_Type="application/json")
    assert answer.status == 201


def test_a_page_elsewhere_may_link_to_it_and_nothing_else(serve: Serve) -> None:
    client = serve(None)
    across = {"Sec_Fetch_Site": "cross-site"}
    assert client("/dashboard", Sec_Fetch_Mode="navigate", Sec_Fetch_Dest="document", **across).status == 200
    assert client("/dashboard", Sec_Fetch_Mode="navigate", Sec_Fetch_Dest="iframe", **across).status == 403
    assert client("/api/studies", Sec_Fetch_Mode="no-cors", **across).status == 403
    assert client("/api/studies/1", "DELETE", Sec_Fetch_Mode="navigate", **across).status == 403


def test_read_only_refuses_every_changing_route(shown: tuple[BaseStorage, Serve]) -> None:
    storage, serve = shown
    client = serve(read_only=True)
    changing = [route for route in optuna_dashboard.wsgi(storage).routes if route.method not in ("GET", "HEAD")]
    assert len(changing) > 10
    for route in changing:
        path = route.rule.replace("<study_id:int>", "1").replace("<trial_id:int>", "1")
        assert client(path, route.method, b"{}", **BEARER, Content_Type="application/json").status == 403
    assert client("/api/studies/1", "PATCH", **BEARER).status == 403
    cookie = log_in(client).partition(";")[0]
    assert client("/api/studies/1", Cookie=cookie).status == 200


def test_an_html_artifact_cannot_run_scripts(serve: Serve) -> None:
    answer = serve()(f"/artifacts/1/{HTML_ARTIFACT}", **BEARER)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/octet-stream")
    assert answer.headers["Content-Disposition"] == "attachment"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert not any(name.startswith("Access-Control") for name in answer.headers)
    assert serve()(f"//artifacts/1/{HTML_ARTIFACT}", **BEARER).status == 400


@pytest.mark.parametrize("path", PATHS)
def test_no_page_can_be_framed_or_sniffed(serve: Serve, path: str) -> None:
    for headers in ({}, BEARER):
        answer = serve()(path, **headers)
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert TOKEN.encode() not in answer.body


@pytest.mark.parametrize(
    "path",
    [
        "/api/studies/7", "/api/studies/99999999999999999999", "/api/studies/-1", "/csv/7", "/artifacts/7/abc",
        "/artifacts/1/abc", "/artifacts/1/9/abc", "/api/studies/7/plot/slice", "/api/studies/1/9/note",
    ],
)  # fmt: skip
def test_what_is_not_there_is_not_a_fault_of_the_server(serve: Serve, path: str) -> None:
    assert serve()(path, **BEARER).status == 404


@pytest.mark.parametrize("query", ["after=x", "after=", "after=-1", "after=1&after=%00", "&".join(["a=1"] * 200)])
def test_a_malformed_query_is_refused(serve: Serve, query: str) -> None:
    assert serve()(f"/api/studies/1?{query}", **BEARER).status == 400


def test_deleting_a_study_takes_its_artifacts_along(copy: tuple[Path, Serve]) -> None:
    place, serve = copy
    client = serve()
    assert client("/api/studies/1", "DELETE", b"{}", **BEARER, Content_Type="application/json").status == 204
    assert not list((place / "artifacts").iterdir())
    assert client("/api/studies/1", **BEARER).status == 404
