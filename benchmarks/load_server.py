"""A server under two minutes of clients that behave, and of clients that do not.

64 clients over loopback: most score short pairs and check that the answers are those of their own
texts; others read a long stream slowly, leave in the middle of a request or of an answer, send
bodies that are too large, with and without their length, broken JSON, and half of a body. At the
end the server is told to stop while they go on. Bars: no 5xx but 503 from then on, no answer lost
or mixed up, memory flat from 30 s on, exit code 0.
"""

import argparse
import asyncio
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

import psutil

from comparison import device_line, load_pairs
from http_clients import read_answer, request_bytes

MEMORY_GROWTH, SETTLED_SECONDS = 1.10, 30.0
BODY_BYTES = 200_000
SAME = 1e-4

Pair = tuple[str, str]
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass
class Load:
    """What clients know and have seen.

    Attributes:
        port: Of the server.
        scores: Of each pair, as it was answered before the load.
        until: When clients begin no more requests, in seconds of the monotonic clock.
        stopping: Whether the server was told to stop.
        statuses: How often each client's kind saw each status.
        wrong: What should not have been, in words.
    """

    port: int
    scores: dict[Pair, float]
    until: float
    stopping: bool = False
    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    @property
    def goes_on(self) -> bool:
        return time.monotonic() < self.until

    async def connect(self) -> Streams:
        return await asyncio.open_connection("127.0.0.1", self.port)

    def saw(self, kind: str, status: int, *expected: int) -> None:
        """Note a status; one that is not expected is wrong, but for 503 of a server that stops."""
        self.statuses[kind, status] += 1
        if status not in (*expected, 429) and not (status == 503 and self.stopping):
            self.wrong.append(f"{kind}: status {status}, not {expected}")

    def check(self, kind: str, sent: list[Pair], rows: list[dict[str, object]]) -> None:
        """See that rows answer what was sent, in order, with the scores that these pairs have."""
        got = [(row.get("source"), row.get("hypothesis")) for row in rows]
        if got != sent:
            self.wrong.append(f"{kind}: answers of other texts, or not of all: {len(got)} rows")
            return
        for pair, row in zip(sent, rows, strict=True):
            if not abs(float(str(row["score"])) - self.scores[pair]) < SAME:
                self.wrong.append(f"{kind}: {pair} has {row['score']}, not {self.scores[pair]}")


async def scoring(load: Load, rng: random.Random) -> None:
    """Score one to three pairs at a time over one connection, and check each answer."""
    streams: Streams | None = None
    pairs = list(load.scores)
    while load.goes_on:
        sent = rng.sample(pairs, rng.randint(1, 3))
        reader, writer = streams = streams or await load.connect()
        writer.write(request_bytes("/v1/score", {"pairs": sent, "level": "sentence"}))
        status, body = await read_answer(reader)
        load.saw("scoring", status, 200)
        if status == 200:
            load.check("scoring", sent, json.loads(body)["data"])
        elif status == 429:
            await asyncio.sleep(0.2)
        else:
            streams = None  # a server that stops closes the connection
    if streams is not None:
        streams[1].close()


async def reading_slowly(load: Load, rng: random.Random) -> None:
    """Have a hundred lines scored, and read the answers in small pieces, with pauses."""
    while load.goes_on:
        sent = rng.choices(list(load.scores), k=100)
        reader, writer = await load.connect()
        writer.write(_request("/v1/score?level=sentence", _lines(sent), media="x-ndjson"))
        head = await reader.readuntil(b"\r\n\r\n")
        status = int(head.split()[1])
        load.saw("reading slowly", status, 200)
        if status == 200:
            text = await _chunks(reader, pause=0.02)
            load.check("reading slowly", sent, [json.loads(one) for one in text.splitlines()])
        writer.close()


