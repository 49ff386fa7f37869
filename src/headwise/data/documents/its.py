"""How results are said in the Internationalization Tag Set (ITS) 2.0 of the W3C.

References:
    https://www.w3.org/TR/its20/ (sections 8.17 and 8.19), and its mappings to XLIFF 1.2 and 2.1.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from headwise.data.documents.results import OWN, Doubt, Marking, SegmentResult
from headwise.data.documents.tags import Splice, attributes_end, escaped_value
from headwise.data.documents.xml_pieces import Element

ITS = "http://www.w3.org/2005/11/its "
_NAMESPACE = re.compile(r"""\sxmlns:([^\s=]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")


@dataclass(frozen=True, slots=True)
class ITSNames:
    """The prefix of ITS in a document.

    Attributes:
        prefixes: The document's prefixes with their colons, by namespaces and a space.
        prefix: That of ITS, without its colon.
    """

    prefixes: Mapping[str, str]
    prefix: str

    @classmethod
    def of(cls, tag: str) -> "ITSNames":
        """As the root declares it, or one that is free."""
        found = {(uri or other) + " ": f"{name}:" for name, uri, other in _NAMESPACE.findall(tag)}
        if ITS in found:
            return cls(found, found[ITS].removesuffix(":"))
        free = next(name for name in ("its", "itsns", "itsns2") if f"{name}:" not in found.values())
        return cls(found, free)

    def declaration(self, tag: str) -> list[Splice]:
        """Declare ITS and its version in the root's tag, unless they are declared there."""
        end, name = attributes_end(tag, 0), self.prefix
        declared = "" if ITS in self.prefixes else f' xmlns:{name}="{ITS.strip()}"'
        has_version = re.search(rf"\s{re.escape(name)}:version\s*=", tag) is not None
        version = "" if has_version else f' {name}:version="2.0"'
        return [Splice(end, end, declared + version)] if declared or version else []

    def confidence(
        self, holder: Element, result: SegmentResult, marking: Marking
    ) -> dict[str, str | None]:
        """Attributes that say the confidence in a translation.

        What another engine said of its own translation stays, and nothing is said beside it.
        """
        said = None if result.confidence is None else f"{result.confidence:.4f}"
        value, reference = f"{self.prefix}:mtConfidence", f"{self.prefix}:annotatorsRef"
        engine = f"mt-confidence|{marking.identifier}"
        annotators = holder.attributes.get(f"{ITS}annotatorsRef")
        if annotators is None and f"{ITS}mtConfidence" not in holder.attributes:
            return {} if said is None else {value: said, reference: engine}
        known = (annotators or "").split()
        others = [one for one in known if not one.startswith("mt-confidence|")]
        is_own = any(one.startswith(f"mt-confidence|{OWN}:") for one in known)
        if not is_own and (len(others) < len(known) or f"{ITS}mtConfidence" in holder.attributes):
            return {}
        if said is not None:
            others.append(engine)
        return {value: said, reference: " ".join(others) or None}

    def confidence_tag(self, result: SegmentResult, marking: Marking) -> str:
        """The same as attributes of a mark."""
        engine = f"mt-confidence|{marking.identifier}"
        return (
            f' {self.prefix}:mtConfidence="{result.confidence:.4f}"'
            f' {self.prefix}:annotatorsRef="{escaped_value(engine)}"'
        )

    def issues(self, result: SegmentResult, marking: Marking) -> list[str]:
        """Attributes of the marks around the words to check."""
        engine = escaped_value(f"localization-quality-issue|{marking.identifier}")
        name, made = self.prefix, []
        for doubt in _marked(result):
            severity = ""
            if doubt.confidence is not None:
                said = f"{100 * (1 - doubt.confidence):.1f}"
                severity = f' {name}:locQualityIssueSeverity="{said}"'
            made.append(
                f' {name}:locQualityIssueType="uncategorized"'
                f' {name}:locQualityIssueComment="{_said(doubt)}"{severity}'
                f' {name}:annotatorsRef="{engine}"'
            )
        return made


def comments(result: SegmentResult) -> list[str]:
    """The same where ITS is not known: values of comments."""
    return [f' value="{_said(doubt)}"' for doubt in _marked(result)]


def _marked(result: SegmentResult) -> list[Doubt]:
    return [doubt for doubt in result.doubts if doubt.start < doubt.end]


def _said(doubt: Doubt) -> str:
    return f"{OWN}: to check" + ("" if doubt.confidence is None else f", {doubt.confidence:.4f}")
