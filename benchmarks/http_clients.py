"""Clients of a server that cost it little: keep-alive connections in one process, plain sockets."""

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Answers:
    """What came back: bodies by the number of the request, and the seconds that each took."""

    bodies: dict[int, bytes] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)


def request_bytes(path: str, body: dict[str, Any]) -> bytes:
    """A POST as it goes over the wire."""
    content = json.dumps(body).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


async def read_answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Status and body of an answer whose length is said."""
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    named = {line.partition(":")[0].lower(): line.partition(":")[2] for line in lines[1:]}
    body = await reader.readexactly(int(named["content-length"]))
    return int(lines[0].split()[1]), body


async def ask_all(port: int, requests: Sequence[bytes], *, clients: int) -> Answers:
    """Send requests by so many clients, each with one at a time."""
    answers = Answers()
    numbers = iter(range(len(requests)))

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for number in numbers:
            started = time.perf_counter()
            writer.write(requests[number])
            status, body = await read_answer(reader)
            answers.seconds.append(time.perf_counter() - started)
            answers.statuses.append(status)
            answers.bodies[number] = body
        writer.close()

    await asyncio.gather(*(client() for _ in range(clients)))
    return answers
