"""
A command in an instance as a state: it runs unless its conditions, checked inside the instance, forbid it.
"""

import base64
from functools import partial

from lxdapi import validation
from lxdapi.errors import InvalidError, LxdapiError
from lxdapi.instances import exec as execs
from lxdapi.instances import exec_user, power
from lxdapi.model import objects
from lxdapi.model.kinds import KINDS
from lxdapi.plan.steps import Plan, Step

CONDITIONS = ("creates", "onlyif", "unless")
_MOST_SHOWN = 1000


class CommandFailedError(LxdapiError):
    """
    A command ended with an unexpected exit code, or was killed.

    changes
        The output of the command, for the ``changes`` of a state.
    """

    changes = {}


def join_conditions(conditions, inside):
    """Return the conditions with those of ``inside``, which Salt did not check; raises for invalid ones."""
    expected = f"a mapping with {', '.join(CONDITIONS)}"
    inside_conditions = validation.mapping("inside", inside, expected)
    if not set(inside_conditions) <= set(CONDITIONS):
        raise InvalidError.of_value("inside", expected, inside)
    return {**conditions, **inside_conditions}


def decode(data):
    """Return a command's output as text without trailing line ends, as Salt's ``cmd.run`` does."""
    return data.decode("utf-8", "replace").rstrip("\r\n")


def summary(outcome):
    """Return {retcode, stdout, stderr} of a command, and ``killed`` if it was killed."""
    return _summarize(outcome, decode)


def raw_summary(outcome, binary=False):
    """Return the :func:`summary` with the exact output, as text or base64."""
    return _summarize(outcome, _encode_base64 if binary else _decode)


def _encode_base64(data):
    return base64.b64encode(data).decode("ascii")


def _decode(data):
    return data.decode("utf-8", "replace")


def _summarize(outcome, decode):
    summary = {"retcode": outcome.retcode, "stdout": decode(outcome.stdout), "stderr": decode(outcome.stderr)}
    return summary if outcome.killed is None else {**summary, "killed": f"after {outcome.killed} s"}


def require_finished(outcome, what="it", hide=False):
    """Return the outcome of a command; raises :class:`CommandFailedError` if it was killed."""
    if outcome.killed is not None:
        wrote = "" if hide else _output_note(outcome)
        raise CommandFailedError(f"{what} was killed after {outcome.killed} s{wrote}")
    return outcome


def _output_note(outcome):
    output = decode(outcome.output)[-_MOST_SHOWN:]
    return f"; its output was: {output}" if output else ""


def plan(api, instance, command, parsed_command, conditions, success_codes, hide, test) -> Plan:
    """
    Return the step that runs a command.

    command
        The command for display.
    parsed_command
        A :class:`lxdapi.instances.exec.Command`.
    conditions
        The declared ``creates``, ``onlyif`` and ``unless``.
    success_codes
        The exit codes of success, in addition to 0.
    hide
        True: its output is not shown.
    test
        True: nothing is executed, so the results of ``onlyif`` and ``unless`` are unknown.
    """
    conditions, success_codes, hide = (
        _parse_conditions(conditions),
        {0, *_parse_codes(success_codes)},
        validation.flag("hide_output", hide),
    )
    path = objects.path_of(KINDS["instance"], instance)
    skip_reason = _skip_reason(api, instance, path, conditions, parsed_command, test, hide)
    if skip_reason:
        return Plan(summary=skip_reason)

    def apply():
        return _changes_or_raise(execs.run(api, instance, parsed_command), command, success_codes, hide)

    condition_names = [name for name in ("onlyif", "unless") if conditions[name]] if test else []
    note = f"{' and '.join(condition_names)} would be checked first" if condition_names else ""
    return Plan.of([Step("run", {"run": command}, apply, note, partial(_missing_reason, api, instance))])


def _parse_conditions(conditions):
    """Return the conditions, each as a list of text."""
    parsed = {key: _parse_texts(key, conditions.get(key)) for key in CONDITIONS}
    for file in parsed["creates"]:
        validation.config_value("creates", validation.absolute_path("creates", file))
    for name in ("onlyif", "unless"):
        for each in parsed[name]:
            execs.make_command(each)
    return parsed


def _parse_texts(name, value):
    texts = [value] if isinstance(value, str) else [] if value is None else value
    if isinstance(texts, (list, tuple)) and all(isinstance(each, str) and each.strip() for each in texts):
        return texts
    raise InvalidError.of_value(name, "text or a list of text (commands or paths inside the instance)", value)


def _parse_codes(codes):
    codes = codes or []
    if not isinstance(codes, (list, tuple)) or not all(isinstance(code, int) for code in codes):
        raise InvalidError.of_value("success_retcodes", "a list of numbers", codes)
    return codes


def _skip_reason(api, instance, path, conditions, parsed_command, test, hide):
    """Return why the command need not run, "" if it must."""
    files, onlyif, unless = (conditions[name] for name in CONDITIONS)
    if files and not (test and objects.read(api, KINDS["instance"], instance) is None):
        if all(exec_user.file_type(api, path, file) for file in files):
            return f"skipped: {', '.join(files)} exists in {instance}"
    if test:
        return ""

    def succeeds(each):
        outcome = execs.run(api, instance, _condition_command(parsed_command, each))
        return require_finished(outcome, f"the condition {each!r}", hide).retcode == 0

    failed = next((each for each in onlyif if not succeeds(each)), None)
    if failed is not None:
        return f"skipped: onlyif: {failed!r} fails in {instance}"
    if unless and all(succeeds(each) for each in unless):
        return f"skipped: unless: {unless[-1]!r} succeeds in {instance}"
    return ""


def _condition_command(parsed_command, condition):
    """Return the command of a condition, which runs as the declared command does."""
    return parsed_command._replace(argv=execs.make_command(condition).argv, stdin=b"")


def _changes_or_raise(outcome, command, success_codes, hide):
    """Return the changes of a command that succeeded; raises for a failed one."""
    fields = summary(outcome)
    changes = {"run": command, **{key: value for key, value in fields.items() if not hide or key == "retcode"}}
    if outcome.killed is None and outcome.retcode in success_codes:
        return changes
    ending = f"was killed after {outcome.killed} s" if outcome.killed is not None else f"ended with {outcome.retcode}"
    output = "" if hide else (fields["stderr"] or fields["stdout"])[-_MOST_SHOWN:]
    error = CommandFailedError(f"it {ending}" + (f": {output}" if output else ""))
    error.changes = changes
    raise error


def _missing_reason(api, instance):
    """Return why the command cannot run, "" if the instance runs."""
    result = objects.read(api, KINDS["instance"], instance)
    if result is None:
        return f"instance {instance} does not exist"
    status = power.status(result)
    return "" if status == "Running" else f"instance {instance} is {status}"
