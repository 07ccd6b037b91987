"""`lrsearch dashboard`: studies in a browser, for those who may see them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lrsearch.cli.options import Storage, quiet_libraries
from lrsearch.cli.output import say
from lrsearch.storage.defaults import DEFAULT_URL

if TYPE_CHECKING:
    from lrsearch.dashboard.server import Server

Host = Annotated[str, typer.Option(help="Address to listen at; any that others can reach needs a token.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")]
Token = Annotated[
    str | None, typer.Option(help="What everybody must show; $LRSEARCH_TOKEN or --token-file keep it to yourself.")
]
TokenFile = Annotated[Path | None, typer.Option(help="File that holds the token.")]
AllowedHost = Annotated[
    list[str] | None,
    typer.Option("--allowed-host", metavar="NAME[:PORT]", help="Further name of the dashboard, as behind a proxy."),
]
ReadOnly = Annotated[bool, typer.Option("--read-only", help="Refuse every request that changes anything.")]
Artifacts = Annotated[
    str | None,
    typer.Option(
        metavar="DIR|s3://BUCKET/PREFIX",
        envvar="LRSEARCH_ARTIFACTS",
        help="Where artifacts are; by default a folder beside an SQLite file.",
    ),
]


def dashboard(
    host: Host = "127.0.0.1",
    port: Port = 8080,
    token: Token = None,
    token_file: TokenFile = None,
    allowed_host: AllowedHost = None,
    read_only: ReadOnly = False,
    artifacts: Artifacts = None,
    wait: Annotated[bool, typer.Option("--wait", hidden=True, help="Wait for a storage that does not answer.")] = False,
    storage: Storage = DEFAULT_URL,
) -> None:
    """Show studies in a browser, with the reports that were published into them."""
    from lrsearch.signals import Interruption

    with Interruption().caught() as interruption:
        quiet_libraries()
        from lrsearch.dashboard import token as tokens

        known = tokens.find(token, token_file)
        tokens.check_needed(known, host)
        options = ServerOptions(host, port, known, tuple(allowed_host or ()), read_only, artifacts, wait)
        server = open_server(storage, options)
        say(f"Dashboard at {server.url}{' (asks for the token)' if known else ''}. Ctrl-C ends it.")
        server.run(lambda: interruption.received)
    raise typer.Exit(interruption.exit_code)


@dataclass(frozen=True)
class ServerOptions:
    """What the flags say about serving."""

    host: str
    port: int
    token: str | None
    allowed_hosts: Sequence[str]
    read_only: bool
    artifacts: str | None
    wait: bool = False


def open_server(storage: str, options: ServerOptions) -> Server:
    """A dashboard that listens.

    Raises:
        InputError: Somebody else listens there, or the storage cannot be opened.
    """
    from lrsearch.dashboard.app import application
    from lrsearch.dashboard.artifacts import artifacts_of
    from lrsearch.dashboard.guests import Guests
    from lrsearch.dashboard.server import CONNECTIONS, Server
    from lrsearch.storage.rdb import open_storage
    from lrsearch.storage.retry import Patience

    guests = Guests()
    shown = application(
        open_storage(storage, connections=CONNECTIONS, patience=Patience(say) if options.wait else None),
        artifacts_of(storage, options.artifacts),
        host=options.host,
        token=options.token,
        allowed_hosts=options.allowed_hosts,
        read_only=options.read_only,
        guests=guests,
    )
    return Server(shown, options.host, options.port, guests)
