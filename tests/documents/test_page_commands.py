"""Where commands of a block end, and what is found of commands that would not run."""

import pytest
from page_blocks import ROOT, Block
from page_commands import Command, commands_of, faults


def block(text: str) -> Block:
    return Block(ROOT / "README.md", "bash", text, line=10, start=0, end=0, marks=())


def test_commands_end_where_the_shell_ends_them() -> None:
    text = (
        "# first\n"
        "headwise score a.tsv \\\n"
        "    -o 'b # c.jsonl'   # why\n"
        "\n"
        "curl http://h -d '{\n"
        '  "a": "#1"}\'\n'
        "headwise info | head -3 > out\n"
    )
    first, second, third = commands_of(block(text))
    assert first.words == ["headwise", "score", "a.tsv", "-o", "b # c.jsonl"]
    assert (first.line, first.is_plain) == (12, True)
    assert second.words[-1] == '{\n  "a": "#1"}'
    assert (third.line, third.is_plain) == (17, False)
    assert list(third.simple_commands()) == [["headwise", "info"], ["head", "-3"]]


def test_a_command_that_does_not_end_is_refused() -> None:
    with pytest.raises(ValueError, match=r"README\.md:10"):
        commands_of(block("curl 'http://h\n"))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("headwise score a.tsv --no-such-option", "no-such-option"),
        ("headwise train sigmoid --epochs few --output x", "few"),
        ("headwise no-such-command", "no-such-command"),
        ("make no-such-target", "no-such-target"),
        ("pip install 'headwise[serve,no-such-extra]'", "no extra no-such-extra"),
        ("python benchmarks/no_such_script.py", "no script"),
        ("recipes/no-such.sh DATA", "no script"),
        ("python recipes/evaluation/prepare_mlqe_pe.py --no-such x", "--no-such"),
        ("python benchmarks/bench_rerank.py --no-such x", "reads no arguments"),
        ("cat a.tsv | headwise score - --no-such-option", "no-such-option"),
    ],
)
def test_what_is_not_there_is_found(text: str, fault: str) -> None:
    (found,) = faults(Command(text, 1), [ROOT])
    assert fault in found
