"""The exchange goes by another configuration while calls ring and talk."""

from __future__ import annotations

from dataclasses import replace

from bridge.calls.model import ExchangeSettings, TrunkSettings
from bridge.calls.status import LineState
from bridge.directory.model import Directory, Line, Member
from bridge.events import GroupCall, TrunkChanged
from bridge.sip.flow import Flow
from bridge.sip.message import Request
from bridge.sip.transaction import ServerTransaction
from tests.support.lab import Lab, Phone, answers

TRUNK = TrunkSettings("fritz", "10.0.2.1", username="620", password="secret", number="600")
OTHER = TrunkSettings("other", "10.0.2.2", username="621", password="secret")


def reload(
    lab: Lab,
    *,
    without: tuple[str, ...] = (),
    more: tuple[Line, ...] = (),
    settings: ExchangeSettings | None = None,
    groups: bool = True,
) -> None:
    """Let the laboratory's exchange go by lines that have come and gone."""
    lines = {name: line for name, line in lab.directory.lines.items() if name not in without}
    lines |= {line.name: line for line in more}
    kept = {
        name: replace(group, members=tuple(m for m in group.members if m.line in lines))
        for name, group in lab.directory.groups.items()
        if groups
    }
    lab.directory = Directory(lines, lab.directory.users, kept)
    lab.settings = settings or lab.settings
    lab.exchange.configure(lab.directory, lab.settings, lab.now)
    lab.run(0)


def test_talk_on_a_line_that_is_no_more_goes_on() -> None:
    """Whoever talks talks on, though the line has left the configuration, and either side can hang up."""
    lab = Lab()
    lab["m1"].on_invite = answers
    leg = lab["c1"].call("600")
    lab.run(1)
    assert lab["c1"].accepted(leg)
    reload(lab, without=("m1", "c1"))
    lab.run(60)
    assert [call.state for call in lab.exchange.calls()] == ["connected"]
    assert "BYE" not in lab.to("c1") + lab.to("m1")
    leg.hang_up(None, lab.now)
    lab.run(1)
    assert lab.ended("m1")
    assert lab.exchange.calls() == []


def test_ringing_phone_of_a_line_that_is_no_more_stops() -> None:
    """A line that leaves while it rings is rung no more; the others ring on."""
    lab = Lab(members=2)
    lab["c1"].call("600")
    lab.run(1)
    reload(lab, without=("m1",))
    assert "CANCEL" in lab.to("m1")
    assert "CANCEL" not in lab.to("m2")
    lab["m2"].leg.accept(None, lab.now)
    lab.run(1)
    assert [call.answered_by for call in lab.exchange.calls()] == ["m2"]


def test_search_in_a_group_that_is_no_more_ends() -> None:
    """Its caller gets 480, its phones stop, and the doors are told that the call was missed."""
    lab = Lab(members=2)
    lab["c1"].call("600")
    lab.run(1)
    reload(lab, groups=False)
    assert lab.to("c1")[-1] == "480 INVITE"
    assert "CANCEL" in lab.to("m1")
    missed = [event for event in lab.events if isinstance(event, GroupCall) and event.event_type == "missed"]
    assert [event.reason for event in missed] == ["it has left the configuration"]
    assert lab.exchange.calls() == []


def test_new_member_rings_at_the_next_call() -> None:
    """Who has come with the new configuration is rung by the next call."""
    lab = Lab(members=1)
    lab.add("m9", ("10.0.0.9", 5060))
    group = lab.directory.groups["g"]
    lab.directory = replace(
        lab.directory, groups={"g": replace(group, members=(*group.members, Member("m9", "m9", device=True)))}
    )
    reload(lab, more=(Line("m9", "209", contact="sip:m9@10.0.0.9:5060"),))
    lab.login("m9")
    lab["c1"].call("600")
    lab.run(1)
    assert "INVITE" in lab.to("m9")


