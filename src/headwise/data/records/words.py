"""Words of Unicode text, and placeholders and tags, which are none.

A program replaces these or a browser hides them.
"""

from collections.abc import Iterable
from itertools import pairwise

import regex

from headwise.data.records.error_spans import Range

# With the WORD flag, \b is the default word boundary of Unicode Standard Annex #29, which also
# splits text in scripts that put no spaces between words.
_BOUNDARY = regex.compile(r"\b", flags=regex.WORD | regex.V1)


def word_ranges(text: str) -> list[tuple[int, int]]:
    """``(start, end)`` of each word and punctuation mark of a text, in order, in code points.

    Scripts without spaces are split too: Chinese and Hiragana by character, Katakana by run.
    Nothing here knows a dictionary. Placeholders and tags
    (:func:`placeholder_ranges`) are left out, and end the words beside them.

    References:
        Unicode Standard Annex #29, section 4 (default word boundaries).
    """
    cuts = [0, *(match.start() for match in _BOUNDARY.finditer(text)), len(text)]
    placeholders = placeholder_ranges(text)
    if placeholders:
        cuts = sorted({*cuts, *(edge for both in placeholders for edge in both)})
    words = [(a, b) for a, b in pairwise(cuts) if a < b and not text[a:b].isspace()]
    if not placeholders:
        return words
    return [(a, b) for a, b in words if not is_inside(a, b, text, placeholders)]


# Text without one of these characters has none; most text is settled by this
_SIGN = regex.compile(r"[%{}<&$\[_@#\\]")
_PLACEHOLDER = regex.compile(
    r"""
      # Tags of HTML, XML and XLIFF, comments, and the numbered tags of web frameworks
      <!--.{0,2000}?--> | <!\[CDATA\[ | \]\]> | <[?!][A-Za-z][^<>]{0,2000}>
    | </? [\p{L}_\d] [\w:.-]*
        (?: \s+ [\w:@.-]++ \s*+=\s*+ (?: "[^"]{0,2000}+" | '[^']{0,2000}+' | [^\s"'<>]++ )
          | \s+ (?: async|checked|controls|disabled|hidden|multiple|readonly|required|selected )
        )*+ \s*+ /?>
      # Entities
    | & (?: [A-Za-z][A-Za-z0-9]{1,31} | \#\d{1,7} | \#[xX][0-9A-Fa-f]{1,6} ) ;
      # Jinja, Handlebars, Vue, Angular, ERB: one line at most
    | \{\{\{? [^{}\n]{0,500}+ \}?\}\} | \{%[^{}\n]{0,500}?%\}
    | \{\#[^{}\n]{0,500}?\#\} | <%[^<>\n]{0,500}?%>
      # ICU: what stands around the texts of a plural or a choice, which are words
    | \{ \s* [\w.]+ \s*,\s* (?: plural|selectordinal|select ) \s*,
        (?: \s* offset:\d+ )? \s* (?: =\d+ | \w+ ) \s* \{
    | \} \s* (?: =\d+ | \w+ ) \s* \{ | \} \s* \}
    | \{ \s* [\w.]+ \s*,\s* (?: number|date|time|spellout|ordinal|duration|list )\b [^{}]{0,200}+ \}
      # Shells, Ruby, Python, Java, Android, i18next: ${x}, #{x}, %{x}, @{x}, {x}, {0:.2f}, $t(x)
    | [$\#%@]? \{ (?: [^\s{}]* | \s* [\w.]+ \s* ) \}
    | [$\#%@]  \{ [^{}\n]{0,500}+ \}
    | \$ \w* \( [^()\s]{0,200}+ \)
    | (?<![\w$]) \$ (?: [a-z_]\w* | \d+\$ )
    | (?<![\d%]) % [A-Z_][A-Z0-9_]* %
    | (?<!\w) __ [A-Z0-9]+ (?: _[A-Z0-9]+ )* __ (?!\w)
    # Escapes that stand as they are written: Zeile\nZeile, but not C:\neu
    | \\ [nrt] (?! \p{Ll})
    | \[ /? (?: b|i|u|s|url|img|quote|code|color|size|list ) (?: =[^\]\n]{0,500}+ )? \]
      # printf and its kin. A per cent sign behind a number is one: 100 %ige, 5%-Hürde
    | (?<!\d) (?<!\d\s) %
        (?: %
          | \( [^()\n]{1,200}+ \) [\#0+]* (?:-?\d+)? (?:\.\d+)? [a-zA-Z]
          | (?: \d+\$ | \[\d+\] )? [\#0+]* (?: -?\d+ | \* )? (?: \.(?:\d+|\*) )?
            (?: hh?|ll?|[Lzjtq] )? (?: [dsfu@] | [ieEgGcoxXpvrSTt](?!\p{L}) )
          | L?[1-9] (?!\d)
          | n (?!\p{L})
        )
    """,
    flags=regex.VERBOSE | regex.V1 | regex.DOTALL,
)


def placeholder_ranges(text: str) -> tuple[Range, ...]:
    r"""``(start, end)`` of each placeholder and tag of a text, in order, in code points.

    Known are printf's (``%d``, ``%1$s``, ``%(name)s``, ``%@``), braces of all kinds (``{name}``,
    ``{0:.2f}``, ``${x}``, ``#{x}``, ``{{ y }}``, ``{% if %}``; of ICU plurals what stands around
    their texts), tags and entities (``<b>``, ``</a>``, ``&nbsp;``), BBCode, names such as
    ``%PATH%`` and ``__NAME__``, and escapes that stand in the text as they are written (``\n``).
    """
    if _SIGN.search(text) is None:
        return ()
    return tuple(match.span() for match in _PLACEHOLDER.finditer(text))


def is_inside(start: int, end: int, text: str, ranges: Iterable[Range]) -> bool:
    """Whether ``text[start:end]``, white space at its ends left out, lies in one of the ranges."""
    piece = text[start:end]
    start, end = start + len(piece) - len(piece.lstrip()), end - len(piece) + len(piece.rstrip())
    return start < end and any(first <= start and end <= last for first, last in ranges)
