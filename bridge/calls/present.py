"""What the exchange goes by now: who there is, and its settings. A new configuration is put here, and holds at once.

Parts of the exchange keep the `Present` and ask it each time; none keeps what it says. A part that has made something
of it (trunks, lines, registrations) is told by `Exchange.configure`, which is the list of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from bridge.calls.model import ExchangeSettings
from bridge.directory.model import Directory, MediaWay, User
from bridge.sip.dialog import flow_of
from bridge.sip.flow import Flow


class Present:
    """The directory and the settings of now, and what follows from them alone."""

    def __init__(self, directory: Directory, settings: ExchangeSettings) -> None:
        self.rigid: set[str] = set()
        """The trunks that have refused to change a call."""
        self.configure(directory, settings)

    def configure(self, directory: Directory, settings: ExchangeSettings) -> None:
        """Go by another configuration from now on."""
        self.directory = directory
        self.settings = settings
        for name in ("contacts", "hosts", "users", "ways"):
            self.__dict__.pop(name, None)

    @cached_property
    def contacts(self) -> Mapping[tuple[str, int], str]:
        """The addresses of phones that do not register, host and port, and their lines."""
        return {
            (flow.host, flow.port): line.name
            for line in self.directory.lines.values()
            if line.contact
            for flow in [flow_of(line.contact, Flow("udp", "", 0))]
        }

    @cached_property
    def hosts(self) -> frozenset[str]:
        """The hosts of phones that do not register."""
        return frozenset(host for host, _ in self.contacts)

    @cached_property
    def users(self) -> Mapping[str, User]:
        """Users by their lines, the first where several have one."""
        return {user.line: user for user in reversed(list(self.directory.users.values()))}

    @cached_property
    def ways(self) -> Mapping[str, MediaWay]:
        """How the media of trunks flow, by trunk."""
        return {trunk.name: trunk.media for trunk in self.settings.trunks}
