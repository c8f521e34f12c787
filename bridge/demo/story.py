"""The story of the demo: what is done, and the evidence that what should come of it has really happened.

A step returns what was seen, for people, and raises `Missing` with what was not. Evidence is taken where it shows:
at the phones, at the caller (another SIP stack in another process), at the lamp, and at the bridge's control socket.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from bridge.demo.script import CALLER
from bridge.demo.stage import Missing, Stage
from bridge.phone.model import Connected, Over, Registered, Rings, Unregistered

_BLINKS = 4  # changes of the lamp that make a blinking
_NEAR = 3  # Hz that a tone may be off, as it is measured


class Step(NamedTuple):
    """One step: its short name, what people are told is going on, and what it does."""

    name: str
    title: str
    does: Callable[[Stage], Awaitable[str]]


async def bridge_serves(stage: Stage) -> str:
    """Start the bridge; it has to answer at its control socket."""
    await stage.start_bridge()
    status = await stage.ask("status")
    return f"it serves SIP at {stage.server}, version {status['version']}"


async def phones_register(stage: Stage) -> str:
    """Register three phones of our stack and one of another; the bridge has to know where each is."""
    for name in ("anna", "ben", "cara"):
        await stage.start_phone(name)
    caller = await stage.start_caller()
    for name, phone in stage.phones.items():
        said = await phone.diary.until(lambda e: isinstance(e, Registered | Unregistered), stage.script.patience)
        if said is None or isinstance(said.what, Unregistered):
            why = said.what.reason if said and isinstance(said.what, Unregistered) else "no answer"
            raise Missing(f"{name.title()}'s phone was not registered: {why}")
    await stage.caller_says("the caller was not registered", 0, event="registered")
    lines = (await stage.ask("lines"))["lines"]
    unknown = [name for name, line in lines.items() if not line["reachable"]]
    if unknown:
        raise Missing(f"the bridge knows no contact of {', '.join(unknown)}")
    return f"all proved their passwords; the caller is pyVoIP, process {caller.pid}"


async def nobody_is_rung(stage: Stage) -> str:
    """Call a group without anybody logged in; the caller has to be refused at once, and no phone to ring."""
    marks = stage.marks()
    since = stage.caller.tell("call", number=stage.script.parallel)
    began, _ = await stage.caller_says("the caller's INVITE was not sent", since, event="calling")
    await stage.caller_says("the call was not refused", since, event="over", why="refused")
    refusals = [e for e in stage.caller.diary.entries[since:] if e.what.get("code", 0) >= 300 and e.what["code"] != 401]
    at, told = refusals[-1]
    if told["code"] != 480:
        raise Missing(f"480 was not the answer: it was {told['code']} {told['phrase']}")
    if stage.rang(marks):
        raise Missing(f"the phones did not stay silent: {', '.join(stage.rang(marks))} rang")
    return f"refused with 480 {told['phrase']} after {_ms(at - began)}; no phone rang"


async def button_logs_in(stage: Stage) -> str:
    """Press the button; the lamp has to become steady and the login to be confirmed, as the button's."""
    pressed = await stage.press()
    lit = await stage.lamp_stays(True, "the lamp did not become steady")
    await _login_is(stage, "anna", "ON", "button")
    return f"the lamp is steady, {_ms(lit - pressed)} after the press; the login is confirmed, by the button"


async def command_logs_in(stage: Stage) -> str:
    """Log in from the command line, a process of its own; the login has to be confirmed, as the socket's."""
    words = ("login", "support", stage.script.colleague)
    said = await stage.command(*words)
    await stage.command("login", "office", "all")
    await _login_is(stage, "ben", "ON", "control")
    return f"$ cti-bridge {' '.join(words)}\n{said}"


