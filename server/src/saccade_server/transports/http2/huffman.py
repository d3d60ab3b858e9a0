"""The Huffman code of HPACK strings (RFC 7541, section 5.2 and appendix B); decoding only.

The code is canonical: the lengths of the symbols say everything. Decoding goes four bits a step
through a table of the code tree's inner nodes, which is small enough to build in milliseconds.
"""

LENGTHS = (
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
    28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
    6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
    5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
    13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
    7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
    15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
    6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
    20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
    24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
    22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
    21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
    19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
    20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
    26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
    30,
)  # fmt: skip
"""Bits of each symbol; the last one, number 256, marks an end that must never be sent."""

_END = 256

_Step = tuple[int, bytes]
"""Where four bits lead (sixteen times the node, or an error), and the octet they complete."""


class HuffmanError(Exception):
    """The bits are no string."""


def decode(text: bytes) -> bytes:
    """The string that `text` encodes.

    Raises:
        HuffmanError: It holds the end symbol, or its padding is not a few ones.
    """
    node = 0
    out = []
    steps = _STEPS
    for octet in text:
        node, symbol = steps[node | octet >> 4]
        if symbol:
            out.append(symbol)
        node, symbol = steps[node | octet & 15]
        if symbol:
            out.append(symbol)
    if node not in _ENDS:
        raise HuffmanError("wrong padding, or an end symbol")
    return b"".join(out)


def _codes() -> list[int]:
    """The code words, by symbol: canonical, so short ones first, then by symbol."""
    words = [0] * len(LENGTHS)
    word = length = 0
    for symbol in sorted(range(len(LENGTHS)), key=lambda symbol: (LENGTHS[symbol], symbol)):
        word <<= LENGTHS[symbol] - length
        length = LENGTHS[symbol]
        words[symbol] = word
        word += 1
    return words


def _tree() -> list[list[int]]:
    """Inner nodes, each with its two children: a node's number, or minus a symbol less one."""
    nodes = [[0, 0]]
    for symbol, word in enumerate(_codes()):
        node = 0
        for shift in range(LENGTHS[symbol] - 1, 0, -1):
            bit = word >> shift & 1
            if not nodes[node][bit]:
                nodes.append([0, 0])
                nodes[node][bit] = len(nodes) - 1
            node = nodes[node][bit]
        nodes[node][word & 1] = -symbol - 1
    return nodes


def _walk(nodes: list[list[int]], node: int, bits: int) -> _Step:
    octet = b""
    for shift in (3, 2, 1, 0):
        child = nodes[node][bits >> shift & 1]
        if child >= 0:
            node = child
        elif child == -_END - 1:
            return len(nodes) << 4, b""
        else:
            octet, node = bytes((-child - 1,)), 0
    return node << 4, octet


def _build() -> tuple[list[_Step], frozenset[int]]:
    """The table, and the nodes at which a string may end: after up to seven ones of padding."""
    nodes = _tree()
    steps = [_walk(nodes, node, bits) for node in range(len(nodes)) for bits in range(16)]
    # One more node, which nothing leads out of: an end symbol was seen.
    steps += [(len(nodes) << 4, b"")] * 16
    ends = [0]
    while len(ends) < 8:
        ends.append(nodes[ends[-1]][1])
    return steps, frozenset(node << 4 for node in ends)


_STEPS, _ENDS = _build()
