"""What the page is made of: its files, their headers, and the texts that it draws."""

import re

import pytest

from headwise.data.records.signals import Signal
from headwise.serving.routes import views
from headwise.serving.routes.page import page_files

SOURCE = "A dog runs along the beach."
FILES = sorted(page_files())


@pytest.mark.parametrize("name", FILES)
def test_files_come_with_their_type_and_are_not_sent_twice(client, name):
    path = "/" if name == "index.html" else f"/page/{name}"
    first = client.get(path)
    kind = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
    assert first.headers["content-type"].startswith(kind[name.rpartition(".")[2]])
    assert first.headers["cache-control"] == "no-cache"
    assert first.headers["x-content-type-options"] == "nosniff"
    again = client.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert client.head(path).headers["content-length"] == str(len(first.content))


def test_nothing_but_the_servers_own_files_may_run_or_load(client):
    headers = client.get("/").headers
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert {policy[name] for name in ("script-src", "style-src", "connect-src")} == {"'self'"}
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["referrer-policy"] == "no-referrer"


def test_the_page_names_no_other_place_and_makes_no_html_of_texts():
    for name, file in page_files().items():
        text = file.content.decode()
        text = text.replace("http://www.w3.org/2000/svg", "")  # a name, not an address
        assert not re.search(r"https?://|@import|innerHTML|outerHTML|insertAdjacentHTML", text), (
            name
        )
        assert not re.search(r"\sstyle=|\son[a-z]+=", text), name
        for found in re.findall(r'(?:from|href|src)\s?=?\s?"(?:\./|page/)([\w.]+)"', text):
            assert found in FILES, f"{name} names {found}"


def test_a_file_that_is_not_there_is_said(client):
    answer = client.get("/page/nothing.js")
    assert answer.status_code == 404
    assert "nothing.js" in answer.json()["error"]["message"]


def _view(client, **asked):
    return client.post("/v1/score/view", json=asked)


def test_a_view_holds_the_values_of_the_model_and_where_they_stand(client, estimator):
    text = "Ein 🐕 läuft am Bahnhof entlang."
    answer = _view(client, source=SOURCE, hypotheses=[text], alternatives=3).json()
    assert set(answer["signals"]) == {signal.value for signal in Signal}
    expected = estimator.score(SOURCE, text, signals=answer["signals"], alternatives=3)
    assert answer["threshold"] == expected.threshold
    assert "calibrated probability" in answer["scale"]
    (item,) = answer["data"]
    assert item["row"]["score"] == pytest.approx(expected.score, abs=1e-6)
    units = text.encode("utf-16-le")
    words = item["view"]["words"]
    texts = [units[2 * start : 2 * end].decode("utf-16-le") for start, end, _ in words]
    assert texts == [word.text for word in expected.words]
    levels = [word.quality for word in expected.words]
    assert [level for _, _, level in words] == pytest.approx(levels, abs=1e-4)
    alternatives = item["view"]["cells"][-1][3][0][2]
    assert len(alternatives) == 3


def test_a_text_that_cannot_be_scored_stands_beside_those_that_can(client):
    texts = ["Ein Hund.", " ", "wort " * 3000]
    good, empty, long = _view(client, source=SOURCE, hypotheses=texts).json()["data"]
    assert good["row"]["hypothesis"] == "Ein Hund."
    assert "empty" in empty["error"]["message"]
    assert long["error"]["code"] == "context_length_exceeded"


def test_a_view_is_by_the_signal_that_is_asked_for(client):
    asked = {"source": SOURCE, "hypotheses": ["Ein Hund."]}
    answer = _view(client, **asked, signal="error").json()
    assert (answer["signals"][0], answer["gap_threshold"]) == ("error", None)
    assert _view(client, **asked, signal="quality").json()["gap_threshold"] == 0.5
    refused = _view(client, **asked, signal="charm")
    assert refused.status_code == 400
    assert "choose from sigmoid" in refused.json()["error"]["message"]


def test_large_vocabularies_are_not_read_for_signals_that_nobody_chose(client, monkeypatch):
    monkeypatch.setattr(views, "_ALL_SIGNALS_UP_TO", 100)
    asked = {"source": SOURCE, "hypotheses": ["Ein Hund."]}
    answer = _view(client, **asked, signal="softmax").json()
    assert answer["signals"] == ["softmax", "sigmoid", "quality", "error", "omission"]
    assert set(answer["possible"]) == {signal.value for signal in Signal}


def test_texts_without_a_source_are_read_alone(client):
    alone = _view(client, hypotheses=["Ein Hund läuft."]).json()["data"][0]["row"]
    other = client.post("/v1/score", json={"texts": ["Ein Hund läuft."]}).json()["data"][0]
    assert "source" not in alone
    assert alone["score"] == pytest.approx(other["score"], abs=1e-6)
