from headwise.data.records.pairs import Pair

QUESTION = {"role": "user", "content": "yes?"}


def test_given_is_the_conversation_where_there_is_one() -> None:
    assert Pair("yes", "ja").given == "yes"
    assert Pair(None, "ja").given is None
    assert Pair("yes?", "ja", history=(QUESTION,)).given == (QUESTION,)


def test_not_annotated_is_not_the_same_as_without_errors() -> None:
    assert Pair("yes", "ja").errors is None
    assert Pair("yes", "ja") != Pair("yes", "ja", errors=())
