"""One call: the caller's leg, the search for a member, and the talk that comes of it.

A call is SEARCHING until a member's phone is found (`search`), then a `Talk` of two legs until one of them hangs up;
a side of a talk may be held or transferred meanwhile (`errands`). The caller hears 180 without SDP as soon as one phone
rings, whatever the members send. Nobody takes the call: it overflows to another group or line, else is refused with 486
or 480. What happens is noted in its `chronicle`.
"""

from __future__ import annotations

from bridge.calls.chronicle import Chronicle
from bridge.calls.errands import Errands
from bridge.calls.fork import Fork
from bridge.calls.offers import Offers
from bridge.calls.onward.outside import trunk_of
from bridge.calls.onward.transfer import Transfer
from bridge.calls.ordered.errand import Errand
from bridge.calls.over import CallResult, unanswered
from bridge.calls.parties import Called, Caller
from bridge.calls.passage import Passage
from bridge.calls.queue.entrance import Entrance
from bridge.calls.search import Found, Nobody, Outcome, Search
from bridge.calls.seats import Seats
from bridge.calls.status import CallStatus, Step, Story
from bridge.calls.switch import Asking, Switch
from bridge.calls.talk import Talk
from bridge.calls.way import Way
from bridge.directory.handling import When
from bridge.directory.model import Group
from bridge.hunting.model import CallerGone, Tick
from bridge.media.standin import REFUSALS
from bridge.sip.grammar import SipError
from bridge.sip.leg import Leg
from bridge.sip.legevents import Accepted, Acknowledged, Ended, LegEvent, Moved, Progress, Rejected, Replied, Requested
from bridge.sip.message import Body
from bridge.sip.outgoing import OutgoingLeg

_BUSY = (486, 600, 603)  # what a line's phone says, or is said for it, whose calls go to where those go when it is busy


