"""The two ends of a call: whoever calls, and the phone that is rung."""

from __future__ import annotations

from scripts.soaking.calls import Call
from scripts.soaking.message import Message
from scripts.soaking.phone import PATIENCE, Phone
from scripts.soaking.plans import CallerPlan, MemberPlan

RINGS_AT_MOST = 220.0
"""Seconds after which a phone that still rings is a fault: a line alone rings for 180 s."""


class CallerCall(Call):
    """A call that a phone makes. `from_` is its From, without a tag."""

    def __init__(self, phone: Phone, plan: CallerPlan, from_: str, away: float) -> None:
        super().__init__(phone, f"{phone.token()}@{phone.public[0]}", plan.talk, away, plan.manner)
        self.plan = plan
        host, port = phone.bridge
        self.local, self.remote = from_, f"<sip:{plan.number}@{host}>"
        self.target = f"sip:{plan.number}@{host}:{port}"
        self._heard = self._cancels = self._cancelled = False
        self._final = False
        headers = [
            ("From", f"{self.local};tag={self.local_tag}"),
            ("To", self.remote),
            ("Call-ID", self.call_id),
            ("CSeq", "1 INVITE"),
            ("Contact", f"<sip:{phone.number}@{phone.place}>"),
            ("Allow", "INVITE, ACK, CANCEL, BYE, UPDATE, INFO, NOTIFY, OPTIONS"),
        ]
        self._invite = phone.request("INVITE", self.target, headers, self.describe() if plan.offers else "")
        phone.ask(self._invite, self._on_invited)
        for _ in range(plan.repeats - 1):
            phone.send(bytes(self._invite))
        self.count("calls")
        self._begin()

    def _begin(self) -> None:
        if self.plan.manner == "cancels before 100":
            self._heard = True  # as far as it cares
            self.later(self.plan.patience * self.phone.rng.choice((0.0, 1.0)), self.cancel)
        elif self.plan.manner == "is gone":
            self.later(self.plan.patience, self.go_deaf)
        elif self.plan.manner not in ("cancels at once", "cancels while it rings"):
            self.later(self.plan.patience, self.cancel)
        self.later(self.plan.longest, self.cancel)

    def cancel(self) -> None:
        """Give up, as soon as anything was heard; what is answered already is hung up in its time."""
        if self.state != "early" or self._cancelled:
            return
        self._cancels = True
        if self._heard:
            self._cancelled = True
            self.count("cancels")
            self.phone.cancel(self._invite, self._on_cancelled)
            self.later(PATIENCE + 8, self._expect_final)

    def _expect_final(self) -> None:
        if not self._final:
            self.fault("a CANCEL led to no final response")

    def _on_cancelled(self, response: Message | None) -> None:
        """Cancel again where the CANCEL has overtaken its INVITE."""
        if response is not None and response.status == 481 and not self._final:
            self._cancelled = False
            self.later(1.0, self.cancel)

    def _on_invited(self, response: Message | None) -> None:
        if response is None:
            self.fault("INVITE was never answered")
            self.over()
        elif response.status < 200:
            self._on_provisional(response)
        elif response.status < 300:
            self._final = True
            self._on_success(response)
        else:
            self._final = True
            self.count(f"{response.status} to INVITE")
            self.over()

    def _on_provisional(self, response: Message) -> None:
        first, self._heard = not self._heard, True
        if self._cancels and not self._cancelled:
            self.cancel()
        elif (self.plan.manner, response.status) == ("cancels while it rings", 180) or (
            first and self.plan.manner == "cancels at once"
        ):
            self.later(self.plan.patience, self.cancel)

    def _on_success(self, response: Message) -> None:
        self.remote_tag, self.target = response.to_tag, response.contact
        self.count("200 to INVITE")
        if self.plan.manner == "crosses" and not self._cancelled:
            self._cancelled = True
            self.phone.cancel(self._invite, lambda response: None)
        if not self.plan.acknowledges and not self._cancelled:
            self.count("never acknowledges")
            self.later(PATIENCE + 8, lambda: self.fault("an answer that was never acknowledged was not hung up"))
            self.state = "answered"
            return
        self.acknowledge(response.sequence, "" if self.plan.offers else self.describe(), self.plan.talk.repeats)
        if self._cancelled:
            self.count("answer crossed the CANCEL")
            self._hangs_up = True
        self.come_up()


class MemberCall(Call):
    """A call that rings at a phone."""

    def __init__(self, phone: Phone, invite: Message, plan: MemberPlan, away: float) -> None:
        super().__init__(phone, invite.call_id, plan.talk, away, plan.manner)
        self.plan = plan
        self.local, self.remote = invite.get("to"), invite.get("from").partition(";tag=")[0]
        self.remote_tag, self.target = invite.from_tag, invite.contact
        self._invite = invite
        self._others: set[str] = set()  # further tags of ours that are answered
        self.count("is rung")
        self.later(RINGS_AT_MOST, self._ring_too_long)
        if plan.manner == "says nothing":
            self.go_deaf()
        elif plan.manner == "says 100":
            phone.answer(invite, 100)
        elif plan.manner == "answers at once":
            self._accept()
        else:
            phone.answer(invite, 100)
            self.later(plan.rings_after, self._ring)

    def _ring(self) -> None:
        manner, after = self.plan.manner, self.plan.answers_after
        if self.state != "early":
            return
        status = 183 if manner == "answers after 183" else 180
        body = self.describe() if manner == "answers after 183" and self._invite.body else ""
        self.phone.answer(self._invite, status, self.local_tag, body)
        if manner in ("answers", "answers after 183", "answers twice"):
            self.later(after, self._accept)
        elif manner == "is gone":
            self.later(after, self.go_deaf)
        elif manner in ("busy", "declines", "refuses", "redirects"):
            self.later(min(after, 1.0), self._refuse)

    def _refuse(self) -> None:
        statuses = {"busy": 486, "declines": 603, "redirects": 302, "refuses": self.plan.status}
        contact = f"<sip:{self.plan.number}@{self.phone.bridge[0]}>".replace("*", "%2A")
        self._reject(statuses[self.plan.manner], [("Contact", contact)] if self.plan.manner == "redirects" else [])

    def _reject(self, status: int, more: list[tuple[str, str]] | None = None) -> None:
        if self.state == "early":
            self.count(f"says {status}")
            self.phone.answer(self._invite, status, self.local_tag, more=more)
            self.over()

    def _accept(self) -> None:
        if self.state != "early":
            return
        self.state = "answered"
        self.count("answers")
        self.succeed(self._invite, self.local_tag)
        if self.plan.manner == "answers twice":
            tag = self.phone.token()
            self._others = {self.local_tag, tag}
            self.succeed(self._invite, tag)

    def _ring_too_long(self) -> None:
        if self.state == "early":
            self.fault(f"rings for more than {RINGS_AT_MOST:g} s")

    def on_cancel(self, cancel: Message) -> None:
        """Ring no more, or answer all the same."""
        self.phone.answer(cancel, 200)
        if self.state == "early":
            self.count("is cancelled")
            if self.plan.manner == "crosses":
                self._accept()
            else:
                self._reject(487)

    def on_bye(self, bye: Message) -> None:
        """Be hung up; one of two answers alone does not end the call."""
        self._others.discard(bye.to_tag)
        if self._others:
            self.phone.answer(bye, 200)
            repeated = [key for key in self._repeated if key[1] == bye.to_tag]
            for key in repeated:
                self._repeated.pop(key).end()
            if self.local_tag == bye.to_tag:
                self.local_tag = next(iter(self._others))
            self.count("one of two answers was hung up")
        else:
            super().on_bye(bye)
