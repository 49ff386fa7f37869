"""The families of statements that a context does not support."""

from enum import StrEnum


class GroundedFamily(StrEnum):
    """What is done to an answer that its context supports.

    Attributes:
        ENTITY: A name or a thing becomes one of another document.
        RELATION: Two names or things of the answer change places, or one becomes another of the
            same context: all words stand in the context, what they say does not.
        NUMBER: A number, in digits or in words, becomes one that the context does not have.
        DATE: A month, a day of the week or a year becomes one that the context does not have.
        NEGATION: A negation is put in or taken out, or a word becomes its opposite.
        DETAIL: Where, when or with what is added, from another document.
        SENTENCE: A sentence of another document stands before or after the answer.
    """

    ENTITY = "entity"
    RELATION = "relation"
    NUMBER = "number"
    DATE = "date"
    NEGATION = "negation"
    DETAIL = "detail"
    SENTENCE = "sentence"
