"""`cti-bridge test-call`: an independent phone tries the bridge, with no phone at hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.support.agent import ENVIRONMENT, Agent, group
from tests.support.process import Process

Bridges = Callable[..., Agent]
Phones = Callable[..., Process]

LINES = {
    name: {"number": number, "password": f"p-{name}"} for name, number in (("a", "201"), ("b", "202"), ("c", "203"))
}


@pytest.fixture
def office(bridge: Bridges) -> Agent:
    """A bridge with three phones that register, two of them in a group that rings one after the other."""
    return bridge(lines=LINES, groups={"support": group("600", "a", "b", strategy="sequential", ring_seconds=5)})


@pytest.fixture
def answering(office: Agent) -> Iterator[Phones]:
    """Return what starts a phone that takes calls, and waits until it is registered."""
    with ExitStack() as stack:

        def start(line: str, *options: str) -> Process:
            argv = office.argv("test-call", "--answer", "--line", line, *options)
            phone = stack.enter_context(Process(argv, env=ENVIRONMENT))
            phone.wait_for("ring here")
            return phone

        yield start


def call(office: Agent, number: str, *options: str, code: int = 0) -> Any:
    """Call a number; return what was found."""
    return office.cli("test-call", number, *options, code=code)


def codes(found: Any) -> list[int]:
    """Return the statuses that came."""
    return [each["code"] for each in found["statuses"]]


def test_a_whole_hunt_is_tried_with_no_phone_at_hand(office: Agent, answering: Phones) -> None:
    """One phone refuses, the next rings and answers: each status has its time, the tone of who answered is heard,
    keys arrive, and it is told who rang and what became of it.
    """
    busy = answering("a", "--refuse", "486")
    taken = answering("202", "--after", "0.3")
    found = call(office, "600", "--talk", "1", "--keys", "17#")
    assert codes(found) == [401, 100, 180, 200]
    assert [each["at"] for each in found["statuses"]] == sorted(each["at"] for each in found["statuses"])
    assert found["answered"] >= 0.3 and found["ended"] == "hung up here"
    assert found["sound"]["hertz"] == 660 and -20 < found["sound"]["level"] < -12
    assert found["rang"] == [{"member": "b", "at": found["rang"][0]["at"], "outcome": "answered"}]
    busy.wait_for("refused with 486")
    for said in ("203 calls", "answered", "pressed 1", "pressed 7", "pressed #", "hung up there"):
        taken.wait_for(said)


def test_nobody_answers(office: Agent, answering: Phones) -> None:
    """A call that rings in vain is given up with CANCEL, ends with 487 and with exit code 1; the other side is told."""
    phone = answering("b", "--after", "60")
    found = call(office, "202", "--wait", "1", code=1)
    assert codes(found) == [401, 100, 180, 487] and found["answered"] is None
    assert "nobody answered in 1 s" in found["ended"]
    phone.wait_for("gave up")


def test_a_phone_that_answers_may_end_the_call(office: Agent, answering: Phones) -> None:
    """It hangs up after its time to talk, tells what it heard, and ends by itself after so many calls."""
    phone = answering("b", "--after", "0", "--talk", "0.6", "--calls", "1")
    found = call(office, "202", "--talk", "20")
    assert found["ended"] == "hung up there" and found["sound"]["packets"] > 10
    assert phone.wait() == 0
    assert "440 Hz" in phone.output and "hung up here" in phone.output


def test_no_phone_is_left_behind(office: Agent, answering: Phones) -> None:
    """Both unregister when they end, whoever hung up."""
    phone = answering("b", "--after", "0", "--calls", "1")
    call(office, "202", "--talk", "0.5")
    assert phone.wait() == 0
    states = {name: line["contacts"] for name, line in office.ask("lines")["lines"].items()}
    assert states == {"a": [], "b": [], "c": []}


@pytest.mark.parametrize(
    ("words", "said", "code"),
    [
        (["600", "--line", "nobody"], "lines are: a, b, c", 2),
        (["600", "--keys", "1x"], "right are 0-9, *, # and A-D", 2),
        ([], "a NUMBER to call, or --answer", 2),
        (["600", "--trunk", "fritz"], "there is no trunk 'fritz'", 2),
        (["600", "--server", "127.0.0.1:99999", "--user", "u"], "right is a host name", 2),
        (["600", "--server", "127.0.0.1"], "--user", 2),
        (["600 ;x"], "is no number", 2),
    ],
)
def test_what_is_wrong_is_named(office: Agent, words: list[str], said: str, code: int) -> None:
    """A wrong option ends with 2 and says what would be right."""
    with Process(office.argv("test-call", *words), env=ENVIRONMENT) as command:
        assert command.wait() == code
        assert said in command.output


def test_a_wrong_password_is_told_in_the_servers_words(office: Agent) -> None:
    """It exits with 1, and the password is in nothing that it says."""
    with Process(
        office.argv("test-call", "600", "--server", f"127.0.0.1:{office.port}", "--user", "203"),
        env={**ENVIRONMENT, "CTI_BRIDGE_TEST_PASSWORD": "quite-wrong"},
    ) as command:
        assert command.wait() == 1
        assert "403" in command.output and "is the password right?" in command.output
        assert "quite-wrong" not in command.output
    assert json.dumps(office.ask("lines")).count("sip:203") == 0
