"""The broker's rules in Mosquitto's words: identity is the topic, so the broker decides who may write where. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bridge.mqtt.topics import GroupSubject, LineSubject, Topics


def acl(
    topics: Topics,
    bridge: str,
    owners: Sequence[str],
    users: Sequence[str],
    discovery_prefix: str | None,
    *,
    public: bool = True,
) -> str:
    """Return an ACL file. `bridge`: the bridge's own user at the broker; `owners` may do all that its owner may.

    `users` are those of the configuration, under the same names at the broker; they ask in their own name alone, see
    their own monitors and answers, and, where everybody sees everybody (`public`), the state of groups and lines.
    `discovery_prefix` None: nothing is announced to Home Assistant.
    """
    return "\n".join(_lines(topics, bridge, owners, users, discovery_prefix, public)) + "\n"


def _lines(
    topics: Topics, bridge: str, owners: Sequence[str], users: Sequence[str], discovery_prefix: str | None, public: bool
) -> Iterator[str]:
    announced = [] if discovery_prefix is None else [f"topic readwrite {discovery_prefix}/#"]
    yield "# Mosquitto's acl_file for cti-bridge. Whoever is not named here may do nothing."
    yield from ("", "# the bridge itself", f"user {bridge}", f"topic readwrite {topics.prefix}/#", *announced)
    for owner in owners:
        yield from ("", "# the owner: every command, in the owner's name")
        yield from (f"user {owner}", f"topic readwrite {topics.prefix}/#", *announced)
    for user in users:
        yield from ("", f"user {user}")
        yield f"topic write {topics.request('+', user)}"
        yield f"topic read {topics.prefix}/user/{user}/#"
        if public:
            yield from (f"topic read {_below(topics.state(each))}" for each in (GroupSubject("+"), LineSubject("+")))


def _below(state: str) -> str:
    """Return the filter for all below the level that a state's first name is at."""
    return state[: state.index("+")] + "#"
