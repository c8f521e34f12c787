"""Opens the endpoint for Prometheus where one is configured, and follows the configuration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from bridge.upkeep.meter import Meter


class Page(NamedTuple):
    """What a page is made of: the answer to `status`, further numbers, and when the agent started."""

    status: Mapping[str, Any]
    counts: Mapping[str, tuple[str, float]]
    started: float


class Metering:
    """The endpoint, if there is to be one; `page` is asked for each answer."""

    def __init__(self, page: Callable[[], Page]) -> None:
        self._page = page
        self._place: tuple[str, int] | None = None
        self._meter: Meter | None = None

    async def configure(self, place: tuple[str, int] | None) -> list[str]:
        """Listen at this host and port, None: nowhere; return what cannot be done."""
        if place == self._place:
            return []
        await self.close()
        self._place = place
        if place is None:
            return []
        from bridge.upkeep.meter import Meter, MeterError  # who wants no numbers has no imports for them

        meter = Meter(*place, self._text)
        try:
            await meter.start()
        except MeterError as error:
            self._place = None
            return [str(error)]
        self._meter = meter
        return []

    async def close(self) -> None:
        """End; a second time does nothing."""
        if self._meter is not None:
            meter, self._meter = self._meter, None
            await meter.close()

    def _text(self) -> str:
        from bridge.upkeep.meter import own_counts
        from bridge.upkeep.metrics import page

        status, counts, started = self._page()
        return page(status, {**counts, **own_counts()}, started)
