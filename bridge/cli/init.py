"""`cti-bridge init`: write a configuration, from answers to a few questions, a file of answers, or options."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bridge.cli.asking import print_json
from bridge.cli.configuration import listing
from bridge.cli.ending import DONE, FAILED, USAGE, Stop
from bridge.config.find import PLACES, VARIABLE
from bridge.config.problems import ConfigError

if TYPE_CHECKING:
    from bridge.config.settings import Settings
    from bridge.recipes.answers import Answers

_NOTHING = "nothing was written"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own options."""
    parser.add_argument("--force", action="store_true", help="write over a configuration that is there; it is kept")
    parser.add_argument(
        "--answers",
        metavar="FILE",
        help="take the answers from a file (TOML) or, with -, from standard input; ask nobody",
    )
    answers = parser.add_argument_group("answers, instead of questions")
    answers.add_argument("--pbx", help="fritzbox, freepbx, asterisk, provider or none")
    answers.add_argument("--server", metavar="HOST", help="the address of the PBX or provider")
    answers.add_argument("--username", metavar="NAME", help="the bridge's user name there")
    answers.add_argument("--password-file", metavar="FILE", help="has its password; without: one is made up")
    answers.add_argument(
        "--phone", metavar="PHONE", action="append", help='behind the PBX: "Anna **611"; several times'
    )
    answers.add_argument("--own-phone", metavar="PHONE", action="append", help='registers at the bridge: "Lobby 203"')
    answers.add_argument("--device", metavar="PHONE", action="append", help="one of them that is nobody's own")
    answers.add_argument("--group", metavar="GROUP", action="append", help='"Support 600 sequential: Anna, Lobby"')
    answers.add_argument("--desk", metavar="DESK", action="append", help='button and lamp at pins: "Anna 17 27"')
    answers.add_argument("--broker", metavar="HOST", help="the MQTT broker: mqtt://localhost:1883")
    answers.add_argument("--site", metavar="NAME", help="the site's name; home")
    answers.add_argument("--listen", metavar="ADDRESS", help="where SIP is listened for; 0.0.0.0")
    answers.add_argument("--port", metavar="PORT", help="the bridge's SIP port; 5060")


def run(args: argparse.Namespace) -> int:
    """Write it; 1 where nothing was written."""
    from bridge.recipes.place import PlaceError, is_free, put
    from bridge.recipes.text import write

    path = _target(args.config)
    given = _given(args)
    asked = given is None
    overwrite = args.force
    if not overwrite and not is_free(path):
        overwrite = asked and _agreed(f"{path} is there. Write over it? The old one is kept (y, n) [n]: ")
        if not overwrite:
            raise Stop(
                f"{path} is there, and {_NOTHING}; say --force to write over it, or name another --config", FAILED
            )
    answers = _interviewed() if given is None else _read(given)
    written = write(answers)
    try:
        settings = put(path, written, overwrite=overwrite)
    except PlaceError as error:
        raise Stop(f"{error}; {_NOTHING}", FAILED) from None
    except ConfigError as error:
        raise Stop(f"{_NOTHING}; {listing(path, error)}", USAGE) from None
    if args.json:
        from bridge.config.counts import counts

        print_json({"status": "ok", "file": str(path), "secrets": sorted(written.secrets), "counts": counts(settings)})
        return DONE
    show = asked and sys.stdin.isatty() and _agreed("Show the phones' passwords here, to type them in (y, n) [n]: ")
    print(_told(path, answers, settings, show))
    return DONE


def _target(explicit: str | None) -> Path:
    """Return where it is written: as named, else at the service's place where it is installed, else here."""
    given = explicit or os.environ.get(VARIABLE)
    if given:
        return Path(given)
    here, service = PLACES
    return service if service.parent.is_dir() and not here.exists() else here


# -- where the answers come from --------------------------------------------------------------------------------------


