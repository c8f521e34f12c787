from __future__ import annotations

import json
from pathlib import Path

import pytest

from bridge.config.addresses import Broker, Listen, Server
from bridge.config.domain import directory_of, exchange_of, monitors_of
from bridge.config.find import EXAMPLE, find
from bridge.config.later import notices
from bridge.config.load import load
from bridge.config.problems import ConfigError
from bridge.config.settings import Settings
from bridge.directory.hours import Hours
from bridge.directory.model import Level, Member, Strategy
from tests.support.toml import OFFICE, changed, settings_of

CONTRACT = """\
[site]
name = "home"                                  # MQTT ids, Home Assistant device names

[sip]
listen = ["udp:0.0.0.0:5060", "tcp:0.0.0.0:5060"]
advertise = "192.168.1.20"                     # optional; default: the address the route to the peer uses
rtp_ports = [16384, 16583]
registrar = { enabled = true, realm = "cti-bridge", max_expires = 600 }

[trunks.fritz]                                 # an upstream PBX or provider
server = "sip:fritz.box"                       # host[:port][;transport=tcp|tls]
username = "620"
password = { file = "secrets/fritz" }
register = true                                # false: a static peer, calls accepted from its address only
expires = 300
number = "600"
max_calls = 4

[lines.anna]
number = "201"
trunk = "fritz"                                # reached through the trunk
dial = "**611"                                 # optional: what to dial there; default: the number
[lines.anna-mobile]
number = "205"
trunk = "fritz"
[lines.ben]
number = "202"
trunk = "fritz"
[lines.lobby]
number = "203"
password = { env = "LOBBY" }                   # attached: its phone registers at the bridge as 203
[lines.workshop]
number = "204"
contact = "sip:204@192.168.1.44:5060"          # attached without registering (static)
max_calls = 2                                  # at once; default 1

[users.anna]                                   # names: [a-z0-9_-]{1,32}
name = "Anna"
line = "anna"
second_line = "anna-mobile"
additional_lines = ["lobby"]
[users.ben]
line = "ben"

[groups.support]
number = "600"
name = "Support"
# a bare name is a user, else a line without a user (a device); the order is the list's
members = ["anna", "lobby", { user = "ben", tier = 2 }, { line = "workshop", login = "always" }]
leaders = ["anna"]
member_level = "team"
leader_level = "personal"
services = ["member_journal", "leader_journal", "supervise"]
last_out = "warn"
strategy = "sequential"
ring_seconds = 15
give_up_after = 120
overflow = "601"
hours = ["mon-fri 09:00-12:30", "mon-thu 13:30-17:00"]   # outside: overflow, or `closed = "..."`
prefix = "Support"
[groups.support.queue]
order = "longest-idle"                         # listed, round-robin, longest-idle, fewest-calls, random
queue_ring = "one"                             # or "all"
music = "default"
wrap_up = 10
max_waiting = 10

[codes]                                        # dialled from attached phones: code, then the group's number or name
login = "*41"
logout = "*42"
toggle = "*43"
pickup = "*8"
menu = "*40"

[mqtt]
broker = "mqtt://localhost:1883"               # mqtts:// with ca, cert, key; no [mqtt] section: no MQTT, all else works
username = "cti"
password = { file = "secrets/mqtt" }
prefix = "cti/home"                            # default: cti/<site name>
discovery = "device"                           # "entity" for Home Assistant before 2024.12, "off"
discovery_prefix = "homeassistant"

[desks.anna]                                   # what stands beside a phone
member = "anna"
buttons = [{ gpio = 17, press = "toggle support", hold = "logout all" }]
lamps = [{ gpio = 27, shows = "login support" }]
[desks.workshop]
member = "workshop"                            # required: in whose name the desk acts
panel = "/dev/serial/by-id/usb-panel"          # a serial panel: keys and lamps numbered from 1
buttons = [{ key = 1, press = "toggle support" }, { key = 2, press = "pickup support" }]
lamps = [{ lamp = 1, shows = "login support" }, { lamp = 2, shows = "waiting support" }]
"""


