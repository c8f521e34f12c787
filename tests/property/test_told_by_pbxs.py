"""What PBXs tell of lines behind them may be anything: it is read, or refused with a reason, never a crash."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bridge.calls.lines import LineTable
from bridge.calls.pbx.callmonitor import CallMonitor
from bridge.calls.status import LineState
from bridge.directory.model import Line
from bridge.sip.dialoginfo import DialogInfo, DialogInfoError, WatchedDialogs, parse_dialog_info

NAMESPACE = "urn:ietf:params:xml:ns:dialog-info"
WORDS = st.sampled_from(
    ["early", "confirmed", "terminated", "trying", "recipient", "initiator", "full", "partial", "1", "é"]
)
PIECES = st.sampled_from(
    [
        '<?xml version="1.0" encoding="utf-16"?>',
        '<?xml version="1.0" encoding="ebcdic"?>',
        f'<dialog-info xmlns="{NAMESPACE}" version="1" state="full">',
        f'<dialog-info xmlns="{NAMESPACE}" version="99999999999999" state="partial">',
        '<dialog id="a" direction="recipient">',
        "<state>early</state>",
        "<state/>",
        "</dialog>",
        "</dialog-info>",
        "<!-- -->",
        "<![CDATA[",
        "<!DOCTYPE x>",
        "&lol;",
        "&#0;",
        "\x00",
        "\ufffe",
    ]
)


@given(st.one_of(st.binary(max_size=300), st.lists(st.one_of(PIECES, WORDS), max_size=12).map("".join).map(str.encode)))
def test_any_document_is_read_or_refused(data: bytes) -> None:
    """Whatever comes as a dialog-info document."""
    try:
        info = parse_dialog_info(data)
    except DialogInfoError as error:
        assert str(error)
        return
    watched = WatchedDialogs()
    watched.take(info)
    assert LineState(watched.state)


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans(), st.dictionaries(st.sampled_from("abc"), WORDS))))
def test_documents_in_any_order(documents: list[tuple[int, bool, dict[str, str]]]) -> None:
    """Versions that jump, come twice or go back leave a state, and no dialog that has ended."""
    watched = WatchedDialogs()
    for version, full, dialogs in documents:
        watched.take(DialogInfo(version, full, {name: (state, "") for name, state in dialogs.items()}))
        assert watched.state in ("idle", "ringing", "busy")
        assert all(state != "terminated" for state, _ in watched.dialogs.values())


@given(
    st.lists(
        st.one_of(st.text(max_size=60), st.lists(WORDS | st.sampled_from(["CALL", "CONNECT", "0", "10"])).map(";".join))
    )
)
def test_any_line_of_a_call_monitor(lines: list[str]) -> None:
    """A watched line is idle or busy, whatever is heard."""
    line = Line("anna", "201", trunk="fritz", dial="**610")
    table = LineTable({"anna": line}, lambda name: (), lambda: 0.0)
    monitor = CallMonitor(table)
    monitor.configure([line])
    monitor.connected()
    for text in lines:
        monitor.heard(text)
        assert table.use("anna").state in (LineState.IDLE, LineState.BUSY)
    monitor.lost()
    assert table.use("anna").state is LineState.UNKNOWN
