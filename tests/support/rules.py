"""A rule of logging in, as a sentence of the design: what is done, and what must have come of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from bridge.directory.hours import Hours
from bridge.directory.model import Directory
from tests.support.clerk import UTC, Clerk, with_member
from tests.support.office import office

WORK = {"schedule": Hours.of(["mon-fri 09:00-12:30", "mon-thu 13:30-17:00"], UTC)}
"""What a member has who works in the mornings, and mostly in the afternoons."""


@dataclass(frozen=True)
class Rule:
    """A sentence; what is done, step by step; what is true then. `members`: keys of members' tables; `group`: of
    the group's; `refused`: the code of the last step's refusal; `warned`: whether the last step is warned of.
    """

    sentence: str
    steps: tuple[str, ...]
    then: dict[str, str] = field(default_factory=dict)
    members: dict[str, dict[str, Any]] = field(default_factory=dict)
    group: dict[str, Any] = field(default_factory=dict)
    refused: str | None = None
    warned: bool = False

    def __str__(self) -> str:
        return self.sentence.replace(" ", "_")


def people(rule: Rule) -> Directory:
    """Return the office as the rule has it."""
    directory = office(**rule.group)
    for name, changes in rule.members.items():
        directory = with_member(directory, name, **changes)
    return directory


def ensure_holds(rule: Rule) -> None:
    """Do what the rule says, and compare what has come of it."""
    clerk = Clerk(people(rule))
    for step in rule.steps:
        clerk.do(step)
    assert {member: clerk.says(member) for member in rule.then} == rule.then
    assert clerk.refusal == rule.refused
    assert bool(clerk.warned) is rule.warned