async def all_logged_in_ring(stage: Stage) -> str:
    """Call the parallel group: both who are logged in have to ring, the third not, and the lamp to blink."""
    marks, blinks = stage.marks(), len(stage.lamp)
    since = stage.caller.tell("call", number=stage.script.parallel, tone=stage.script.caller_tone)
    rings = [
        await stage.phone_says(name, Rings, f"{name.title()}'s phone did not ring", marks[name])
        for name in ("anna", "ben")
    ]
    await stage.caller_says("the caller was not told that it rings", since, event="status", code=180)
    if any(each.caller != CALLER for _, each in rings):
        raise Missing(f"the phones did not show the caller's number, {CALLER}")
    await stage.until(lambda: len(stage.lamp) - blinks >= _BLINKS, "the lamp did not blink while it rang")
    if stage.rang(marks) != ["anna", "ben"]:
        raise Missing(f"the phones of those alone who are logged in did not ring: {', '.join(stage.rang(marks))} rang")
    return f"Anna's and Ben's phones ring and show {CALLER}, Cara's is silent; the lamp blinks fast"


async def one_answers(stage: Stage) -> str:
    """Let Ben answer: both have to hear each other, Anna's phone to be told why it stops."""
    marks = stage.marks()
    await _answers(stage, "ben", marks)
    _, over = await stage.phone_says("anna", Over, "Anna's phone did not stop ringing", marks["anna"])
    if not over.elsewhere:
        raise Missing("Anna's phone was not told that the call was answered elsewhere")
    heard = await _hear_each_other(stage, "ben")
    await stage.lamp_stays(True, "the lamp did not become steady again")
    return f"{heard}\nAnna's phone was told: answered elsewhere"


async def caller_hangs_up(stage: Stage) -> str:
    """Let the caller hang up: Ben's phone has to be told, and no call to be left."""
    marks = stage.marks()
    stage.caller.tell("hang_up")
    await stage.phone_says("ben", Over, "Ben's phone was not told that the caller hung up", marks["ben"])
    await _no_call_is_left(stage)
    return "Ben's phone was told; no call is left at the bridge"


async def one_after_the_other(stage: Stage) -> str:
    """Call the sequential group: Anna's phone has to ring alone and in vain, then Ben's, who answers."""
    marks = stage.marks()
    seconds = stage.script.ring_seconds
    since = stage.caller.tell("call", number=stage.script.sequential, tone=stage.script.caller_tone)
    first, _ = await stage.phone_says("anna", Rings, "Anna's phone did not ring first", marks["anna"])
    patience = stage.script.patience + seconds
    second, _ = await stage.phone_says("ben", Rings, "Ben's phone did not ring after Anna's", marks["ben"], patience)
    _, over = await stage.phone_says("anna", Over, "Anna's phone did not stop ringing", marks["anna"])
    if over.elsewhere or second - first < 0.9 * seconds:
        raise Missing(f"Anna's phone was not given its {seconds:g} s: Ben's rang after {second - first:.1f} s")
    await _answers(stage, "ben", marks)
    heard = await _hear_each_other(stage, "ben")
    ben = stage.phones["ben"]
    ben.do(ben.phone.hang_up)
    await stage.caller_says("the caller was not told that Ben hung up", since, event="over", why="hung up there")
    await _no_call_is_left(stage)
    return f"Anna's phone rang {second - first:.1f} s in vain, then Ben's; he answered, and hung up\n{heard}"


async def button_logs_out(stage: Stage) -> str:
    """Press the button again; the lamp has to go dark and the logout to be confirmed."""
    pressed = await stage.press()
    dark = await stage.lamp_stays(False, "the lamp did not go dark")
    await _login_is(stage, "anna", "OFF", "button")
    return f"the lamp is dark, {_ms(dark - pressed)} after the press; the logout is confirmed"


async def caller_gives_up(stage: Stage) -> str:
    """Call once more and give up: Ben's phone alone has to ring, and to stop as a missed call."""
    marks = stage.marks()
    since = stage.caller.tell("call", number=stage.script.parallel)
    await stage.phone_says("ben", Rings, "Ben's phone did not ring", marks["ben"])
    stage.caller.tell("cancel")
    await stage.caller_says("the caller's CANCEL did not end the call", since, event="over", why="cancelled")
    _, over = await stage.phone_says("ben", Over, "Ben's phone did not stop ringing", marks["ben"])
    if over.elsewhere:
        raise Missing("Ben's phone was not told of a missed call, but of one answered elsewhere")
    if stage.rang(marks) != ["ben"]:
        raise Missing(f"Ben's phone was not the only one that rang: {', '.join(stage.rang(marks))} did")
    await _no_call_is_left(stage)
    if stage.rang({}) != ["anna", "ben"]:
        raise Missing("Cara's phone did not stay silent, though she was never logged in")
    return "Ben's phone alone rang, and stopped as a missed call"


