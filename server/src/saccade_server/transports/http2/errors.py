"""What a peer can do wrong in HTTP/2, and the codes that tell it so (RFC 9113, section 7)."""

import enum


class ErrorCode(enum.IntEnum):
    """Of RST_STREAM and GOAWAY."""

    NO_ERROR = 0x0
    PROTOCOL_ERROR = 0x1
    INTERNAL_ERROR = 0x2
    FLOW_CONTROL_ERROR = 0x3
    SETTINGS_TIMEOUT = 0x4
    STREAM_CLOSED = 0x5
    FRAME_SIZE_ERROR = 0x6
    REFUSED_STREAM = 0x7
    CANCEL = 0x8
    COMPRESSION_ERROR = 0x9
    CONNECT_ERROR = 0xA
    ENHANCE_YOUR_CALM = 0xB
    INADEQUATE_SECURITY = 0xC
    HTTP_1_1_REQUIRED = 0xD


class Violation(Exception):
    """The peer broke a rule; ends the connection, with GOAWAY.

    Args:
        code: For the peer.
        text: For the peer's log and ours.
    """

    def __init__(self, code: ErrorCode, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


class StreamViolation(Violation):
    """The peer broke a rule of one stream; ends the stream, with RST_STREAM."""
