"""Live features against the plain formulas, and what becomes an example."""

import torch
from plain_features import assert_close, joined, plain_features
from tiny_models import UNSEEN

from headwise.backbones import NAMED_PROMPTS, CausalBackbone
from headwise.data.records.error_spans import ErrorSpan
from headwise.data.records.pairs import Pair
from headwise.features import LiveFeatures, encode_examples

TINY, CHAT = NAMED_PROMPTS["tiny"], NAMED_PROMPTS["chat"]
HISTORY = (
    {"role": "user", "content": "Translate the following text: The children play football."},
    {"role": "assistant", "content": "Die Kinder spielen Fußball."},
    {"role": "user", "content": "Two men drink green tea."},
)


def test_a_batch_is_what_the_whole_model_says(backbone: CausalBackbone, pairs: list[Pair]) -> None:
    pairs = [*pairs[::5], *(Pair("It is a lovely evening.", text) for text in UNSEEN)]
    live = LiveFeatures(backbone, encode_examples(backbone, pairs, TINY), candidates=9)
    expected = [
        plain_features(backbone, pair, TINY, number=n, candidates=9, has_errors=False)
        for n, pair in enumerate(pairs)
    ]
    assert live.counts == [len(batch) for batch in expected]
    assert not live.has_errors
    order = [4, 0, 11, 2, 2]
    found = live.batch(order)
    assert_close(found, joined([expected[i] for i in order]))
    assert len(found) == sum(live.counts[i] for i in order)
    counts = torch.bincount(joined(expected).targets, minlength=backbone.vocabulary_size)
    assert torch.equal(live.target_counts(backbone.vocabulary_size), counts.float())


def test_a_turn_of_a_conversation_follows_all_messages(backbone: CausalBackbone) -> None:
    answer = "Zwei Männer trinken grünen Tee."
    pairs = [Pair("Two men drink green tea.", answer, history=HISTORY), Pair("Hello", answer)]
    live = LiveFeatures(backbone, encode_examples(backbone, pairs, CHAT), candidates=5)
    expected = [
        plain_features(backbone, pair, CHAT, number=n, candidates=5, has_errors=False)
        for n, pair in enumerate(pairs)
    ]
    assert_close(live.batch([0, 1]), joined(expected))
    assert not torch.allclose(expected[0].hidden, expected[1].hidden, atol=1e-3)


def test_marks_stand_at_the_tokens_that_hold_marked_characters(backbone: CausalBackbone) -> None:
    text = "Zwei Männer trinken grünen Tee 👩‍🚀!"
    spans = {
        word: ErrorSpan(text.index(word), text.index(word) + len(word))
        for word in ("Zwei", "ä", "grünen Tee", "🚀", "!")
    }
    whole = ErrorSpan(0, len(text))
    marked = [*((span,) for span in spans.values()), tuple(spans.values()), (whole,), (), None]
    pairs = [Pair("Two men drink green tea.", text, errors=errors) for errors in marked]
    for prompt in (TINY, CHAT):
        live = LiveFeatures(backbone, encode_examples(backbone, pairs, prompt), candidates=1)
        assert live.has_errors
        expected = [
            plain_features(backbone, pair, prompt, number=n, candidates=1, has_errors=True)
            for n, pair in enumerate(pairs)
        ]
        found = [live.batch([i]).errors.tolist() for i in range(len(pairs))]
        assert found == [batch.errors.tolist() for batch in expected]
        # What closes the hypothesis is nobody's error, nor is the space that the prompt puts before
        # it; all else is, if all of it is marked
        unmarked = len(expected[0]) - sum(found[-3])
        assert unmarked == 2
        assert not any(found[-1] + found[-2])
        assert all(any(marks) and not all(marks) for marks in found[:-2])


def test_pairs_that_cannot_be_read_are_left_out(backbone: CausalBackbone) -> None:
    good = Pair("A dog runs.", "Ein Hund läuft.")
    pairs = [
        good,
        Pair("A dog runs.", ""),
        Pair("", "Ein Hund läuft."),
        Pair(None, "Ein Hund läuft."),
        Pair("A dog runs.", "Ein </s> Hund."),
        Pair("A dog runs.", "Ein \ud83d Hund."),
        good,
        Pair("A dog runs.", "Ein Hund läuft. " * 100),
        good,
    ]
    examples = encode_examples(backbone, pairs, TINY, first=100)
    assert [example.pair for example in examples] == [100, 106, 108]
    live = LiveFeatures(backbone, examples, candidates=1)
    assert live.batch([1]).keys.tolist() == [106 * 2**24 + i for i in range(live.counts[1])]


def test_a_cut_hypothesis_keeps_its_first_targets(
    backbone: CausalBackbone, pairs: list[Pair]
) -> None:
    pairs = [Pair("A dog.", pair.hypothesis, errors=(ErrorSpan(0, 9),)) for pair in pairs[:6]]
    pairs.append(Pair("The children play football on the beach " * 3, "Nein."))
    whole = encode_examples(backbone, pairs, TINY)
    limit = 1 + sorted(len(example.code) for example in whole)[2]  # the model reads one less
    left = encode_examples(backbone, pairs, TINY, max_length=limit)
    kept = encode_examples(backbone, pairs, TINY, max_length=limit, cut=True)
    assert [e.pair for e in left] == [e.pair for e in whole if len(e.code) < limit]
    assert 1 < len(left) < 6
    # The last one has no room for even one token after its prompt
    assert [e.pair for e in kept] == [0, 1, 2, 3, 4, 5]

    cut, full = (LiveFeatures(backbone, examples, candidates=3) for examples in (kept, whole))
    shorter = 0
    for i, count in enumerate(cut.counts):
        assert count == min(full.counts[i], limit - kept[i].code.first - 1)
        shorter += count < full.counts[i]
        rows = {
            name: getattr(full.batch([i]), name)[:count]
            for name in ("hidden", "targets", "keys", "top_ids", "top_log_probs", "entropy")
        }
        expected = type(full.batch([i]))(
            **rows,
            errors=full.batch([i]).errors[:count],
            counts=(count,),
            closing=full.batch([i]).closing[:count],
            missing=full.batch([i]).missing[:count],
            missing_known=full.batch([i]).missing_known[:count],
        )
        assert_close(cut.batch([i]), expected)
    assert shorter == 6 - len(left)