STORY = (
    Step("bridge", "A bridge starts: registrar, two groups, a desk with a button and a lamp.", bridge_serves),
    Step(
        "register", "Anna, Ben and Cara plug their phones in; so does a caller, on another SIP stack.", phones_register
    ),
    Step("nobody", "Nobody is logged in. The caller calls 600.", nobody_is_rung),
    Step("button-in", "Anna presses the button beside her phone.", button_logs_in),
    Step("command-in", "Ben logs in from a terminal, as over SSH.", command_logs_in),
    Step("parallel", "The caller calls 600 again: all at once.", all_logged_in_ring),
    Step("answer", "Ben answers.", one_answers),
    Step("hang-up", "The caller hangs up.", caller_hangs_up),
    Step("sequential", "The caller calls 601: one after the other. Anna does not answer.", one_after_the_other),
    Step("button-out", "Anna presses the button again.", button_logs_out),
    Step("give-up", "The caller calls 600 and gives up before anybody answers.", caller_gives_up),
)


# -- evidence that several steps take -----------------------------------------------------------------------------


async def _login_is(stage: Stage, member: str, login: str, origin: str) -> None:
    state = await stage.ask("member", group="support", member=member)
    if (state["login"], state["origin"]) != (login, origin):
        now = f"{state['login']} by {state['origin'] or 'nobody'}"
        raise Missing(f"{member.title()}'s login in support did not become {login} by {origin}: it is {now}")


async def _answers(stage: Stage, name: str, marks: dict[str, int]) -> None:
    since = len(stage.caller.diary)
    phone = stage.phones[name]
    phone.do(phone.phone.answer)
    await stage.caller_says("the caller did not get the answer", since, event="answered")
    await stage.phone_says(name, Connected, f"{name.title()}'s phone was not told that the caller has it", marks[name])
    [call] = (await stage.ask("calls"))["calls"]
    if (call["state"], call["answered_by"]) != ("connected", name):
        raise Missing(f"the bridge did not connect the call to {name.title()}: it is {call['state']}")


async def _hear_each_other(stage: Stage, name: str) -> str:
    """Wait until both hear the other's tone; return what they hear."""
    here = await _caller_hears(stage, stage.script.phone_tone or 440)
    phone = stage.phones[name].phone
    wanted = stage.script.caller_tone or 1000

    def hears() -> bool:
        heard = phone.heard()
        return heard is not None and heard.hertz is not None and abs(heard.hertz - wanted) <= _NEAR

    await stage.until(hears, f"{name.title()} did not hear the caller's tone of {wanted} Hz")
    there = phone.heard()
    assert there is not None
    return (
        f"the caller hears {here['hertz']} Hz at {here['level']} dB, "
        f"{name.title()} {there.hertz} Hz at {there.level} dB"
    )


async def _caller_hears(stage: Stage, wanted: int) -> dict[str, float]:
    """Have the caller listen until it hears a tone; return what it tells then."""
    what = f"the caller did not hear a tone of {wanted} Hz"
    end = len(stage.caller.diary)
    heard: dict[str, float] = {}

    async def listen() -> bool:
        _, told = await stage.caller_says(what, stage.caller.tell("listen"), event="heard")
        heard.update(told)
        return told["hertz"] is not None and abs(told["hertz"] - wanted) <= _NEAR

    for _ in range(int(stage.script.patience / 0.1)):
        if await listen():
            return heard
        await stage.caller.until(0.1, end, event="over")
    raise Missing(f"{what}, but {heard.get('hertz')} Hz at {heard.get('level')} dB")


async def _no_call_is_left(stage: Stage) -> None:
    calls = (await stage.ask("calls"))["calls"]
    if calls:
        raise Missing(f"the bridge did not end the call: it still has {len(calls)}")


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"
