"""Session descriptions on their way through the relay: each side is told our addresses and ports, not the other's.

One place for what a B2BUA does to an offer and its answer (RFC 3264):

| of the description | becomes |
|---|---|
| `o=` | ours for that side: one id, and a version that rises with each change |
| `c=`, ports, `a=rtcp` | our address and the ports of that side; RTCP is at the next port |
| audio that is plain RTP | the other law of G.711 is offered too, payload types are translated (`translation`) |
| video, SRTP, fax over UDP | as it is, packets unread |
| what is not carried by UDP, or finds no port | refused by port 0 |
| ICE, BUNDLE | left out: its addresses are not ours, and each stream has its own port; peers do without |
| `c=` 0.0.0.0, hold as of old | the direction that it means |

Nothing is changed in the relay before the answer: an offer that is refused leaves the talk as it was.
"""

from __future__ import annotations

import ipaddress
from dataclasses import replace

from bridge.media.choice import Party, behind_nat
from bridge.media.model import CALLER, MEMBER, Path, Relay, Translation
from bridge.media.standin import agreed_with, answering
from bridge.media.translation import matched, widened
from bridge.media.voice import Voice
from bridge.sip.grammar import SipError
from bridge.sip.message import Body
from bridge.sip.sdp import Line, Media, Origin, Session
from bridge.sip.sdpread import hosts_in, session_in

_BY_UDP = ("udp", "udptl")
_NOWHERE = ("0.0.0.0", "::")
_NOT_OURS = ("candidate", "remote-candidates", "end-of-candidates", "ice-", "group:BUNDLE")


class Told:
    """What one leg has been told, by an id of its own, digits: its `o=` goes on from there (RFC 3264 §8)."""

    def __init__(self, session: str) -> None:
        self.session = session
        self._name = "-"
        self.version = 0
        self.last: Session | None = None

    def begin_after(self, session: Session) -> None:
        """Go on from another's description that this leg was told as it was."""
        self._name, self.session = session.origin.username, session.origin.session
        self.version = session.origin.version

    def body(self, session: Session, host: str) -> Body:
        """Write a description for this side, with the next version unless it says the same as the last."""
        plain = replace(session, origin=Origin(self._name, self.session, 0, host))
        if plain != self.last:
            self.version += 1
            self.last = plain
        return replace(plain, origin=plain.origin._replace(version=self.version)).body()