async def leaving(load: Load, rng: random.Random) -> None:
    """Go away while the body is sent, while the answer is made, or while it is streamed."""
    while load.goes_on:
        sent = rng.choices(list(load.scores), k=60)
        request = _request("/v1/score?level=token", _lines(sent), media="x-ndjson")
        reader, writer = await load.connect()
        way = rng.randrange(3)
        writer.write(request[: len(request) // 2] if way == 0 else request)
        await writer.drain()
        await asyncio.sleep(rng.uniform(0.0, 0.1))
        if way == 2:
            await reader.read(1000)
        writer.transport.abort()
        load.statuses["leaving", 0] += 1
        await asyncio.sleep(0.2)


async def sending_too_much(load: Load, rng: random.Random) -> None:
    """Send bodies that are too large, with their length, and in chunks without it."""
    while load.goes_on:
        reader, writer = await load.connect()
        if rng.random() < 0.5:
            writer.write(_request("/v1/score", b" " * (BODY_BYTES + 1)))
        else:
            writer.write(b"POST /v1/score HTTP/1.1\r\nHost: localhost\r\n")
            writer.write(b"Transfer-Encoding: chunked\r\n\r\n")
            writer.write((b"8000\r\n" + b" " * 0x8000 + b"\r\n") * (BODY_BYTES // 0x8000 + 1))
        status, _ = await read_answer(reader)
        load.saw("sending too much", status, 413)
        writer.close()
        await asyncio.sleep(0.2)


async def sending_nonsense(load: Load, rng: random.Random) -> None:
    """Send what is no JSON, no UTF-8, no request of this route, or no text that can be scored."""
    bodies = [
        *((b"{", 400), (b"\xff\xfe", 400), (b"[1, 2]", 400), (b'{"pairs": 3}', 400)),
        *((b'{"pairs": [{"source": "a"}]}', 422), (b'{"texts": [""]}', 422)),
        (b'{"hypothesis": "Ein Hund.", "signals": ["qualty"]}', 400),
    ]
    while load.goes_on:
        body, expected = rng.choice(bodies)
        reader, writer = await load.connect()
        writer.write(_request("/v1/score", body))
        status, _ = await read_answer(reader)
        load.saw("sending nonsense", status, expected)
        writer.close()
        await asyncio.sleep(0.1)


async def sending_slowly(load: Load, rng: random.Random) -> None:
    """Send a good request a few bytes at a time."""
    while load.goes_on:
        pair = rng.choice(list(load.scores))
        body = json.dumps({"pairs": [pair], "level": "sentence"}).encode()
        request = _request("/v1/score", body)
        reader, writer = await load.connect()
        for start in range(0, len(request), 40):
            writer.write(request[start : start + 40])
            await asyncio.sleep(0.05)
        status, answer = await read_answer(reader)
        load.saw("sending slowly", status, 200)
        if status == 200:
            load.check("sending slowly", [pair], json.loads(answer)["data"])
        writer.close()


Client = Callable[[Load, random.Random], Awaitable[None]]
ODD: tuple[Client, ...] = (
    *(reading_slowly, leaving, sending_too_much, sending_nonsense, sending_slowly),
)
ODD_OF_EACH = 3


def _request(path: str, body: bytes, *, media: str = "json") -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/{media}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _lines(pairs: list[Pair]) -> bytes:
    return b"".join(json.dumps(pair).encode() + b"\n" for pair in pairs)


async def _chunks(reader: asyncio.StreamReader, *, pause: float) -> bytes:
    """The body of an answer in chunks, read a few thousand bytes at a time."""
    body = b""
    while size := int(await reader.readuntil(b"\r\n"), 16):
        left = size
        while left:
            piece = await reader.read(min(left, 4096))
            if not piece:
                raise asyncio.IncompleteReadError(body, None)
            left -= len(piece)
            body += piece
            await asyncio.sleep(pause)
        await reader.readline()
    return body


async def _guarded(client: Client, load: Load, rng: random.Random) -> None:
    """A client; what breaks its connection is wrong, unless the server was told to stop."""
    while load.goes_on:
        try:
            await client(load, rng)
        except (OSError, asyncio.IncompleteReadError) as error:
            if load.stopping:
                return
            load.wrong.append(f"{client.__name__}: {type(error).__name__}: {error}")


async def run_load(
    port: int, process: psutil.Process, pairs: list[Pair], *, seconds: float, clients: int
) -> tuple[Load, float, float]:
    """Bear down on a server, then tell it to stop.

    Args:
        port: Of the server.
        process: The server's.
        pairs: To be scored.
        seconds: That clients go on, before the server is told to stop.
        clients: How many.

    Returns:
        What they saw, and bytes of the server once it has settled and at the end.
    """
    load = Load(port, {}, time.monotonic() + seconds + 5)
    reader, writer = await load.connect()
    for start in range(0, len(pairs), 50):
        few = pairs[start : start + 50]
        writer.write(request_bytes("/v1/score", {"pairs": few, "level": "sentence"}))
        rows = json.loads((await read_answer(reader))[1])["data"]
        load.scores |= {pair: row["score"] for pair, row in zip(few, rows, strict=True)}
    writer.close()
    kinds = [*ODD * ODD_OF_EACH, *[scoring] * (clients - len(ODD) * ODD_OF_EACH)]
    tasks = [
        asyncio.create_task(_guarded(kind, load, random.Random(number)))
        for number, kind in enumerate(kinds)
    ]
    settled = min(SETTLED_SECONDS, seconds / 2)
    await asyncio.sleep(settled)
    early = process.memory_info().rss
    await asyncio.sleep(seconds - settled)
    late = process.memory_info().rss
    load.stopping = True
    process.send_signal(signal.SIGTERM)
    await asyncio.gather(*tasks)
    return load, early, late


@contextmanager
def serving() -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """``headwise serve`` in a process of its own, once it is ready."""
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    options = ["--port", str(port), "--max-body-bytes", str(BODY_BYTES), "--drain-seconds", "120"]
    command = [sys.executable, "-m", "headwise", "serve", *options]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.DEVNULL)
        try:
            while True:
                assert process.poll() is None, "the server ended"
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=10).close()
                    break
                except OSError:  # not there, not ready, or busy with its imports
                    time.sleep(0.1)
            yield port, process
        finally:
            process.kill()
            process.wait()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--clients", type=int, default=64)
    options = parser.parse_args()
    print(device_line(), f"load {os.getloadavg()[0]:.1f}")
    pairs = list(dict.fromkeys(load_pairs(None, 200)))
    started = time.monotonic()
    with serving() as (port, process):
        print(f"ready after {time.monotonic() - started:.1f} s")
        load, early, late = asyncio.run(
            run_load(
                port,
                psutil.Process(process.pid),
                pairs,
                seconds=options.seconds,
                clients=options.clients,
            )
        )
        code = process.wait(150)
    for (kind, status), count in sorted(load.statuses.items()):
        print(f"{kind:<18} {status or 'left':>5} {count:>8,}")
    print(f"memory {early / 2**20:.0f} MiB, at the end {late / 2**20:.0f} MiB")
    print(f"exit code {code}; wrong: {len(load.wrong)}")
    for words in load.wrong[:20]:
        print(f"  {words}")
    held = not load.wrong and code == 0 and late < MEMORY_GROWTH * early
    sys.exit(0 if held else 1)


if __name__ == "__main__":
    main()
