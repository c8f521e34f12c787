from __future__ import annotations

from pathlib import Path

import pytest

from bridge.cli.main import main
from bridge.cli.welcome import servers, welcome_text
from bridge.config.addresses import Listen
from bridge.config.find import EXAMPLE
from bridge.config.load import load
from tests.support.toml import changed, settings_of


def test_nothing_starts_on_mistakes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With mistakes in the configuration all are told, nothing is made or started, and the exit code is 2."""
    config = tmp_path / "cti-bridge.toml"
    config.write_text(changed("leaders", "leader").replace("gpio = 27", "gpio = 99"))
    state = tmp_path / "state"
    assert main(["run", "--config", str(config), "--state", str(state)]) == 2
    assert capsys.readouterr() == (
        "",
        f"cti-bridge: {config} has 2 mistakes:\n"
        "  groups.support.leader: unknown key; did you mean leaders? (line 32)\n"
        "  desks.anna.lamps[0].gpio: 99 is too large; right is 27 or less (line 46)\n",
    )
    assert not state.exists()


def test_the_example_or_a_configuration(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--example and --config exclude each other."""
    assert main(["run", "--example", "--config", str(tmp_path / "x.toml")]) == 2
    assert capsys.readouterr().err == "cti-bridge: --example and --config are given; serve one of them\n"


def test_the_welcome() -> None:
    """Whoever reads it can point a softphone at the bridge, log two members in and call them."""
    listening = [Listen("udp", "192.168.1.20", 5060), Listen("tcp", "192.168.1.20", 5060)]
    assert welcome_text(load(EXAMPLE, {}), listening, ".venv/bin/cti-bridge", " --control /c") == (
        "The bridge serves. Point a softphone at it:\n"
        "\n"
        "  server  192.168.1.20:5060 (UDP or TCP)\n"
        "\n"
        "  user  201   password anna-201\n"
        "  user  202   password ben-202\n"
        "  user  203   password lobby-203\n"
        "\n"
        "Only members who are logged in are rung. Log them in from another terminal:\n"
        "\n"
        "  .venv/bin/cti-bridge login 600 anna --control /c\n"
        "  .venv/bin/cti-bridge login 600 ben --control /c\n"
        "\n"
        "Everybody everywhere: .venv/bin/cti-bridge login all all --control /c\n"
        "\n"
        "Then call:\n"
        "\n"
        "  600  Support: rings all at once\n"
        "  601  Office: rings one after the other\n"
        "  602  Hotline: answers at once, with music until somebody is free\n"
        "\n"
        "What is up: .venv/bin/cti-bridge status --control /c\n"
        "Why a phone did not ring: .venv/bin/cti-bridge explain --control /c\n"
        "End with Ctrl-C.\n"
    )


def test_an_address_that_phones_can_reach() -> None:
    """Where every address is listened on, one is named that phones can be pointed at."""
    settings = load(EXAMPLE, {})
    ((server, transports),) = servers(settings, [Listen("udp", "0.0.0.0", 5062), Listen("tcp", "0.0.0.0", 5062)])
    assert transports == "UDP or TCP"
    assert server.endswith(":5062")
    assert not server.startswith("0.0.0.0")


def test_the_address_that_is_advertised() -> None:
    """An address to advertise is the one that phones are pointed at."""
    settings = settings_of(changed("registrar = {", 'advertise = "pi.lan"\nregistrar = {'))
    assert servers(settings, [Listen("udp", "0.0.0.0", 5060)]) == [("pi.lan:5060", "UDP")]
    assert servers(settings, [Listen("udp", "::1", 5060)]) == [("[::1]:5060", "UDP")]
