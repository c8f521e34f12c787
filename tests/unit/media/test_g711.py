import audioop
from array import array

import pytest

from bridge.media.g711 import ALAW, ULAW, Law, decode, encode

EVERY_SAMPLE = array("h", range(-32768, 32768))
EVERY_BYTE = bytes(range(256))
ENCODERS = {ULAW: audioop.lin2ulaw, ALAW: audioop.lin2alaw}
DECODERS = {ULAW: audioop.ulaw2lin, ALAW: audioop.alaw2lin}


@pytest.mark.parametrize("law", [ULAW, ALAW], ids=lambda law: law.name)
def test_every_sample_is_encoded_as_the_reference_does(law: Law) -> None:
    """All 65,536 samples give the bytes that C code of ITU-T G.711 gives."""
    assert encode(law, EVERY_SAMPLE) == ENCODERS[law](EVERY_SAMPLE.tobytes(), 2)


@pytest.mark.parametrize("law", [ULAW, ALAW], ids=lambda law: law.name)
def test_every_byte_is_decoded_as_the_reference_does(law: Law) -> None:
    """All 256 bytes give the samples that C code of ITU-T G.711 gives."""
    assert decode(law, EVERY_BYTE).tobytes() == DECODERS[law](EVERY_BYTE, 2)


@pytest.mark.parametrize("law", [ULAW, ALAW], ids=lambda law: law.name)
def test_silence_is_the_byte_that_says_nothing(law: Law) -> None:
    """A sample of 0 is the law's silence (A-law's is 0xD5), and silence is as near to 0 as the law comes."""
    assert encode(law, [0]) == bytes([law.silence])
    assert abs(decode(law, bytes([law.silence]))[0]) <= 8
