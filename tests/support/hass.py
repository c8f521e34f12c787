"""Home Assistant's core with its MQTT integration, for `tests.support.homeassistant`; run by Home Assistant's Python.

`python hass.py DIRECTORY HOST PORT OWN` connects to the broker, says `ready`, and then reads a line at a time: `look`
prints what there is as JSON, `call DOMAIN SERVICE ENTITY` calls a service, `automate FILE` makes an automation of a
blueprint, `notified` prints what it has notified of, `press ACTION` is a press on a notification's button, `rename
ENTITY NAME` gives an entity a name, `end` ends it. OWN is a port for Home Assistant's own server.
"""

from __future__ import annotations

import asyncio
import json
import logging
import shutil
import sys
from pathlib import Path
from typing import Any

from homeassistant import bootstrap, runner  # type: ignore[import-not-found]
from homeassistant.helpers import device_registry as dr  # type: ignore[import-not-found]
from homeassistant.helpers import entity_registry as er

COMPLAINTS: list[str] = []
NOTIFIED: list[dict[str, Any]] = []


class Complaints(logging.Handler):
    """Keeps what is a warning or worse, of MQTT alone."""

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one."""
        if record.levelno >= logging.WARNING and "mqtt" in record.name + record.getMessage().lower():
            COMPLAINTS.append(f"{record.name}: {record.getMessage()}")


async def main(directory: Path, host: str, port: int, own: int) -> None:
    """Serve until `end`."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "configuration.yaml").write_text(
        f"homeassistant:\nhttp:\n  server_host: 127.0.0.1\n  server_port: {own}\n"
    )
    hass = await bootstrap.async_setup_hass(runner.RuntimeConfig(config_dir=str(directory), skip_pip=True))
    assert hass is not None
    logging.getLogger().addHandler(Complaints())
    if not hass.config_entries.async_entries("mqtt"):
        flow: Any = await hass.config_entries.flow.async_init("mqtt", context={"source": "user"})
        for _ in range(3):
            if flow["type"] != "form":
                break
            flow = await hass.config_entries.flow.async_configure(flow["flow_id"], {"broker": host, "port": port})
        assert flow["type"] == "create_entry", flow
    await hass.async_start()
    print("ready", flush=True)
    while True:
        words = (await asyncio.to_thread(sys.stdin.readline)).split()
        if not words or words == ["end"]:
            break
        await hass.async_block_till_done()
        if words[0] == "look":
            print(json.dumps(look(hass), default=str), flush=True)
        elif words[0] == "call":
            _, domain, service, entity = words
            await hass.services.async_call(domain, service, {"entity_id": entity}, blocking=True)
            print("called", flush=True)
        elif words[0] == "rename":
            er.async_get(hass).async_update_entity(words[1], name=words[2])
            print("renamed", flush=True)
        elif words[0] == "automate":
            print(json.dumps(await automate(hass, directory, Path(words[1]))), flush=True)
        elif words[0] == "notified":
            print(json.dumps({"notified": NOTIFIED}, default=str), flush=True)
        elif words[0] == "press":
            hass.bus.async_fire("mobile_app_notification_action", {"action": words[1]})
            print("pressed", flush=True)
    await hass.async_stop(force=True)


def look(hass: Any) -> dict[str, Any]:
    """Return all that came of MQTT, and what was complained of."""
    entities = er.async_get(hass)
    found = {}
    for entry in entities.entities.values():
        if entry.platform != "mqtt":
            continue
        state = hass.states.get(entry.entity_id)
        found[entry.entity_id] = {
            "unique_id": entry.unique_id,
            "device": entry.device_id,
            "name": entry.name,
            "state": state.state if state else None,
            "attributes": dict(state.attributes) if state else {},
        }
    devices = {device.id: device.name for device in dr.async_get(hass).devices.values()}
    return {"entities": found, "devices": devices, "complaints": COMPLAINTS}


async def automate(hass: Any, directory: Path, blueprint: Path) -> dict[str, Any]:
    """Make an automation of a blueprint with its defaults, and a notifier that writes down what it is given."""
    from homeassistant.setup import async_setup_component  # type: ignore[import-not-found]

    place = directory / "blueprints" / "automation" / blueprint.name
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(blueprint, place)

    async def notify(call: Any) -> None:
        NOTIFIED.append(dict(call.data))

    hass.services.async_register("notify", "notify", notify)
    used = {"id": "calling", "alias": "calling", "use_blueprint": {"path": blueprint.name, "input": {}}}
    done = await async_setup_component(hass, "automation", {"automation": [used]})
    await hass.async_block_till_done()
    state = hass.states.get("automation.calling")
    return {"done": done, "state": state.state if state else None}


if __name__ == "__main__":
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
