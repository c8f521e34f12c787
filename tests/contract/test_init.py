"""`cti-bridge init`: in a real terminal, and without one; what it writes serves calls, through stubborn PBXs too."""

from __future__ import annotations

import stat
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support.agent import ENVIRONMENT, Agent, Table
from tests.support.baresip import Baresip
from tests.support.kamailio import HOST, OUTSIDE, Kamailio
from tests.support.process import wait_until
from tests.support.sipp import Sipp
from tests.support.tmux import Tmux

COMMAND = [sys.executable, "-m", "bridge.cli"]


def init(config: Path, *words: str, said: str = "", code: int = 0) -> str:
    """Run init without a terminal; return what it said."""
    argv = [*COMMAND, "init", "--config", str(config), *words]
    done = subprocess.run(argv, env={**ENVIRONMENT, "PATH": "/usr/bin"}, input=said, capture_output=True, text=True)
    assert done.returncode == code, done
    return done.stdout + done.stderr


def files(directory: Path) -> list[str]:
    """Return everything that is there."""
    return sorted(str(each.relative_to(directory)) for each in directory.rglob("*"))


def test_interview_in_a_terminal(tmp_path: Path) -> None:
    """A FRITZ!Box, three phones, two groups, a button and a broker: the screens are those on file, and it is right.

    A wrong answer is told with what is right, and asked again; passwords are not shown while they are typed.
    """
    config = tmp_path / "cti-bridge.toml"
    with Tmux(tmp_path, [*COMMAND, "init", "--config", config], ENVIRONMENT) as terminal:
        terminal.answer("site [home]:")
        terminal.answer("PBX [1]:", "7")
        terminal.answer("PBX [1]:")
        terminal.answer("address [fritz.box]:", "127.0.0.2")
        terminal.answer("there [620]:")
        terminal.answer("[made up]:", "top-secret")
        terminal.answer("(y, n) [n]:", "y")
        terminal.answer("phone:", "Anna")
        terminal.answer("phone:", "Anna **611")
        terminal.wait_for("phone: Anna **611\n  phone:")
        terminal.looks_like("init-1", (str(tmp_path), "/DIRECTORY"))
        terminal.answer("phone:")
        terminal.answer("phone:", "Ben 202")
        terminal.answer("phone:", "Lobby 203")
        terminal.answer("phone:")
        terminal.answer("door) [none]:", "lobby")
        terminal.answer("group:", "Support 600")
        terminal.answer("commas [all]:")
        terminal.answer("ring [1]:")
        terminal.answer("group:", "Büro 601")
        terminal.answer("commas [all]:", "Anna, Cara")
        terminal.answer("commas [all]:", "Anna, Lobby")
        terminal.answer("ring [1]:", "2")
        terminal.answer("group:")
        terminal.answer("desk of:", "anna")
        terminal.answer("which group [Support]:")
        terminal.answer("GPIO [17]:")
        terminal.answer("GPIO [27]:", "17")
        terminal.wait_for("used already")
        terminal.looks_like("init-2")
        terminal.answer("GPIO [27]:")
        terminal.answer("desk of:")
        terminal.answer("localhost [none]:")
        terminal.answer("bridge [5060]:")
        terminal.answer("(y, n) [n]:")
        terminal.wait_for("[ended 0]")
        assert "top-secret" not in terminal.screen
    assert (tmp_path / "secrets/trunk-fritzbox").read_text() == "top-secret\n"
    assert "is right: 1 trunk, 3 lines, 2 users, 2 groups, 1 desk" in check(config)
    assert {mode(each) for each in (tmp_path / "secrets").iterdir()} == {"600"} and mode(tmp_path / "secrets") == "700"


@pytest.mark.parametrize("key, code", [("C-c", 130), ("C-d", 1)])
def test_who_leaves_the_interview_leaves_nothing(tmp_path: Path, key: str, code: int) -> None:
    """Ctrl-C and Ctrl-D end it at any question, without a trace and without a file."""
    with Tmux(tmp_path, [*COMMAND, "init", "--config", tmp_path / "c.toml"], ENVIRONMENT) as terminal:
        terminal.answer("site [home]:", "office")
        terminal.wait_for("PBX [1]:")
        terminal.type(key)
        terminal.wait_for(f"[ended {code}]")
        assert "nothing was written" in terminal.screen and "Traceback" not in terminal.screen
    assert files(tmp_path) == ["tmux"]


