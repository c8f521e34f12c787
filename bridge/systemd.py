"""Telling systemd how we are: one datagram to `$NOTIFY_SOCKET` (sd_notify(3)), nothing where there is none."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping


def notify(state: str, environ: Mapping[str, str] = os.environ) -> None:
    """Send a state such as `READY=1`, `STOPPING=1` or `WATCHDOG=1`."""
    address = environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
        try:
            sock.sendto(state.encode(), address)
        except OSError:
            return  # nobody listens any more: systemd will find out by itself


def watchdog_seconds(environ: Mapping[str, str] = os.environ) -> float | None:
    """Return how often `WATCHDOG=1` is due: half of `$WATCHDOG_USEC`; None where no watchdog waits for it."""
    text = environ.get("WATCHDOG_USEC", "")
    for_us = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
    return int(text) / 2e6 if text.isdigit() and int(text) > 0 and for_us else None
