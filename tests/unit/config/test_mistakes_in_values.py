from __future__ import annotations

import pytest

from tests.support.toml import OFFICE, changed, mistakes

CASES: dict[str, tuple[str, str, str]] = {
    "a misspelt key is met with the right one": (
        "leaders =",
        "leader =",
        "groups.support.leader: unknown key; did you mean leaders? (line 32)",
    ),
    "a key like no other is met with all there are": (
        'login = "*41"',
        'dinner = "*41"',
        "codes.dinner: unknown key; known here are login, logout, toggle, pickup, menu, night (line 38)",
    ),
    "a misspelt section is met with the right one": (
        "[codes]\nlogin",
        "[coeds]\nlogin",
        "coeds: unknown key; did you mean codes? (line 37)",
    ),
    "a misspelt key in an inline table": (
        "tier = 1",
        "tire = 1",
        "groups.support.members[2].tire: unknown key; did you mean tier? (line 31)",
    ),
    "a number where text is right": (
        'number = "201"',
        "number = 201",
        'lines.anna.number: 201 is a number; write it as text, "201" (line 15)',
    ),
    "true where text is right": (
        'number = "201"',
        "number = true",
        "lines.anna.number: true is not text; write text in quotes (line 15)",
    ),
    "text where a whole number is right": (
        "tier = 1",
        'tier = "1"',
        "groups.support.members[2].tier: '1' is not a whole number; write one without quotes and point, as in 4 "
        "(line 31)",
    ),
    "a broken number where a whole one is right": (
        "gpio = 17",
        "gpio = 17.5",
        "desks.anna.buttons[0].gpio: 17.5 is not a whole number; write one without quotes and point, as in 4 (line 45)",
    ),
    "text where a number is right": (
        'number = "601"',
        'number = "601"\nring_seconds = "15"',
        "groups.office.ring_seconds: '15' is not a number; write one without quotes, as in 15 or 2.5 (line 35)",
    ),
    "infinity where a number is right": (
        'number = "601"',
        'number = "601"\nring_seconds = inf',
        "groups.office.ring_seconds: inf is not a number; write one without quotes, as in 15 or 2.5 (line 35)",
    ),
    "text where true or false is right": (
        "enabled = true",
        'enabled = "yes"',
        "sip.registrar.enabled: 'yes' is not a flag; write true or false, without quotes (line 6)",
    ),
    "text where a list is right": (
        'leaders = ["anna"]',
        'leaders = "anna"',
        "groups.support.leaders: 'anna' is not a list; write one in brackets, [...] (line 32)",
    ),
    "text where a table is right": (
        "registrar = { enabled = true }",
        'registrar = "on"',
        "sip.registrar: 'on' is not a table; write keys and values under a heading in brackets, or { key = value } "
        "(line 6)",
    ),
    "a duration below the least": (
        'number = "601"',
        'number = "601"\nring_seconds = -5',
        "groups.office.ring_seconds: -5 is too small; right is 1 or more (line 35)",
    ),
    "a duration beyond the most": (
        'number = "601"',
        'number = "601"\ngive_up_after = 1e9',
        "groups.office.give_up_after: 1000000000.0 is too large; right is 86400 or less (line 35)",
    ),
    "a GPIO that no Pi has": (
        "gpio = 27",
        "gpio = 28",
        "desks.anna.lamps[0].gpio: 28 is too large; right is 27 or less (line 46)",
    ),
    "a strategy that there is not": (
        'number = "601"',
        'number = "601"\nstrategy = "sequental"',
        "groups.office.strategy: 'sequental' is not known; right are parallel, sequential, queue "
        "(did you mean sequential?) (line 35)",
    ),
    "an exit key that no phone has": (
        'number = "601"',
        'number = "601"\nqueue = { exit_key = "00", exit_to = "600" }',
        "groups.office.queue.exit_key: '00' is not a key of a phone; right is one of 0-9, * and #, "
        'as in "0" (line 35)',
    ),
    "announcements without a pause": (
        'number = "601"',
        'number = "601"\nqueue = { announce = 1.0 }',
        "groups.office.queue.announce: 1.0 is too small; right is 10 or more (line 35)",
    ),
    "an order that there is not": (
        'number = "601"',
        'number = "601"\norder = "best"',
        "groups.office.order: 'best' is not known; right are listed, round-robin, longest-idle, fewest-calls, random "
        "(line 35)",
    ),
    "a site-wide level that there is not": (
        'name = "home"',
        'name = "home"\nlevel = "all"',
        "site.level: 'all' is not known; right are none, public, business, team, personal (line 3)",
    ),
    "a granted level that there is not": (
        'line = "ben"',
        'line = "ben"\ngrants = { anna = "all" }',
        "users.ben.grants.anna: 'all' is not known; right are none, public, business, team, personal (line 28)",
    ),
    "a login that cannot be one": (
        'line = "ben"',
        'line = "ben"\nunix = "ben ben"',
        "users.ben.unix: 'ben ben' is no login; write the name that logs in on this machine (line 28)",
    ),
    "a field that no monitor has": (
        'number = "601"',
        'number = "601"\nmonitor = ["login", "talks"]',
        "groups.office.monitor[1]: 'talks' is not known; right are login, line, caller, diversion (line 35)",
    ),
    "a level that there is not": (
        'number = "601"',
        'number = "601"\nmember_level = "boss"',
        "groups.office.member_level: 'boss' is not known; right are none, public, business, team, personal (line 35)",
    ),
    "a service that there is not": (
        'number = "601"',
        'number = "601"\nservices = ["supervize"]',
        "groups.office.services[0]: 'supervize' is not known; right are member_journal, leader_journal, supervise "
        "(did you mean supervise?) (line 35)",
    ),
    "a login that is not always": (
        "tier = 1",
        'login = "never"',
        "groups.support.members[2].login: 'never' is not known; right is always (line 31)",
    ),
    "a restart that there is not": (
        "tier = 1",
        'restart = "maybe"',
        "groups.support.members[2].restart: 'maybe' is not known; "
        'right are "keep", "reset" or "keep-if-younger-than 8h" (line 31)',
    ),
    "a restart without its duration": (
        "tier = 1",
        'restart = "keep-if-younger-than soon"',
        "groups.support.members[2].restart: 'keep-if-younger-than soon' has no duration at its end; "
        'right are "keep", "reset" or "keep-if-younger-than 8h" (line 31)',
    ),
    "a name with capitals and spaces": (
        'name = "home"',
        'name = "My Home"',
        "site.name: 'My Home' is not a name; right are 1 to 32 of a-z, 0-9, _ and - (line 2)",
    ),
    "a section's name with capitals": (
        "[desks.anna]",
        "[desks.Anna]",
        "desks.Anna: 'Anna' is not a name; right are 1 to 32 of a-z, 0-9, _ and - (line 43)",
    ),
    "a number with spaces": (
        'number = "202"',
        'number = "20 2"',
        "lines.ben.number: '20 2' is not a number; right are 1 to 64 of 0-9, *, #, +, letters, dot, _ and -, "
        "without spaces (line 18)",
    ),
    "a transport that we do not listen on": (
        "udp:127.0.0.1:5060",
        "sctp:127.0.0.1:5061",
        "sip.listen[0]: 'sctp:127.0.0.1:5061' does not begin with udp:, tcp: or tls:; "
        'write "udp:0.0.0.0:5060" or "tcp:0.0.0.0:5060" (line 5)',
    ),
    "a port that there is not": (
        "udp:127.0.0.1:5060",
        "udp:127.0.0.1:70000",
        "sip.listen[0]: 'udp:127.0.0.1:70000': the port must be 0 to 65535 (0: any free one); "
        'write "udp:0.0.0.0:5060" or "tcp:0.0.0.0:5060" (line 5)',
    ),
    "a host name to listen on": (
        "udp:127.0.0.1:5060",
        "udp:eth0:5060",
        "sip.listen[0]: 'udp:eth0:5060': 'eth0' is not an IP address; "
        'write "udp:0.0.0.0:5060" or "tcp:0.0.0.0:5060" (line 5)',
    ),
    "an IPv6 address without brackets": (
        "udp:127.0.0.1:5060",
        "udp:::1:5060",
        "sip.listen[0]: 'udp:::1:5060': an IPv6 address needs brackets; write udp:[::]:5060 (line 5)",
    ),
    "nothing to listen on": (
        'listen = ["udp:127.0.0.1:5060"]',
        "listen = []",
        'sip.listen: is empty; write "udp:0.0.0.0:5060", or leave it out for both udp and tcp (line 5)',
    ),
    "an address to advertise that is none": (
        "registrar = { enabled = true }",
        'advertise = "here there"',
        "sip.advertise: 'here there' is neither an IP address nor a host name; "
        'write "192.168.1.20" or "pi.lan" (line 6)',
    ),
    "a server without its scheme": (
        "sip:fritz.box",
        "fritz.box",
        "trunks.fritz.server: 'fritz.box' does not begin with sip:; "
        'write "sip:fritz.box" or "sip:192.168.1.1:5060;transport=tcp" (line 9)',
    ),
    "a server with a user name": (
        "sip:fritz.box",
        "sip:620@fritz.box",
        "trunks.fritz.server: 'sip:620@fritz.box' has a user name; give that as username of its own, and "
        'write "sip:fritz.box" or "sip:192.168.1.1:5060;transport=tcp" (line 9)',
    ),
    "a server over TLS is refused rather than called in the clear": (
        "sip:fritz.box",
        "sips:fritz.box;transport=udp",
        "trunks.fritz.server: 'sips:fritz.box;transport=udp': transport 'udp' is not known there; "
        'write "sip:fritz.box" or "sip:192.168.1.1:5060;transport=tcp" (line 9)',
    ),
    "TLS without a certificate": (
        '"udp:127.0.0.1:5060"',
        '"tls:127.0.0.1:5061"',
        "sip.tls.cert: is missing; who listens on tls: needs a certificate, give sip.tls.cert and key (line 4)",
    ),
    "a call monitor that is no address": (
        'server = "sip:fritz.box"',
        'server = "sip:fritz.box"\ncall_monitor = "here there"',
        "trunks.fritz.call_monitor: 'here there' is not a host and port; "
        'write true, or "192.168.178.1:1012" where it is not at the trunk\'s server (line 10)',
    ),
    "a server with a port that there is not": (
        "sip:fritz.box",
        "sip:fritz.box:99999",
        "trunks.fritz.server: URI 'sip:fritz.box:99999': port must be 1 to 65535; "
        'write "sip:fritz.box" or "sip:192.168.1.1:5060;transport=tcp" (line 9)',
    ),
    "a contact that is no URI": (
        "sip:203@127.0.0.1:5070",
        "203 at the lobby",
        "lines.lobby.contact: URI '203 at the lobby': the scheme must be sip, sips or tel; "
        'write "sip:204@192.168.1.44:5060" (line 22)',
    ),
    "a contact of another transport": (
        "sip:203@127.0.0.1:5070",
        "sip:203@127.0.0.1;transport=sctp",
        "lines.lobby.contact: 'sip:203@127.0.0.1;transport=sctp': transport must be udp, tcp or tls; "
        'write "sip:204@192.168.1.44:5060" (line 22)',
    ),
    "a broker of another scheme": (
        "mqtt://localhost",
        "http://localhost",
        "mqtt.broker: 'http://localhost' does not begin with mqtt:// or mqtts://; "
        'write "mqtt://localhost:1883", or mqtts:// for TLS (line 41)',
    ),
    "a broker with a password in it, which is not repeated": (
        "mqtt://localhost",
        "mqtt://cti:hush@localhost",
        "mqtt.broker: has a user name in it; give username and password as keys of their own, and "
        'write "mqtt://localhost:1883", or mqtts:// for TLS (line 41)',
    ),
    "a prefix with a wildcard": (
        'broker = "mqtt://localhost"',
        'broker = "mqtt://localhost"\nprefix = "cti/#"',
        "mqtt.prefix: 'cti/#' cannot begin topics; write words with / between, as in \"cti/home\" (line 42)",
    ),
    "a certificate that is not there": (
        "mqtt://localhost",
        'mqtts://localhost"\nca = "ca.pem',
        "mqtt.ca: there is no file 'ca.pem'; right is the path of a PEM file (line 42)",
    ),
    "a code that is a number": (
        '"*41"',
        '"41"',
        "codes.login: '41' is not a code; right is * or # and 1 to 7 more of 0-9, * and #, as in \"*41\" (line 38)",
    ),
    "opening hours that are none": (
        'number = "601"',
        'number = "601"\nhours = ["9 to 5"]',
        'groups.office.hours[0]: \'9 to 5\' are no hours; write "mon-fri 09:00-12:30" or "sat 10:00-14:00" (line 35)',
    ),
    "a schedule that is none": (
        '{ line = "lobby", tier = 1 }',
        '{ line = "lobby", schedule = ["mon 9-17"] }',
        "groups.support.members[2].schedule[0]: 'mon 9-17' are no hours; "
        'write "mon-fri 09:00-12:30" or "sat 10:00-14:00" (line 31)',
    ),
    "opening hours on a day that there is not": (
        'number = "601"',
        'number = "601"\nhours = ["fry 09:00-17:00"]',
        "groups.office.hours[0]: 'fry 09:00-17:00': 'fry' is no day; right are mon, tue, wed, thu, fri, sat, sun "
        "(line 35)",
    ),
    "opening hours that end before they begin": (
        'number = "601"',
        'number = "601"\nhours = ["fri 22:00-06:00"]',
        "groups.office.hours[0]: 'fri 22:00-06:00' ends before it begins; "
        "write two spans, one to 24:00 and one from 00:00 (line 35)",
    ),
    "a display name of two lines": (
        'name = "home"\n',
        'name = "home"\n[users.cara]\nline = "lobby"\nname = "Ca\\nra"\n',
        "users.cara.name: has more than one line or control characters; write one line of text (line 5)",
    ),
    "a trunk without its server": (
        'server = "sip:fritz.box"\n',
        "",
        'trunks.fritz.server: is missing; give server = "sip:fritz.box" (line 8)',
    ),
    "a desk without its member": (
        'member = "anna"\n',
        "",
        "desks.anna.member: is missing; give the user or line in whose name the desk acts (line 43)",
    ),
    "a lamp without one of its colours": (
        "gpio = 27",
        "gpio = { red = 5, green = 6 }",
        "desks.anna.lamps[0].gpio.blue: is missing; it has to be given (line 46)",
    ),
    "a lamp with a colour that there is not": (
        "gpio = 27",
        'gpio = { red = 5, green = 6, blue = 13 }, colours = { on = "pink" }',
        "desks.anna.lamps[0].colours.on: 'pink' is not known; right are red, green, blue, yellow, magenta, cyan, white "
        "(line 46)",
    ),
    "a lamp that is brighter than bright": (
        "gpio = 27",
        "gpio = 27, brightness = 100",
        "desks.anna.lamps[0].brightness: 100 is too large; right is 1 or less (line 46)",
    ),
    "a panel that is no device": (
        'member = "anna"',
        'member = "anna"\npanel = "ttyACM0"',
        "desks.anna.panel: 'ttyACM0' is no device; write its path, as in \"/dev/serial/by-id/usb-...\" (line 45)",
    ),
    "a lamp that shows nothing": (
        ', shows = "login support"',
        "",
        'desks.anna.lamps[0].shows: is missing; give shows = "login GROUP" (line 46)',
    ),
}


@pytest.mark.parametrize(("old", "new", "said"), CASES.values(), ids=CASES.keys())
def test_a_wrong_value(old: str, new: str, said: str) -> None:
    """One wrong value: its place, what is wrong, what would be right, its line."""
    assert said in mistakes(changed(old, new))


def test_nothing_wrong() -> None:
    """The configuration that is changed here is right by itself, so that each mistake is the change's."""
    assert mistakes(OFFICE) == []
