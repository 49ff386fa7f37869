"""Choices that settings and heads share, and how commands show a setting; imports nothing heavy."""

from dataclasses import dataclass
from enum import StrEnum

LAST_LAYER = -1
ONLY_LAST = (LAST_LAYER,)
"""The layer whose hidden states enter the output layer, and what a head reads if it names none."""

DEFAULT_MIN_SIMILARITY = 0.3
"""Cosine of embeddings that a passage needs to contradict a claim; suits sentence encoders."""

DEFAULT_TOGETHER = 2
"""How many passages may be one premise for a claim.

Claims that join two statements are common, and each wider premise is one more chance to support
what the source does not say.
"""

REPORT_FILES = ("results.json", "tables.md", "index.html")
"""What an evaluation's report consists of, besides its figures; the page comes last."""


@dataclass(frozen=True, slots=True)
class Shown:
    """How a setting looks on the command line; part of its annotation.

    Attributes:
        panel: Heading of the help under which it stands, with all that is nested in it.
        name: Of the option; by default that of the field.
        off: Name of the opposite of a switch; by default ``no-`` and its name.
        prefix: Before the names of all that is nested in it.
        default: What the help says of the default; by default its value.
        hidden: Whether there is no option for it.
    """

    panel: str | None = None
    name: str | None = None
    off: str | None = None
    prefix: str = ""
    default: str | None = None
    hidden: bool = False


PROMPT_NAMES = (
    "translate",
    "bilingual",
    "question",
    "summarise",
    "grounded",
    "continue",
    "chat",
    "chat-translate",
    "chat-grounded",
    "tower",
    "tiny",
    "raw",
    "sequence",
)
"""The prompts that have a name; `headwise.backbones.NAMED_PROMPTS` holds them."""


ERROR_FAMILIES = ("crude", "plausible")
"""Errors that are put into correct texts: by a random word, or by one that the model likes."""

SEVERAL = "several"
"""From one error to sixteen in a copy, of all families: bad texts have many, good ones few."""

SAMPLED = "sampled"
"""Errors of translations that the language model draws itself, as references show them."""

CALIBRATION_ERRORS = (*ERROR_FAMILIES, SEVERAL, SAMPLED)
"""What errors are made of for a calibration of texts that nobody marked."""

ERROR_SETS = (*ERROR_FAMILIES, "independent")
"""The same with those of another generator, which no head was trained with."""

HEAD_TYPES = (
    "new_unembedding_head",
    "biased_unembedding_head",
    "contextual_unembedding_head",
    "rescaling_head",
    "rescaled_unembedding_head",
    "shared_unembedding_head",
)
"""Heads of a language model, by the names that their configs have."""

LAYERED_HEAD_TYPES = ("shared_unembedding_head",)
"""Those that may read another layer besides the last."""

SELECTOR_NAMES = ("largest-drop", "epsilon-cut", "eta-cut", "top-k", "top-p", "min-p", "none")
"""What finds the tokens that are never negatives; ``none`` finds nothing."""


class NLILabel(StrEnum):
    """The three classes of entailment; their order is that of the head's outputs."""

    ENTAILMENT = "entailment"
    NEUTRAL = "neutral"
    CONTRADICTION = "contradiction"


NLI_LABELS = tuple(NLILabel)
"""The classes by index: 0 entailment, 1 neutral, 2 contradiction."""


class Unit(StrEnum):
    """The pieces of a text that are right or wrong.

    Attributes:
        TOKEN: Tokens of the backbone.
        WORD: Words: those that were tagged if there are tags, otherwise Unicode words.
        GAP: Places between tagged words; wrong where something is missing. A gap has the value of
            the token after it, the last one that of the token that closes the text; and its own
            value of ``omission``.
    """

    TOKEN = "token"
    WORD = "word"
    GAP = "gap"


class NLIFeatures(StrEnum):
    """How a pair becomes one vector.

    Attributes:
        JOINT: The last hidden state of the first token, premise and hypothesis read together,
            ``(N, H)``.
        PAIR: The embeddings u of the premise and v of the hypothesis, read apart, as
            ``[u, v, |u - v|, u * v]``, ``(N, 4E)``; a text is encoded once for all its pairs.
        PAIR_AND_JOINT: Both, the pair's part first, ``(N, 4E + H)``.
        INTERACTION: The pair's part, and what comparing both texts' tokens gives, each aligned
            with those of the other text, ``(N, 4E + 4D)``; a text is encoded once here, too.

    References:
        Conneau et al. 2017, arXiv 1705.02364, section 3.1, for the pair; Parikh et al. 2016,
        arXiv 1606.01933, for the interaction.
    """

    JOINT = "joint"
    PAIR = "pair"
    PAIR_AND_JOINT = "pair+joint"
    INTERACTION = "interaction"

    @property
    def needs_pair(self) -> bool:
        """Whether the texts' embeddings are read."""
        return self is not NLIFeatures.JOINT

    @property
    def needs_joint(self) -> bool:
        """Whether the first token of the joint text is read."""
        return self in (NLIFeatures.JOINT, NLIFeatures.PAIR_AND_JOINT)

    @property
    def needs_tokens(self) -> bool:
        """Whether the texts' token vectors are read."""
        return self is NLIFeatures.INTERACTION

    def pooled_size(self, hidden_size: int, embedding_size: int | None = None) -> int:
        """Width of the part that comes from pooled vectors.

        Args:
            hidden_size: H of the encoder.
            embedding_size: E, width of a text's embedding; H if ``None``.
        """
        pair = 4 * (hidden_size if embedding_size is None else embedding_size)
        return pair * self.needs_pair + hidden_size * self.needs_joint


class Lesson(StrEnum):
    """Pairs that are made of labelled pairs, and what they teach an NLI head.

    Attributes:
        UNRELATED: A hypothesis about something else is neutral, and no contradiction.
        JOINED: A premise among other sentences still says what it said.
        REPEATED: What a premise among other sentences says word for word follows.
        CONJOINED: Two claims in one are as true as the less true of them.
        REVERSED: What says more does not follow from what says less: neutral.
        NEGATED: A true text with a negation put in or taken out is a contradiction.
        NUMBER: One with another number is a contradiction.
        ROLES: One in which two beings have changed places is a contradiction.
    """

    UNRELATED = "unrelated"
    JOINED = "joined"
    REPEATED = "repeated"
    CONJOINED = "conjoined"
    REVERSED = "reversed"
    NEGATED = "negated"
    NUMBER = "number"
    ROLES = "roles"


class ErrorVariant(StrEnum):
    """How far an error head looks ahead; both look back one token.

    Attributes:
        CAUSAL: No further than the token itself.
        HINDSIGHT: To the token after it, and to the end of a whole text.
    """

    CAUSAL = "causal"
    HINDSIGHT = "hindsight"