@pytest.fixture
def contract(tmp_path: Path) -> Settings:
    """Return the settings of a configuration that uses every section."""
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets/fritz").write_text("upstream\n")
    (tmp_path / "secrets/mqtt").write_text("broker\n")
    path = tmp_path / "cti-bridge.toml"
    path.write_text(CONTRACT)
    return load(path, {"LOBBY": "hush"})


def test_every_section_is_read(contract: Settings) -> None:
    """What is written as text arrives taken apart: addresses, brokers, secrets."""
    assert contract.sip is not None
    assert contract.sip.listen == (Listen("udp", "0.0.0.0", 5060), Listen("tcp", "0.0.0.0", 5060))
    assert contract.trunks["fritz"].server == Server("fritz.box", None, "udp")
    assert contract.trunks["fritz"].registers
    assert contract.mqtt is not None
    assert contract.mqtt.broker == Broker("localhost", 1883, False)
    assert contract.mqtt_prefix == "cti/home"
    assert contract.desks["anna"].buttons[0].hold == "logout all"


def test_the_directory(contract: Settings) -> None:
    """Members are told apart: users, devices, static ones."""
    directory = directory_of(contract)
    group = directory.groups["support"]
    assert group.members == (
        Member("anna", "anna"),
        Member("lobby", "lobby", device=True),
        Member("ben", "ben", tier=2),
        Member("workshop", "workshop", device=True, always=True),
    )
    assert (group.strategy, group.member_level, group.leader_level) == (
        Strategy.SEQUENTIAL,
        Level.TEAM,
        Level.PERSONAL,
    )
    assert directory.lines["lobby"].registers
    assert not directory.lines["anna"].registers
    assert directory.shown("anna") == "Anna"
    assert directory.shown("ben") == "ben"


def test_hours_schedules_and_what_comes_of_them() -> None:
    """Hours and schedules share one language; `closed` names a group by its number too."""
    keys = 'number = "601"\nhours = ["sat 10:00-14:00"]\nclosed = "600"\nauto_pause = 3\nauto_pause_seconds = 60.0'
    scheduled = changed('{ line = "lobby", tier = 1 }', '{ line = "lobby", schedule = ["mon-fri 09:00-12:30"] }')
    assert 'number = "601"' in scheduled
    groups = directory_of(settings_of(scheduled.replace('number = "601"', keys))).groups
    assert groups["office"].hours == Hours.of(["sat 10:00-14:00"])
    assert (groups["office"].closed, groups["office"].auto_pause) == ("support", 3)
    assert groups["office"].auto_pause_seconds == 60.0
    assert groups["support"].members[2].schedule == Hours.of(["mon-fri 09:00-12:30"])
    assert (groups["support"].hours, groups["support"].auto_pause) == (None, None)


def test_what_the_exchange_needs(contract: Settings) -> None:
    """Trunks and passwords go to the exchange as plain values; its text does not show them."""
    exchange = exchange_of(contract)
    assert exchange.passwords == {"lobby": "hush"}
    assert exchange.trunks[0].password == "upstream"
    assert (exchange.trunks[0].host, exchange.trunks[0].number, exchange.trunks[0].max_calls) == ("fritz.box", "600", 4)
    assert "hush" not in repr(exchange)
    assert "upstream" not in repr(exchange)


def test_defaults() -> None:
    """What is left out has the defaults that are promised."""
    settings = settings_of(OFFICE)
    group = directory_of(settings).groups["office"]
    assert (group.strategy, group.ring_seconds, group.give_up_after, group.retry_after) == (
        Strategy.PARALLEL,
        15.0,
        120.0,
        5.0,
    )
    assert (group.rounds, group.max_calls, group.services) == (None, None, frozenset({"supervise"}))
    assert settings.mqtt_prefix == "cti/home"
    assert settings.trunks["fritz"].expires == 300
    assert settings.lines["anna"].max_calls == 1


