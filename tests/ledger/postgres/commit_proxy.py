"""A TCP proxy before PostgreSQL that recognizes COMMIT and can break the connection around it.

It uses real sockets and PostgreSQL's wire protocol (frontend messages: a type byte, a length, a body), without
encryption, so that it can read the messages.
"""

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from types import TracebackType
from typing import Literal, Self
from urllib.parse import urlsplit, urlunsplit

Fate = Literal["pass", "cut-before", "cut-answer", "hold"]
COMMITTED = b"COMMIT\0"  # the tag of CommandComplete


class CommitProxy:
    """Forwards everything, except for the COMMIT that `next_commit` chooses a fate for.

    `cut-before`: the connection breaks before the server receives it. `cut-answer`: the server commits and the client
    never gets its answer. `hold`: the client's connection breaks at once, and the server commits at `release()`.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._server = (str(parts.hostname), int(parts.port or 5432))
        self._listener = socket.create_server(("127.0.0.1", 0))
        port = self._listener.getsockname()[1]
        query = "sslmode=disable&gssencmode=disable"
        self.url = urlunsplit(parts._replace(netloc=f"{parts.username}@127.0.0.1:{port}", query=query))
        self.next_commit: Fate = "pass"
        self.refusing = False
        self.met = threading.Event()
        self._released = threading.Event()
        self._open: set[socket.socket] = set()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._released.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut_all()
        for thread in self._threads:
            thread.join(10)

    def release(self) -> None:
        """Forward a held COMMIT to the server."""
        self._released.set()

    def cut_all(self) -> None:
        """Break every connection."""
        for end in list(self._open):
            _break(end)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self.refusing:
                client.close()
                continue
            try:
                server = socket.create_connection(self._server)
            except OSError:
                client.close()
                continue
            self._open |= {client, server}
            session = _Session(self, client, server)
            for work in (session.forward, session.backward):
                self._threads.append(threading.Thread(target=work, daemon=True))
                self._threads[-1].start()

    def take_fate(self) -> Fate:
        """The fate of the current COMMIT; the next one is forwarded."""
        fate, self.next_commit = self.next_commit, "pass"
        if fate != "pass":
            self.met.set()
        return fate

    def wait_for_release(self) -> None:
        """Wait until the held COMMIT is released."""
        self._released.wait(30)


class _Session:
    """One client's connection and the server's session that belongs to it."""

    def __init__(self, proxy: CommitProxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy = proxy
        self._client = client
        self._server = server
        self._commits: set[bytes] = set()
        self._swallow = False

    def forward(self) -> None:
        """Forward from the client to the server, message by message."""
        with contextlib.suppress(OSError):
            for message in self._messages():
                if self._is_commit(message):
                    fate = self._proxy.take_fate()
                    if fate == "cut-before":
                        break
                    if fate == "cut-answer":
                        self._swallow = True
                    if fate == "hold":
                        self._commit_later(message)
                        return
                self._server.sendall(message)
        _break(self._client)
        _break(self._server)

    def backward(self) -> None:
        """Forward from the server to the client."""
        with contextlib.suppress(OSError):
            while data := self._server.recv(65_536):
                if self._swallow and COMMITTED in data:
                    break
                self._client.sendall(data)
        if not self._swallow or self._client.fileno() >= 0:
            _break(self._client)

    def _commit_later(self, message: bytes) -> None:
        self._swallow = True
        _break(self._client)
        self._proxy.wait_for_release()
        execute = b"E" + struct.pack(">I", 9) + b"\0" + struct.pack(">I", 0)
        sync = b"S" + struct.pack(">I", 4)
        self._server.sendall(message if message[:1] == b"Q" else message + execute + sync)

    def _messages(self) -> Iterator[bytes]:
        buffer = b""
        started = False
        while data := self._client.recv(65_536):
            buffer += data
            while True:
                head = 1 if started else 0
                if len(buffer) < head + 4:
                    break
                size = head + struct.unpack(">I", buffer[head : head + 4])[0]
                if len(buffer) < size:
                    break
                yield buffer[:size]
                buffer, started = buffer[size:], True

    def _is_commit(self, message: bytes) -> bool:
        kind, body = message[:1], message[5:]
        if kind == b"P":
            name, query, _ = body.split(b"\0", 2)
            (self._commits.add if query.strip() == b"COMMIT" else self._commits.discard)(name)
        if kind == b"B":
            return body.split(b"\0", 2)[1] in self._commits
        return kind == b"Q" and body.strip(b"\0 ;") == b"COMMIT"


def _break(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
