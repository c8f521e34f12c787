"""A relay in memory: it hands out ports and remembers what it was told."""

from __future__ import annotations

from bridge.media.model import Path


class ToldRelay:
    """One call's streams; `paths` by stream and side."""

    def __init__(self, media: ToldMedia, streams: int = 4) -> None:
        self.paths: dict[tuple[int, int], Path | None] = {}
        self.closed = False
        self._media = media
        self._ports: dict[int, tuple[int, int]] = {}
        self._streams = streams

    def ports(self, stream: int) -> tuple[int, int] | None:
        """Return the ports of a stream, as long as there are any."""
        if stream not in self._ports:
            if len(self._ports) >= self._streams or self._media.pairs < 2:
                return None
            self._media.pairs -= 2
            self._media.given += 4
            self._ports[stream] = (self._media.given - 4, self._media.given - 2)
        return self._ports[stream]

    def settle(self, stream: int, side: int, path: Path | None) -> None:
        """Remember it."""
        self.paths[stream, side] = path

    def close(self) -> None:
        """Give the ports back, once."""
        assert not self.closed
        self.closed = True
        self._media.pairs += 2 * len(self._ports)


class ToldMedia:
    """Pairs of ports from 20000 on; `pairs` are left. `opened` are all relays so far."""

    def __init__(self, pairs: int = 100) -> None:
        self.pairs = pairs
        self.given = 20000
        self.opened: list[ToldRelay] = []

    def open(self) -> ToldRelay | None:
        """Return a relay whose first stream has its ports."""
        relay = ToldRelay(self)
        if relay.ports(0) is None:
            return None
        self.opened.append(relay)
        return relay
