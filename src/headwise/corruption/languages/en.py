"""English words: numbers, pronouns, number and person, negations."""

from headwise.corruption.languages.lists import (
    EndingRule,
    Inflection,
    LanguageLists,
    NegationWords,
    becomes,
    one_of_a_group,
    word_set,
)

ENGLISH = LanguageLists(
    numbers=one_of_a_group(
        "two three four five six seven eight nine ten eleven twelve, "
        "thirteen fourteen fifteen sixteen seventeen eighteen nineteen, "
        "twenty thirty forty fifty sixty seventy eighty ninety, "
        "hundred thousand, first third fourth fifth sixth"
    ),
    pronouns=becomes(
        "i you he we, you I we he, he she they I, she he I we, we they I you, they he we I, "
        "me you him us, him her them me, us them me you, them him us me, my your his our, "
        "your my his our, his her my their, her his my, our my their your, their his our my, "
        "himself herself myself, herself himself myself, myself himself yourself, "
        "themselves himself ourselves"
    ),
    inflection=Inflection(
        irregular=one_of_a_group(
            "am is are, was were, has have, does do, goes go, isn't aren't, wasn't weren't, "
            "hasn't haven't, doesn't don't, this these, that those, man men, woman women, "
            "child children, person people, foot feet"
        ),
        rules=(EndingRule(("", "s")), EndingRule(("", "es"))),
    ),
    negation=NegationWords(
        negations=word_set("not never no nobody nothing"),
        inserted="not",
        verbs=word_set(
            "am is are was were can could will would shall should may might must has have had"
        ),
        pronouns=word_set("i you he she it we they"),
        opposites=becomes(
            "never always often, always never, nothing something everything, something nothing, "
            "everything nothing, nobody somebody everybody, somebody nobody, everybody nobody, "
            "no a some, a no, an no, some no, with without, without with"
        ),
        contraction="n't",
        whole_verbs={"can't": "can", "won't": "will", "shan't": "shall", "cannot": "can"},
        irremovable=word_set("ain't n't"),
    ),
    conjunction="and",
    beings=(
        word_set(
            "man woman boy girl child kid baby toddler lady guy person dog cat horse bird bear "
            "cow monkey puppy teenager teacher doctor player cyclist biker worker soldier clown "
            "mother father wife husband bride groom brother sister son daughter"
        ),
        word_set(
            "men women boys girls children kids babies toddlers ladies guys people dogs cats "
            "horses birds bears cows monkeys puppies teenagers teachers doctors players cyclists "
            "bikers workers soldiers clowns mothers fathers brothers sisters sons daughters"
        ),
    ),
    together=word_set("and or with near beside by next as alongside while together each both"),
)