class Carriage:
    """The descriptions of one relayed call.

    `parties` are the two sides, and `told` what each has been told. The member's change with each phone that is offered
    the call, until one answers.
    """

    def __init__(self, relay: Relay, parties: tuple[Party, Party], told: tuple[Told, Told]) -> None:
        self.relay = relay
        self.parties = list(parties)
        self.told = list(told)
        self.agreed: tuple[int, Body, Body] | None = None
        """What was agreed upon last: who offered, the offer and the answer, as each side said them."""
        self._asked: list[Body | None] = [None, None]
        self._offers: list[Session | None] = [None, None]
        self._voices: list[Voice | None] = [None, None]
        self._before: list[Session | None] = [None, None]  # what each was told before an offer that is still open

    def voice(self, side: int) -> Voice:
        """Return our own end towards a side, which is that until both sides have agreed upon something else."""
        found = self._voices[side]
        if found is None:
            found = self._voices[side] = Voice(self, side)
        return found

    @property
    def spoken_to(self) -> Voice | None:
        """Our own end towards the caller, where there is one."""
        return self._voices[CALLER]

    @property
    def speaks(self) -> bool:
        """Whether we speak to a side ourselves now."""
        return any(self._voices)

    def said(self, side: int) -> Body | None:
        """Return what a side has said of itself in what was agreed upon last, None where nothing was."""
        if self.agreed is None:
            return None
        offerer, offer, answer = self.agreed
        return offer if side == offerer else answer

    def adopt_caller(self, other: Carriage) -> None:
        """Take over the caller's side of another carriage: what it was told, its ports, and our voice to it."""
        self.relay.adopt(CALLER, other.relay)
        self.parties[CALLER], self.told[CALLER] = other.parties[CALLER], other.told[CALLER]
        voice = self._voices[CALLER] = other._voices[CALLER]
        if voice is not None:
            voice.joins(self)

    def beside(self, caller: Party, told: Told) -> Carriage:
        """Return how somebody else is spoken to from the caller's ports, in the midst of what goes on there."""
        return Carriage(self.relay, (caller, self.parties[MEMBER]), (told, self.told[MEMBER]))

    def exchange_caller(self, other: Carriage, answer: Body) -> None:
        """Go on with the caller of another carriage, who has said this to the offer of our voice there.

        Raises `SipError` where it is no answer, and nothing is changed.
        """
        theirs, ours = other.voice(CALLER), self._voices[CALLER]
        theirs.ensure_agreed(answer)
        self.parties[CALLER], self.told[CALLER] = other.parties[CALLER], other.told[CALLER]
        if ours is None or ours.closed:
            self._voices[CALLER] = ours = theirs
            ours.joins(self)
        else:
            ours.turns_to(theirs)

    def mirror(self) -> None:
        """Let the caller's side be the member's, and the member's the caller's; nobody notices."""
        self.relay.mirror()
        for each in (self.parties, self.told, self._asked, self._offers, self._voices, self._before):
            each.reverse()
        if self.agreed is not None:
            offerer, offer, answer = self.agreed
            self.agreed = 1 - offerer, offer, answer
        for voice in self._voices:
            if voice is not None:
                voice.crosses()

    def meet(self, other: Carriage) -> None:
        """Let our member and another carriage's caller hear each other, at the ports that both know: none is asked.

        Raises `SipError` where they have no codec in common; nothing has changed then.
        """
        theirs, ours = other.settled(CALLER), self.settled(MEMBER)
        for asked, said in zip(theirs.media, ours.media, strict=False):
            if asked.port and said.port:
                matched(asked, said)
        self.adopt_caller(other)
        before = [told.last for told in self.told]
        self.offer(CALLER, theirs.body())
        self.answer(MEMBER, ours.body())
        for told, last in zip(self.told, before, strict=True):
            told.last = last

    def settled(self, side: int) -> Session:
        """Return a side's description with what was agreed upon alone. Raises `SipError` where nothing was."""
        said, told = reads(self.said(side)), self.told[side].last
        if said is None or told is None:
            raise SipError("nothing has been agreed upon", 488)
        return agreed_with(said, told)

    def interrupt(self, side: int) -> Voice | None:
        """Speak to one side of a talk, and pass nothing between both; None where we cannot speak as they have agreed.

        Neither is told anything: they go on sending, and `reconnect` lets them hear each other again.
        """
        said, told = self.said(side), self.told[side].last
        if said is None or told is None:
            return None
        voice = self.voice(side)
        try:
            voice.offers(told.body())
            voice.settle(said)
        except SipError:
            self._voices[side] = None
            return None
        for number in range(len(told.media)):
            self.relay.settle(number, 1 - side, None)
        return voice

    def reconnect(self) -> None:
        """Pass again what was agreed upon last, and speak no more."""
        if self.agreed is not None:
            offerer, offer, answer = self.agreed
            self.offer(offerer, offer)
            self.answer(1 - offerer, answer)

    def moved(self, side: int, signals: str) -> None:
        """Let a side's packets come from where it signals from now, whatever port they come from."""
        self.parties[side] = self.parties[side]._replace(signals=signals)
        if not self.speaks and not any(self._offers):  # else the answer that is awaited brings it
            self.reconnect()

    def offer(self, side: int, body: Body) -> Body:
        """Take an offer of one side; return it as the other side is to have it. Raises `SipError`."""
        session = _read(body)
        other = 1 - side
        if self._offers[side] is None:
            self._before[other] = self.told[other].last
        self._offers[side], self._asked[side] = session, body
        media = tuple(self._onward(number, session, each, other) for number, each in enumerate(session.media))
        return self.told[other].body(_readdressed(session, media, self._ours(other)), self._ours(other))

    def answer(self, side: int, body: Body) -> Body:
        """Take one side's answer to the other's offer; return it as the other is to have it. Raises `SipError`.

        From now on the relay carries what both have agreed upon, and our own voice is silent. A side that we spoke to
        knows already what it needs to know, and is to be told nothing.
        """
        answered, other = _read(body), 1 - side
        offered = self._offers[other]
        if offered is None:
            raise SipError("an answer without an offer", 488)
        media, paths = [], []
        for number, asked in enumerate(offered.media):
            said = answered.media[number] if number < len(answered.media) else asked.refused()
            told, theirs, mine = self._back(number, offered, asked, answered, said, side)
            media.append(told)
            paths.append((theirs, mine))
        for number, (theirs, mine) in enumerate(paths):
            self.relay.settle(number, other, theirs)
            self.relay.settle(number, side, mine)
        asked_for = self._asked[other]
        if asked_for is not None:
            self.agreed = other, asked_for, body
        self._offers[other] = self._asked[other] = None
        known = self._hand_over(other)
        if known is not None:
            return known
        return self.told[other].body(_readdressed(answered, tuple(media), self._ours(other)), self._ours(other))

    def refused(self, side: int) -> None:
        """Note that a side has refused the other's offer: both stay with what they were told before."""
        if self._before[side] is not None:
            self.told[side].last = self._before[side]
        self._offers[1 - side] = self._asked[1 - side] = None

    def instead_of(self, side: int) -> Body:
        """Return the answer to the other side's offer for a side that has refused it, and goes on as it is.

        Raises `SipError` where that cannot be.
        """
        offered, asked, said = self._offers[1 - side], self._asked[1 - side], reads(self.said(side))
        self.refused(side)
        told = self.told[side].last
        if offered is None or asked is None or said is None or told is None:
            raise SipError("there is nothing that it could go on with", 488)
        kept = agreed_with(said, told)
        self._offers[1 - side], self._asked[1 - side] = offered, asked
        body = self.answer(side, answering(kept, offered).body())
        self.agreed = 1 - side, asked, kept.body()
        return body

    def _hand_over(self, other: int) -> Body | None:
        """Close our own voices; return what the other side was told by the one that spoke to it."""
        spoken = self._voices[other]
        for voice in self._voices:
            if voice is not None:
                voice.close()
        self._voices = [None, None]
        return spoken.said if spoken is not None else None

    def _onward(self, number: int, session: Session, media: Media, other: int) -> Media:
        ports = self.relay.ports(number) if media.port and _carried(media) else None
        if ports is None:
            return media.refused()
        return _plain(session, widened(media), ports[other])

    def _back(
        self, number: int, offered: Session, asked: Media, answered: Session, said: Media, side: int
    ) -> tuple[Media, Path | None, Path | None]:
        """Return one stream of an answer for the offerer, then the offerer's and the answerer's paths."""
        ports = self.relay.ports(number) if asked.port and said.port and _carried(asked) else None
        if ports is None:
            return asked.refused(), None, None
        match = matched(asked, said)
        told = _plain(answered, match.media, ports[1 - side])
        theirs = self.path(1 - side, offered, asked, match.from_offerer)
        return told, theirs, self.path(side, answered, said, match.from_answerer)

    def path(self, side: int, session: Session, media: Media, translation: Translation | None = None) -> Path:
        """Return where a side has said that it receives a stream."""
        host = session.host_of(media)
        party = self.parties[side]._replace(says=host)
        rtcp = _rtcp_port(media)
        if host in _NOWHERE:
            return Path(party.signals, 0, 0, translation=translation)
        if host is None or not _is_address(host) or behind_nat(party):
            return Path(party.signals, media.port, rtcp, True, translation)
        return Path(host, media.port, rtcp, False, translation)

    def _ours(self, side: int) -> str:
        return self.parties[side].ours


