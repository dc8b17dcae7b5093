"""An HTTP/1.1 client that costs little: keep-alive connections, answers read whole. The load is made by a
machine that also serves it, so a request may not cost the generator more than some hundred microseconds."""

from __future__ import annotations

import asyncio
import json
import re

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.I)


class Connection(asyncio.Protocol):
    def __init__(self):
        self.buffer = bytearray()
        self.waiter = None
        self.transport = None
        self.need = None
        self.head = b""

    def connection_made(self, transport):
        self.transport = transport

    def connection_lost(self, error):
        self.transport = None
        if self.waiter and not self.waiter.done():
            self.waiter.set_exception(ConnectionError(str(error or "closed")))

    def data_received(self, data):
        self.buffer += data
        if self.need is None:
            end = self.buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            self.head = bytes(self.buffer[:end + 2])
            found = LENGTH.search(self.head)
            length = int(found[1]) if found else 0
            self.need = end + 4 + length
            self.body_at = end + 4
        if len(self.buffer) >= self.need:
            body = bytes(self.buffer[self.body_at:self.need])
            del self.buffer[:self.need]
            self.need = None
            waiter, self.waiter = self.waiter, None
            if waiter and not waiter.done():
                waiter.set_result((int(self.head[9:12]), self.head, body))

    def send(self, data):
        self.waiter = asyncio.get_running_loop().create_future()
        self.transport.write(data)
        return self.waiter


class Pool:
    """Connections to one server; as many as requests are out at a time."""

    def __init__(self, address):
        self.host, port = address.rsplit(":", 1)
        self.port = int(port)
        self.idle = []
        self.made = 0

    async def exchange(self, data, timeout=60):
        while self.idle:
            connection = self.idle.pop()
            if connection.transport is not None and not connection.transport.is_closing():
                break
        else:
            _, connection = await asyncio.get_running_loop().create_connection(Connection, self.host, self.port)
            self.made += 1
        try:
            answer = await asyncio.wait_for(connection.send(data), timeout)
        except BaseException:
            if connection.transport is not None:
                connection.transport.abort()
            raise
        if b"\r\nconnection: close" in answer[1].lower():
            connection.transport.close()
        else:
            self.idle.append(connection)
        return answer

    def close(self):
        for connection in self.idle:
            if connection.transport is not None:
                connection.transport.abort()
        self.idle.clear()


def compose(method, path, session=None, body=None):
    lines = [f"{method} {path} HTTP/1.1", "Host: bench", "Accept-Language: zh-CN"]
    if session:
        lines.append("Cookie: " + session["cookie"])
        if method != "GET":
            lines.append("X-CSRF-Token: " + session["csrf"])
    raw = b""
    if body is not None:
        raw = json.dumps(body, ensure_ascii=False).encode()
        lines += ["Content-Type: application/json", f"Content-Length: {len(raw)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + raw