def test_questions_may_be_answered_by_a_program(tmp_path: Path) -> None:
    """Without a terminal the questions read standard input; where it ends too early, nothing is written."""
    config = tmp_path / "c.toml"
    assert "--answers FILE" in init(config, said="home\n5\n", code=1)
    assert not files(tmp_path)
    init(config, said="home\n5\nLobby 203\n\n\nHall 600\n\n\n\n\n\n\n")
    assert "1 line, 1 user, 1 group" in check(config)


def test_nothing_is_written_over_unasked(tmp_path: Path) -> None:
    """A configuration that is there stays, unless it is told; then the old one is kept, and phones keep passwords."""
    config = tmp_path / "c.toml"
    options = ("--own-phone", "Anna 201", "--group", "Support 600")
    init(config, *options)
    before, password = config.read_text(), (tmp_path / "secrets/line-anna").read_text()
    assert "--force" in init(config, *options, code=1)
    assert config.read_text() == before
    init(config, *options, "--own-phone", "Ben 202", "--force")
    assert (tmp_path / "secrets/line-anna").read_text() == password
    [kept] = tmp_path.glob("c.toml.before-*")
    assert kept.read_text() == before and "ben" in config.read_text()


def test_what_an_installation_begins_with_may_be_written_over(tmp_path: Path) -> None:
    """The skeleton of scripts/install is nobody's work; its permissions stay."""
    config = tmp_path / "c.toml"
    config.write_text((Path(__file__).parents[2] / "bridge/config/skeleton.toml").read_text())
    config.chmod(0o644)
    init(config, "--own-phone", "Anna 201")
    assert "[lines.anna]" in config.read_text() and mode(config) == "644"


def test_all_mistakes_in_answers_at_once(tmp_path: Path) -> None:
    """Each is named with its key and with what would be right; nothing is written."""
    answers = tmp_path / "answers.toml"
    answers.write_text(
        'pbx = "fax"\nphone = "x"\nown_phones = ["Anna", "Ben 201", "Cy 201"]\ngroups = ["G 600: Zoe"]\n'
    )
    said = init(tmp_path / "c.toml", "--answers", str(answers), code=2)
    for part in (
        "pbx: 'fax' is none of them",
        "phone: unknown",
        "own_phones[0]: 'Anna'",
        "own_phones[2]: Ben has",
        "no phone 'Zoe'",
    ):
        assert part in said
    assert "this is no TOML" in init(tmp_path / "c.toml", "--answers", "-", said="pbx = fax", code=2)
    assert "server: is missing" in init(tmp_path / "c.toml", "--pbx", "freepbx", code=2)
    assert files(tmp_path) == ["answers.toml"]


def test_no_secret_is_said(tmp_path: Path) -> None:
    """Neither to a terminal nor to a machine, unless somebody asks for it."""
    (tmp_path / "given").write_text("top-secret\n")
    options = ("--pbx", "provider", "--server", "sip.example.org", "--username", "4930", "--own-phone", "Anna 201")
    said = init(tmp_path / "c.toml", *options, "--password-file", str(tmp_path / "given"))
    said += init(tmp_path / "d.toml", *options, "--password-file", str(tmp_path / "given"), "--json")
    assert "top-secret" not in said and (tmp_path / "secrets/line-anna").read_text().strip() not in said
    assert "top-secret" not in (tmp_path / "c.toml").read_text()


# -- what it writes serves calls --------------------------------------------------------------------------------------


class Initialised(Agent):
    """A bridge whose configuration is what `init` wrote."""

    def __init__(self, directory: Path, recipe: str, *words: str) -> None:
        self._words = ("--pbx", recipe, *words, "--group", "Support 600")
        super().__init__(directory)

    def configure(self, **tables: Table) -> None:
        """Let init write it."""
        init(self.config, *self._words, "--listen", "127.0.0.1", "--port", str(self.port))


@pytest.fixture
def written(tmp_path: Path) -> Iterator[Callable[..., Agent]]:
    """Return what writes a configuration by init and serves it: `written("fritzbox", "--phone", ...)`."""
    with ExitStack() as stack:
        yield lambda *words: stack.enter_context(Initialised(tmp_path / "agent", *words))


