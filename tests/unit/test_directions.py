"""The direction of the arrows: who may import whom, and what never enters the domain."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]

DOMAIN, CONFIG, EDGE, COMPOSITION, COMMAND_LINE = range(5)
LAYERS = {
    "bridge": DOMAIN,
    "bridge.directory": DOMAIN,
    "bridge.events": DOMAIN,
    "bridge.commands": DOMAIN,
    "bridge.hunting": DOMAIN,
    "bridge.rehearsal": DOMAIN,
    "bridge.journal": DOMAIN,
    "bridge.calls": DOMAIN,
    "bridge.sip": DOMAIN,
    "bridge.media": DOMAIN,
    "bridge.port.model": DOMAIN,
    "bridge.config": CONFIG,
    "bridge.sip.endpoint": EDGE,
    "bridge.media.relay": EDGE,
    "bridge.media.mouth": EDGE,
    "bridge.media.convert": EDGE,
    "bridge.media.preparing": EDGE,
    "bridge.media.speaker": EDGE,
    "bridge.media.sounds": EDGE,
    "bridge.media.metronome": EDGE,
    "bridge.port": EDGE,
    "bridge.store": EDGE,
    "bridge.control": EDGE,
    "bridge.mqtt": EDGE,
    "bridge.desk": EDGE,
    "bridge.phone": EDGE,
    "bridge.clock": EDGE,
    "bridge.log": EDGE,
    "bridge.journaling": EDGE,
    "bridge.keeping": EDGE,
    "bridge.lookups": EDGE,
    "bridge.monitoring": EDGE,
    "bridge.resolving": EDGE,
    "bridge.tending": EDGE,
    "bridge.systemd": EDGE,
    "bridge.upkeep": EDGE,
    "bridge.modems": EDGE,
    "bridge.options": EDGE,
    "bridge.recipes": EDGE,
    "bridge.running": EDGE,
    "bridge.tokens": EDGE,
    "bridge.opening": COMPOSITION,
    "bridge.doors": COMPOSITION,
    "bridge.switching": COMPOSITION,
    "bridge.agent": COMPOSITION,
    "bridge.making": COMPOSITION,
    "bridge.reading": COMPOSITION,
    "bridge.reloading": COMPOSITION,
    "bridge.satellite": COMPOSITION,
    "bridge.values": COMPOSITION,
    "bridge.demo": COMPOSITION,
    "bridge.doctor": COMPOSITION,
    "bridge.cli": COMMAND_LINE,
}
"""The layer of each module, by the longest name that begins its own; an arrow never leads to a higher layer."""

DOORS = ("bridge.mqtt", "bridge.desk", "bridge.control")
BEHIND_THE_PORT = ("bridge.store", "bridge.sip", "bridge.hunting", "bridge.port")

NOT_IN_THE_DOMAIN = {
    *(
        "asyncio",
        "concurrent",
        "logging",
        "multiprocessing",
        "os",
        "pathlib",
        "sched",
        "secrets",
        "select",
        "selectors",
    ),
    *("signal", "socket", "socketserver", "sqlite3", "ssl", "subprocess", "sys", "threading", "time"),
}

AT_HOME = {
    "pydantic": ("bridge.config",),
    "pydantic_core": ("bridge.config",),
    "tomllib": ("bridge.config", "bridge.recipes", "bridge.doctor.configuration"),
    "argparse": ("bridge.cli",),
    "rich": ("bridge.cli",),
    "pyVoIP": ("bridge.phone",),
    "paho": ("bridge.mqtt",),
    "sqlite3": ("bridge.store",),
    "sipmessage": ("bridge.sip", "bridge.calls"),
    "gpiozero": ("hardware",),
    "lgpio": ("hardware",),
    "serial": ("hardware",),
    "hardware": (
        "hardware",
        "bridge.desk",
        "bridge.modems",
        "bridge.opening",
        "bridge.agent",
        "bridge.doors",
        "bridge.satellite",
        "bridge.demo",
    ),
}
"""The only places where these may be imported."""


class Arrow(NamedTuple):
    """An import: who imports what, and on which line."""

    source: str
    target: str
    line: int

    def __str__(self) -> str:
        return f"{self.source} imports {self.target} (line {self.line})"


def modules() -> Iterator[tuple[str, ast.Module]]:
    """Yield every module that ships, by its dotted name."""
    for package in ("bridge", "hardware"):
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            yield name, ast.parse(path.read_text(encoding="utf-8"))


def imports(name: str, tree: ast.Module) -> Iterator[Arrow]:
    """Yield every import of a module, those within functions and for types alone too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Arrow(name, alias.name, node.lineno)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 and node.module, f"{name} has a relative import"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield Arrow(name, whole if whole in NAMES else node.module, node.lineno)


