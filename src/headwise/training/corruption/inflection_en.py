"""English number and person."""

from headwise.training.corruption.inflection import EndingRule, Inflection, one_of_a_group

INFLECTION_EN = Inflection(
    irregular=one_of_a_group(
        (
            "am is are",
            "was were",
            "has have",
            "does do",
            "goes go",
            "isn't aren't",
            "wasn't weren't",
            "hasn't haven't",
            "doesn't don't",
            "this these",
            "that those",
            "man men",
            "woman women",
            "child children",
            "person people",
            "foot feet",
        )
    ),
    rules=(EndingRule(("", "s")), EndingRule(("", "es"))),
)
