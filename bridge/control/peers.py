"""Who is at the other end of the control socket, as the kernel says."""

from __future__ import annotations

import os
import pwd
import socket
import struct
from collections.abc import Mapping

from bridge.commands.model import OWNER, Actor, CommandError
from bridge.control.socketfile import ControlError

_CREDENTIALS = struct.Struct("3i")  # pid, uid, gid: struct ucred of Linux


class Peers:
    """Who acts as whom: root and the agent's own login as the owner, others by `names`, by their login names.

    Raises ControlError for a name that the system does not know.
    """

    def __init__(self, names: Mapping[str, Actor]) -> None:
        self._actors = {_uid(name): actor for name, actor in names.items()}
        self._actors |= {0: OWNER, os.getuid(): OWNER}

    def actor(self, peer: socket.socket) -> Actor:
        """Return in whose name the peer of a connection acts. Raises CommandError `not_allowed`."""
        raw = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        uid: int = _CREDENTIALS.unpack(raw)[1]
        actor = self._actors.get(uid)
        if actor is None:
            text = f"the login with uid {uid} acts in nobody's name here; right are root and the agent's own login"
            raise CommandError("not_allowed", text)
        return actor


def _uid(name: str) -> int:
    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        raise ControlError(f"this system has no login called {name!r}") from None