def _given(args: argparse.Namespace) -> dict[str, Any] | None:
    """Return the answers that the command line has; None where it has none, and somebody is to be asked."""
    table = _file(args.answers) if args.answers else {}
    texts = ("site", "pbx", "server", "username", "listen", "port", "broker")
    options: dict[str, Any] = {key: getattr(args, key) for key in texts if getattr(args, key) is not None}
    for option, key in (("phone", "phones"), ("own_phone", "own_phones"), ("device", "devices")):
        options |= {key: getattr(args, option)} if getattr(args, option) else {}
    for key in ("group", "desk"):
        options |= {f"{key}s": getattr(args, key)} if getattr(args, key) else {}
    if args.password_file:
        options["password"] = _secret_in(args.password_file)
    return {**table, **options} if args.answers or options else None


def _file(name: str) -> dict[str, Any]:
    from bridge.recipes.answerfile import AnswerError, table

    try:
        return table(sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8"))
    except OSError as error:
        raise Stop(f"--answers {name}: {error.strerror or error}; {_NOTHING}", USAGE) from None
    except (UnicodeDecodeError, AnswerError) as error:
        raise Stop(f"--answers {name}: {error}; {_NOTHING}", USAGE) from None


def _secret_in(name: str) -> str:
    try:
        return Path(name).read_text(encoding="utf-8").removesuffix("\n")
    except (OSError, ValueError) as error:
        raise Stop(f"--password-file {name} cannot be read: {error}; {_NOTHING}", USAGE) from None


def _read(given: dict[str, Any]) -> Answers:
    from bridge.recipes.answerfile import AnswerError, read

    try:
        return read(given)
    except AnswerError as error:
        wrong = "\n  ".join(str(error).splitlines())
        raise Stop(f"these answers are not right, and {_NOTHING}:\n  {wrong}", USAGE) from None


def _interviewed() -> Answers:
    from bridge.recipes.interview import Interview

    try:
        return Interview(Terminal()).answers()
    except EOFError:
        raise Stop(
            f"\nthe answers ended before the last question, and {_NOTHING}; "
            "where nobody can be asked, give --answers FILE",
            FAILED,
        ) from None
    except KeyboardInterrupt:
        print(f"\nEnded; {_NOTHING}.", file=sys.stderr)
        raise


class Terminal:
    """A person at standard input and output."""

    def ask(self, prompt: str) -> str:
        """Return an answer."""
        while True:
            try:
                return input(prompt)
            except UnicodeDecodeError:
                print("  that was not UTF-8 text; once more")

    def ask_secretly(self, prompt: str) -> str:
        """Return an answer that is not shown, where there is a terminal."""
        return getpass.getpass(prompt) if sys.stdin.isatty() else self.ask(prompt)

    def tell(self, text: str) -> None:
        """Say something."""
        print(text)


def _agreed(question: str) -> bool:
    try:
        return input(question).strip().lower() in ("y", "yes")
    except EOFError:
        return False


# -- what is said at the end ------------------------------------------------------------------------------------------


def _told(path: Path, answers: Answers, settings: Settings, show: bool) -> str:
    from bridge.cli.welcome import servers
    from bridge.config.counts import counted, counts
    from bridge.recipes.answers import PBXS

    parts = [f"\n{path} is written, and right: {counted(counts(settings)) or 'nothing yet'}."]
    if answers.server is not None:
        parts.append(
            f"The account of {answers.username} at the PBX ({PBXS[answers.pbx].title}):\n  {_password(path, answers)}"
        )
    own = [phone for phone in answers.phones if phone.own]
    if own and settings.sip is not None:
        [(server, _), *_] = servers(settings, settings.sip.listen)
        rows = [f"  user {phone.number}  {_own_password(path, phone.key, show)}" for phone in own]
        parts.append(f"Phones that register here, at {server}:\n" + "\n".join(rows))
    parts.append(_next(path))
    return "\n\n".join(parts)


def _password(path: Path, answers: Answers) -> str:
    if isinstance(answers.password, dict):
        return "its password is where you said"
    file = path.parent / "secrets" / f"trunk-{answers.pbx}"
    return f"password {'made up' if answers.password is None else 'as given'}, in {file}"


def _own_password(path: Path, key: str, show: bool) -> str:
    file = path.parent / "secrets" / f"line-{key}"
    return f"password {file.read_text().strip()}" if show else f"password in {file}"


def _next(path: Path) -> str:
    if path == PLACES[1]:
        return "Next: sudo systemctl restart cti-bridge, then sudo cti-bridge doctor"
    return f"Next: cti-bridge run --config {path}, then cti-bridge doctor --config {path}"
