"""
By default a functional test runs with LXD and one Incus, with --daemon it runs with the selected one.
"""

import pytest

from tests.support import turns
from tests.support.daemons import USUAL

NAMES = [f"test_{number}" for number in range(40)]


def run_with(folder, selected=USUAL, form="{}"):
    """Return, for each test, the kinds of daemons that it runs with."""
    return [
        {
            kind
            for kind in selected
            if not turns.waits(f"tests/{folder}/test_x.py::{name}[{form.format(kind)}]", kind, selected)
        }
        for name in NAMES
    ]


@pytest.mark.parametrize("form", ["{}", "{}-True", "a-{}-b"])
def test_functional_test_runs_with_lxd_and_one_incus(form):
    found = run_with("functional/instances", form=form)
    assert {frozenset(each) for each in found} == {frozenset({"lxd", "incus"}), frozenset({"lxd", "incus7"})}


@pytest.mark.parametrize("folder", ["integration", "support_tests"])
def test_test_of_other_folders_runs_with_one_daemon(folder):
    assert {frozenset(each) for each in run_with(folder)} == {frozenset({kind}) for kind in USUAL}


def test_life_of_a_kind_and_unit_tests_run_with_all():
    found = {
        kind
        for kind in USUAL
        for path in ("functional/kinds/test_matrix.py", "functional/test_facts.py", "unit/test_x.py")
        if not turns.waits(f"tests/{path}::test_a[{kind}]", kind, USUAL)
    }
    assert found == set(USUAL)


@pytest.mark.parametrize("kind", USUAL)
def test_selected_daemon_runs_everything(kind):
    assert run_with("functional/instances", selected=(kind,)) == [{kind}] * len(NAMES)
