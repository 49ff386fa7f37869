"""English number words; *one* is left out, since it is mostly no number."""

from headwise.training.corruption.inflection import one_of_a_group

NUMBER_WORDS_EN = one_of_a_group(
    (
        "two three four five six seven eight nine ten eleven twelve",
        "thirteen fourteen fifteen sixteen seventeen eighteen nineteen",
        "twenty thirty forty fifty sixty seventy eighty ninety",
        "hundred thousand",
        "first third fourth fifth sixth",
    )
)
"""Number words in lower case, and what each may become."""
