"""Claims and files, in a real browser."""

import json

import pytest

pytestmark = pytest.mark.browser

EXAMPLES = (
    ("A dog runs along the beach.", "Ein Hund läuft am Strand entlang."),
    ("She bought three apples at the market.", "Sie hat auf dem Markt sieben Äpfel gekauft."),
    ("A dog runs along the beach.", "Ein 🐕 läuft am Bahnhof entlang."),
)


def _claims(page, source, claims):
    page.click("#tab-claims")
    page.fill("#claims-source", source)
    page.fill("#claims-text", "\n".join(claims))
    page.wait_for_function(
        "claim => document.querySelector('#verdicts li:last-child .claim')?.textContent === claim",
        arg=claims[-1],
    )


def test_claims_come_with_their_verdict_and_evidence(page, entailment):
    source = "🎸🎸 A man in a red shirt is playing guitar on stage. It is a warm evening."
    claims = ["A person is making music.", "The stage is empty.", "<b>It</b> is evening."]
    _claims(page, source, claims)
    expected = [entailment.validate(source, claim) for claim in claims]
    verdicts = page.locator("#verdicts .verdict b").all_inner_texts()
    assert verdicts == [one.verdict.value.replace("_", " ").capitalize() for one in expected]
    assert page.locator("#verdicts .claim").all_inner_texts() == claims
    marks = page.locator("#evidence-text mark").evaluate_all(
        "marks => marks.map((mark) => mark.firstChild.textContent)"
    )
    deciding = [one.evidence[0].text for one in expected if one.supported or one.contradicted]
    assert set(marks) == set(deciding)
    page.focus("#verdicts li:first-child")
    lit = page.locator("#evidence-text .lit").evaluate("mark => mark.firstChild.textContent")
    assert lit == expected[0].evidence[0].text


def test_a_claim_that_follows_from_two_passages(page, entailment):
    """Both are marked and quoted, also behind letters that JavaScript counts twice."""
    source = "🎸🎸 A man is playing guitar on stage. The hall is empty. Two dogs run on the beach."
    claim = "A person plays guitar on stage and dogs run on the beach."
    (deciding,) = entailment.validate(source, claim).deciding
    texts = [source[part.start : part.end] for part in deciding.passages]
    assert texts == ["🎸🎸 A man is playing guitar on stage.", "Two dogs run on the beach."]
    _claims(page, source, [claim])
    assert (
        page.locator("#evidence-text mark").evaluate_all(
            "marks => marks.map((mark) => mark.firstChild.textContent)"
        )
        == texts
    )
    assert page.locator("#verdicts .quotes").first.locator("q").all_inner_texts() == texts


def test_an_answer_belongs_to_the_source_that_was_asked(page, entailment):
    page.click("#tab-claims")
    claim, held = "Animals are playing.", []
    page.route("**/v1/check", lambda route: held.append(route))
    page.fill("#claims-text", claim)
    while not held:
        page.wait_for_timeout(20)
    page.fill("#claims-source", "It is late. Two dogs play.")
    held[0].continue_()  # the answer comes before the next question is asked
    page.unroute("**/v1/check")
    expected = entailment.validate("It is late. Two dogs play.", claim).evidence[0].text
    page.wait_for_function(
        "text => document.querySelector('#verdicts .quotes q')?.textContent === text", arg=expected
    )


def test_claims_are_in_a_link(open_page, page):
    _claims(page, "Two dogs play.", ["Animals are playing."])
    page.click("#claims-link")
    other = open_page(f"/#{page.url.split('#', 1)[1]}")
    other.wait_for_selector("#verdicts li")
    assert other.input_value("#claims-source") == "Two dogs play."
    assert other.get_attribute("#tab-claims", "aria-selected") == "true"


def _file(page, name, text):
    page.click("#tab-file")
    file = {"name": name, "mimeType": "text/plain", "buffer": text.encode()}
    page.set_input_files("#file-input", file)
    page.wait_for_selector(f"#file-name:has-text('{name}')")


def _results(page):
    page.click("#file-start")
    page.wait_for_selector("#file-table tr")
    return page.locator("#file-table tr").all()


