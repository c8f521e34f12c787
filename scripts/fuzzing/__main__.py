"""`scripts/fuzz`: each target in a process of its own, for it never returns; 1 is returned if anything was found."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
FOUND = ROOT / "build" / "fuzz"
TARGETS = ("message", "exchange", "dialogs", "description", "digest", "stream")


def main() -> int:
    """Fuzz every target that is asked for."""
    parser = argparse.ArgumentParser(prog="scripts/fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="for each target (default: 60)")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(TARGETS)} (default: all)")
    options = parser.parse_args()
    if unknown := set(options.targets) - set(TARGETS):
        parser.error(f"no such target: {', '.join(unknown)}; there are {', '.join(TARGETS)}")
    failed = [target for target in options.targets or TARGETS if not _fuzz(target, options.seconds)]
    if failed:
        print(f"found something: {', '.join(failed)}; the inputs are in {FOUND}", file=sys.stderr)
    return 1 if failed else 0


def _fuzz(target: str, seconds: int) -> bool:
    """Fuzz one target; return whether nothing was found."""
    corpus = FOUND / target / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    print(f"== {target}", file=sys.stderr)
    limits = [
        f"-max_total_time={seconds}",
        "-timeout=10",
        "-rss_limit_mb=1024",
        "-max_len=8192",
        "-print_final_stats=1",
    ]
    places = [f"-artifact_prefix={FOUND / target}/", str(corpus)]
    command = [sys.executable, str(Path(__file__).parent / "targets.py"), target, *limits, *places]
    return subprocess.run(command, cwd=ROOT).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
