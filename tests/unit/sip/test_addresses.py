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


@pytest.mark.parametrize("uri", ["sip:a@1.2.3.\u0663", "sip:j\u00fcrgen@b", "tel:\u0663", "sip:a@b:\u0665060"])
def test_a_uri_is_ascii(uri: str) -> None:
    """Digits of other scripts are no digits here, and letters of them are to be escaped (RFC 3261 §25.1)."""
    with pytest.raises(SipError):
        parse_uri(uri)


def test_a_phone_may_dial_a_hash() -> None:
    """It should be escaped (RFC 3261 §25.1), but codes with it are dialled as they are."""
    assert parse_uri("sip:*21#@example.org").user == parse_uri("sip:*21%23@example.org").user == "*21#"


def test_a_contact_says_where_and_nothing_more() -> None:
    """What it would have us write into headers is left out (RFC 3261 §19.1.5)."""
    message = parse_message(
        b"OPTIONS sip:a@b SIP/2.0\r\nContact: <sip:a?b@c:5070;x=y?Route=%3Csip:d%3E and more>\r\n\r\n"
    )
    assert message.contact == "sip:a?b@c:5070;x=y"


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
