"""Fixtures: real parts for one test, ended when it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.agent import Agent
from tests.support.baresip import Baresip
from tests.support.kamailio import Kamailio
from tests.support.mosquitto import Mosquitto
from tests.support.sipp import Sipp
from tests.support.stage import Stage

settings.register_profile("loaded", deadline=None)  # how long an example takes is the machine's affair, not a failure
settings.load_profile("loaded")


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    """Run a broker that everybody may connect to."""
    with Mosquitto(tmp_path / "mosquitto") as broker:
        yield broker


@pytest.fixture
def sipp(tmp_path: Path) -> Iterator[Callable[..., Sipp]]:
    """Return what runs a SIPp scenario: `sipp("member_answers", talk=100)`."""
    with ExitStack() as stack:
        yield lambda scenario, **options: stack.enter_context(Sipp(scenario, tmp_path, **options))


@pytest.fixture
def phone(tmp_path: Path) -> Iterator[Callable[..., Baresip]]:
    """Return what runs a baresip phone: `phone(number="201", server=agent.port, password="x")`."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(Baresip(tmp_path, **options))


@pytest.fixture
def pbx(tmp_path: Path) -> Iterator[Callable[..., Kamailio]]:
    """Return what runs a stubborn PBX: `pbx("fritzbox", phones={"**611": member.port})`."""
    with ExitStack() as stack:
        yield lambda manner, **options: stack.enter_context(Kamailio(tmp_path, manner, **options))


@pytest.fixture
def bridge(tmp_path: Path) -> Iterator[Callable[..., Agent]]:
    """Return what runs the bridge: `bridge(lines={...}, groups={...})`."""
    with ExitStack() as stack:
        yield lambda **tables: stack.enter_context(Agent(tmp_path / "agent", **tables))


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Callable[..., Stage]]:
    """Return what sets a stage: `stage("parallel", "member_answers", "member_loses_race")`."""
    with ExitStack() as stack:
        yield lambda strategy, *members, **options: stack.enter_context(Stage(tmp_path, strategy, *members, **options))
