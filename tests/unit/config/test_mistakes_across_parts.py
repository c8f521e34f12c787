from __future__ import annotations

import pytest

from tests.support.toml import changed, mistakes

CASES: dict[str, tuple[str, str, str]] = {
    "an exit key that leads nowhere": (
        'number = "601"',
        'number = "601"\nstrategy = "queue"\nqueue = { exit_key = "0" }',
        "groups.office.queue.exit_key: leads nowhere; give exit_to, or an overflow to the group (line 36)",
    ),
    "an exit that no key leads to": (
        'number = "601"',
        'number = "601"\nstrategy = "queue"\nqueue = { exit_to = "600" }',
        "groups.office.queue.exit_to: is never reached; give exit_key, the key that leads there (line 36)",
    ),
    "an exit to nobody": (
        'number = "601"',
        'number = "601"\nstrategy = "queue"\nqueue = { exit_key = "0", exit_to = "sales" }',
        "groups.office.queue.exit_to: there is no group or number 'sales'; "
        "there are support, office, 201, 202, 203, 600, 601 (line 36)",
    ),
    "two orders": (
        'number = "601"',
        'number = "601"\norder = "random"\nstrategy = "queue"\nqueue = { order = "listed" }',
        "groups.office.queue.order: says 'listed' and the group 'random'; leave one out (line 37)",
    ),
    "two lines with one number": (
        'number = "202"',
        'number = "201"',
        "lines.ben.number: '201' is the number of lines.anna too; each number may be given once (line 18)",
    ),
    "a group with a line's number": (
        'number = "601"',
        'number = "203"',
        "groups.office.number: '203' is the number of lines.lobby too; each number may be given once (line 34)",
    ),
    "a trunk that there is not": (
        'trunk = "fritz"',
        'trunk = "frits"',
        "lines.ben.trunk: there is no trunk 'frits'; did you mean 'fritz'? (line 19)",
    ),
    "a line with both trunk and password": (
        'trunk = "fritz"',
        'trunk = "fritz"\npassword = "x"',
        "lines.ben: trunk and password are given; a line is reached in one way, leave the others out (line 17)",
    ),
    "a line that nothing reaches": (
        'trunk = "fritz"\n',
        "",
        "lines.ben: nothing tells how it is reached; "
        "give trunk, or password (its phone registers), or contact (static), or modem (an analogue line) (line 17)",
    ),
    "what to dial at no trunk": (
        'password = "line secret"',
        'password = "line secret"\ndial = "**1"',
        "lines.anna.dial: is for a line behind a trunk; give trunk, or leave it out (line 17)",
    ),
    "a phone that cannot register": (
        "enabled = true",
        "enabled = false",
        "lines.anna.password: its phone cannot register, sip.registrar.enabled is false; "
        "make that true, or give contact or trunk (line 16)",
    ),
    "a trunk that registers without a name": (
        'username = "620"\n',
        "",
        "trunks.fritz.username: is missing; give it, or register = false for a peer that asks for none (line 8)",
    ),
    "two trunks with one account": (
        "[lines.anna]",
        '[trunks.again]\nserver = "sip:fritz.box"\nusername = "620"\npassword = "x"\n[lines.anna]',
        "trunks.again: has the server and username of trunks.fritz; leave one out (line 14)",
    ),
    "a trunk's number that nobody has": (
        'password = "trunk secret"\nnumber = "600"',
        'password = "trunk secret"\nnumber = "609"',
        "trunks.fritz.number: there is no group or line with the number '609'; did you mean '601'? (line 12)",
    ),
    "ports the wrong way round": (
        "registrar = { enabled = true }",
        "rtp_ports = [17000, 16000]",
        "sip.rtp_ports: [17000, 16000] is no range; write the lower port first (line 6)",
    ),
    "ports for less than one call": (
        "registrar = { enabled = true }",
        "rtp_ports = [16385, 16388]",
        "sip.rtp_ports: [16385, 16388] is too narrow; a call needs four ports, from an even one on (line 6)",
    ),
    "one address twice": (
        '["udp:127.0.0.1:5060"]',
        '["udp:127.0.0.1:5060",\n  "udp:127.0.0.1:5060"]',
        "sip.listen[1]: 'udp:127.0.0.1:5060' is there twice; leave one out (line 6)",
    ),
    "a user whose line there is not": (
        'line = "ben"',
        'line = "bend"',
        "users.ben.line: there is no line 'bend'; did you mean 'ben'? (line 27)",
    ),
    "a line of two users": (
        'line = "ben"',
        'line = "anna"',
        "users.ben.line: 'anna' is the line of users.anna too; a line is one user's own (line 27)",
    ),
    "a second line that there is not": (
        'line = "ben"',
        'line = "ben"\nsecond_line = "mobile"',
        "users.ben.second_line: there is no line 'mobile'; there are anna, ben, lobby (line 28)",
    ),
    "an additional line that there is not": (
        'line = "ben"',
        'line = "ben"\nadditional_lines = ["lobby", "loby"]',
        "users.ben.additional_lines[1]: there is no line 'loby'; did you mean 'lobby'? (line 28)",
    ),
    "a favourite that there is not": (
        'line = "ben"',
        'line = "ben"\nfavourites = ["anna", "loby"]',
        "users.ben.favourites[1]: there is no user or line 'loby'; did you mean 'lobby'? (line 28)",
    ),
    "something granted to nobody": (
        'line = "ben"',
        'line = "ben"\ngrants = { lobby = "team" }',
        "users.ben.grants.lobby: there is no user 'lobby'; there are anna, ben (line 28)",
    ),
    "a login of two users": (
        'line = "anna"\n[users.ben]\nline = "ben"',
        'line = "anna"\nunix = "pi"\n[users.ben]\nline = "ben"\nunix = "pi"',
        "users.ben.unix: 'pi' is the login of users.anna too; a login acts in one user's name (line 29)",
    ),
    "a member twice": (
        '"601"\nmembers = ["anna"]',
        '"601"\nmembers = ["anna", { user = "anna" }]',
        "groups.office.members[1]: 'anna' is in the group twice; leave one out (line 35)",
    ),
    "a member that there is not": (
        '"601"\nmembers = ["anna"]',
        '"601"\nmembers = ["ann"]',
        "groups.office.members[0]: there is no user or line 'ann'; did you mean 'anna'? (line 35)",
    ),
    "a user as a member that there is not": (
        '"601"\nmembers = ["anna"]',
        '"601"\nmembers = [{ user = "lobby" }]',
        "groups.office.members[0].user: there is no user 'lobby'; there are anna, ben (line 35)",
    ),
    "a member that is a user and a line": (
        '"601"\nmembers = ["anna"]',
        '"601"\nmembers = [{ user = "anna", line = "lobby" }]',
        "groups.office.members[0]: names nobody, or two; give either user or line (line 35)",
    ),
    "a user's line as a device": (
        '"601"\nmembers = ["anna"]',
        '"601"\nmembers = [{ line = "anna" }]',
        "groups.office.members[0].line: line 'anna' is the one of user 'anna'; name the user instead (line 35)",
    ),
    "a leader that there is not": (
        'leaders = ["anna"]',
        'leaders = ["lobby"]',
        "groups.support.leaders[0]: there is no user 'lobby'; there are anna, ben (line 32)",
    ),
    "a name that means everybody": (
        "[groups.office]",
        "[groups.all]",
        "groups.all: 'all' means everybody or every group; choose another name (line 33)",
    ),
    "an overflow that leads nowhere": (
        'number = "601"',
        'number = "601"\noverflow = "suport"',
        "groups.office.overflow: there is no group or number 'suport'; did you mean 'support'? (line 35)",
    ),
    "an overflow to itself": (
        'number = "601"',
        'number = "601"\noverflow = "601"',
        "groups.office.overflow: '601' is the group itself; name another group, or a number (line 35)",
    ),
    "overflows in a circle": (
        'leaders = ["anna"]\n[groups.office]\n',
        'overflow = "office"\n[groups.office]\noverflow = "600"\n',
        "groups.office.overflow: goes round in a circle (support -> office -> support); leave one out (line 34)",
    ),
    "one code twice": (
        'login = "*41"',
        'login = "*41"\nlogout = "*41"',
        "codes.logout: '*41' is codes.login too; each code may be given once (line 39)",
    ),
    "a code that begins another": (
        'login = "*41"',
        'login = "*41"\nlogout = "*4"',
        "codes.login: '*41' begins with '*4', codes.logout; choose codes that differ sooner (line 38)",
    ),
    "a menu's number that is a line's too": (
        'login = "*41"',
        'login = "*41"\n[menu]\nnumber = "203"',
        "lines.lobby.number: '203' is the number of menu too; each number may be given once (line 21)",
    ),
    "a menu that nobody has a PIN for": (
        'login = "*41"',
        'login = "*41"\n[menu]\nnumber = "700"',
        "menu: is of no use, no user has a PIN; give users.NAME.pin, 4 to 12 digits as text (line 39)",
    ),
    "a menu's number that begins with a code": (
        'login = "*41"',
        'login = "*41"\n[menu]\nnumber = "*411"',
        "menu.number: '*411' begins with '*41', codes.login; choose another number or code (line 40)",
    ),
    "a number that begins with a code": (
        'number = "601"',
        'number = "*4155"',
        "groups.office.number: '*4155' begins with '*41', codes.login; choose another number or code (line 34)",
    ),
    "a certificate without TLS": (
        '"mqtt://localhost"',
        '"mqtt://localhost"\nca = "/etc/hostname"',
        "mqtt.ca: is for TLS; write the broker as mqtts://, or leave it out (line 42)",
    ),
    "a broker's password without a user name": (
        '"mqtt://localhost"',
        '"mqtt://localhost"\npassword = "x"',
        "mqtt.username: is missing; it goes with password (line 40)",
    ),
    "a desk of nobody": (
        'member = "anna"',
        'member = "annna"',
        "desks.anna.member: there is no user or line 'annna'; did you mean 'anna'? (line 44)",
    ),
    "one GPIO twice": (
        "gpio = 27",
        "gpio = 17",
        "desks.anna.lamps[0].gpio: gpio 17 is used by desks.anna.buttons[0] already; each can be used once (line 46)",
    ),
    "a button nowhere": (
        "gpio = 17, ",
        "",
        "desks.anna.buttons[0]: nothing, or two things, tell where it is; give either gpio or key (line 45)",
    ),
    "a pin of a button in a lamp of three colours": (
        "gpio = 27",
        "gpio = { red = 5, green = 6, blue = 17 }",
        "desks.anna.lamps[0].gpio.blue: gpio 17 is used by desks.anna.buttons[0] already; "
        "each can be used once (line 46)",
    ),
    "colours of a lamp that has one": (
        "gpio = 27",
        'gpio = 27, colours = { on = "red" }',
        "desks.anna.lamps[0].colours: is for a lamp of three colours; "
        "give gpio = { red = 5, green = 6, blue = 13 }, or leave it out (line 46)",
    ),
    "a panel's key without a panel": (
        "gpio = 17",
        "key = 1",
        "desks.anna.buttons[0].key: is for a panel; give the desk a panel, or gpio here (line 45)",
    ),
    "a button that does nothing": (
        ', press = "toggle support"',
        "",
        "desks.anna.buttons[0]: does nothing; give press or hold, or more buttons to the groups of its member"
        " (line 45)",
    ),
    "a button's word that there is not": (
        '"toggle support"',
        '"togle support"',
        "desks.anna.buttons[0].press: 'togle support' does not begin with a word that is known; right are toggle, "
        "login, logout, pause, night, pickup, hangup, dial (did you mean toggle?) (line 45)",
    ),
    "a button's word without its group": (
        '"toggle support"',
        '"toggle"',
        "desks.anna.buttons[0].press: 'toggle' has too few words; write 'toggle GROUP' (line 45)",
    ),
    "a button's word with more than it takes": (
        '"toggle support"',
        '"hangup now"',
        "desks.anna.buttons[0].press: 'hangup now' has too many words; write 'hangup' alone (line 45)",
    ),
    "a button's group that there is not": (
        '"toggle support"',
        '"toggle suport"',
        "desks.anna.buttons[0].press: there is no group 'suport'; did you mean 'support'? (line 45)",
    ),
    "a pause without its duration": (
        '"toggle support"',
        '"pause support for ever"',
        "desks.anna.buttons[0].press: 'pause support for ever': 'ever' is no duration; "
        "write 15m or 1h30m, a year at most (line 45)",
    ),
    "a number that cannot be dialled": (
        '"toggle support"',
        '"dial mum"',
        "desks.anna.buttons[0].press: 'mum' cannot be dialled; right are 1 to 32 of 0-9, *, # and + (line 45)",
    ),
    "a button for a group that its member is not in": (
        '"toggle support"',
        '"toggle lonely" }]\n[groups.lonely]\nmembers = ["ben"]\n#',
        "desks.anna.buttons[0].press: 'anna' is not a member of 'lonely'; "
        "add the member to the group, or name another group (line 45)",
    ),
    "a night button of who does not belong to the group": (
        '"toggle support"',
        '"night lonely" }]\n[groups.lonely]\nmembers = ["ben"]\n#',
        "desks.anna.buttons[0].press: 'anna' may not switch the night of 'lonely'; "
        "that is for its members and leaders (line 45)",
    ),
    "a schedule of who is always in": (
        '{ line = "lobby", tier = 1 }',
        '{ line = "lobby", login = "always", schedule = ["mon 09:00-10:00"] }',
        "groups.support.members[2].schedule: cannot be kept by who is always in; "
        'leave it out, or login = "always" (line 31)',
    ),
    "a lamp's word that there is not": (
        '"login support"',
        '"loggin support"',
        "desks.anna.lamps[0].shows: 'loggin support' does not begin with a word that is known; right are login, "
        "waiting, missed, night, ringing, line, bridge (did you mean login?) (line 46)",
    ),
    "a lamp's line that there is not": (
        '"login support"',
        '"line bin"',
        "desks.anna.lamps[0].shows: there is no line 'bin'; did you mean 'ben'? (line 46)",
    ),
    "no SIP and no satellite either": (
        "[sip]\n",
        "[sipp]\n",
        "sip: is missing; write a section [sip]; only a satellite, with [mqtt] and [desks] alone, has none",
    ),
}
SATELLITE = """\
[mqtt]
broker = "mqtt://pi.lan"
[desks.anna]
member = "anna"
buttons = [{ gpio = 17, press = "toggle support" }]
"""


