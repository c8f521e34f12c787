"""How a call's media pass: to each phone that rings, directly or through the relay; then in the talk.

A phone that is rung directly gets the caller's offer as it is. One that cannot be reached so gets one with ports of
ours; all of a call's phones share them, since one alone will answer. The first that needs them has them opened; where
none are left it is not rung, and a call that finds nobody for that reason is refused with 503.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

from bridge.calls.told import AllTold
from bridge.directory.model import MediaWay
from bridge.media.carriage import Carriage, Told, described, reads
from bridge.media.choice import Choice, Party, behind_nat, choose
from bridge.media.model import CALLER, MEMBER, SIDES, Media
from bridge.media.resumed import plain_carriage
from bridge.media.standin import Descriptions
from bridge.media.voice import NO_PORTS, Voice, speakable
from bridge.sip.grammar import SipError
from bridge.sip.leg import Leg
from bridge.sip.message import Body
from bridge.sip.sdp import Direction, Session
from bridge.sip.sdpread import session_in


class Way(NamedTuple):
    """How one phone is offered a call: `body` is the offer for it, None where it is to make one itself.

    `apart`: the media of a phone at ports of its own, `confirms`: that is spoken to before it is connected.
    """

    member: Party
    relay: bool
    why: str
    body: Body | None
    apart: Passage | None = None
    confirms: bool = False


class Newcomer(NamedTuple):
    """Who is to be spoken to instead of a caller who waits; `offer`: ours to them."""

    leg: Leg
    party: Party
    carriage: Carriage
    offer: Body


class Passage:
    """One call's media. `told` is what each leg that was ever relayed has been told.

    `leg` None: the caller is one of our phones that is rung first, and offered our voice (`Passages.toward`).
    """

    def __init__(
        self, media: Media | None, leg: Leg | None, caller: Party | None, offer: Body | None, told: AllTold
    ) -> None:
        self.refusal: int | None = None
        """Why a phone could not be offered the call: the status for the caller."""
        self.relayed = False
        """Whether the talk goes through the relay."""
        self.to_be_told: Leg | None = None
        """Who was offered the other's own place, and is still to be told to send to the relay."""
        self._media = media
        self._leg = leg
        self._caller = caller
        self._offer = offer
        self._told = told
        self._ways: dict[Leg, Way] = {}
        self._carriage: Carriage | None = None
        self._turned = False  # the relay's caller is the member, since it is lent to be another call's caller
        self._is_lent = False  # the relay is another passage's, which may take it back
        self._direct: tuple[list[Told], tuple[str, str]] | None = None  # what was told by us before, and where from
        self._plainly = Descriptions(offer)

    def reserve(self) -> bool:
        """Open the relay for a caller who will need it, whoever answers; False where no ports are left."""
        caller = self._caller
        assert caller is not None
        needed = caller.way is MediaWay.RELAY or (caller.way is MediaWay.AUTO and behind_nat(caller))
        try:
            return not (needed and self._media) or self._open(caller) is not None
        except SipError:
            return False

    def way_to(self, member: Party) -> Way:
        """Return how a phone is to be offered the call. Raises `SipError` where it cannot be; `refusal` says so too."""
        try:
            if self._caller is None:
                return Way(member, True, "the bridge speaks first", self._open(member).voice(CALLER).offer())
            voice = self._carriage.spoken_to if self._carriage is not None else None
            if self._is_lent and voice is not None:
                return self._way_beside(member, voice)
            choice = choose(self._caller, member) if voice is None else Choice(True, "the caller waits at the bridge")
            offer = self._offer if voice is None else voice.agreed
            if self._media is None or not choice.relay:
                return Way(member, False, choice.why, offer)
            carriage = self._open(member)
            return Way(member, True, choice.why, carriage.offer(CALLER, offer) if offer else None)
        except SipError as error:
            self.refusal = error.status
            raise

    def _way_beside(self, member: Party, voice: Voice) -> Way:
        """Return how a phone is offered a caller whose relay is lent: at ports of its own.

        Whoever the caller talked to goes on sending to those of before, perhaps from the same address.
        """
        beside = Passage(self._media, self._leg, self._caller, None, self._told)
        try:
            carriage = beside._open(member)
            body = carriage.offer(CALLER, voice.agreed) if voice.agreed is not None else None
        except SipError:
            beside.close()
            raise
        return Way(member, True, "the caller was in a talk already", body, beside)

    def way_apart(self, member: Party) -> Way:
        """Return how a phone is offered the call that is asked to confirm it first: `apart` speaks to it then.

        Raises `SipError` where that cannot be, 503 without ports and 488 where the caller has nothing that we speak;
        `refusal` says so too.
        """
        apart = Passage(self._media, self._leg, self._caller, None, self._told)
        try:
            spoken_to = self._carriage.spoken_to if self._carriage is not None else None
            offer = self._offer if spoken_to is None else spoken_to.agreed
            carriage = apart._open(member)
            voice = carriage.voice(MEMBER)
            if offer is None:
                body = voice.offer()
            else:
                body = carriage.offer(CALLER, speakable(offer))
                voice.offers(body)
        except SipError as error:
            apart.close()
            self.refusal = error.status
            raise
        return Way(member, True, "it was asked to confirm", body, apart, confirms=True)

    def apart(self, leg: Leg) -> Passage | None:
        """Return the media of a phone that is spoken to before it is connected; None for any other."""
        way = self._ways.get(leg)
        return way.apart if way is not None and way.confirms else None

    def leaves(self, leg: Leg) -> None:
        """Note that a phone rings no more and will not be connected: what it had of its own is given back."""
        way = self._ways.pop(leg, None)
        if way is not None and way.apart is not None:
            way.apart.close()

    def voice(self, leg: Leg) -> Voice:
        """Return our own voice towards a leg; the first that is asked for is the caller's. Raises `SipError` 503."""
        if self._leg is None:
            way = self._ways.get(leg)
            self._leg = leg
            if way is not None:
                self._caller = way.member
                self._open(way.member).parties[CALLER] = way.member
            self._ways.clear()
        assert self._caller is not None
        return (self._carriage or self._open(self._caller)).voice(self._side(leg))

    def rings(self, leg: Leg, way: Way) -> None:
        """Take the leg that is offered the call this way."""
        self._ways[leg] = way

    def settle_on(self, leg: Leg, answer: Body | None = None) -> str:
        """Take the leg that the caller talks to, and what it has answered; return in words how."""
        way = self._ways.pop(leg, None)
        self._close_ways()
        if way is not None and way.apart is not None:
            self._join(way.apart)
        if way is None or not way.relay or self._carriage is None:
            return self._settle_directly(leg, way, answer)
        self.relayed = True
        spoken = self._carriage.spoken_to
        if spoken is not None and spoken.agreed is not None:  # which may have changed since this phone was offered it
            self._carriage.offer(CALLER, spoken.agreed)
        self._carriage.parties[MEMBER] = way.member
        self._carriage.told[MEMBER] = self._told.of(leg, self._carriage.told[MEMBER])
        return f"media through the bridge: {way.why}"

    def _settle_directly(self, leg: Leg, way: Way | None, answer: Body | None) -> str:
        """Let media flow past us, unless the answer names a place that the caller cannot reach."""
        self.close()
        says = described(answer) if self._media is not None else None
        if way is None or self._caller is None or says is None:
            return ""
        choice = choose(self._caller, way.member._replace(says=says))
        if not choice.relay:
            return ""
        try:
            carriage = self._open(way.member)
            if self._offer is not None:
                offered = session_in(self._offer)
                assert offered is not None
                carriage.told[MEMBER].begin_after(offered)
                carriage.offer(CALLER, self._offer)
                self.to_be_told = leg
        except SipError as error:
            self.close()
            return f"media directly, though {choice.why}: {error}"
        carriage.told[MEMBER] = self._told.of(leg, carriage.told[MEMBER])
        self.relayed = True
        return f"media through the bridge: {choice.why}"

    def offer(self, leg: Leg, body: Body | None) -> Body | None:
        """Return a leg's offer as the other is to have it. Raises `SipError`."""
        side = self._side(leg)
        if self._carriage is None:
            self._plainly.offers(side, body)
        if self._direct is not None:
            return self.directly(leg, body)
        return body if self._carriage is None or body is None else self._carriage.offer(side, body)

    def answer(self, leg: Leg, body: Body | None) -> Body | None:
        """Return a leg's answer as the other is to have it. Raises `SipError`."""
        side = self._side(leg)
        if self._carriage is None:
            self._plainly.answers(side, body)
        if self._direct is not None:
            return self.directly(leg, body)
        return body if self._carriage is None or body is None else self._carriage.answer(side, body)

    def instead_of(self, leg: Leg) -> Body | None:
        """Return the answer to the other side's offer for a leg that has refused it; None where there is none."""
        side = self._side(leg)
        if self._carriage is None:
            body = self._plainly.instead_of(side)
            return self.directly(leg, body) if self._direct is not None else body
        try:
            return self._carriage.instead_of(side)
        except SipError:
            return None

    def refused(self, leg: Leg) -> None:
        """Note that a leg has refused the other side's offer."""
        if self._carriage is not None:
            self._carriage.refused(self._side(leg))

    def _join(self, apart: Passage) -> None:
        """Let the media of a phone that was spoken to be the call's."""
        before, self._carriage, apart._carriage = self._carriage, apart._carriage, None
        if before is not None and before.spoken_to is not None and self._carriage is not None:
            self._carriage.adopt_caller(before)
        elif before is not None:  # the caller has not been told anything of it
            before.relay.close()

    def _close_ways(self) -> None:
        for leg in tuple(self._ways):
            self.leaves(leg)

    def plain(self) -> dict[str, Any] | None:
        """Return how the talk is relayed as plain values; None where that cannot be taken up again."""
        if self._carriage is None or not self._turned:
            return plain_carriage(self._carriage) if self._carriage is not None else None
        self._carriage.mirror()  # it is not lent any more after a restart
        plain = plain_carriage(self._carriage)
        self._carriage.mirror()
        return plain

    def take_up(self, member: Leg, carriage: Carriage) -> None:
        """Go on with a carriage from before a restart."""
        assert self._leg is not None
        self.relayed = True
        self._carriage = carriage
        for side, leg in ((CALLER, self._leg), (MEMBER, member)):
            self._told.of(leg, carriage.told[side])

    def interrupt(self, leg: Leg) -> Voice | None:
        """Speak to a side of a relayed talk, which neither side is told of; None where that cannot be."""
        return self._carriage.interrupt(self._side(leg)) if self._carriage is not None and self.relayed else None

    def reconnect(self) -> None:
        """Let both sides of a talk that was interrupted hear each other again."""
        if self._turned:
            self._turn()
        if self._carriage is not None:
            self._carriage.reconnect()

    def lend(self, leg: Leg) -> tuple[Passage, Voice] | None:
        """Lend the relay of a talk to another call, whose caller a leg is to be, who is spoken to meanwhile.

        None: that cannot be. Taken back by `reconnect`.
        """
        voice = self.interrupt(leg)
        if voice is None or self._carriage is None:
            return None
        if self._side(leg) == MEMBER:
            self._turn()
        other = Passage(self._media, leg, self._carriage.parties[CALLER], None, self._told)
        other._carriage, other._is_lent = self._carriage, True
        return other, voice

    def meet(self, other: Passage, leg: Leg) -> None:
        """Let the caller of a lent relay hear a leg of another relayed talk, which leaves its relay to this.

        Neither is told anything. Raises `SipError` where they have nothing in common; nothing has changed then.
        """
        ours, theirs = self._carriage, other._carriage
        if ours is None or theirs is None or not other.relayed:
            raise SipError("both talks have to be relayed", 488)
        turned = other._side(leg) == CALLER
        if turned:
            theirs.mirror()
        try:
            theirs.meet(ours)
        except SipError:
            if turned:
                theirs.mirror()
            raise
        self._carriage, self.relayed = theirs, True
        other.let_go()

    def _turn(self) -> None:
        """Let the member be the caller of the relay, and the caller the member."""
        assert self._carriage is not None
        self._carriage.mirror()
        self._turned = not self._turned

    def let_go(self) -> None:
        """Leave the relay to the other passage that has it."""
        self._close_ways()
        self._turned = False
        self._carriage = None
        self.relayed = False

    def moved(self, leg: Leg) -> None:
        """Take note that a phone speaks from elsewhere now, and so will its packets."""
        if self._carriage is not None:
            self._carriage.moved(self._side(leg), leg.flow.host)

    def beckon(self, leg: Leg, party: Party) -> Newcomer:
        """Return who is to take the place of a caller to whom we speak, at the same ports. Raises `SipError`."""
        if self._carriage is None or self._carriage.spoken_to is None:
            raise SipError("nobody waits there", 481)
        carriage = self._carriage.beside(party, self._told.of(leg, self._told.new()))
        return Newcomer(leg, party, carriage, carriage.voice(CALLER).offer())

    def admit(self, newcomer: Newcomer, answer: Body) -> None:
        """Let a newcomer be the caller; whoever rings needs not be told. Raises `SipError`, and all is as it was."""
        assert self._carriage is not None
        self._carriage.exchange_caller(newcomer.carriage, answer)
        self._leg, self._caller, self._offer = newcomer.leg, newcomer.party, None

    # -- without us (`direct`) -----------------------------------------------------------------------------------------

    def may_go_direct(self) -> bool:
        """Whether the relay carries only because we spoke to a side, and both could reach each other."""
        return self._carriage is not None and not choose(self._seen(CALLER), self._seen(MEMBER)).relay

    def _seen(self, side: int) -> Party:
        """Return a side with where it receives, by what it has said since it was chosen how to reach it."""
        assert self._carriage is not None
        party = self._carriage.parties[side]
        return party._replace(says=described(self._carriage.said(side)) or party.says)

    def flows(self) -> bool:
        """Whether both sides hear each other, in the relay: nobody holds."""
        return self._carriage is not None and all(_both_ways(reads(self._carriage.said(side))) for side in SIDES)

    def behind_trunk(self, leg: Leg) -> bool:
        """Whether a leg's side is behind a trunk."""
        return self._carriage is not None and self._carriage.parties[self._side(leg)].trunk is not None

    def said(self, leg: Leg) -> Body | None:
        """Return what a leg's side has said of itself last."""
        return self._carriage.said(self._side(leg)) if self._carriage is not None else None

    def told(self, leg: Leg) -> Session | None:
        """Return what a leg was told last."""
        return self._carriage.told[self._side(leg)].last if self._carriage is not None else None

    def again(self, leg: Leg, told: Session) -> Body | None:
        """Return what a leg was told before, to be told once more."""
        if self._carriage is None:
            return None
        side = self._side(leg)
        ours = self._carriage.parties[side].ours
        return self._carriage.told[side].body(replace(told, host=ours), ours)

    def readdress(self, leg: Leg, ours: str) -> None:
        """Take the address of ours that a leg's side is to be told from now on."""
        if self._carriage is not None:
            side = self._side(leg)
            self._carriage.parties[side] = self._carriage.parties[side]._replace(ours=ours)
        if leg is self._leg and self._caller is not None:
            self._caller = self._caller._replace(ours=ours)

    def agreed_again(self, leg: Leg, answer: Body | None) -> None:
        """Take a side's answer to what it was told again; the other side has its own. Raises `SipError`."""
        side = self._side(leg)
        offer = self._carriage.said(1 - side) if self._carriage is not None else None
        if self._carriage is not None and offer is not None and answer is not None and not self._carriage.speaks:
            self._carriage.offer(1 - side, offer)
            self._carriage.answer(side, answer)

    def directly(self, leg: Leg, body: Body | None) -> Body | None:
        """Return a leg's description for the other leg as it is, but for `o=`, which goes on. Raises `SipError`."""
        session, other = session_in(body), 1 - self._side(leg)
        if session is None:
            return None
        if self._direct is not None:
            told, ours = self._direct
        else:
            assert self._carriage is not None
            told, ours = self._carriage.told, (self._carriage.parties[CALLER].ours, self._carriage.parties[MEMBER].ours)
        return told[other].body(session, ours[other])

    def go_direct(self) -> None:
        """Close the relay: both sides know where the other one is."""
        carriage = self._carriage
        assert carriage is not None
        self._direct = carriage.told, (carriage.parties[CALLER].ours, carriage.parties[MEMBER].ours)
        self._plainly.take((carriage.said(CALLER), carriage.said(MEMBER)))
        self.relayed = False
        self.close()

    def close(self) -> None:
        """Give the ports back."""
        self._close_ways()
        if self._carriage is not None:
            self._carriage.relay.close()
            self._carriage = None

    def _side(self, leg: Leg) -> int:
        return CALLER if (leg is self._leg) is not self._turned else MEMBER

    def _open(self, member: Party) -> Carriage:
        if self._carriage is None:
            relay = self._media.open() if self._media is not None else None
            if relay is None:
                raise SipError("no ports are left for media", NO_PORTS)
            fresh = self._told.new()
            told = (self._told.of(self._leg, fresh) if self._leg is not None else fresh, self._told.new())
            self._carriage = Carriage(relay, (self._caller or member, member), told)
        self._carriage.parties[MEMBER] = member
        return self._carriage


def _both_ways(session: Session | None) -> bool:
    if session is None:
        return False
    taken = next((media for media in session.media if media.port), None)
    return taken is not None and session.way_of(taken) is Direction.BOTH