def test_no_services_at_all() -> None:
    """`services = []` is exactly no service, other than leaving it out."""
    settings = settings_of(changed('number = "601"', 'number = "601"\nservices = []'))
    assert directory_of(settings).groups["office"].services == frozenset()


def test_an_overflow_given_by_number() -> None:
    """A group's number as overflow means the group; another number stays what it is."""
    settings = settings_of(changed('number = "601"', 'number = "601"\noverflow = "600"'))
    assert directory_of(settings).groups["office"].overflow == "support"
    settings = settings_of(changed('number = "601"', 'number = "601"\noverflow = "0171234"'))
    assert directory_of(settings).groups["office"].overflow == "0171234"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("sip:pbx.lan:5080;transport=tcp", Server("pbx.lan", 5080, "tcp")),
        ("sip:[fd00::1]", Server("fd00::1", None, "udp")),
        ("SIP:192.168.1.1", Server("192.168.1.1", None, "udp")),
    ],
)
def test_servers(written: str, read: Server) -> None:
    """A trunk's server may have a port, a transport, an IPv6 address."""
    assert settings_of(changed("sip:fritz.box", written)).trunks["fritz"].server == read


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("true", ("fritz.box", 1012)),
        ('"192.168.178.1"', ("192.168.178.1", 1012)),
        ('"[fd00::1]:1013"', ("fd00::1", 1013)),
        ("false", None),
    ],
)
def test_call_monitors(written: str, read: tuple[str, int] | None) -> None:
    """A call monitor is at the trunk's server, or where it is said to be."""
    line = 'server = "sip:fritz.box"'
    assert monitors_of(settings_of(changed(line, f"{line}\ncall_monitor = {written}"))).get("fritz") == read


def test_who_may_see_what() -> None:
    """The site's level, what people grant, whom they like to see, and what a group's monitors show."""
    text = changed('name = "home"', 'name = "home"\nlevel = "business"')
    text = text.replace('line = "anna"', 'line = "anna"\ngrants = { ben = "team" }\nfavourites = ["ben", "lobby"]')
    directory = directory_of(settings_of(text.replace('number = "601"', 'number = "601"\nmonitor = ["login"]')))
    assert directory.site_level is Level.BUSINESS
    assert directory.users["anna"].grants == (("ben", Level.TEAM),)
    assert directory.users["anna"].favourites == ("ben", "lobby")
    assert directory.groups["office"].monitor == {"login"}
    assert directory.groups["support"].monitor == {"login", "line", "caller", "diversion"}


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("", "sip:203@127.0.0.1:5070"),
        ('name = "Lobby"', "Lobby"),
        ('name = "Lobby"\nprivate = true', "Lobby"),
        ("private = true", "lobby"),
    ],
)
def test_a_device_is_shown_under_its_address_unless_named(written: str, shown: str) -> None:
    """A private one, whose number is nobody's business, under its name in the configuration."""
    place = 'contact = "sip:203@127.0.0.1:5070"'
    assert directory_of(settings_of(changed(place, f"{place}\n{written}"))).shown("lobby") == shown


def test_the_addresses_of_lines() -> None:
    """A number is at home at its PBX, else at the bridge."""
    lines = directory_of(settings_of(OFFICE)).lines
    assert (lines["anna"].address, lines["ben"].address) == ("sip:201@cti-bridge", "sip:202@fritz.box")


def test_watched_lines() -> None:
    """A trunk's `watch` is for all lines behind it, attached ones have none."""
    line = 'server = "sip:fritz.box"'
    settings = settings_of(changed(line, f'{line}\nwatch = "dialog"'))
    assert exchange_of(settings).watched == {name for name, each in settings.lines.items() if each.trunk == "fritz"}
    assert notices(settings) == notices(settings_of(OFFICE))


