"""`cti-bridge acl`: the broker's rules, for Mosquitto; from the configuration alone."""

from __future__ import annotations

import argparse

from bridge.cli.asking import print_json
from bridge.cli.configuration import configured_here
from bridge.cli.ending import DONE, FAILED, Stop


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own options."""
    parser.add_argument(
        "--owner",
        metavar="USER",
        action="append",
        default=[],
        help="a user of the broker who acts as the bridge's owner, such as Home Assistant's or a satellite's; "
        "may be given several times",
    )


def run(args: argparse.Namespace) -> int:
    """Print the rules."""
    path, settings = configured_here(args)
    if settings.mqtt is None or settings.satellite:
        raise Stop(f"{path} is not a bridge's with a section [mqtt]: there are no rules to print", FAILED)
    if settings.mqtt.username is None:
        raise Stop(
            f"{path}: mqtt.username is missing; rules need users, so give username and password, at the broker too",
            FAILED,
        )
    from bridge.directory.model import Level
    from bridge.mqtt.acl import acl
    from bridge.mqtt.topics import Topics

    announced = None if settings.mqtt.discovery == "off" else settings.mqtt.discovery_prefix
    users = [name for name in settings.users if name != settings.mqtt.username]
    public = settings.site.level is not Level.NONE
    text = acl(Topics(settings.mqtt_prefix), settings.mqtt.username, args.owner, users, announced, public=public)
    if args.json:
        print_json({"acl": text})
    else:
        print(text, end="")
    return DONE
