import time

import pytest

from bridge.sip.grammar import SipError, parse_address, parse_uri, split_list, uri_of
from bridge.sip.message import Request
from bridge.sip.reading import parse_message


def test_brackets_in_a_quoted_display_name_are_part_of_the_name() -> None:
    """The URI is what stands in the brackets after the display name, whatever the name contains."""
    address = parse_address('"Anna \\"<home>\\", 2nd" <sip:201@example.org>;tag=1')
    assert str(address.uri) == "sip:201@example.org"
    assert address.parameters["tag"] == "1"
    assert uri_of('"a <b>" <sip:x@y>;expires=4') == "sip:x@y"


@pytest.mark.parametrize("name", ["self", "cls", "expires", "__class__"])
def test_a_uri_parameter_may_have_any_name_or_is_refused(name: str) -> None:
    """A URI whose parameters the grammar's reader cannot take is refused like any other bad one."""
    try:
        assert parse_uri(f"sip:a@b;{name}=1").host == "b"
    except SipError as error:
        assert error.status == 400


@pytest.mark.parametrize("flood", ["<" * 60000, '"' + '\\"' * 30000, '"\\' * 30000, "a," * 30000])
def test_a_list_is_split_in_linear_time(flood: str) -> None:
    """What is never closed is looked at once, not once from each of its characters."""
    start = time.process_time()
    split_list(flood + ",")
    assert time.process_time() - start < 0.5


def test_cseq_may_be_separated_by_a_tab() -> None:
    """White space between number and method is a space or a tab (RFC 3261 §25.1, LWS)."""
    message = parse_message(b"OPTIONS sip:a@b SIP/2.0\r\nCSeq: 7\tOPTIONS\r\n\r\n")
    assert isinstance(message, Request)
    assert (message.cseq.sequence, message.cseq.method) == (7, "OPTIONS")