def test_counts_are_right_after_a_line_has_changed_its_trunk() -> None:
    """What is on a line counts on the trunk that the line is behind now, and is given back there."""
    behind = Line("out", "250", trunk="fritz")
    lab = Lab(settings=ExchangeSettings(trunks=(replace(TRUNK, register=False), replace(OTHER, register=False))))
    lab.add("pbx", ("10.0.2.1", 5060)).on_invite = answers
    lab.add("pbx2", ("10.0.2.2", 5060)).on_invite = answers
    reload(lab, more=(behind,))
    lab.exchange.start(lab.now)
    leg = lab["c1"].call("250")
    lab.run(1)
    assert lab["c1"].accepted(leg)
    trunks = lab.exchange.upstream.trunks
    assert (trunks["fritz"].calls, trunks["other"].calls) == (1, 0)
    reload(lab, more=(replace(behind, trunk="other"),))
    assert (trunks["fritz"].calls, trunks["other"].calls) == (0, 1)
    assert lab.exchange.line("out").state is LineState.BUSY
    leg.hang_up(None, lab.now)
    lab.run(1)
    assert (trunks["fritz"].calls, trunks["other"].calls) == (0, 0)


def registrar(pbx: Phone) -> None:
    """Let a phone grant every registration, as a PBX does."""

    def grant(request: Request, transaction: ServerTransaction, flow: Flow, now: float) -> None:
        granted = {name: [request.get(name) or ""] for name in ("Contact", "Expires")}
        pbx.ua.answer(transaction, request, 200, now, granted)

    pbx.ua._on_new = grant  # type: ignore[method-assign]


def registers(lab: Lab, pbx: str) -> list[tuple[str, str]]:
    """Return the REGISTERs that a PBX got: user and Expires."""
    sent = [passed.message for passed in lab.sent(pbx, "REGISTER")]
    return [(m.from_.uri.user or "", m.get("Expires") or "") for m in sent if isinstance(m, Request)]


def test_trunks_come_go_and_change() -> None:
    """A trunk that goes is unregistered, one that comes registers; one that changes in what is ours alone does not."""
    lab = Lab(settings=ExchangeSettings(trunks=(TRUNK,)))
    for name, host in (("pbx", "10.0.2.1"), ("pbx2", "10.0.2.2")):
        registrar(lab.add(name, (host, 5060)))
    lab.exchange.start(lab.now)
    lab.run(1)
    assert [each.state for each in lab.exchange.trunks()] == ["registered"]
    reload(lab, settings=ExchangeSettings(trunks=(replace(TRUNK, max_calls=2),)))
    lab.run(1)
    assert registers(lab, "pbx") == [("620", "300")]
    reload(lab, settings=ExchangeSettings(trunks=(replace(TRUNK, expires=120),)))
    lab.run(1)
    assert registers(lab, "pbx") == [("620", "300"), ("620", "120")]
    reload(lab, settings=ExchangeSettings(trunks=(OTHER,)))
    lab.run(1)
    assert registers(lab, "pbx")[2:] == [("620", "0")]
    assert registers(lab, "pbx2") == [("621", "300")]
    assert [(each.trunk, each.state) for each in lab.exchange.trunks()] == [("other", "registered")]
    told = [event.trunk for event in lab.events if isinstance(event, TrunkChanged) and event.state == "lost"]
    assert told == []


def test_another_account_registers_once_the_old_one_has_left() -> None:
    """The same trunk with another user name: first it is unregistered, then the new one registers."""
    lab = Lab(settings=ExchangeSettings(trunks=(TRUNK,)))
    registrar(lab.add("pbx", ("10.0.2.1", 5060)))
    lab.delay = 0.02
    lab.exchange.start(lab.now)
    lab.run(1)
    reload(lab, settings=ExchangeSettings(trunks=(replace(TRUNK, username="999"),)))
    lab.run(1)
    assert registers(lab, "pbx") == [("620", "300"), ("620", "0"), ("999", "300")]
    left, came = lab.sent("pbx", "REGISTER")[1:]
    assert came.at > left.at


def test_passwords_change() -> None:
    """A phone that registers has to prove the new password; where it stands until then stays known."""
    phone = Line("desk", "240", registers=True)
    lab = Lab(more_lines=(phone,), settings=ExchangeSettings(passwords={"desk": "old"}))
    assert lab.exchange.registrar._lines["240"].password == "old"
    reload(lab, settings=ExchangeSettings(passwords={"desk": "new"}))
    assert lab.exchange.registrar._lines["240"].password == "new"
    reload(lab, without=("desk",), settings=ExchangeSettings())
    assert "240" not in lab.exchange.registrar._lines