def test_listening_on_ipv6_and_any_port() -> None:
    """IPv6 addresses stand in brackets; port 0 is any free one."""
    sip = settings_of(changed("udp:127.0.0.1:5060", "tcp:[::1]:0")).sip
    assert sip is not None
    assert sip.listen == (Listen("tcp", "::1", 0),)
    assert str(sip.listen[0]) == "tcp:[::1]:0"


def test_a_broker_over_tls(tmp_path: Path) -> None:
    """mqtts:// has a port of its own; certificates count from the configuration's directory."""
    (tmp_path / "ca.pem").touch()
    text = changed('"mqtt://localhost"', '"mqtts://pi.lan"\nca = "ca.pem"')
    mqtt = settings_of(text, base=tmp_path).mqtt
    assert mqtt is not None
    assert (mqtt.broker, mqtt.ca) == (Broker("pi.lan", 8883, True), tmp_path / "ca.pem")


def test_the_example_that_ships() -> None:
    """It is right, needs nothing, has no wish that is not fulfilled yet, and sets up what is promised."""
    settings = load(EXAMPLE, {})
    assert notices(settings) == []
    assert (settings.trunks, settings.mqtt) == ({}, None)
    directory = directory_of(settings)
    assert {line.number for line in directory.lines.values() if line.registers} == {"201", "202", "203"}
    assert directory.group_by_number["600"].strategy is Strategy.PARALLEL
    assert directory.group_by_number["601"].strategy is Strategy.SEQUENTIAL


def test_what_has_no_effect_yet() -> None:
    """Nothing, here and on a satellite."""
    assert notices(settings_of(changed('shows = "login support"', 'shows = "missed support"'))) == []
    satellite = {"mqtt": {"broker": "mqtt://localhost"}, "desks": {"anna": {"member": "anna", "lamps": [
        {"gpio": 27, "shows": "missed support"}]}}}  # fmt: skip
    assert notices(Settings.model_validate(satellite)) == []


def test_the_schema() -> None:
    """The JSON Schema knows every section, and how a secret and a member may be written."""
    schema = json.loads(json.dumps(Settings.model_json_schema()))
    assert set(schema["properties"]) == {
        *("site", "sip", "trunks", "lines", "users", "groups", "codes", "menu", "metrics", "mqtt", "desks"),
        *("outside", "phonebook", "blocklist"),
    }
    assert "register" in schema["$defs"]["TrunkSettings"]["properties"]
    assert len(schema["$defs"]["GroupSettings"]["properties"]["members"]["items"]["oneOf"]) == 2


def test_where_it_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--config`, then the variable, then the working directory."""
    monkeypatch.chdir(tmp_path)
    environ = {"CTI_BRIDGE_CONFIG": "/from/variable.toml"}
    assert find("/from/option.toml", environ) == Path("/from/option.toml")
    assert find(None, environ) == Path("/from/variable.toml")
    (tmp_path / "cti-bridge.toml").touch()
    assert find(None, {}) == Path("cti-bridge.toml")


def test_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a configuration it is said where it was looked for."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("bridge.config.find.PLACES", (Path("cti-bridge.toml"), tmp_path / "other.toml"))
    with pytest.raises(ConfigError) as caught:
        find(None, {})
    assert str(caught.value) == (
        f"there is no configuration at cti-bridge.toml and {tmp_path}/other.toml; "
        "name one with --config FILE or $CTI_BRIDGE_CONFIG, or try the example that ships with run --example"
    )


def test_a_lamp_may_have_three_colours() -> None:
    """Three pins, a colour for what it shows where not the usual; dimmed; lit by a low pin."""
    lamp = '{ gpio = { red = 5, green = 6, blue = 13 }, shows = "login support", brightness = 0.3, active_low = true, '
    lamp += 'colours = { on = "green", ringing = "red" } }'
    text = changed('{ gpio = 27, shows = "login support" }', lamp)
    found = settings_of(text).desks["anna"].lamps[0]
    assert (found.pins, found.brightness, found.active_low) == ((5, 6, 13), 0.3, True)
    assert (found.colours.on, found.colours.ringing, found.colours.paused) == ("green", "red", None)