FILES = {
    "pairs.tsv": "".join(f"{source}\t{text}\n" for source, text in EXAMPLES),
    "pairs.csv": "id,hypothesis,source\r\n"
    + "".join(f'7,"{text}","{source}"\r\n' for source, text in EXAMPLES),
    "pairs.jsonl": "".join(json.dumps({"mt": t, "src": s}) + "\n" for s, t in EXAMPLES),
}


@pytest.mark.parametrize("name", FILES)
def test_files_of_all_kinds_are_scored(page, name, estimator):
    _file(page, name, FILES[name])
    rows = _results(page)
    expected = [estimator.score(*pair) for pair in EXAMPLES]
    assert [row.locator(".hypothesis").inner_text() for row in rows] == [t for _, t in EXAMPLES]
    scores = [row.locator("td").nth(1).inner_text()[:4] for row in rows]
    assert scores == [f"{one.score:.2f}" for one in expected]
    marked = [row.locator("mark").all_inner_texts() for row in rows]
    assert marked == [[span.text for span in one.to_check if span.text] for one in expected]


def test_bad_rows_are_listed_with_their_line_and_reason(page):
    good = json.dumps(dict(zip(("source", "hypothesis"), EXAMPLES[0], strict=True)))
    _file(
        page, "bad.jsonl", f'{good}\n{{"source": "x"\n{{"source": "x", "hypothesis": " "}}\n{good}'
    )
    _results(page)
    listed = [row.inner_text().split("\t") for row in page.locator("#file-bad-table tr").all()]
    assert [line for line, _ in listed] == ["2", "3"]
    assert "not JSON" in listed[0][1]
    assert "empty" in listed[1][1]
    assert page.locator("#file-table td:first-child").all_inner_texts() == ["1", "4"]


def test_a_file_can_be_dropped_sorted_and_taken_home(page):
    page.click("#tab-file")
    transfer = page.evaluate_handle(
        "text => { const data = new DataTransfer();"
        " data.items.add(new File([text], 'dropped.tsv')); return data; }",
        "source\thypothesis\tnote\n" + "".join(f"{s}\t{t}\ta\\tb\n" for s, t in EXAMPLES),
    )
    page.dispatch_event("#drop", "drop", {"dataTransfer": transfer})
    page.wait_for_selector("#file-name:has-text('dropped.tsv')")
    _results(page)
    page.check("#file-first")
    flagged = page.locator("#file-table tr").evaluate_all("all => all.map((row) => row.innerText)")
    assert ["flagged" in row for row in flagged] == sorted(
        ("flagged" in row for row in flagged), reverse=True
    )
    assert any("flagged" in row for row in flagged)
    with page.expect_download() as lines:
        page.click("#file-jsonl")
    rows = [json.loads(line) for line in lines.value.path().read_text("utf-8").splitlines()]
    assert lines.value.suggested_filename == "dropped.scored.jsonl"
    assert [(row["source"], row["hypothesis"]) for row in rows] == list(EXAMPLES)
    with page.expect_download() as table:
        page.click("#file-tsv")
    head, *body = [line.split("\t") for line in table.value.path().read_text("utf-8").splitlines()]
    assert [dict(zip(head, row, strict=True))["note"] for row in body] == ["a\\\\tb"] * 3


def test_a_long_file_goes_in_pieces_and_can_be_cancelled(open_page):
    pieces = []

    def answer_two(route):
        pieces.append(route.request.post_data.strip().split("\n"))
        if len(pieces) <= 2:
            route.continue_()

    page = open_page(before=lambda one: one.route("**/v1/score?**", answer_two))
    page.wait_for_selector("#results .spans")
    _file(page, "long.tsv", "source\thypothesis\n" + f"{EXAMPLES[0][0]}\t{EXAMPLES[0][1]}\n" * 200)
    page.click("#file-start")
    page.wait_for_selector("#file-status:has-text('128 of 200')")
    assert float(page.locator("#file-progress").evaluate("bar => bar.value")) == 0.64
    page.click("#file-cancel")
    page.wait_for_selector("#file-status:has-text('Cancelled')")
    assert [len(piece) for piece in pieces] == [64, 64, 64]
    assert page.locator("#file-table tr").count() == 100
    page.click("#file-more")
    assert page.locator("#file-table tr").count() == 128
