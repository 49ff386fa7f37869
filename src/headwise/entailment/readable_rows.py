"""Sort out the rows of a file that an encoder cannot read."""

from collections.abc import Iterable

from headwise.backbones.encoder import EncodedText, EncoderBackbone
from headwise.data.pairs import Pair, Reject


def readable_rows(
    backbone: EncoderBackbone, rows: Iterable[Pair | Reject], *, what: str
) -> tuple[list[Pair], list[EncodedText], list[Reject]]:
    """Tokenise the texts of rows, and set aside what cannot be read.

    Args:
        backbone: The encoder.
        rows: Texts on their own, as `read_texts` yields them.
        what: What an error calls them.

    Returns:
        The readable rows, their texts as token ids, and the others, all in input order.
    """
    read = list(rows)
    pairs = [row for row in read if isinstance(row, Pair)]
    codes = iter(backbone.encode([pair.hypothesis for pair in pairs], what=what))
    good, encoded, rejects = [], [], []
    for row in read:
        if isinstance(row, Reject):
            rejects.append(row)
        elif isinstance(code := next(codes), EncodedText):
            good.append(row)
            encoded.append(code)
        else:
            rejects.append(Reject(row.line, str(code), row.hypothesis))
    return good, encoded, rejects
