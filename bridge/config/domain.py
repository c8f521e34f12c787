"""From settings to the domain's values."""

from __future__ import annotations

from bridge.calls.model import ExchangeSettings
from bridge.calls.model import TrunkSettings as Trunk
from bridge.config.addresses import TlsFiles, bracketed
from bridge.config.people import GroupSettings, MemberSettings, QueueSettings, UserSettings
from bridge.config.settings import Settings
from bridge.config.telephony import LineSettings, RegistrarSettings, TrunkSettings
from bridge.directory.codes import Codes
from bridge.directory.hours import Hours
from bridge.directory.model import (
    MONITOR,
    Directory,
    Group,
    Line,
    MediaWay,
    Member,
    Order,
    Queue,
    Strategy,
    User,
)
from bridge.directory.outside import OutsideRules
from bridge.directory.phonebook import Blocklist, Home, Phonebook


def directory_of(settings: Settings) -> Directory:
    """Return who there is."""
    return Directory(
        lines={name: _line(name, line, settings) for name, line in settings.lines.items()},
        users={name: _user(name, user) for name, user in settings.users.items()},
        groups={name: _group(name, group, settings) for name, group in settings.groups.items()},
        site_level=settings.site.level,
        codes=Codes(**settings.codes.model_dump()),
        menu=settings.menu.number if settings.menu else None,
        outside=OutsideRules(country=settings.phonebook.country, **settings.outside.model_dump()),
    )


def exchange_of(settings: Settings) -> ExchangeSettings:
    """Return what the exchange needs beside the directory; secrets are in it as plain text."""
    registrar = settings.sip.registrar if settings.sip else RegistrarSettings(enabled=False)
    return ExchangeSettings(
        trunks=tuple(_trunk(name, trunk) for name, trunk in settings.trunks.items()),
        passwords={name: line.password.reveal() for name, line in settings.lines.items() if line.password is not None},
        pins={name: user.pin.reveal() for name, user in settings.users.items() if user.pin is not None},
        watched=frozenset(name for name, line in settings.lines.items() if _watched(line, settings)),
        phonebook=_phonebook(settings),
        blocklist=Blocklist(_home(settings), **settings.blocklist.model_dump()),
        registrar=registrar.enabled,
        realm=registrar.realm,
        max_expires=registrar.max_expires,
    )


def monitors_of(settings: Settings) -> dict[str, tuple[str, int]]:
    """Return where the call monitors of trunks are: trunk to host and port."""
    return {
        name: (trunk.call_monitor.host or trunk.server.host, trunk.call_monitor.port)
        for name, trunk in settings.trunks.items()
        if trunk.call_monitor is not None
    }


def tls_of(settings: Settings) -> TlsFiles:
    """Return the files of TLS, and whether anybody is connected to by it."""
    assert settings.sip is not None
    tls = settings.sip.tls
    uris = [line.contact.lower() for line in settings.lines.values() if line.contact]
    connects = (
        any(listen.transport == "tls" for listen in settings.sip.listen)
        or any(trunk.server.transport == "tls" for trunk in settings.trunks.values())
        or any(uri.startswith("sips:") or "transport=tls" in uri for uri in uris)
    )
    return TlsFiles(tls.cert, tls.key, tls.ca, connects)


def _home(settings: Settings) -> Home:
    return Home(settings.phonebook.country, settings.phonebook.area or "")


def _phonebook(settings: Settings) -> Phonebook:
    books = (settings.phonebook.vcard, settings.phonebook.fritzbox)
    return Phonebook.of(_home(settings), (entry for book in books if book for entry in book.entries))


def modems_of(settings: Settings) -> dict[str, str]:
    """Return the device of each analogue line's modem."""
    return {name: line.modem for name, line in settings.lines.items() if line.modem is not None}


def _watched(line: LineSettings, settings: Settings) -> bool:
    """Whether the PBX of a line is asked what the line is doing; the line's own word counts before its trunk's."""
    return line.trunk is not None and (line.watch or settings.trunks[line.trunk].watch) == "dialog"


def _trunk(name: str, trunk: TrunkSettings) -> Trunk:
    return Trunk(
        name=name,
        host=trunk.server.host,
        port=trunk.server.port,
        transport=trunk.server.transport,
        username=trunk.username or "",
        password=trunk.password.reveal() if trunk.password else "",
        register=trunk.registers,
        expires=trunk.expires,
        number=trunk.number,
        max_calls=trunk.max_calls,
        media=MediaWay(trunk.media),
        tells=frozenset(trunk.tells),
        check=trunk.check,
    )


