"""A study file gets another range of learning rates, and nothing else of it changes."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrsearch.errors import InputError
from lrsearch.study_file.edit import show_lr, text, with_lr
from lrsearch.study_file.templates import folder

HEAD = '# what for\n[study]\nname = "s"   # its name\n\n\n[task]\nname = "polynomial"\n'
NEW = "lr = { low = 0.001, high = 0.2, log = true }"
LR = ["lr = 0.1", "lr = { low = 1e-4, high = 0.3, log = true }", "lr = { choices = [\n  0.1,\n  0.2,\n] }"]


def edited(written: str) -> str:
    return with_lr(written, 1e-3, 0.2, "f.toml")


@pytest.mark.parametrize("lr", LR)
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[search]\n", "\n"),
        ("[search]  # a\n# the rate\n  ", "   # keep\nschedulers = [  \"lambda\" ]\n\n[search.lambda]\ndecay=0.9\n#e"),
        ('[sampler]\nname = "random"\n\n[search.lambda]\ndecay = 0.9\n[search]\nschedulers = ["lambda"]\n', "  # é \n"),
    ],
)  # fmt: skip
def test_only_the_value_changes(lr: str, before: str, after: str) -> None:
    assert edited(HEAD + before + lr + after) == HEAD + before + NEW + after


def test_line_ends_stay_as_they_are() -> None:
    written = (HEAD + "[search]\nlr = 0.1\n").replace("\n", "\r\n")
    assert edited(written) == written.replace("lr = 0.1", NEW)
    bare = (HEAD + "[search]\n").replace("\n", "\r\n")
    assert edited(bare) == bare + NEW + "\r\n"


@pytest.mark.parametrize("end", ["\n", "", "\n# the end"])
def test_a_missing_section_is_appended(end: str) -> None:
    written = HEAD.rstrip("\n") + end
    assert edited(written) == written + ("" if end == "\n" else "\n") + "\n[search]\n" + NEW + "\n"


def test_a_missing_key_goes_below_its_header() -> None:
    """Not below the comment that belongs to the next table."""
    rest = '\nschedulers = ["lambda"]\n\n# about lambda\n[search.lambda]\ndecay = 0.9\n'
    assert edited(HEAD + "[search] # c" + rest) == HEAD + "[search] # c\n" + NEW + rest


@pytest.mark.parametrize("path", sorted(folder().glob("*.toml")), ids=lambda path: path.stem)
def test_every_shipped_study_file_keeps_its_other_lines(path: Path) -> None:
    written = text(path)
    if 'name = "grid"' in written:
        with pytest.raises(InputError, match="how many values"):
            edited(written)
        return
    changed = edited(written)
    pairs = list(zip(written.splitlines(), changed.splitlines(), strict=True))
    assert [old.split(" = ")[0] for old, new in pairs if old != new] == ["lr"]
    assert tomllib.loads(changed)["search"]["lr"] == {"low": 1e-3, "high": 0.2, "log": True}


@given(st.lists(st.sampled_from(["\n", "# note\n", "\t# more  \n", "  \n"]), max_size=6), st.sampled_from(LR))
def test_blank_lines_and_comments_stay(noise: list[str], lr: str) -> None:
    between = "".join(noise)
    written = f"{between}{HEAD}{between}[search]\n{between}{lr}\n{between}"
    assert edited(written) == written.replace(lr, NEW)


@pytest.mark.parametrize(
    "written",
    [
        HEAD + "[search.lr]\nlow = 0.1\nhigh = 0.2\n",
        "search = { lr = 0.1 }\n" + HEAD,
        "search.lr = 0.1\n" + HEAD,
    ],
)
def test_what_cannot_be_edited_safely_is_left_to_the_person(written: str) -> None:
    with pytest.raises(InputError, match=r"write by hand: lr = \{ low = 0.001, high = 0.2, log = true \}"):
        edited(written)


def test_a_file_that_is_not_valid_or_would_not_be_is_refused() -> None:
    with pytest.raises(InputError, match="unknown key"):
        edited(HEAD + "[search]\nschedulrs = []\n")
    with pytest.raises(InputError, match=r"try\[0\]\.lr = 0\.25"):
        edited(HEAD + '[[try]]\nlr = 0.25\nscheduler = "constant"\n')


def test_a_header_inside_a_text_is_no_header() -> None:
    with pytest.raises(InputError, match="write by hand"):
        edited('[study]\nname = "s"\nload = ["""\n[search]\n"""]\n[task]\nname = "polynomial"\n[search.constant]\n')


def test_the_line_is_toml_of_the_very_numbers() -> None:
    assert tomllib.loads(show_lr(5.6e-05, 1 / 3)) == {"lr": {"low": 5.6e-05, "high": 1 / 3, "log": True}}
