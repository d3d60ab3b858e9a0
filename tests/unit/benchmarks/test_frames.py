"""The frames and header blocks that the open-loop generator writes."""

import hpack
import pytest

from benchmarks import frames
from benchmarks.frames import Frame
from benchmarks.grpc_request import NATIVE, request_headers


def test_a_header_block_is_what_an_hpack_decoder_reads() -> None:
    """Headers come out of a decoder of other people's as they went in."""
    headers = request_headers("127.0.0.1:8500", NATIVE.path, 0.2)

    block = frames.encode_headers(headers)

    assert headers == [(str(name), str(value)) for name, value in hpack.Decoder().decode(block)]


def test_a_header_block_leaves_nothing_in_the_decoders_table() -> None:
    """The same bytes mean the same in every request."""
    decoder = hpack.Decoder()
    decoder.decode(frames.encode_headers([("x-name", "value")]))

    assert 0 == len(decoder.header_table.dynamic_entries)


@pytest.mark.parametrize(("value", "encoded"), [
    (10, b"\x0a"),
    (126, b"\x7e"),
    (127, b"\x7f\x00"),
    (128, b"\x7f\x01"),
    (1337, b"\x7f\xba\x09"),
])  # fmt: skip
def test_an_integer_takes_more_bytes_when_its_prefix_is_full(value: int, encoded: bytes) -> None:
    """RFC 7541, 5.1."""
    assert encoded == frames.encode_integer(value, 7)


def test_a_header_value_may_be_longer_than_the_prefix_can_say() -> None:
    """A long value is read whole."""
    headers = [("x-name", "v" * 1000)]

    block = frames.encode_headers(headers)

    assert headers == [(str(name), str(value)) for name, value in hpack.Decoder().decode(block)]


def test_a_stream_of_bytes_falls_into_frames() -> None:
    """Whole frames are returned, the start of the next one is left over."""
    data = frames.encode_frame(frames.DATA, frames.END_STREAM, 5, b"abc") + b"\x00\x00"

    assert ([Frame(frames.DATA, frames.END_STREAM, 5, b"abc")], b"\x00\x00") == (
        frames.split_frames(data)
    )


def test_a_frame_that_has_not_arrived_whole_is_left_over() -> None:
    """Nothing of it is lost."""
    data = frames.encode_frame(frames.DATA, 0, 1, b"abcdef")[:-1]

    assert ([], data) == frames.split_frames(data)


def test_settings_come_out_as_they_went_in() -> None:
    """Numbers and values."""
    settings = {
        frames.SETTINGS_HEADER_TABLE_SIZE: 0,
        frames.SETTINGS_INITIAL_WINDOW_SIZE: 2**31 - 1,
    }

    found, _ = frames.split_frames(frames.encode_settings(settings))

    assert settings == frames.decode_settings(found[0].payload)
