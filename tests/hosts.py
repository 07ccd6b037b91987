"""Two hosts on this machine, with a network between them and no other: network namespaces with names of their own."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from databases import skip


@dataclass(frozen=True)
class Host:
    """One of them.

    Attributes:
        name: Its host name, which is its network namespace's name, too.
        address: Where the other one reaches it.
    """

    name: str
    address: str

    def start(self, command: Sequence[str], environment: Mapping[str, str], **options: object) -> subprocess.Popen[str]:
        """Start a program there.

        Args:
            command: The program.
            environment: What its environment has beside this process's own.
            options: As for `subprocess.Popen`.
        """
        named = ["unshare", "--uts", "sh", "-c", 'hostname "$0" && exec "$@"', self.name, *command]
        inside = ["ip", "netns", "exec", self.name, *named]
        return subprocess.Popen(inside, env={**os.environ, **environment}, text=True, **options)  # type: ignore[call-overload,no-any-return]

    def lose(self) -> None:
        """End everything that runs there at once, without a word to anybody."""
        listed = subprocess.run(["ip", "netns", "pids", self.name], capture_output=True, text=True, check=False).stdout
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for pid in map(int, listed.split()):
                with suppress(ProcessLookupError):
                    os.kill(pid, number)


@contextmanager
def two_hosts() -> Iterator[tuple[Host, Host]]:
    """Two hosts and the line between them, gone afterwards; a machine that does not allow it is a reason to skip."""
    if not all(map(shutil.which, ("ip", "unshare", "hostname"))):
        skip("hosts", "ip (iproute2), unshare or hostname is not installed")
    mark = uuid.uuid4().hex[:6]
    hosts = Host(f"lr-{mark}-a", "10.77.0.1"), Host(f"lr-{mark}-b", "10.77.0.2")
    with ExitStack() as stack:
        for host in hosts:
            _ip("netns", "add", host.name)
            stack.callback(_ip, "netns", "del", host.name)
            stack.callback(host.lose)
        ends = [f"v{mark}a", f"v{mark}b"]
        _ip("link", "add", ends[0], "netns", hosts[0].name, "type", "veth", "peer", ends[1], "netns", hosts[1].name)
        for host, end in zip(hosts, ends, strict=True):
            _ip("-n", host.name, "address", "add", f"{host.address}/24", "dev", end)
            _ip("-n", host.name, "link", "set", end, "up")
            _ip("-n", host.name, "link", "set", "lo", "up")
            _ip("-n", host.name, "route", "add", "default", "dev", end)
        yield hosts


def _ip(*arguments: str) -> None:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    if done.returncode and "del" not in arguments:
        skip("hosts", f"ip {' '.join(arguments)}: {done.stderr.strip()}")


@contextmanager
def relayed(target: tuple[str, int], path: Path) -> Iterator[None]:
    """A server of this machine, as a socket in the file system, which has no host.

    Args:
        target: The server's address and port.
        path: Where the socket is.
    """
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(path))
        door.listen(64)
        threading.Thread(target=_answer, args=(door, target), daemon=True).start()
        yield
        door.shutdown(socket.SHUT_RDWR)


def _answer(door: socket.socket, target: tuple[str, int]) -> None:
    with suppress(OSError):  # the door is shut
        while True:
            inside, _ = door.accept()
            outside = socket.create_connection(target)
            for ends in ((inside, outside), (outside, inside)):
                threading.Thread(target=_pour, args=ends, daemon=True).start()


def _pour(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(1 << 16):
            sink.sendall(data)
    for end in (source, sink):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
    source.close()
