"""What a session does to its socket."""

from __future__ import annotations

import socket
from typing import cast

from paho.mqtt.client import Client

from bridge.mqtt.session import send_at_once


def test_messages_are_sent_at_once() -> None:
    """TCP_NODELAY: a state waits for no acknowledgement of the one before."""
    with socket.socket() as sock:
        send_at_once(cast(Client, None), None, sock)
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_socket_that_is_gone_already_is_no_error() -> None:
    """The broker may have hung up in between."""
    sock = socket.socket()
    sock.close()
    send_at_once(cast(Client, None), None, sock)
