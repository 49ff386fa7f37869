"""What tools add to XLIFF 1.2: how they say which segments are locked, confirmed or doubtful."""

from collections.abc import Mapping
from typing import NamedTuple

from headwise.data.documents.xml_pieces import Element

SDL, MEMSOURCE, MEMOQ = (
    "http://sdl.com/FileTypes/SdlXliff/1.0 ",
    "http://www.memsource.com/mxlf/2.0 ",
    "MQXliff ",
)
# States that say that somebody has approved the translation
_APPROVED = frozenset({"final", "signed-off", "approvedtranslation", "approvedsignoff"})
# States above that of a translation that needs a review; all others stay
_ABOVE_REVIEW = frozenset({None, "translated", "signed-off", "final"})
_ABOVE_DRAFT = frozenset({"Translated", "ApprovedTranslation", "ApprovedSignOff"})
_LOCKED = (f"{MEMSOURCE}locked", f"{MEMOQ}locked")
_CONFIRMED, _DEFINITIONS = f"{MEMSOURCE}confirmed", f"{SDL}seg-defs"
_YES = frozenset({"true", "yes", "1", "locked"})


class Status(NamedTuple):
    """What a document says of a segment beside its texts.

    Attributes:
        state: By the dialect's own name.
        locked: Whether nobody may change it.
        approved: Whether somebody said that it is right.
        definition: The element that says the state, if it is not the target.
    """

    state: str | None
    locked: bool
    approved: bool
    definition: Element | None


def status_of(unit: Element, target: Element | None, mark: str | None) -> Status:
    """The status of a unit's segment, which is called by its mark if there are several."""
    own = unit.attributes
    definition = _definition(unit, mark)
    if definition is not None:
        state = definition.attributes.get("conf")
        locked = definition.attributes.get("locked", "").casefold() in _YES
    elif (confirmed := own.get(_CONFIRMED)) is not None:
        state = "unconfirmed" if confirmed in ("0", "false") else "confirmed"
        locked, definition = False, unit
    else:
        state = None if target is None else target.attributes.get("state")
        state = own.get(MEMOQ + "status", state)
        locked = False
    for name in _LOCKED:
        locked = locked or (name in own and own[name].casefold() in _YES)
    approved = own.get("approved") == "yes" or state == "confirmed"
    approved = approved or (state is not None and state.casefold() in _APPROVED)
    return Status(state, locked, approved, definition)


def reviewed_state(
    state: str | None, definition: Element | None, names: Mapping[str, str]
) -> tuple[str, str] | None:
    """The attribute and the value that say that a segment needs a review; never a higher state.

    Args:
        state: What is said now.
        definition: As of its status.
        names: Prefixes of the document, by namespaces and a space.

    Returns:
        ``None`` if the state stays; else what to set on the definition, or on the target.
    """
    if definition is None:
        return ("state", "needs-review-translation") if state in _ABOVE_REVIEW else None
    if "conf" in definition.attributes:
        return ("conf", "Draft") if state in _ABOVE_DRAFT else None
    if state != "confirmed" or MEMSOURCE not in names:
        return None
    return f"{names[MEMSOURCE]}confirmed", "0"


def _definition(unit: Element, mark: str | None) -> Element | None:
    definitions = unit.find(_DEFINITIONS)
    if definitions is None:
        return None
    segments = definitions.all(f"{SDL}seg")
    return next((one for one in segments if one.attributes.get("id") == mark), None)
