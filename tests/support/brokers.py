"""Brokers that are not as one would wish: old ones, deaf ones, mad ones. Servers on loopback, in threads."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

from bridge.mqtt.model import MqttSettings

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK, PINGREQ = 0x10, 0x20, 0x30, 0x40, 0x80, 0x90, 0xC0


class Broker:
    """Accepts connections and lets `serve` do with each what it likes. Use as a context manager."""

    def __init__(self, serve: Callable[[Broker, socket.socket], None]) -> None:
        self.heard: list[tuple[int, bytes]] = []  # kind and body of every packet
        self.levels: list[int] = []  # protocol level of every CONNECT: 4 is 3.1.1, 5 is 5
        self.connections = 0
        self._serve = serve
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> Broker:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join()
        for connection in self._open:
            connection.close()

    @property
    def settings(self) -> MqttSettings:
        """How to reach it."""
        return MqttSettings("127.0.0.1", "cti/home", port=self._listening.getsockname()[1])

    def packets(self, connection: socket.socket) -> Iterator[tuple[int, bytes]]:
        """Yield the packets of a connection until it is closed."""
        stream = connection.makefile("rb")
        with contextlib.suppress(OSError):
            while first := stream.read(1):
                packet = first[0], stream.read(_length(stream.read))
                self.heard.append(packet)
                if packet[0] == CONNECT:
                    self.levels.append(packet[1][6])
                yield packet

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                self.connections += 1
                self._open.append(connection)
                threading.Thread(target=self._serve, args=(self, connection), daemon=True).start()


def only_311(refusal: bytes) -> Callable[[Broker, socket.socket], None]:
    """Return a broker of MQTT 3.1.1 that answers a CONNECT of another version with `refusal`, and hangs up."""

    def serve(broker: Broker, connection: socket.socket) -> None:
        for kind, body in broker.packets(connection):
            if kind == CONNECT and body[6] != 4:
                connection.sendall(refusal)
                connection.shutdown(socket.SHUT_RDWR)
                return
            answer = _answer(kind, body)
            if answer:
                connection.sendall(answer)

    return serve


def deaf(broker: Broker, connection: socket.socket) -> None:
    """Take everything and say nothing."""
    for _ in broker.packets(connection):
        pass


def says(*answers: bytes) -> Callable[[Broker, socket.socket], None]:
    """Return a broker that answers whoever connects with these bytes, each connection with the next."""

    def serve(broker: Broker, connection: socket.socket) -> None:
        answer = answers[(broker.connections - 1) % len(answers)]
        with contextlib.suppress(OSError):
            connection.recv(1024)
            connection.sendall(answer)
            connection.shutdown(socket.SHUT_WR)
        deaf(broker, connection)

    return serve


def _answer(kind: int, body: bytes) -> bytes:
    if kind == CONNECT:
        return bytes([CONNACK, 2, 0, 0])
    if kind & 0xF0 == SUBSCRIBE:
        count = body.count(b"\x01", 2)  # each filter is followed by its QoS, 1
        return bytes([SUBACK, 2 + count]) + body[:2] + bytes([1]) * count
    if kind & 0xF0 == PUBLISH and kind & 0x06:
        length = int.from_bytes(body[:2], "big")
        return bytes([PUBACK, 2]) + body[2 + length : 4 + length]
    return bytes([0xD0, 0]) if kind == PINGREQ else b""


def _length(read: Callable[[int], bytes]) -> int:
    length, shift = 0, 0
    while True:
        byte = (read(1) or b"\0")[0]
        length |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return length
