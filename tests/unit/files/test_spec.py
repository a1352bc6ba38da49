"""
The declaration of files and trees.
"""

import pytest
from lxdapi.errors import InvalidError
from lxdapi.files.spec import FileSpec, TreeSpec
from lxdapi.files.target import Target


def test_spec_holds_parsed_values():
    assert FileSpec.parse("0", "www", "0640") == FileSpec(user=0, group="www", mode=0o640)
    assert FileSpec.parse() == FileSpec(user=None, group=None, mode=None)


@pytest.mark.parametrize(
    "declared, words",
    [
        ({"user": "a:b"}, "expected a name or a number for user, got"),
        ({"group": -1}, "expected a name or a number for group, got"),
        ({"mode": "0888"}, "expected three or four"),
    ],
)
def test_invalid_owner_or_mode_is_refused(declared, words):
    with pytest.raises(InvalidError, match=words):
        FileSpec.parse(**declared)


def test_file_modes_of_a_tree_are_declared_or_kept():
    directory = FileSpec.parse(mode="0750")
    assert TreeSpec.parse(directory, "0640") == TreeSpec(directory, file_mode=0o640)
    assert TreeSpec.parse(directory, "keep") == TreeSpec(directory, keep_file_modes=True)
    with pytest.raises(InvalidError, match="expected three or four"):
        TreeSpec.parse(directory, "kept")


@pytest.mark.parametrize("parameter", ["include", "exclude"])
@pytest.mark.parametrize("pattern", [["*"], 5])
def test_invalid_pattern_is_refused(parameter, pattern):
    with pytest.raises(InvalidError, match=f"expected a pattern such as .* for {parameter}"):
        TreeSpec.parse(FileSpec.parse(), **{parameter: pattern})


@pytest.mark.parametrize("instance, path", [("web1", "etc/x"), ("web1", "/a/../b"), ("..", "/x"), (5, "/x")])
def test_invalid_target_is_refused_before_the_connection(instance, path):
    connections = []
    with pytest.raises(InvalidError):
        Target.parse(lambda: connections.append(1), instance, path)
    assert connections == []


def test_target_path_is_normalized():
    assert Target.parse(lambda: None, "web1", "//srv//www/").path == "/srv/www"


@pytest.mark.parametrize("option", ["makedirs", "force", "replace"])
def test_option_is_true_or_false_in_any_spelling(option):
    assert getattr(FileSpec.parse(**{option: "no"}), option) is False
    assert getattr(FileSpec.parse(**{option: "yes"}), option) is True
    with pytest.raises(InvalidError, match=f"expected true or false for {option}, got 'maybe'"):
        FileSpec.parse(**{option: "maybe"})


def test_clean_is_true_or_false_in_any_spelling():
    assert TreeSpec.parse(FileSpec(), clean="no").clean is False
