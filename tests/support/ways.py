"""A relay in memory: it hands out ports, and remembers what it was told and what its voices were to play."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.media.model import CALLER, Key, Path, Played, Relay, Sound, Terms
from bridge.media.voice import Voice
from tests.support.lab import Lab


class ToldSpeaker:
    """Our own end of a stream, without sound.

    `playing` is what is heard now, () where nothing is; `heard` all that ever was to be played, in order.
    """

    def __init__(self, voice: Voice) -> None:
        self.voice = voice
        self.terms: Terms | None = None
        self.playing: tuple[Sound, ...] = ()
        self.loop = False
        self.heard: list[Sound] = []
        self.pressed = ""
        self.closed = False

    def settle(self, terms: Terms) -> None:
        """Remember how to speak."""
        assert not self.closed
        self.terms = terms

    def play(self, sounds: Sequence[Sound], *, loop: bool) -> None:
        """Play these from now on."""
        assert not self.closed and self.terms is not None and sounds
        self.playing, self.loop = tuple(sounds), loop
        self.heard += sounds

    def stop(self) -> None:
        """Play nothing."""
        assert not self.closed
        self.playing = ()

    def press(self, keys: str) -> None:
        """Remember keys that are sent."""
        assert not self.closed and self.terms is not None and self.terms.events is not None
        self.pressed += keys

    def close(self) -> None:
        """Be silent for ever; once."""
        assert not self.closed
        self.closed, self.playing = True, ()

    # -- for the test ----------------------------------------------------------------------------------------------

    def key(self, lab: Lab, keys: str) -> None:
        """Let the peer press keys."""
        for key in keys:
            lab.exchange.voiced(Key(self.voice, key), lab.now)
            lab.run(0)

    def played(self, lab: Lab) -> None:
        """Let what is played be over."""
        assert self.playing and not self.loop, "nothing is played that ends"
        self.playing = ()
        lab.exchange.voiced(Played(self.voice), lab.now)
        lab.run(0)


class ToldRelay:
    """One call's streams; `paths` by stream and side."""

    def __init__(self, media: ToldMedia, streams: int = 4) -> None:
        self.paths: dict[tuple[int, int], Path | None] = {}
        self.speakers: list[ToldSpeaker] = []
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

    @property
    def held(self) -> list[tuple[int, int]]:
        """The ports of every stream that has some."""
        return [pair for _, pair in sorted(self._ports.items())]

    def settle(self, stream: int, side: int, path: Path | None) -> None:
        """Remember it."""
        self.paths[stream, side] = path

    def speaker(self, stream: int, side: int, voice: Voice) -> ToldSpeaker:
        """Return our own end of a side of a stream that has its ports."""
        assert stream in self._ports and not self.closed
        made = ToldSpeaker(voice)
        self.speakers.append(made)
        return made

    def adopt(self, side: int, other: Relay) -> None:
        """Take over a side of another relay, which is closed."""
        assert isinstance(other, ToldRelay) and not self.closed
        for stream, ports in other._ports.items():
            mine = self._ports[stream]
            self._ports[stream] = (ports[0], mine[1]) if side == CALLER else (mine[0], ports[1])
            self.paths[stream, side] = other.paths.get((stream, side))
        self.speakers += other.speakers
        other.close()

    def mirror(self) -> None:
        """Let the sides be each other's."""
        assert not self.closed
        self._ports = {stream: (second, first) for stream, (first, second) in self._ports.items()}
        self.paths = {(stream, 1 - side): path for (stream, side), path in self.paths.items()}

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
        self.taken = False  # somebody else has the ports of before a restart
        self.opened: list[ToldRelay] = []

    def open(self) -> ToldRelay | None:
        """Return a relay whose first stream has its ports."""
        relay = ToldRelay(self)
        if relay.ports(0) is None:
            return None
        self.opened.append(relay)
        return relay

    def reopen(self, ports: Sequence[tuple[int, int]]) -> ToldRelay | None:
        """Return a relay with these ports, unless `taken`."""
        if self.taken:
            return None
        relay = ToldRelay(self)
        relay._ports = dict(enumerate(ports))
        self.pairs -= 2 * len(ports)
        self.opened.append(relay)
        return relay

    @property
    def speaker(self) -> ToldSpeaker:
        """The voice that was opened last."""
        return [speaker for relay in self.opened for speaker in relay.speakers][-1]
