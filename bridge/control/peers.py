"""Who is at the other end of the control socket, as the kernel says."""

from __future__ import annotations

import os
import pwd
import socket
import struct
from collections.abc import Callable

from bridge.commands.model import OWNER, Actor, CommandError, Kind

_CREDENTIALS = struct.Struct("3i")  # pid, uid, gid: struct ucred of Linux


class Peers:
    """Who acts as whom: root and the agent's own login as the owner, others as `user_of` says, by their login names.

    Both are asked for each connection, so that a configuration or a login that has changed counts at once.
    """

    def __init__(self, user_of: Callable[[str], str | None]) -> None:
        self._user_of = user_of

    def actor(self, peer: socket.socket) -> Actor:
        """Return in whose name the peer of a connection acts. Raises CommandError `not_allowed`."""
        raw = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        uid: int = _CREDENTIALS.unpack(raw)[1]
        if uid in (0, os.getuid()):
            return OWNER
        login = _login(uid)
        user = self._user_of(login) if login is not None else None
        if user is None:
            who = f"the login {login}" if login is not None else f"the login with uid {uid}"
            right = "right are root, the agent's own login, and those that are some user's unix login"
            raise CommandError("not_allowed", f"{who} acts in nobody's name here; {right}")
        return Actor(Kind.USER, user)


def _login(uid: int) -> str | None:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return None
