"""Who may call: an INVITE is taken from whom it is known to come from (the rules are told in `parties`)."""

from __future__ import annotations

from collections.abc import Mapping

from bridge.calls.guard import Guard
from bridge.calls.parties import Caller, Peers, shown_identity
from bridge.calls.pbx.trunks import Trunk, by_host
from bridge.calls.present import Present
from bridge.directory.model import Line
from bridge.sip.challenger import Challenger, Verdict
from bridge.sip.message import Request
from bridge.sip.useragent import Invited, Subscribing, UserAgent


class Admission:
    """The door of the exchange. `guard` is told of guesses."""

    def __init__(
        self,
        present: Present,
        trunks: Mapping[str, Trunk],
        challenger: Challenger,
        ua: UserAgent,
        guard: Guard,
    ) -> None:
        self._present = present
        self._trunks = trunks
        self._challenger = challenger
        self._ua = ua
        self._guard = guard

    def identify(self, invited: Invited | Subscribing, now: float) -> Caller | None:
        """Find out who calls; None where that is refused or still to be proven (the answer is sent)."""
        request, flow = invited.request, invited.flow
        peers = Peers(self._present.contacts, by_host(self._trunks))
        line = peers.line(flow)
        if line is not None:
            return self._line(line, request)
        trunk = peers.trunk_exactly(flow)
        if trunk is None:
            claimed = self._present.directory.line_by_number.get(request.from_.uri.user or "")
            if claimed is None or not claimed.registers:
                trunk = peers.trunk(flow)
        if trunk is not None:
            number, name = shown_identity(request)
            return Caller(None, trunk, number, self._present.settings.phonebook.name_of(number) or name)
        proven = self._prove(invited, now)
        return self._line(proven.name, request) if proven else None

    def _line(self, line: str, request: Request) -> Caller:
        number, name = shown_identity(request)
        if not number:  # a phone of ours that hides itself stays hidden
            return Caller(line, None, "", "")
        user = self._present.users.get(line)
        return Caller(line, None, self._present.directory.lines[line].number, user.shown if user else name)

    def _prove(self, invited: Invited | Subscribing, now: float) -> Line | None:
        """Check the digest of a stranger's call; challenge it, or refuse it, where it does not prove a line."""
        request, transaction = invited.request, invited.transaction
        claimed = self._challenger.claimed(request)
        line = self._present.directory.line_by_number.get(claimed or "")
        password = self._present.settings.passwords.get(line.name) if line is not None and line.registers else None
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
