import base64
import hashlib
import json

import pytest

from headwise.report.page import PageFolder, script_json

_FOLDERS = [
    PageFolder("headwise.report.scored_text", "template"),
    PageFolder("headwise.report.evaluation", "template"),
    PageFolder("headwise.report.claims", "template"),
]


@pytest.mark.parametrize("folder", _FOLDERS)
def test_the_basic_style_comes_first_and_the_policy_knows_what_stands_in_the_page(folder):
    head = folder.head(styles=("report.css",), scripts=())

    assert str(head["style"]).startswith("/* What all pages share")
    for kind in ("style", "script"):
        digest = base64.b64encode(hashlib.sha256(str(head[kind]).encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in head["policy"]
    assert head["policy"].startswith("default-src 'none'; style-src")
    assert "unsafe" not in head["policy"]


def test_pictures_are_allowed_only_as_data_and_only_where_there_are_some():
    policies = [
        _FOLDERS[0].head(styles=(), scripts=(), pictures=p)["policy"] for p in (True, False)
    ]

    assert "; img-src data:; " in policies[0]
    assert "img-src" not in policies[1]


@pytest.mark.parametrize("value", ["</script>", "<!--", "\u2028", {"a": [1, None, 0.5]}])
def test_json_cannot_end_its_element(value):
    text = script_json(value)

    assert "<" not in text
    assert json.loads(text) == value


def test_json_has_no_number_for_infinity():
    with pytest.raises(ValueError, match="not JSON compliant"):
        script_json(float("inf"))
