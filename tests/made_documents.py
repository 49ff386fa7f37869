"""Translators' documents of every dialect, made at random, and what is to be read of them."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from headwise.data.documents import DocumentFormat

WORDS = (
    *("dog", "Hund", "läuft", "Straße", "naïve", "été", "don't", "42", "3.5", "Ja.", "nein,"),
    *("שלום", "العربية", "日本語", "Привет", "🐕", "a&b", "x<y", '"so"', "100 %", "Ƶ"),
)
DIALECTS = (
    "xliff12",
    "sdlxliff",
    "mxliff",
    "mqxliff",
    "xliff20",
    "xliff21",
    "xliff22",
    "tmx",
    "po",
)
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16-le", "utf-16-be", "iso-8859-1", "windows-1252")
_SUFFIX = {"xliff12": "xlf", "xliff20": "xlf", "xliff21": "xliff", "xliff22": "xlf"}


@dataclass
class Made:
    """A document and its segments.

    Attributes:
        pairs: Sources and targets of the segments that are to be scored.
        skipped: How many are not, by reason.
    """

    dialect: str
    content: bytes = b""
    pairs: list[tuple[str, str]] = field(default_factory=list)
    skipped: dict[str, int] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"job.{_SUFFIX.get(self.dialect, self.dialect)}"

    @property
    def kind(self) -> DocumentFormat:
        return DocumentFormat.XLIFF if "xliff" in self.dialect else DocumentFormat(self.dialect)

    def skip(self, reason: str) -> None:
        self.skipped[reason] = self.skipped.get(reason, 0) + 1


def made_documents(count: int, seed: int = 1) -> Iterator[Made]:
    """Documents of all dialects in turn, each in another encoding, with other line ends."""
    dice = random.Random(seed)
    for number in range(count):
        yield made_document(DIALECTS[number % len(DIALECTS)], dice)


def made_document(dialect: str, dice: random.Random) -> Made:
    made = Made(dialect)
    encoding, end = dice.choice(ENCODINGS), dice.choice(("\n", "\n", "\r\n"))
    if dialect == "po":
        encoding = dice.choice(("utf-8", "utf-8-sig", "iso-8859-1"))
        text = _po(made, dice, encoding)
    elif dialect == "tmx":
        text = _tmx(made, dice)
    else:
        text = (_xliff2 if dialect.startswith("xliff2") else _xliff12)(made, dice)
    if dice.random() < 0.5:
        text = text.rstrip("\n")
    if dialect != "po":
        said = encoding.removesuffix("-sig").removesuffix("-le").removesuffix("-be")
        declared = f'<?xml version="1.0" encoding="{said}"?>\n'
        wants = said != "utf-8" or dice.random() < 0.8
        text = (declared if wants else "") + text
        mark = "\ufeff" if encoding.endswith(("sig", "le", "be")) else ""
        codec = encoding.removesuffix("-sig")
        made.content = (mark + text.replace("\n", end)).encode(codec, "xmlcharrefreplace")
    else:
        made.content = text.replace("\n", end).encode(encoding)
    return made


def _words(dice: random.Random, alphabet: str = "utf-8") -> str:
    known = [word for word in WORDS if word.encode(alphabet, "ignore").decode(alphabet) == word]
    return " ".join(dice.choices(known, k=dice.randint(1, 7)))


def _character(sign: str, dice: random.Random) -> str:
    """One of the ways to write a character."""
    named = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;"}
    chance = dice.random()
    if chance < 0.04:
        return f"&#{ord(sign)};"
    if chance < 0.08:
        return f"&#x{ord(sign):x};"
    if sign in "&<" or (sign in named and chance < 0.4):
        return named[sign]
    return sign


def _content(text: str, dice: random.Random, tags: Callable[[random.Random], list[str]]) -> str:
    """A text with inline tags, as it may be written."""
    parts: list[str] = []
    opened: list[str] = []
    place = 0
    while place < len(text):
        chance = dice.random()
        if chance < 0.06:
            opening, closing = tags(dice)
            parts.append(opening)
            if closing:
                opened.append(closing)
        elif chance < 0.12 and opened:
            parts.append(opened.pop())
        elif chance < 0.14:
            parts.append(dice.choice(("<!-- a <b> & -->", "<?tool a>b?>")))
        elif chance < 0.18:
            end = place + dice.randint(1, 6)
            # What the encoding lacks cannot stand in a section
            if text[place:end].isascii():
                parts.append(f"<![CDATA[{text[place:end]}]]>")
                place = end
        else:
            parts.append(_character(text[place], dice))
            place += 1
    return "".join(parts) + "".join(reversed(opened))


def _tags12(dice: random.Random) -> list[str]:
    number = dice.randint(1, 99)
    return dice.choice(
        [
            [f'<g id="{number}" ctype="bold">', "</g>"],
            ["<mrk mtype='x-other' comment=\"a>b\">", "</mrk>"],
            [f'<x id="{number}"/>', ""],
            [f'<bx id="{number}" />', ""],
            [f'<ph id="{number}">&lt;br/></ph>', ""],
            [f'<bpt id="{number}">&lt;b><sub>no <g id="8">text</g></sub></bpt>', ""],
            [f"<it id='{number}' pos='open'>code</it>", ""],
            ['<mrk mtype="x-sdl-deleted">gone <g id="9">too</g></mrk>', ""],
        ]
    )


def _tags2(dice: random.Random) -> list[str]:
    number = dice.randint(1, 9999)
    return dice.choice(
        [
            [f'<pc id="{number}">', "</pc>"],
            [f'<mrk id="m{number}" type="term">', "</mrk>"],
            [f'<ph id="{number}" equiv="a>b"/>', ""],
            [f'<sc id="{number}"/>', ""],
            [f'<ec startRef="{number}"/>', ""],
            [f'<sm id="s{number}"/>', ""],
            ['<cp hex="0001"/>', ""],
        ]
    )


def _tags_tmx(dice: random.Random) -> list[str]:
    number = dice.randint(1, 99)
    return dice.choice(
        [
            [f'<hi x="{number}">', "</hi>"],
            [f'<bpt i="{number}">&lt;b></bpt>', ""],
            [f'<ph x="{number}"/>', ""],
            ["<ut>{code <sub>no text</sub>}</ut>", ""],
        ]
    )


def _pair(made: Made, dice: random.Random, tags: Callable[[random.Random], list[str]]) -> list[str]:
    """Source and target as they are written; what is to be read of them is noted."""
    source, target = _words(dice), _words(dice)
    made.pairs.append((source, target))
    return [_content(text, dice, tags) for text in (source, target)]


def _xliff12(made: Made, dice: random.Random) -> str:
    spaces = {
        "sdlxliff": ' xmlns:sdl="http://sdl.com/FileTypes/SdlXliff/1.0"',
        "mxliff": ' xmlns:m="http://www.memsource.com/mxlf/2.0" m:version="2.4"',
        "mqxliff": ' xmlns:mq="MQXliff"',
    }.get(made.dialect, dice.choice(("", ' xmlns:its="http://www.w3.org/2005/11/its"')))
    prefix = dice.choice(("", "", "x:")) if made.dialect == "xliff12" else ""
    name = f'xmlns{":x" if prefix else ""}="urn:oasis:names:tc:xliff:document:1.2"'
    units = "".join(_unit12(made, dice, number) for number in range(1, dice.randint(3, 9)))
    tail = (
        '  <group id="g" translate="no">\n   <trans-unit id="g1"><source>a</source>'
        "<target>b</target></trans-unit>\n  </group>\n"
    )
    made.skip("not to be translated")
    text = (
        f'<!-- made -->\n<xliff {name} version="1.2"{spaces}>\n'
        ' <file original="a &amp; b.txt" source-language="en" target-language="de" '
        'datatype="plaintext">\n  <header><note from="headwise">stays</note></header>\n  <body>\n'
        f"{units}{tail}  </body>\n </file>\n</xliff>\n"
    )
    if not prefix:
        return text
    for tag in ("xliff", "file", "header", "body", "group", "trans-unit", "source", "target"):
        text = text.replace(f"<{tag} ", f"<x:{tag} ").replace(f"<{tag}>", f"<x:{tag}>")
        text = text.replace(f"</{tag}>", f"</x:{tag}>").replace(f"<{tag}/>", f"<x:{tag}/>")
    for tag in ("g", "mrk", "x", "bx", "ph", "bpt", "it", "sub", "note", "alt-trans"):
        text = text.replace(f"<{tag} ", f"<x:{tag} ").replace(f"</{tag}>", f"</x:{tag}>")
        text = text.replace(f"<{tag}>", f"<x:{tag}>")
    return text


def _unit12(made: Made, dice: random.Random, number: int) -> str:
    if made.dialect == "sdlxliff":
        return _sdl_unit(made, dice, number)
    locked = {
        "mxliff": ('m:confirmed="0" m:locked="false"', 'm:locked="true"', 'm:confirmed="1"'),
        "mqxliff": ('mq:status="Pretranslated"', 'mq:locked="locked"', 'approved="yes"'),
    }.get(made.dialect, ("", 'translate="no"', 'approved="yes"'))
    reasons = ("", "not to be translated" if made.dialect == "xliff12" else "locked", "approved")
    chosen = dice.choice((0, 0, 0, 0, 1, 2))
    state = dice.choice(("", ' state="translated"', " state='needs-adaptation'"))
    if chosen:
        source, target = "a", "b"
        made.skip(reasons[chosen])
    elif dice.random() < 0.2:
        source, target = "a", dice.choice(("", "<x id='1'/>", " "))
        made.skip("without a translation")
    else:
        source, target = _pair(made, dice, _tags12)
    between = dice.choice(("\n    ", ""))
    more = dice.choice(("", f"{between}<note>by people</note>"))
    more += dice.choice(("", f"{between}<alt-trans><target>other</target></alt-trans>"))
    written = "<target/>" if not target else f"<target{state}>{target}</target>"
    return (
        f'   <trans-unit id="{number}" {locked[chosen]}>{between}<source>{source}</source>'
        f"{between}{written}{more}\n   </trans-unit>\n"
    )


def _sdl_unit(made: Made, dice: random.Random, number: int) -> str:
    sources, targets, defined = "", "", ""
    for mark in range(1, dice.randint(2, 4)):
        name = f"{number}-{mark}"
        kind = dice.choice(("", "", "", "locked", "approved", "without a translation"))
        if kind:
            source, target = "a", "" if kind == "without a translation" else "b"
            made.skip(kind)
        else:
            source, target = _pair(made, dice, _tags12)
        conf = "ApprovedSignOff" if kind == "approved" else dice.choice(("Draft", "Translated"))
        locked = ' locked="true"' if kind == "locked" else ""
        sources += f'<mrk mtype="seg" mid="{name}">{source}</mrk> '
        targets += f'<mrk mtype="seg" mid="{name}">{target}</mrk> '
        defined += f'<sdl:seg id="{name}" conf="{conf}"{locked}/>'
    return (
        f'   <trans-unit id="{number}">\n    <source>whole</source>\n'
        f'    <seg-source><g id="0">{sources}</g></seg-source>\n'
        f'    <target><g id="0">{targets}</g></target>\n'
        f"    <sdl:seg-defs>{defined}</sdl:seg-defs>\n   </trans-unit>\n"
    )


def _xliff2(made: Made, dice: random.Random) -> str:
    version = {"xliff20": "2.0", "xliff21": "2.1", "xliff22": "2.2"}[made.dialect]
    core = "2.2" if version == "2.2" else "2.0"
    units = ""
    for number in range(1, dice.randint(3, 7)):
        locked = dice.random() < 0.15
        segments = "".join(
            _segment2(made, dice, number, part, locked) for part in range(1, dice.randint(2, 4))
        )
        notes = dice.choice(
            ("", "", '<notes>\n    <note id="n1">by people</note>\n   </notes>\n   ')
        )
        data = dice.choice(("", '<originalData>\n<data id="d1">&lt;b></data></originalData>\n   '))
        flag = ' translate="no"' if locked else ""
        units += (
            f'  <unit id="u{number}"{flag}>\n   {notes}{data}{segments}'
            "<ignorable><source> </source></ignorable>\n  </unit>\n"
        )
    made.skip("not to be translated")
    return (
        f'<xliff xmlns="urn:oasis:names:tc:xliff:document:{core}" version="{version}" '
        'srcLang="en" trgLang="de">\n <file id="f1" original="a.txt">\n'
        f'{units}  <group id="g" translate="no"><unit id="x"><segment><source>a</source>'
        "<target>b</target></segment></unit></group>\n </file>\n</xliff>\n"
    )


def _segment2(made: Made, dice: random.Random, unit: int, part: int, locked: bool) -> str:
    name = dice.choice(("", f' id="s{unit}-{part}"'))
    chance = dice.random()
    state = dice.choice(("", ' state="translated"', ' state="reviewed" subState="a:b"'))
    if locked:
        source, target = "a", "b"
        made.skip("not to be translated")
    elif chance < 0.1:
        source, target, state = "a", "b", ' state="final"'
        made.skip("approved")
    elif chance < 0.25:
        source, target = "a", dice.choice(("", '<ph id="1"/>'))
        made.skip("without a translation")
    else:
        source, target = _pair(made, dice, _tags2)
    written = f"<target>{target}</target>" if target else dice.choice(("", "<target/>"))
    return (
        f"<segment{name}{state}>\n    <source>{source}</source>\n    {written}\n   </segment>\n   "
    )


def _tmx(made: Made, dice: random.Random) -> str:
    units = ""
    for number in range(1, dice.randint(3, 9)):
        source = _words(dice)
        variants = [("en-US", source)]
        for language in dice.sample(("de", "fr", "he"), k=dice.randint(1, 2)):
            target = _words(dice) if dice.random() < 0.8 else ""
            variants.append((language, target))
        dice.shuffle(variants)
        for language, text in variants:
            if language != "en-US" and text:
                made.pairs.append((source, text))
            elif not text:
                made.skip("without a translation")
        between = dice.choice(("\n   ", ""))
        written = "".join(
            f'  <tuv xml:lang="{language}">{between}<prop type="x-a">b</prop>{between}'
            f"<seg>{_content(text, dice, _tags_tmx)}</seg>\n  </tuv>\n"
            for language, text in variants
        )
        units += f' <tu tuid="{number}">\n{written} </tu>\n'
    doctype = dice.choice(("", '<!DOCTYPE tmx SYSTEM "tmx14.dtd">\n'))
    return (
        f'{doctype}<tmx version="1.4">\n<header srclang="en-US" datatype="xml" segtype="sentence" '
        'creationtool="t" creationtoolversion="1" adminlang="en" o-tmf="x"/>\n<body>\n'
        f"{units}</body>\n</tmx>\n"
    )


def _po(made: Made, dice: random.Random, encoding: str) -> str:
    alphabet = encoding.removesuffix("-sig")
    text = (
        '# A header\nmsgid ""\nmsgstr ""\n"Language: de\\n"\n"MIME-Version: 1.0\\n"\n'
        f'"Content-Type: text/plain; charset={alphabet}\\n"\n\n'
    )
    for number in range(dice.randint(3, 9)):
        comments = dice.choice(
            ("", "# by people\n", "#. extracted\n#: a.c:1\n", "# x\n#, c-format\n")
        )
        comments += dice.choice(("", "", "#, fuzzy\n" if "#," not in comments else ""))
        comments += dice.choice(("", '#| msgid "before"\n'))
        context = dice.choice(("", f'msgctxt "menu {number}"\n'))
        source, target = (f"{_words(dice, alphabet)}{dice.choice(('', chr(10)))}" for _ in "ab")
        text += f"{comments}{context}msgid {_quoted(source, dice)}"
        if dice.random() < 0.25:
            forms = [target, *(_words(dice, alphabet) for _ in range(dice.randint(1, 2)))]
            plural = _words(dice, alphabet)
            text += f"msgid_plural {_quoted(plural, dice)}"
            for form, said in enumerate(forms):
                text += f"msgstr[{form}] {_quoted(said, dice)}"
                made.pairs.append((plural if form else source, said))
        elif dice.random() < 0.2:
            text += 'msgstr ""\n'
            made.skip("without a translation")
        else:
            text += f"msgstr {_quoted(target, dice)}"
            made.pairs.append((source, target))
        text += dice.choice(("\n", "\n", ""))
    return text + '\n#~ msgid "old"\n#~ msgstr "alt"\n'


def _quoted(text: str, dice: random.Random) -> str:
    """A text as a string of C, in one line or several."""
    escapes = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n", "\t": r"\t"})
    if dice.random() < 0.7:
        return f'"{text.translate(escapes)}"\n'
    cut = dice.randint(0, len(text))
    pieces = [piece for piece in (text[:cut], text[cut:]) if piece]
    return '""\n' + "".join(f'"{piece.translate(escapes)}"\n' for piece in pieces)