def within(module: str, *rooms: str) -> bool:
    """Whether a module is one of the rooms or in one."""
    return any(module == room or module.startswith(f"{room}.") for room in rooms)


def layer(module: str) -> int:
    """Return the layer of a module of bridge."""
    parts = module.split(".")
    for end in range(len(parts), 1, -1):
        found = LAYERS.get(".".join(parts[:end]))
        if found is not None:
            return found
    if module == "bridge":
        return DOMAIN
    raise AssertionError(f"{module} has no layer yet: name it in LAYERS")


TREES = dict(modules())
NAMES = set(TREES)
ARROWS = [arrow for name, tree in TREES.items() for arrow in imports(name, tree)]


def wrong(arrows: Iterator[Arrow]) -> str:
    """Return the wrong imports, one a line."""
    return "\n".join(map(str, arrows))


def test_every_module_has_a_layer() -> None:
    """A new room says where it stands."""
    for name in NAMES:
        if within(name, "bridge"):
            layer(name)


def test_arrows_never_lead_up() -> None:
    """Command line, composition root, edges, configuration, domain: nothing knows what is above it."""
    assert not wrong(
        arrow
        for arrow in ARROWS
        if within(arrow.source, "bridge")
        and within(arrow.target, "bridge")
        and layer(arrow.target) > layer(arrow.source)
    )


def test_doors_never_talk_to_each_other() -> None:
    """A door sees the port, events, directory and commands: no other door, and nothing behind the port."""
    assert not wrong(
        arrow
        for arrow in ARROWS
        for door in DOORS
        if within(arrow.source, door)
        and within(arrow.target, *(other for other in DOORS if other != door), *BEHIND_THE_PORT)
        and arrow.target != "bridge.port.model"
    )


def test_the_domain_is_sans_io() -> None:
    """No clock, socket, thread, log or file is imported in the domain."""
    assert not wrong(
        arrow
        for arrow in ARROWS
        if within(arrow.source, "bridge")
        and layer(arrow.source) == DOMAIN
        and arrow.target.split(".")[0] in NOT_IN_THE_DOMAIN
    )


@pytest.mark.parametrize("what", AT_HOME)
def test_parts_stay_at_home(what: str) -> None:
    """Each heavy part is imported only where it belongs, so that nobody else pays for it or depends on it."""
    assert not wrong(
        arrow for arrow in ARROWS if within(arrow.target, what) and not within(arrow.source, *AT_HOME[what])
    )


def test_hardware_knows_nothing_of_the_bridge() -> None:
    """hardware/ can be taken out and used alone."""
    assert not wrong(a for a in ARROWS if within(a.source, "hardware") and within(a.target, "bridge"))


def test_the_domain_reads_no_clock_and_throws_no_dice() -> None:
    """In the domain neither the date is asked for nor the shared random generator."""
    found = []
    for name, tree in TREES.items():
        if not within(name, "bridge") or layer(name) != DOMAIN:
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name | ast.Attribute):
                owner = node.value.id if isinstance(node.value, ast.Name) else node.value.attr
                clock = owner in ("datetime", "date") and node.attr in ("now", "utcnow", "today")
                dice = owner == "random" and node.attr != "Random"
                if clock or dice:
                    found.append(f"{name} uses {owner}.{node.attr} (line {node.lineno})")
    assert not found
