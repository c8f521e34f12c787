"""The broker, and Home Assistant at it."""

from __future__ import annotations

from bridge.doctor.model import Findings, Patient, fail, ok, warn


def check_broker(patient: Patient) -> Findings:
    """Connect as the agent does, under another client's name, and ask who listens to what is announced."""
    configured = patient.settings.mqtt
    if configured is None:
        return
    from bridge.mqtt.configured import mqtt_settings
    from bridge.mqtt.errors import MqttError  # paho is imported only where there is a broker
    from bridge.mqtt.probe import probe

    settings = mqtt_settings(patient.settings)
    check = "broker"
    try:
        seen = probe(settings)
    except MqttError as error:
        yield fail(check, str(error), "give files that are there and belong together")
        return
    if not seen.connected:
        yield fail(check, f"{settings}: {seen.reason}", _todo(seen.reason, configured.username is not None))
        return
    link = patient.status.get("links", {}).get("mqtt")
    if link and link["reason"]:
        yield fail(check, f"{settings} takes us, but the agent is {link['state']}: {link['reason']}", "see its log")
    elif seen.refused:
        yield fail(
            check, f"{settings} does not let us publish: {seen.refused}", "its rules are printed by cti-bridge acl"
        )
    else:
        yield ok(check, f"{settings} takes us, by MQTT {seen.protocol}")
    if configured.discovery != "off":
        yield from _home_assistant(patient, seen.listened, f"{settings.discovery_prefix}/#")


def _home_assistant(patient: Patient, listened: bool | None, where: str) -> Findings:
    born = patient.diagnosis.get("home_assistant_born")
    if born:
        yield ok("home assistant", f"said at {born} that it started")
    elif listened:
        yield ok("home assistant", f"somebody listens at {where}")
    else:
        known = "nobody listens" if listened is False else "it has not said that it started, as far as is known,"
        todo = 'has it the MQTT integration at this broker, with this prefix? Without Home Assistant: discovery = "off"'
        yield warn("home assistant", f"{known} at {where}", todo)


def _todo(reason: str, has_username: bool) -> str:
    said = reason.lower()
    if "authori" in said or "password" in said:
        known = (
            "compare [mqtt] username and password with the broker's"
            if has_username
            else "give [mqtt] username and password"
        )
        return f"{known} (mosquitto_passwd)"
    if "refused" in said:
        return "does the broker run, and listen to more than localhost? Mosquitto: listener 1883 in its configuration"
    if "certificate" in said or "ssl" in said:
        return "give [mqtt] ca, the certificate of who signed the broker's"
    return "is the broker on, and its address right? Is its port open?"