@pytest.mark.parametrize(("old", "new", "said"), CASES.values(), ids=CASES.keys())
def test_parts_that_do_not_fit(old: str, new: str, said: str) -> None:
    """Parts that do not fit together: the place, what is wrong, what would be right, its line."""
    assert said in mistakes(changed(old, new))


def test_a_leader_may_have_a_night_button() -> None:
    """Also without being a member; and everybody may have the lamp."""
    led = changed("[desks.anna]", '[groups.lonely]\nmembers = ["ben"]\nleaders = ["anna"]\n[desks.anna]')
    assert mistakes(led.replace('"toggle support"', '"night lonely"')) == []
    seen = changed("[desks.anna]", '[groups.lonely]\nmembers = ["ben"]\n[desks.anna]')
    assert mistakes(seen.replace('"login support"', '"night lonely"')) == []


def test_a_satellite_names_the_members_and_groups_of_another_bridge() -> None:
    """Without [sip] there are only [mqtt] and [desks], and what desks name is not looked up."""
    assert mistakes(SATELLITE) == []


def test_a_satellite_has_no_lines() -> None:
    """Lines without [sip] are a mistake: nothing could ring them."""
    said = "sip: is missing; write a section [sip]; only a satellite, with [mqtt] and [desks] alone, has none"
    assert said in mistakes(SATELLITE + '[lines.anna]\nnumber = "201"\npassword = "x"\n')


def test_one_panel_at_two_desks() -> None:
    """A panel stands at one desk."""
    desk = '[desks.{}]\nmember = "ben"\npanel = "/dev/ttyACM0"\n'
    said = "desks.two.panel: panel '/dev/ttyACM0' is used by desks.one already; each can be used once (line 53)"
    assert mistakes(changed("", "\n" + desk.format("one") + desk.format("two"))) == [said]