class Call:
    """A caller's whole attempt. `leg` is the caller's; `asked_by` None: a talk that was taken up.

    `passage`: how its media pass, where that is known already.
    """

    def __init__(
        self,
        ident: str,
        switch: Switch,
        leg: Leg,
        asked_by: Asking | None,
        caller: Caller,
        called: Called,
        now: float,
        passage: Passage | None = None,
    ) -> None:
        self.id = ident
        self.leg = leg
        self.caller = caller
        self.called = called
        self.due: float | None = None
        self.asked_by = asked_by
        self.offer: Body | None = asked_by.offer if asked_by else None
        self.passage = passage or switch.passage(leg, caller, self.offer)
        self.talk: Talk | None = None
        self.result: str | None = None
        self.way = Way()
        self.watched: tuple[str, ...] = ()  # lines whose changes the hunt wants to know; the exchange's
        self._switch = switch
        self.chronicle = Chronicle(called.number, now, switch.wall())
        self.chronicle.dialogs.append(leg.call_id)
        self.offers = Offers(self, switch)
        self.search = Search(self, switch, called, self.offers)
        self._entrance = Entrance(self, switch, self.search)
        self.seats = Seats(self, switch)
        self.errands = Errands(self, switch)
        if not isinstance(asked_by, Transfer):  # whose transferee stays with its talk until the transfer is done
            leg.owner = self

    @property
    def group(self) -> Group | None:
        """The group that is hunted for, None for a call to a single line."""
        return self.called.group

    # -- hunting -----------------------------------------------------------------------------------------------

    def start(self, now: float) -> None:
        """Begin to hunt."""
        if not isinstance(self.asked_by, Transfer):
            self.seats.take(self.leg, self.caller.line)
        self._turn_to(self.called, now)
        self._enter(now)

    def _enter(self, now: float) -> None:
        """Let the caller into the group that the call has come to; a queue answers at once.

        A line that lets all its calls go elsewhere is not rung.
        """
        onward = self._switch.targets.diverted(self, When.ALWAYS)
        if onward is not None:
            self._go_on(onward, f"diverted to {onward.number}", f"line {self.called.number} diverts all calls", now)
            return
        barred = self.search.barred(now)
        if barred is not None:
            self._end(barred.status, barred.why, now)
            return
        self._entrance.enter(now)

    def arrived(self, body: Body | None, line: str | None, now: float) -> None:
        """Let somebody wait who was transferred here; `line`: the one that this keeps busy."""
        self.seats.take(self.leg, line)
        self._entrance.arrived(body, now)

    def confirmed(self, fork: Fork, now: float) -> None:
        """Take note that somebody who was asked to has pressed 1."""
        self.follow(self.search.confirmed(fork, now), now)

    def unconfirmed(self, fork: Fork, now: float) -> None:
        """Take note that somebody who was asked to press 1 has hung up."""
        self.follow(self.search.unconfirmed(fork, now), now)

    def _go_on(self, onward: Called, what: str, why: str, now: float) -> None:
        """Search elsewhere."""
        self.chronicle.leave(self._decided(), CallResult.OVERFLOWED, why, now)
        self.note(now, None, what, why)
        self.search.turn_to(onward)
        self._turn_to(onward, now)
        self._enter(now)

    def recount(self) -> None:
        """Count this call anew on its lines, where nothing is counted yet."""
        self.seats.recount()
        self.offers.recount()

    @property
    def diverters(self) -> tuple[str, ...]:
        """The numbers that have sent this call on to where it is to ring, in their order."""
        return self.way.diverters(self.called)

    def _turn_to(self, called: Called, now: float) -> None:
        self.called = called
        self.way.turn_to(called)
        self.chronicle.record.turn_to(called.group, [member.name for member in self.search.members], now)
        self._switch.hunting(self, self.search.members)

    def tick(self, now: float) -> None:
        """Let the hunt's deadline come."""
        self.follow(self.search.step(Tick(), now), now)

    def follow(self, outcomes: list[Outcome], now: float) -> None:
        """Do what the search has come to."""
        for outcome in outcomes:
            match outcome:
                case Found(fork):
                    self._connect(fork, now)
                case Nobody(status, why):
                    self._end(status, why, now)

    def _connect(self, fork: Fork, now: float) -> None:
        member = fork.answered
        assert member is not None
        self.seats.take(member, fork.line)
        self.offers.quiet(fork)
        self._switch.hunting(self, ())
        self.chronicle.answered_by = fork.member
        self.chronicle.answered_at = self._switch.wall()
        assert self.asked_by is not None
        how = self.passage.settle_on(member, fork.body)
        self.talk = Talk(self.leg, member, self.passage)
        try:
            self.talk.connect(self.asked_by, self.offer is not None, fork.body, now, acknowledged=fork.acknowledged)
        except SipError as error:
            self._cannot_connect(member, str(error), now)
            return
        fork.body = None
        if self.result is not None:  # whoever waited for the answer could not take it
            return
        self._switch.keep(self)
        self._switch.telling.step(self, "answered", fork.member)
        self.chronicle.answered(self._decided(), fork.line, now)
        self.seats.agent = fork.member
        if self.group is not None:
            self._switch.agents.took(fork.member)
        self.note(now, fork.member, "connected", how)
        if self.passage.to_be_told is not None:
            self.errands.tell_of_relay(self.passage.to_be_told, now)
        elif self.passage.may_go_direct() and not isinstance(self.asked_by, Transfer):
            self.errands.go_direct(now)

    def _cannot_connect(self, member: Leg, why: str, now: float) -> None:
        """End a call whose answer the relay cannot carry."""
        member.hang_up(None, now)
        self._reject(488, now)
        self._switch.telling.step(self, "missed", reason=why)
        self.close(CallResult.FAILED, f"{self.answered_by} answered with what cannot be carried: {why}", now)

    def _end(self, status: int, why: str, now: float) -> None:
        group = self.called.group
        target = self.search.onward
        if target is not None:
            onward = self._switch.targets.overflow(self, target)
            if onward is not None:
                self._switch.telling.step(self, "overflowed", reason=why)
                self._go_on(onward, f"overflowed to {target}", why, now)
                return
            self.note(now, None, f"overflow {target} leads nowhere", "no such number, or round in a circle")
        if group is None and self.search.last_status is not None:
            last = self.search.last_status
            status = 480 if 300 <= last < 400 or last == 503 else last  # 503 would be said of the bridge itself
        onward = self._switch.targets.diverted(self, When.BUSY if status in _BUSY else When.NO_ANSWER)
        if onward is not None:
            self._go_on(onward, f"diverted to {onward.number}", why, now)
            return
        came_to = unanswered(status, why, group is None, self.search.nobody_in)
        self._switch.telling.step(self, "missed", reason=why)
        if self._entrance.part(came_to, f"nobody took it: {why}", now):
            self._switch.hunting(self, ())
            return
        self._reject(self.passage.refusal or status, now)
        self.close(came_to, f"nobody took it: {why}", now)

    # -- what the legs say ------------------------------------------------------------------------------------

    def handle(self, event: LegEvent, now: float) -> None:
        """Take an event of one of the call's legs."""
        match event:
            case Progress(leg, code, _):
                self._on_progress(leg, code, now)
            case Accepted(leg, body):
                assert isinstance(leg, OutgoingLeg)
                self.follow(self.search.accepted(leg, body, now), now)
            case Rejected(leg, status, phrase):
                assert isinstance(leg, OutgoingLeg)
                self._on_rejected(leg, status, phrase, now)
            case Ended():
                self._on_ended(event, now)
            case Requested():
                self._on_requested(event, now)
            case Replied():
                self._on_replied(event, now)
            case Acknowledged() if self.talk:
                self.talk.on_acknowledged(event, now)
            case Moved(leg) if self.talk and leg in (self.talk.caller, self.talk.member):
                self.passage.moved(leg)
                self.note(now, None, f"{self.seats.name_of(leg)} speaks from elsewhere", str(leg.flow))
                self._switch.keep(self)

    def network_changed(self, stale: set[Leg], now: float) -> None:
        """Tell those of these legs that are in the talk the address that we have now."""
        legs = [leg for leg in (self.talk.caller, self.talk.member) if leg in stale] if self.talk is not None else []
        if legs and self.result is None:
            self.note(now, None, "the bridge has another address")
            self.errands.tell_our_place(legs, now)
        elif self.talk is None and self._entrance.tell_our_place(stale, now):
            self.note(now, None, "the bridge has another address")

    def _on_progress(self, leg: Leg, code: int, now: float) -> None:
        self.follow(self.search.progress(leg, code, now), now)
        if self.asked_by is not None and not self.asked_by.ringing and self.offers.ringing:
            self.asked_by.ring(now)

    def _on_rejected(self, leg: OutgoingLeg, status: int, phrase: str, now: float) -> None:
        over = self.search.rejected(leg, status, now)
        if over is not None:
            member, verdict, outcomes = over
            if verdict != 487:
                self.note(now, member, f"said {verdict} {phrase}")
            self.follow(outcomes, now)

    def _on_replied(self, event: Replied, now: float) -> None:
        if event.status in REFUSALS and event.method in ("INVITE", "UPDATE"):
            self._switch.telling.refuses_changes(self.seats.party_of(event.leg), event.status, event.phrase)
        if isinstance(event.context, Errand):
            event.context.on_replied(event, now)
        elif self.talk is not None:
            self.talk.on_replied(event, now)
            self._switch.keep(self)

    def _on_requested(self, event: Requested, now: float) -> None:
        talk = self.talk
        if talk is None or event.leg not in (talk.caller, talk.member):
            event.leg.respond(event.transaction, event.request, 491, None, now)
        elif self.result is not None:  # the leg only waits for its ACK, to be hung up then
            event.leg.respond(event.transaction, event.request, 481, None, now)
        elif event.request.method == "REFER":
            self.errands.on_referred(event, talk, now)
        else:
            self._switch.keep(self)
            if event.request.method == "INVITE":
                self.errands.end_hold()
            talk.on_requested(event, now)

    def decline(self, line: str, now: float) -> None:
        """Let a line's phone ring no more, as if it had declined."""
        self.note(now, None, "declined by command", line)
        self.follow(self.search.decline(line, now), now)

    @property
    def searching(self) -> bool:
        """Whether somebody may still take the call."""
        return self.result is None and self.talk is None and self.search.hunting

    def take(self, fork: Fork, now: float) -> bool:
        """Connect a phone of ours that has called us to pick the call up; False where it is too late for that."""
        outcomes = self.search.take(fork, now) if self.searching else []
        if not outcomes or fork.answered is None:
            return False
        fork.answered.owner = self
        self.note(now, fork.member, "picked it up")
        self.follow(outcomes, now)
        return True

    def transferred(self, referrer: Leg, now: float) -> None:
        """End this talk: its transferee talks elsewhere."""
        referrer.hang_up(None, now)
        self.note(now, None, "transferred")
        self.finish_talk(now)

    def abandon(self, now: float) -> None:
        """End this call because who wanted it is gone."""
        if self.result is None:
            if self.talk is not None:
                self.talk.member.hang_up(None, now)
            else:
                self.search.step(CallerGone(), now)
            self.close(CallResult.ABANDONED, "the transferred caller gave up", now)

    def _on_ended(self, event: Ended, now: float) -> None:
        if self.result is not None:  # a leg that waited for its ACK to be hung up; its peer may talk elsewhere by now
            return
        talk = self.talk
        if isinstance(self.asked_by, Transfer) and self.asked_by.pending and talk is not None:
            self.close(CallResult.FAILED, "ended before the transfer was done", now)
            self.asked_by.reject(480, now)
        elif self.errands.lets_go([event.leg], event.why, now) is not None:
            pass
        elif talk is not None and event.leg in (talk.caller, talk.member):
            self.errands.side_gone(now)
            talk.other(event.leg).hang_up(event.reason, now)
            self.note(now, None, f"{self.seats.name_of(event.leg)} {event.why}")
            self.finish_talk(now)
        elif event.leg is self.leg:
            self.note(now, None, f"caller {event.why}")
            self.search.step(CallerGone(), now)
            self._switch.telling.step(self, "abandoned")
            self.close(CallResult.ABANDONED, "the caller gave up", now)

    # -- the end ----------------------------------------------------------------------------------------------

    def finish_talk(self, now: float) -> None:
        """End the call, whose sides have talked and are hung up."""
        self._switch.telling.step(self, "ended", self.answered_by)
        self.close(CallResult.ANSWERED, f"answered by {self.answered_by}", now)

    def hang_up(self, now: float) -> None:
        """End the call from our side, whatever it is doing."""
        if self.result is not None:
            return
        if self.talk is not None:
            self.errands.side_gone(now)
            self.talk.member.hang_up(None, now)
            if self.talk.caller.owner is self:  # else it is still another call's, in the midst of a transfer
                self.talk.caller.hang_up(None, now)
            self.finish_talk(now)
        else:
            self.search.step(CallerGone(), now)
            self._reject(480, now)
            self.close(CallResult.FAILED, "ended by the bridge", now)

    def leave(self, line: str, now: float) -> None:
        """End the call for a line; who has just transferred the other side leaves alone."""
        leg = self.errands.lets_go(self.seats.legs_of(line), "hung up", now)
        if leg is not None:
            leg.hang_up(None, now)
        else:
            self.hang_up(now)

    def give_up(self, why: str, now: float) -> None:
        """End the search: nobody is to be rung any more."""
        if self.result is None:
            self.search.step(CallerGone(), now)
            self._reject(480, now)
            self._switch.telling.step(self, "missed", reason=why)
            self.close(CallResult.FAILED, f"nobody took it: {why}", now)

    def refuse(self, status: int, why: str, now: float) -> None:
        """Refuse a call before anybody is searched for."""
        self._reject(status, now)
        self.close(CallResult.REFUSED, f"refused: {why}", now)

    def _reject(self, status: int, now: float) -> None:
        if self.asked_by is not None:
            self.asked_by.reject(status, now)

    def close(self, came_to: CallResult, result: str, now: float) -> None:
        """End the call, unless it has ended; `result` says how, for people."""
        if self.result is None:
            self.result = result
            chronicle = self.chronicle
            chronicle.close(self._decided(), came_to, result, now)
            self.seats.agent_leaves(now)
            self.note(now, None, "over", result)
            self._switch.arm(self, None)
            self.errands.call_over(now)
            self.seats.leave_all()
            self._switch.hunting(self, ())
            self._switch.closed(self)

    # -- what others see ----------------------------------------------------------------------------------------

    def note(self, now: float, member: str | None, what: str, why: str = "") -> None:
        """Add a step to the story."""
        self.chronicle.note(now, member, what, why)

    def _decided(self) -> list[Step]:
        """Return what the search has decided, once it is over or begins anew."""
        return self.search.take_trace(self.chronicle.began)

    @property
    def answered_by(self) -> str | None:
        """The member, or who else, that has taken the call."""
        return self.chronicle.answered_by

    def status(self) -> CallStatus:
        """Return what others may see of the call."""
        state = "connected" if self.talk else self._entrance.state
        return CallStatus(
            call=self.id,
            state="ended" if self.result is not None else state,
            caller=self.caller.number,
            caller_name=self.caller.name,
            called=self.called.number,
            group=self.called.group.name if self.called.group else None,
            since=self.chronicle.since,
            ringing=self.offers.ringing,
            answered_by=self.answered_by,
            answered_at=self.chronicle.answered_at,
            lines=tuple(sorted(line for line in self.seats.lines if not trunk_of(line))),
            rung=tuple(sorted(line for line in self.offers.lines if not trunk_of(line))),
            held=self.errands.hold is not None,
        )

    def story(self) -> Story:
        """Return every step so far, in order."""
        return self.chronicle.story(self.status(), self.search.trace(self.chronicle.began), self.result)