@pytest.mark.parametrize(
    "recipe, manner, dial",
    [("fritzbox", "fritzbox", "**611"), ("freepbx", "asterisk", "611"), ("asterisk", "asterisk", "611")],
)
def test_recipe_of_a_pbx_serves_a_call(
    recipe: str,
    manner: str,
    dial: str,
    tmp_path: Path,
    sipp: Callable[..., Sipp],
    pbx: Callable[..., Kamailio],
    written: Callable[..., Agent],
) -> None:
    """A call from outside to the bridge's extension rings a phone behind the PBX, who answers; no INVITE is refused."""
    member = sipp("member_answers", talk=300)
    box = pbx(manner, phones={dial: member.port}, accounts={"620": "secret"})
    (tmp_path / "given").write_text("secret\n")
    account = ("--server", f"{HOST}:{box.port}", "--password-file", str(tmp_path / "given"))
    agent = written(recipe, *account, "--username", "620", "--phone", f"Anna {dial}")
    registered(agent, recipe, box)
    agent.login("support", "anna")
    options: dict[str, Any] = {"host": OUTSIDE, "service": "620", "keys": {"caller": "0301234"}, "talk": 300}
    caller = sipp("caller_stays_until_it_hangs_up", remote=box.port, remote_host=HOST, **options)
    for each in (caller, member):
        each.passed()
    agent.wait_idle()
    assert not [refused for refused in box.refused() if refused.startswith("INVITE")], box.report()


def test_recipe_of_a_provider_serves_a_call(
    tmp_path: Path,
    sipp: Callable[..., Sipp],
    pbx: Callable[..., Kamailio],
    written: Callable[..., Agent],
    phone: Callable[..., Baresip],
) -> None:
    """A call to the number at the provider rings a phone that registers at the bridge with its made-up password."""
    box = pbx("provider", accounts={"4930555": "secret"})
    (tmp_path / "given").write_text("secret\n")
    account = ("--server", f"{HOST}:{box.port}", "--password-file", str(tmp_path / "given"))
    agent = written("provider", *account, "--username", "4930555", "--own-phone", "Anna 201")
    registered(agent, "provider", box)
    anna = phone(number="201", server=agent.port, password=password_of(agent, "anna"))
    anna.wait_registered()
    agent.login("support", "anna")
    options: dict[str, Any] = {"host": OUTSIDE, "service": "4930555", "keys": {"caller": "0301234"}, "talk": 300}
    caller = sipp("caller_stays_until_it_hangs_up", remote=box.port, remote_host=HOST, **options)
    anna.wait_ringing()
    anna.answer()
    caller.passed()
    agent.wait_idle()


def test_recipe_without_a_pbx_serves_a_call(written: Callable[..., Agent], phone: Callable[..., Baresip]) -> None:
    """Two phones at the bridge: the one calls the group, the other rings."""
    agent = written("none", "--own-phone", "Anna 201", "--own-phone", "Lobby 203", "--device", "Lobby")
    anna, lobby = (
        phone(number=number, server=agent.port, password=password_of(agent, key))
        for number, key in (("201", "anna"), ("203", "lobby"))
    )
    for each in (anna, lobby):
        each.wait_registered()
    agent.login("support", "anna")
    lobby.dial("600")
    assert anna.wait_ringing()["peeruri"].startswith("sip:203@")
    anna.answer()
    lobby.wait("CALL_ESTABLISHED")
    lobby.hang_up()
    agent.wait_idle()


def registered(agent: Agent, trunk: str, box: Kamailio) -> None:
    """Wait until the trunk is registered."""
    wait_until(lambda: agent.ask("status")["trunks"][trunk]["state"] == "registered", box.report)


def password_of(agent: Agent, line: str) -> str:
    """Return a phone's password, where init left it."""
    return (agent.config.parent / "secrets" / f"line-{line}").read_text().strip()


def check(config: Path) -> str:
    """Return what `check` says of a configuration that it finds right."""
    argv: Sequence[str | Path] = [*COMMAND, "check", "--config", config]
    return subprocess.run(argv, env=dict(ENVIRONMENT), capture_output=True, text=True, check=True).stdout


def mode(path: Path) -> str:
    """Return a file's permissions, as chmod takes them."""
    return f"{stat.S_IMODE(path.stat().st_mode):o}"