def _line(name: str, line: LineSettings, settings: Settings) -> Line:
    trunk = settings.trunks.get(line.trunk or "")
    return Line(
        name=name,
        number=line.number,
        trunk=line.trunk,
        dial=line.dial,
        contact=line.contact,
        registers=line.password is not None,
        modem=line.modem,
        max_calls=line.max_calls,
        dial_out=line.dial_out,
        dial_out_allow=line.dial_out_allow,
        dial_out_daily=line.dial_out_daily,
        private=line.private,
        shown=line.name,
        address=line.contact or f"sip:{line.number}@{_host(trunk, settings)}",
        media=MediaWay(line.media or (trunk.media if trunk else MediaWay.AUTO)),
        confirm=bool(trunk and (trunk.confirm if line.confirm is None else line.confirm)),
    )


def _host(trunk: TrunkSettings | None, settings: Settings) -> str:
    """Return where a line's number is at home: its PBX, else the bridge."""
    if trunk is not None:
        return bracketed(trunk.server.host)
    sip = settings.sip
    return bracketed(sip.advertise or sip.registrar.realm) if sip else "cti-bridge"


def _user(name: str, user: UserSettings) -> User:
    return User(
        name=name,
        shown=user.name or name,
        line=user.line,
        second_line=user.second_line,
        additional_lines=user.additional_lines,
        grants=tuple(user.grants.items()),
        favourites=user.favourites,
        unix=user.unix,
        spoken_name=user.spoken_name,
    )


def _group(name: str, group: GroupSettings, settings: Settings) -> Group:
    return Group(
        name=name,
        shown=group.name or name,
        number=group.number,
        members=tuple(_member(member, settings) for member in group.members),
        leaders=group.leaders,
        member_level=group.member_level,
        leader_level=group.leader_level,
        services=frozenset(group.services),
        active=group.active,
        monitor=frozenset(group.monitor if group.monitor is not None else MONITOR),
        strategy=group.strategy,
        ring_seconds=group.ring_seconds,
        give_up_after=group.give_up_after,
        retry_after=group.retry_after,
        rounds=group.rounds,
        max_calls=group.max_calls,
        overflow=_named(group.overflow, settings),
        prefix=group.prefix,
        last_out=group.last_out,
        hours=Hours.of(group.hours),
        closed=_named(group.closed, settings),
        auto_pause=group.auto_pause,
        auto_pause_seconds=group.auto_pause_seconds,
        follow_diversion=group.follow_diversion,
        order=_order(group),
        queue=_queue(group.queue or QueueSettings(), settings),
    )


def _order(group: GroupSettings) -> Order:
    """Return the order; a queue's own section goes before the group."""
    own = group.queue.order if group.queue is not None and group.strategy is Strategy.QUEUE else None
    return Order(own or group.order)


def _queue(queue: QueueSettings, settings: Settings) -> Queue:
    return Queue(
        ring_all=queue.queue_ring == "all",
        music=queue.music,
        greeting=queue.greeting,
        announce=queue.announce,
        announce_position=queue.announce_position,
        announce_wait=queue.announce_wait,
        wrap_up=queue.wrap_up,
        max_waiting=queue.max_waiting,
        max_wait=queue.max_wait,
        join_empty=queue.join_empty,
        leave_empty=queue.leave_empty,
        exit_key=queue.exit_key,
        exit_to=_named(queue.exit_to, settings),
        keep_place=queue.keep_place,
        no_answer_delay=queue.no_answer_delay,
        busy_delay=queue.busy_delay,
        decline_delay=queue.decline_delay,
    )


def _member(member: str | MemberSettings, settings: Settings) -> Member:
    if isinstance(member, str):
        member = MemberSettings(user=member) if member in settings.users else MemberSettings(line=member)
    name = member.user or member.line or ""
    return Member(
        name=name,
        line=settings.users[name].line if member.user else name,
        device=member.user is None,
        tier=member.tier,
        always=member.login == "always",
        restart=member.restart or "default",
        schedule=Hours.of(member.schedule),
    )


def _named(onward: str | None, settings: Settings) -> str | None:
    """Return a group's name where callers go on to a group's number, else what is written."""
    by_number = {group.number: name for name, group in settings.groups.items() if group.number}
    return by_number.get(onward, onward) if onward else None
