"""Home Assistant's core with its MQTT integration, for `tests.support.homeassistant`; run by Home Assistant's Python.

`python hass.py DIRECTORY HOST PORT OWN` connects to the broker, says `ready`, and then reads a line at a time: `look`
prints what there is as JSON, `call DOMAIN SERVICE ENTITY` calls a service, `blueprint FILE` checks one, `rename ENTITY
NAME` gives an entity a name, `end` ends it. OWN is a port for Home Assistant's own server.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from pathlib import Path
from typing import Any

from homeassistant import bootstrap, runner  # type: ignore[import-not-found]
from homeassistant.helpers import device_registry as dr  # type: ignore[import-not-found]
from homeassistant.helpers import entity_registry as er

COMPLAINTS: list[str] = []


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
        elif words[0] == "blueprint":
            print(json.dumps(await asyncio.to_thread(blueprint, Path(words[1]))), flush=True)
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


def blueprint(path: Path) -> dict[str, Any]:
    """Check an automation blueprint as Home Assistant does, and fill it in."""
    from homeassistant.components.automation.config import PLATFORM_SCHEMA  # type: ignore[import-not-found]
    from homeassistant.components.blueprint.models import (  # type: ignore[import-not-found]
        Blueprint,
        BlueprintInputs,
    )
    from homeassistant.util import yaml  # type: ignore[import-not-found]

    content: Any = yaml.load_yaml(str(path))
    try:
        from homeassistant.components.blueprint.schemas import (  # type: ignore[import-not-found]
            BLUEPRINT_SCHEMA,
        )

        made = Blueprint(content, expected_domain="automation", path=path.name, schema=BLUEPRINT_SCHEMA)
    except (ImportError, TypeError):
        made = Blueprint(content, expected_domain="automation", path=path.name)
    given = {name: value.get("default", "notify.mobile_app_phone") for name, value in made.inputs.items() if value}
    filled = BlueprintInputs(made, {"use_blueprint": {"path": path.name, "input": given}})
    filled.validate()
    PLATFORM_SCHEMA({"id": "x", **filled.async_substitute()})
    return {"name": made.name, "inputs": sorted(made.inputs)}


if __name__ == "__main__":
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
