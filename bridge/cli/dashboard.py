"""`cti-bridge dashboard`: a view to paste into Home Assistant, or the blueprint that ships; from the configuration."""

from __future__ import annotations

import argparse
import sys
from importlib.resources import files

from bridge import __version__
from bridge.cli.asking import print_json
from bridge.cli.configuration import configured_here
from bridge.cli.ending import DONE, FAILED, Stop

HOW = """\
# Paste this into Home Assistant: a dashboard, Edit, Add view, Edit in YAML.
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own options."""
    parser.add_argument(
        "--blueprint",
        action="store_true",
        help="print the automation blueprint that tells phones who is calling: save it in Home Assistant's "
        "directory blueprints/automation/",
    )


def run(args: argparse.Namespace) -> int:
    """Print the view, as YAML; with --json as JSON, which is YAML too."""
    if args.blueprint:
        text = files("bridge.mqtt").joinpath("homeassistant/who_is_calling.yaml").read_text(encoding="utf-8")
        sys.stdout.write(text)
        return DONE
    path, settings = configured_here(args)
    if settings.mqtt is None or settings.satellite or settings.mqtt.discovery == "off":
        raise Stop(f"{path}: only a bridge with a section [mqtt] and with discovery has entities to show", FAILED)
    from bridge.config.domain import directory_of
    from bridge.mqtt.dashboard import to_yaml, view
    from bridge.mqtt.discovery import DiscoveryTopics
    from bridge.mqtt.entities import Site, devices
    from bridge.mqtt.topics import Topics

    site = Site(settings.site.name, __version__, tuple(settings.trunks))
    where = DiscoveryTopics(settings.mqtt.discovery_prefix, settings.mqtt_prefix)
    made = view(devices(site, directory_of(settings), Topics(settings.mqtt_prefix), where))
    if args.json:
        print_json(made)
    else:
        print(HOW + to_yaml(made), end="")
    return DONE
