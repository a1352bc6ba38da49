"""
The prerequisites of a fleet: networks, pools, volumes, profiles and images, each applied by its own state.
"""

import inspect

from lxdapi import validation
from lxdapi.model.kinds import KINDS

# In this order: the parameter, and the kind.
PARTS = {
    "networks": "network",
    "storage_pools": "storage_pool",
    "storage_volumes": "storage_volume",
    "profiles": "profile",
    "images": "image",
}


def parse(declared, states):
    """
    Return [(label, state function, name, parameters)] of the prerequisites in the order of application.

    declared
        ``{parameter: {name: parameters of the kind's own state}}``.
    states
        Salt's states by their names.

    Raises :class:`InvalidError` for an unknown parameter.
    """
    prerequisites = []
    for part, kind_name in PARTS.items():
        function = f"lxdapi_{kind_name}.present"
        for name, parameters in validation.mapping(part, declared.get(part)).items():
            parameters = validation.mapping(f"{part} {name}", parameters)
            parameter_names = set(inspect.signature(states[function]).parameters) - {"name"}
            validation.require_known(f"{part} {name}", parameters, sorted(parameter_names))
            prerequisites.append((f"{KINDS[kind_name].label} {name}", function, name, dict(parameters)))
    return prerequisites


def converge(parts, states, common):
    """
    Apply the states in order up to the first failure; returns [(label, answer)].

    common
        Parameters for each state that has but does not declare them: ``remote``, ``project``, ``sensitive``.
    """
    answers = []
    for what, function, name, parameters in parts:
        parameter_names = inspect.signature(states[function]).parameters
        common_parameters = {key: each for key, each in common.items() if key in parameter_names and each is not None}
        answers.append((what, states[function](name=name, **{**common_parameters, **parameters})))
        if answers[-1][1]["result"] is False:
            break
    return answers


def merge_answers(ret, answers):
    """Return the answer of a fleet with those of its prerequisites merged in."""
    changes = {what: each["changes"] for what, each in answers if each["changes"]}
    comments = [each["comment"] for _, each in answers if each["changes"] or each["result"] is not True]
    result = ret["result"] if ret["result"] is False or not changes else _worse(ret["result"], answers)
    comment = "; ".join([ret["comment"], *comments])
    return {**ret, "changes": {**changes, **ret["changes"]}, "result": result, "comment": comment}


def _worse(result, answers):
    """Return None if an answer of the test mode is None, else the result."""
    return None if any(each["result"] is None for _, each in answers) else result
