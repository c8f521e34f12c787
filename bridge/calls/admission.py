"""Who may call: an INVITE is taken from whom it is known to come from (the rules are told in `parties`)."""

from __future__ import annotations

from collections.abc import Mapping

from bridge.calls.guard import Guard
from bridge.calls.parties import Caller, Peers, shown_identity
from bridge.calls.trunks import Trunk, by_host
from bridge.directory.model import Directory, Line
from bridge.sip.challenger import Challenger, Verdict
from bridge.sip.dialog import flow_of
from bridge.sip.flow import Flow
from bridge.sip.message import Request
from bridge.sip.useragent import Invited, UserAgent


class Admission:
    """The door of the exchange. `passwords`: of lines whose phones register, by line; `guard` is told of guesses."""

    def __init__(
        self,
        directory: Directory,
        passwords: Mapping[str, str],
        trunks: Mapping[str, Trunk],
        challenger: Challenger,
        ua: UserAgent,
        guard: Guard,
    ) -> None:
        self._directory = directory
        self._passwords = passwords
        self._trunks = trunks
        self._challenger = challenger
        self._ua = ua
        self._guard = guard
        self._users = {user.line: user for user in reversed(list(directory.users.values()))}
        self._static = static_contacts(directory)

    def identify(self, invited: Invited, now: float) -> Caller | None:
        """Find out who calls; None where that is refused or still to be proven (the answer is sent)."""
        request, flow = invited.request, invited.flow
        peers = Peers(self._static, by_host(self._trunks))
        line = peers.line(flow)
        if line is not None:
            return self._line(line, request)
        trunk = peers.trunk_exactly(flow)
        if trunk is None:
            claimed = self._directory.line_by_number.get(request.from_.uri.user or "")
            if claimed is None or not claimed.registers:
                trunk = peers.trunk(flow)
        if trunk is not None:
            return Caller(None, trunk, *shown_identity(request))
        proven = self._prove(invited, now)
        return self._line(proven.name, request) if proven else None

    def _line(self, line: str, request: Request) -> Caller:
        number, name = shown_identity(request)
        if not number:  # a phone of ours that hides itself stays hidden
            return Caller(line, None, "", "")
        user = self._users.get(line)
        return Caller(line, None, self._directory.lines[line].number, user.shown if user else name)

    def _prove(self, invited: Invited, now: float) -> Line | None:
        """Check the digest of a stranger's call; challenge it, or refuse it, where it does not prove a line."""
        request, transaction, _ = invited
        claimed = self._challenger.claimed(request)
        line = self._directory.line_by_number.get(claimed or "")
        password = self._passwords.get(line.name) if line is not None and line.registers else None
        verdict = Verdict.ABSENT
        if claimed is not None:
            verdict = self._challenger.verify(request, claimed, password or self._ua.token(), now)
        if verdict is Verdict.OK and password is not None:
            return line
        if verdict in (Verdict.ABSENT, Verdict.STALE):
            challenges = self._challenger.challenges(now, stale=verdict is Verdict.STALE)
            self._ua.answer(transaction, request, 401, now, {"WWW-Authenticate": challenges})
        else:
            self._ua.answer(transaction, request, 403, now)
            self._guard.tell(invited.flow, f"a call as {claimed!r} with a wrong password was refused", now)
        return None


def static_contacts(directory: Directory) -> dict[tuple[str, int], str]:
    """Return the addresses of phones that do not register, host and port, and their lines."""
    return {
        (flow.host, flow.port): line.name
        for line in directory.lines.values()
        if line.contact
        for flow in [flow_of(line.contact, Flow("udp", "", 0))]
    }
