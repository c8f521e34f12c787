"""One call: the caller's leg, the search for a member, and the talk that comes of it.

A call is SEARCHING until a member's phone is found (`search`), then a `Talk` of two legs until one of them hangs up;
a side of a talk may be transferred (`transfer`). The caller hears 180 without SDP as soon as one phone rings, whatever
the members send. Nobody takes the call: it overflows to another group or line, else is refused with 486 or 480.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bridge.calls.fork import Fork
from bridge.calls.onward.direct import Directing
from bridge.calls.onward.outside import trunk_of
from bridge.calls.onward.transfer import Transfer
from bridge.calls.ordered.errand import Errand
from bridge.calls.ordered.holding import Hold
from bridge.calls.over import CallResult, Record, unanswered
from bridge.calls.parties import Called, Caller, shown
from bridge.calls.passage import Passage
from bridge.calls.queue.entrance import Entrance
from bridge.calls.restart.kept import plain_dialog, plain_parties
from bridge.calls.search import Found, Nobody, Outcome, Search
from bridge.calls.seats import Seats
from bridge.calls.status import CallStatus, Step, Story
from bridge.calls.switch import Asking, Switch
from bridge.calls.talk import Talk
from bridge.calls.way import Way
from bridge.directory.handling import When
from bridge.directory.model import Group
from bridge.hunting.model import CallerGone, Tick
from bridge.sip.grammar import SipError
from bridge.sip.leg import Leg
from bridge.sip.legevents import Accepted, Acknowledged, Ended, LegEvent, Progress, Rejected, Replied, Requested
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
        self.dialogs = [leg.call_id]
        """The Call-IDs of its legs, those that rang in vain included."""
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
        self.record = Record(now, called.number)
        self._began = now
        self._since = switch.wall()
        self._steps: list[Step] = []
        self._answered_by: str | None = None
        self._answered_at: float | None = None
        self._search = Search(self, switch, called)
        self._entrance = Entrance(self, switch, self._search)
        self.seats = Seats(switch)
        self.errands: set[Errand] = set()  # that are to be told when the call is over
        self.hold: Hold | None = None  # one of the sides waits, by command
        self._directing: Directing | None = None
        self.transfer: Transfer | None = None  # one of this call's sides is being transferred
        if not isinstance(asked_by, Transfer):  # whose transferee stays with its talk until the transfer is done
            leg.owner = self

    @classmethod
    def resumed(
        cls,
        switch: Switch,
        kept: Mapping[str, Any],
        caller: Caller,
        called: Called,
        talk: Talk,
        passage: Passage | None,
        now: float,
    ) -> Call:
        """Take up a talk from before a restart; `passage`: how it is relayed, None where it is not."""
        call = cls(str(kept["call"]), switch, talk.caller, None, caller, called, now, passage)
        call.talk = talk
        talk.caller.owner = talk.member.owner = call
        call._since = float(kept["since"])
        call._answered_by = str(kept["answered_by"])
        call._answered_at = float(kept["answered_at"])
        call._take_up(kept)
        call.seats.take(talk.caller, caller.line)
        call.seats.take(talk.member, str(kept["line"]))
        call._note(now, None, "taken up again after a restart")
        return call

    @property
    def resumable(self) -> bool:
        """Whether this is a talk that a restart takes up again."""
        talk = self.talk
        if talk is None or self.result is not None or talk.caller.dialog is None or talk.member.dialog is None:
            return False
        return not (isinstance(self.asked_by, Transfer) and self.asked_by.pending)

    def kept(self) -> dict[str, Any] | None:
        """Return a talk as plain values, None where the call is none (any more), or its relay cannot be kept."""
        talk = self.talk
        relay = self.passage.plain() if self.passage.relayed else None
        if not self.resumable or talk is None or (self.passage.relayed and relay is None):
            return None
        assert talk.caller.dialog is not None and talk.member.dialog is not None
        return {
            "call": self.id,
            "parties": plain_parties(self.caller, self.called),
            "since": self._since,
            "answered_by": self._answered_by,
            "answered_at": self._answered_at,
            "line": self.seats.line_of(talk.member),
            "record": self.record.plain(),
            "legs": [plain_dialog(talk.caller.dialog), plain_dialog(talk.member.dialog)],
            "relay": relay,
        }

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
        onward = self._switch.diverted(self, When.ALWAYS)
        if onward is not None:
            self._go_on(onward, f"diverted to {onward.number}", f"line {self.called.number} diverts all calls", now)
            return
        barred = self._search.barred(now)
        if barred is not None:
            self._end(barred.status, barred.why, now)
            return
        self._entrance.enter(now)

    def arrived(self, body: Body | None, line: str | None, now: float) -> None:
        """Let somebody wait who was transferred here; `line`: the one that this keeps busy."""
        self.seats.take(self.leg, line)
        self._entrance.arrived(body, now)

    @property
    def turn(self) -> tuple[float, int]:
        """Who is told first of a member who is free."""
        return self._search.turn

    @property
    def since(self) -> float:
        """When the call began, UTC seconds."""
        return self._since

    def confirmed(self, fork: Fork, now: float) -> None:
        """Take note that somebody who was asked to has pressed 1."""
        self.follow(self._search.confirmed(fork, now), now)

    def unconfirmed(self, fork: Fork, now: float) -> None:
        """Take note that somebody who was asked to press 1 has hung up."""
        self.follow(self._search.unconfirmed(fork, now), now)

    def _go_on(self, onward: Called, what: str, why: str, now: float) -> None:
        """Search elsewhere."""
        self._steps += self._search.take_trace(self._began)
        self.record.leave(CallResult.OVERFLOWED, why, self._steps, now)
        self._note(now, None, what, why)
        self._search.turn_to(onward)
        self._turn_to(onward, now)
        self._enter(now)

    def recount(self) -> None:
        """Count this call anew on its lines, where nothing is counted yet."""
        self.seats.recount()
        self._search.recount()

    @property
    def diverters(self) -> tuple[str, ...]:
        """The numbers that have sent this call on to where it is to ring, in their order."""
        return self.way.diverters(self.called)

    def _turn_to(self, called: Called, now: float) -> None:
        self.called = called
        self.way.turn_to(called)
        self.record.turn_to(called.group, [member.name for member in self._search.members], now)
        self._switch.hunting(self, self._search.members)

    def member_changed(self, line: str, now: float) -> None:
        """Take note that a line's availability, or a login of who is reached there, may have changed."""
        self.follow(self._search.changed(line, now), now)

    def tick(self, now: float) -> None:
        """Let the hunt's deadline come."""
        self.follow(self._search.step(Tick(), now), now)

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
        self._search.quiet(fork)
        self._switch.hunting(self, ())
        self._answered_by = fork.member
        self._answered_at = self._switch.wall()
        assert self.asked_by is not None
        how = self.passage.settle_on(member)
        self.talk = Talk(self.leg, member, self.passage)
        try:
            self.talk.connect(self.asked_by, self.offer is not None, fork.body, now, acknowledged=fork.acknowledged)
        except SipError as error:
            self._cannot_connect(member, str(error), now)
            return
        fork.body = None
        self._switch.keep(self)
        self._switch.tell(self, "answered", fork.member)
        self._steps += self._search.take_trace(self._began)
        self.record.answered(fork.member, fork.line, self._steps, now)
        if self.group is not None:
            self._switch.agents.took(fork.member)
        self._note(now, fork.member, "connected", how)
        if self.passage.may_go_direct() and not isinstance(self.asked_by, Transfer):
            self._directing = Directing(self, self.passage, self._switch, now)

    def went_direct(self, now: float) -> None:
        """Note that media flow from phone to phone now."""
        self._note(now, None, "media go directly", "the bridge is not needed between them")
        self._switch.keep(self)

    def _cannot_connect(self, member: Leg, why: str, now: float) -> None:
        """End a call whose answer the relay cannot carry."""
        member.hang_up(None, now)
        self._reject(488, now)
        self._switch.tell(self, "missed", reason=why)
        self.close(CallResult.FAILED, f"{self._answered_by} answered with what cannot be carried: {why}", now)

    def _end(self, status: int, why: str, now: float) -> None:
        group = self.called.group
        target = self._search.onward
        if target is not None:
            onward = self._switch.overflow(self, target)
            if onward is not None:
                self._switch.tell(self, "overflowed", reason=why)
                self._go_on(onward, f"overflowed to {target}", why, now)
                return
            self._note(now, None, f"overflow {target} leads nowhere", "no such number, or round in a circle")
        if group is None and self._search.last_status is not None:
            status = 480 if 300 <= self._search.last_status < 400 else self._search.last_status
        onward = self._switch.diverted(self, When.BUSY if status in _BUSY else When.NO_ANSWER)
        if onward is not None:
            self._go_on(onward, f"diverted to {onward.number}", why, now)
            return
        came_to = unanswered(status, why, group is None, self._search.nobody_in)
        self._switch.tell(self, "missed", reason=why)
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
                self.follow(self._search.accepted(leg, body, now), now)
            case Rejected(leg, status, phrase):
                assert isinstance(leg, OutgoingLeg)
                self._on_rejected(leg, status, phrase, now)
            case Ended():
                self._on_ended(event, now)
            case Requested():
                self._on_requested(event, now)
            case Replied() if isinstance(event.context, Errand):
                event.context.on_replied(event, now)
            case Replied() if self.talk:
                self.talk.on_replied(event, now)
                self._switch.keep(self)
            case Acknowledged() if self.talk:
                self.talk.on_acknowledged(event, now)

    def _on_progress(self, leg: Leg, code: int, now: float) -> None:
        self.follow(self._search.progress(leg, code, now), now)
        if self._search.ringing and self.asked_by is not None and not self.asked_by.ringing:
            self.asked_by.ring(now)

    def _on_rejected(self, leg: OutgoingLeg, status: int, phrase: str, now: float) -> None:
        over = self._search.rejected(leg, status, now)
        if over is not None:
            member, verdict, outcomes = over
            if verdict != 487:
                self._note(now, member, f"said {verdict} {phrase}")
            self.follow(outcomes, now)

    def _on_requested(self, event: Requested, now: float) -> None:
        talk = self.talk
        if talk is None or event.leg not in (talk.caller, talk.member):
            event.leg.respond(event.transaction, event.request, 491, None, now)
        elif self.result is not None:  # the leg only waits for its ACK, to be hung up then
            event.leg.respond(event.transaction, event.request, 481, None, now)
        elif event.request.method == "REFER":
            self._on_referred(event, talk, now)
        else:
            self._switch.keep(self)
            if event.request.method == "INVITE":
                self.end_hold()
            talk.on_requested(event, now)

    def _on_referred(self, event: Requested, talk: Talk, now: float) -> None:
        """Begin a transfer, where the referrer may and the target is one of ours."""
        if self.transfer is not None and self.transfer.pending:
            event.leg.respond(event.transaction, event.request, 491, None, now)
            return
        transfer = Transfer(self, event.leg, talk.other(event.leg))
        try:
            status = self._switch.refer(self, transfer, event.request, now)
        except SipError as error:
            status = error.status
        event.leg.respond(event.transaction, event.request, status, None, now)
        if status == 202:
            event.leg.notify_refer(100, "Trying", False, now)
            self.begin_transfer(transfer, event.request.need("Refer-To"), now)

    def end_hold(self) -> None:
        """Note that both sides talk, or are connected otherwise."""
        if self.hold is not None:
            self.hold.close()
            self.hold = None

    def held_by(self, line: str) -> bool:
        """Whether the other side waits because a line has put it on hold by command."""
        return self.hold is not None and self.seats.line_of(self.hold.near) == line

    def begin_transfer(self, transfer: Transfer, where: str, now: float) -> None:
        """Begin a transfer whose target is known."""
        self._note(now, None, f"{self._who(transfer.referrer)} transfers", where)
        self.transfer = transfer
        self._switch.seek(transfer, now)

    @property
    def transferring(self) -> bool:
        """Whether a side of this talk is just being transferred, from here or to here."""
        to_here = isinstance(self.asked_by, Transfer) and self.asked_by.pending
        return to_here or (self.transfer is not None and self.transfer.pending)

    def decline(self, line: str, now: float) -> None:
        """Let a line's phone ring no more, as if it had declined."""
        self._note(now, None, "declined by command", line)
        self.follow(self._search.decline(line, now), now)

    def _who(self, leg: Leg) -> str:
        return "caller" if self.talk is not None and leg is self.talk.caller else str(self._answered_by)

    def is_on(self, line: str) -> bool:
        """Whether a line is in this call, talking or calling."""
        return line in self.seats.lines

    @property
    def searching(self) -> bool:
        """Whether somebody may still take the call."""
        return self.result is None and self.talk is None and self._search.hunting

    def let_take(self, fork: Fork) -> None:
        """Let phones ring beside those of the hunt: whoever answers there has picked the call up."""
        for leg in fork.legs:
            leg.owner = self
        self._search.let_take(fork)

    def take(self, fork: Fork, now: float) -> bool:
        """Connect a phone of ours that has called us to pick the call up; False where it is too late for that."""
        outcomes = self._search.take(fork, now) if self.searching else []
        if not outcomes or fork.answered is None:
            return False
        fork.answered.owner = self
        self._note(now, fork.member, "picked it up")
        self.follow(outcomes, now)
        return True

    def searched_by(self, leg: Leg) -> str | None:
        """Return the line that a leg of this call's search rings, None where it rings none."""
        return self._search.line_of(leg)

    def legs_of(self, line: str) -> list[Leg]:
        """Return the legs of this call's talk that are a line's."""
        return self.seats.legs_of(line, self.talk)

    def party_of(self, leg: Leg) -> Caller:
        """Return who is on a leg of this talk, as a caller."""
        if leg is self.leg:
            return self.caller
        return self._switch.party(self.seats.line_of(leg), str(self._answered_by))

    def transferred(self, referrer: Leg, now: float) -> None:
        """End this talk: its transferee talks elsewhere."""
        referrer.hang_up(None, now)
        self._note(now, None, "transferred")
        self._finish_talk(now)

    def transfer_failed(self, transfer: Transfer, now: float) -> None:
        """Go on as before, or end the talk where the referrer has hung up already."""
        self.transfer = None
        self._note(now, None, "the transfer failed")
        if transfer.referrer_gone and self.result is None:
            transfer.transferee.hang_up(None, now)
            self._finish_talk(now)

    def exchange_side(self, leaving: Leg, arriving: Leg, passage: Passage, now: float) -> None:
        """Put another leg in one's place, and hang the one up; media go the new way."""
        assert self.talk is not None
        self.end_hold()
        self.seats.leave(leaving)
        self.passage.close()
        self.passage = passage
        if leaving is self.talk.caller:
            self.leg = arriving
            self.talk = Talk(arriving, self.talk.member, passage)
        else:
            self.talk = Talk(self.talk.caller, arriving, passage)
        leaving.hang_up(None, now)
        self._note(now, None, "one side was transferred")

    def replace_side(
        self, leaving: Leg, arriving: Leg, line: str, who: str, passage: Passage, answer_follows: bool, now: float
    ) -> None:
        """Put a phone of a line in a leg's place; `answer_follows`: its ACK brings the answer for who stays."""
        assert self.talk is not None
        if leaving is self.talk.member:
            self._answered_by = who
        else:
            self.caller = self._switch.party(line, who)
        self.exchange_side(leaving, arriving, passage, now)
        self.seats.take(arriving, line)
        self._note(now, who, "took over", "INVITE with Replaces")
        if answer_follows:
            self.talk.await_answer(self.talk.other(arriving))

    def abandon(self, now: float) -> None:
        """End this call because who wanted it is gone."""
        if self.result is None:
            if self.talk is not None:
                self.talk.member.hang_up(None, now)
            else:
                self._search.step(CallerGone(), now)
            self.close(CallResult.ABANDONED, "the transferred caller gave up", now)

    def _on_ended(self, event: Ended, now: float) -> None:
        if self.result is not None:  # a leg that waited for its ACK to be hung up; its peer may talk elsewhere by now
            return
        talk = self.talk
        if isinstance(self.asked_by, Transfer) and self.asked_by.pending and talk is not None:
            self.close(CallResult.FAILED, "ended before the transfer was done", now)
            self.asked_by.reject(480, now)
        elif self.transfer is not None and self.transfer.pending and event.leg is self.transfer.referrer:
            self.transfer.referrer_gone = True  # as many phones do as soon as their REFER is taken
            self._note(now, None, f"{self._who(event.leg)} {event.why}, the transfer goes on")
        elif talk is not None and event.leg in (talk.caller, talk.member):
            if self.transfer is not None:
                self.transfer.transferee_gone(now)
            who = "caller" if event.leg is talk.caller else self._answered_by
            talk.other(event.leg).hang_up(event.reason, now)
            self._note(now, None, f"{who} {event.why}")
            self._finish_talk(now)
        elif event.leg is self.leg:
            self._note(now, None, f"caller {event.why}")
            self._search.step(CallerGone(), now)
            self._switch.tell(self, "abandoned")
            self.close(CallResult.ABANDONED, "the caller gave up", now)

    # -- the end ----------------------------------------------------------------------------------------------

    def _finish_talk(self, now: float) -> None:
        self._switch.tell(self, "ended", self._answered_by)
        self.close(CallResult.ANSWERED, f"answered by {self._answered_by}", now)

    def hang_up(self, now: float) -> None:
        """End the call from our side, whatever it is doing."""
        if self.result is not None:
            return
        if self.talk is not None:
            if self.transfer is not None:
                self.transfer.transferee_gone(now)
            self.talk.member.hang_up(None, now)
            if self.talk.caller.owner is self:  # else it is still another call's, in the midst of a transfer
                self.talk.caller.hang_up(None, now)
            self._finish_talk(now)
        else:
            self._search.step(CallerGone(), now)
            self._reject(480, now)
            self.close(CallResult.FAILED, "ended by the bridge", now)

    def leave(self, line: str, now: float) -> None:
        """End the call for a line; who has just transferred the other side leaves alone."""
        transfer = self.transfer
        if transfer is not None and transfer.pending and transfer.referrer in self.legs_of(line):
            transfer.referrer_gone = True
            self._note(now, None, f"{self._who(transfer.referrer)} hung up, the transfer goes on")
            transfer.referrer.hang_up(None, now)
        else:
            self.hang_up(now)

    def give_up(self, why: str, now: float) -> None:
        """End the search: nobody is to be rung any more."""
        if self.result is None:
            self._search.step(CallerGone(), now)
            self._reject(480, now)
            self._switch.tell(self, "missed", reason=why)
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
            self._steps += self._search.take_trace(self._began)
            self.record.close(came_to, result, self._steps, now)
            if self.talk is not None and self.group is not None and self._answered_by is not None:
                self._switch.agents.talk_over(self.group, self._answered_by, self.record.talk, now)
            self._note(now, None, "over", result)
            if self._directing is not None:
                self._directing.stop()
            self._switch.arm(self, None)
            self.end_hold()
            errands, self.errands = self.errands, set()
            for errand in errands:
                errand.call_over(now)
            self.seats.leave_all()
            self._switch.hunting(self, ())
            self._switch.closed(self)

    def _take_up(self, kept: Mapping[str, Any]) -> None:
        """Take up what was noted of a talk before the restart; its clock goes on from when it began."""
        assert self._answered_at is not None
        self.record.take_up(kept["record"], self._answered_by, str(kept["line"]))
        wall = self._switch.wall()
        self.record.began -= max(0.0, wall - self._since)
        self.record.connected_at = self.record.began + max(0.0, self._answered_at - self._since)

    # -- what others see ----------------------------------------------------------------------------------------

    def note(self, now: float, member: str | None, what: str, why: str = "") -> None:
        """Add a step to the story."""
        self._note(now, member, what, why)

    def note_diverted(self, member: str, number: str, now: float) -> None:
        """Keep in the story that a member's phone sends its calls elsewhere."""
        self._note(now, member, f"diverts to {number}", "its phone says so")

    def _note(self, now: float, member: str | None, what: str, why: str = "") -> None:
        self._steps.append(Step(round(now - self._began, 3), member, shown(what, 300), shown(why, 300)))

    def offers_to(self, member: str) -> int:
        """Return 1 where this call itself is being offered to the member, else 0."""
        return self._search.offers_to(member)

    def offered_lines(self) -> set[str]:
        """Return the lines that this call is being offered to."""
        return self._search.offered_lines

    def ringing_at(self, line: str) -> Sequence[OutgoingLeg]:
        """Return the legs of a line whose phone rings for this call."""
        return self._search.ringing_at(line)

    def ringing_members(self) -> tuple[str, ...]:
        """Return the members whose phones ring for this call."""
        return self._search.ringing

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
            since=self._since,
            ringing=self.ringing_members(),
            answered_by=self._answered_by,
            answered_at=self._answered_at,
            lines=tuple(sorted(line for line in self.seats.lines if not trunk_of(line))),
            rung=tuple(sorted(line for line in self.offered_lines() if not trunk_of(line))),
            held=self.hold is not None,
        )

    def story(self) -> Story:
        """Return every step so far, in order."""
        steps = sorted([*self._steps, *self._search.trace(self._began)], key=lambda step: step.at)
        return Story(self.status(), tuple(steps), self.result, tuple(self.dialogs))
