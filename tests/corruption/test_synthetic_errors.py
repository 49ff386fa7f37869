from headwise.corruption.known_texts import KnownTranslations, pair_generator
from headwise.data.records.pairs import Pair


def test_known_translations() -> None:
    pair = Pair("May I help you?", "Kann ich euch helfen?")
    known = KnownTranslations(
        [pair, Pair("May I help you?", "Darf ich dir helfen?"), Pair(None, "Kann er?")]
    )
    assert known.include("May I help you?", "kann  ich euch helfen ?")
    assert not known.include("May I help you?", "Kann ich dir helfen?")
    assert not known.include("Can he?", "Kann er?")
    assert not known.include(None, "Kann er?")
    assert known.other_words(pair) == {"darf", "ich", "dir", "helfen", "?"}
    assert known.other_words(Pair(None, "Kann er?")) == set()


def test_each_pair_has_randomness_of_its_own() -> None:
    draws = {pair_generator(seed, index).random() for seed in range(3) for index in range(20)}
    assert len(draws) == 60
    assert pair_generator(1, 2).random() == pair_generator(1, 2).random()
