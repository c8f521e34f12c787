"""A laboratory with an office in it: users with phones, a group, codes, a menu, and the command path.

What phones ask of the command path is authorised, decided, committed after `commit` seconds, applied and told, as the
agent does it; what they hear is in `media`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from bridge.calls.model import ExchangeSettings, TrunkSettings
from bridge.calls.phones.services import Wish
from bridge.commands.authorise import authorise
from bridge.commands.decide import Decision, decide
from bridge.commands.model import CommandError, LoginCommand, NightCommand, Reply
from bridge.commands.night import decide_night
from bridge.directory.codes import Codes
from bridge.directory.instant import Instant
from bridge.directory.logins import LoginChange, Origin
from bridge.directory.model import Group, Level, Member, User
from bridge.directory.nights import Night, NightChange, Nights
from bridge.media.model import Key, Played, Sound
from bridge.sip.message import Body
from bridge.sip.outgoing import OutgoingLeg
from tests.support.lab import Lab
from tests.support.ways import ToldMedia, ToldSpeaker

CODES = Codes(login="*41", logout="*42", toggle="*43", pickup="*8", menu="*40", night="*44")
OFFER = Body(
    "application/sdp",
    b"v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8 0 101\r\n"
    b"a=rtpmap:101 telephone-event/8000\r\n",
)
PBX = ("10.0.9.9", 5060)
MENU = "700"


@dataclass
class PhoneLab(Lab):
    """m1 is Anna's line (201), m2 Ben's (202), m3 (203) a device; group g is 600, h is 601 without Anna.

    A trunk stands at `PBX`; the menu's number is 700, Anna's PIN 2907, Ben's 4711.
    """

    commit: float = 0.0
    told: ToldMedia = field(default_factory=ToldMedia)
    origins: list[Origin] = field(default_factory=list)
    changes: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.media = self.told
        trunk = TrunkSettings("pbx", PBX[0], register=False, number=MENU)
        self.settings = ExchangeSettings(trunks=(trunk,), pins={"anna": "2907", "ben": "4711"})
        self.logged_in = False
        self.nights = Nights()
        super().__post_init__()
        users = {"anna": User("anna", "Anna", "m1"), "ben": User("ben", "Ben", "m2")}
        people = (Member("anna", "m1"), Member("ben", "m2"), Member("m3", "m3", device=True))
        groups = {
            "g": replace(self.directory.groups["g"], members=people, member_level=Level.TEAM, **self.changes),
            "h": Group("h", "Sales", "601", (Member("ben", "m2"), Member("m3", "m3", device=True))),
        }
        self.configure(users=users, groups=groups, codes=CODES, menu=MENU)
        self.exchange.board.is_open = lambda group: self.nights.get(group.name).night is not Night.CLOSED
        self.exchange.start(self.now)
        self.add("pbx", PBX)

    def configure(self, **changes: Any) -> None:
        """Go by another directory."""
        self.directory = replace(self.directory, **changes)
        self.exchange.configure(self.directory, self.settings, self.now)

    def dial(self, phone: str, number: str, body: Body | None = OFFER) -> OutgoingLeg:
        """Dial a number and let happen what comes of it within a moment."""
        leg = self[phone].call(number, body)
        self.run(self.commit + 0.1)
        self[phone].accepted(leg)
        self.run(0)
        return leg

    def is_in(self, member: str, group: str = "g") -> bool:
        """Whether a member is logged in, confirmed."""
        return self.logins.get(group, member).logged_in

    # -- what phones hear ------------------------------------------------------------------------------------------

    @property
    def speaker(self) -> ToldSpeaker:
        """The voice that was opened last."""
        return self.told.speaker

    def hears(self) -> list[Sound]:
        """Return what is played now."""
        return list(self.speaker.playing)

    def said(self) -> None:
        """Let all that is played be over."""
        self.speaker.playing = ()
        self.exchange.voiced(Played(self.speaker.voice), self.now)
        self.run(0)

    def press(self, keys: str) -> None:
        """Press keys at the phone that was answered last."""
        for key in keys:
            self.exchange.voiced(Key(self.speaker.voice, key), self.now)
            self.run(0)

    # -- the command path ------------------------------------------------------------------------------------------

    def _collect(self) -> None:
        super()._collect()
        for wish in self.exchange.services.take_wishes():
            waiting = _Commit(self, wish)
            self.exchange.agenda.arm(waiting, self.now + self.commit)

    def grant(self, wish: Wish) -> None:
        """Do what was asked for, and tell."""
        self.origins.append(Origin.PHONE)
        try:
            authorise(wish.command, wish.actor, self.directory)
            decision = self._decide(wish)
        except CommandError as refused:
            self.exchange.replied(wish, Reply.refused(refused), self.now)
            return
        for change in decision.changes:
            if isinstance(change, LoginChange):
                self.logins.apply([change])
                self.exchange.login_changed(change.group, change.member, self.now)
            elif isinstance(change, NightChange):
                self.nights.apply([change])
                self.exchange.opening_changed(change.group, self.now)
        self.exchange.replied(wish, Reply(dict(decision.data)), self.now)

    def _decide(self, wish: Wish) -> Decision:
        now = Instant(self.now, 1_800_000_000.0 + self.now, True, 1_800_000_000.0)
        if isinstance(wish.command, NightCommand):
            return decide_night(wish.command, wish.actor, Origin.PHONE, self.directory, self.nights, now)
        assert isinstance(wish.command, LoginCommand)
        return decide(wish.command, wish.actor, Origin.PHONE, self.directory, self.logins, now)


class _Commit:
    """A command that is being written."""

    def __init__(self, lab: PhoneLab, wish: Wish) -> None:
        self.due: float | None = None
        self.lab = lab
        self.wish = wish

    def tick(self, now: float) -> None:
        """It is written."""
        self.lab.grant(self.wish)