def reads(body: Body | None) -> Session | None:
    """Return the description in a body; None where there is none that can be read."""
    try:
        return session_in(body)
    except SipError:
        return None


def described(body: Body | None) -> str | None:
    """Return where a description's first stream is received; None where it does not tell."""
    if body is None:
        return None
    hosts = hosts_in(body.data)
    host = hosts.pop() if len(hosts) == 1 else _host_of_first(reads(body))
    return None if host in _NOWHERE else host


def _host_of_first(session: Session | None) -> str | None:
    if session is None:
        return None
    wanted = next((media for media in session.media if media.port), None)
    return session.host_of(wanted) if wanted else session.host


def _read(body: Body) -> Session:
    session = session_in(body)
    assert session is not None
    return session


def _carried(media: Media) -> bool:
    return media.rtp or media.protocol.lower() in _BY_UDP


def _plain(session: Session, media: Media, port: int) -> Media:
    """Return a stream at a port of ours, its direction told by attribute alone."""
    way = session.way_of(media) if session.host_of(media) in _NOWHERE else media.way
    return replace(media, port=port, host=None, way=way, lines=_ours_too(media.lines))


def _readdressed(session: Session, media: tuple[Media, ...], host: str) -> Session:
    return replace(session, media=media, host=host, lines=_ours_too(session.lines))


def _ours_too(lines: tuple[Line, ...]) -> tuple[Line, ...]:
    """Return the lines that are true of us too: without addresses of the other side."""
    return tuple(
        (letter, value)
        for letter, value in lines
        if letter != "a" or not (value.startswith(_NOT_OURS) or value.partition(":")[0] == "rtcp")
    )


def _rtcp_port(media: Media) -> int:
    """Return where RTCP of a stream is received: at the port of `a=rtcp` (RFC 3605), else at the next."""
    for letter, value in media.lines:
        name, _, text = value.partition(":")
        word = text.split(" ")[0]
        if letter == "a" and name == "rtcp" and word.isascii() and word.isdigit() and 0 < int(word[:6]) < 65536:
            return int(word)
    return min(media.port + 1, 65535)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
