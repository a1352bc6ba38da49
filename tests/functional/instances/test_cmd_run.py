"""
The state lxdapi_instance.cmd_run: its conditions apply inside the instance, and other states can watch it.
"""

import pytest

from tests.support.daemons import until

STATE = "lxdapi_instance.cmd_run"


@pytest.fixture
def inside(salt, c1):
    """Return the output of a shell in the container."""
    return lambda command: salt.modules["lxdapi_instance.run"](c1, command)


@pytest.mark.mainly("incus7")
def test_command_is_predicted_run_and_reported(apply, c1, inside):
    command = "echo a; echo b >&2; echo x >> /mnt/count"
    ret = apply.predicted(STATE, command, instance=c1)
    assert (ret["result"], ret["changes"]) == (None, {"run": command})
    ret = apply(STATE, command, instance=c1)
    assert ret["changes"] == {"run": command, "retcode": 0, "stdout": "a", "stderr": "b"}
    assert ret["result"] is True and inside("cat /mnt/count") == "x"
    ret = apply(
        STATE, "listed", instance=c1, command=["echo", "$HOME"], env={"DB_PASSWORD": "canary"}, hide_output=True
    )
    assert ret["changes"] == {"run": "echo $HOME", "retcode": 0} and "canary" not in str(ret)


@pytest.mark.mainly("lxd")
def test_a_command_that_fails_is_a_failure_with_its_output(apply, c1, inside):
    ret = apply(STATE, "echo bad >&2; exit 3", instance=c1)
    assert ret["result"] is False and ret["changes"]["retcode"] == 3
    assert "it ended with 3: bad" in ret["comment"] and ret["changes"]["stderr"] == "bad"
    assert apply(STATE, "exit 3", instance=c1, success_retcodes=[3])["result"] is True
    ret = apply(STATE, "echo canary; exit 1", instance=c1, hide_output=True, command="echo secret; exit 1")
    assert ret["result"] is False and "secret" not in ret["comment"] and "stdout" not in ret["changes"]
    ret = apply(STATE, "exec sleep 60", instance=c1, timeout=0.3)
    assert ret["result"] is False and "it was killed after 0.3 s" in ret["comment"]
    assert ret["changes"]["retcode"] == 137
    assert "user 'bob' not found" in apply.failed(STATE, "true", instance=c1, runas="bob")
    assert apply(STATE, "id -un", instance=c1, runas="nobody")["changes"]["stdout"] == "nobody"


def test_creates_is_checked_inside_the_instance(apply, c1, inside, tmp_path):
    there, never = str(tmp_path), "/mnt/never"
    assert tmp_path.exists()
    made = {"instance": c1, "creates": [there, "/etc/passwd"]}
    ret = apply(STATE, f"mkdir -p {there}", **made)
    assert ret["changes"]["retcode"] == 0, "it is on this machine, and was not in the container"
    ret = apply.unchanged(STATE, f"mkdir -p {there}", **made)
    assert ret["comment"].endswith(f"is skipped: {there}, /etc/passwd exists in c1") and ret["skip_watch"]
    assert apply.predicted(STATE, f"mkdir -p {there}", **made)["result"] is True
    assert apply(STATE, "true", instance=c1, creates=["/etc/passwd", never])["changes"]["retcode"] == 0
    inside("ln -s nowhere /mnt/dead; ln -s /etc/passwd /mnt/live")
    assert apply(STATE, "true", instance=c1, creates="/mnt/dead")["changes"]
    inside("mkfifo /mnt/pipe; cd /mnt; touch $(printf '\\377'); ln -s $(printf '\\377') odd")
    sock = next(word for word in ("/dev/lxd/sock", "/dev/incus/sock") if inside(f"test -S {word} && echo 1"))
    apply.unchanged(STATE, "true", instance=c1, creates=["/mnt/live", "/mnt/pipe", "/mnt/odd", sock])


@pytest.mark.mainly("incus")
def test_conditions_are_asked_inside_and_not_in_test_mode(apply, c1, inside):
    here = "test -e /mnt/here"
    run = {"instance": c1}
    ret = apply.predicted(STATE, "true", **run, onlyif=here, unless=[here])
    assert ret["result"] is None and "onlyif and unless would be checked first" in ret["comment"]
    ret = apply(STATE, "true", **run, onlyif=["true", here])
    assert ret["changes"] == {} and ret["skip_watch"] and f"onlyif: '{here}' fails in c1" in ret["comment"]
    assert apply(STATE, "touch /mnt/here", **run, unless=["true", here])["changes"]
    ret = apply(STATE, "touch /mnt/here", **run, unless=["true", here])
    assert ret["changes"] == {} and f"unless: '{here}' succeeds in c1" in ret["comment"]
    assert apply(STATE, "true", **run, onlyif=here, unless="test $(id -u) = 0", user="nobody")["changes"]
    hangs = {"onlyif": "echo $(echo cana)ry; exec sleep 60", "timeout": 0.2}
    words = apply.failed(STATE, "true", **run, **hangs, hide_output=True)
    assert "the condition 'echo" in words and "was killed after 0.2 s" in words and "canary" not in words
    assert "its output was: canary" in apply.failed(STATE, "true", **run, **hangs)


@pytest.mark.parametrize(
    "arguments",
    [
        {"creates": "relative"},
        {"creates": 5},
        {"onlyif": [{"fun": "test.true"}]},
        {"unless": False},
        {"onlyif": " "},
        {"success_retcodes": "3"},
        {"env": [1]},
        {"command": []},
        {"hide_output": "perhaps"},
        {"instance": "a/b"},
        {"inside": ["creates"]},
    ],
    ids=str,
)
@pytest.mark.mainly("incus7")
def test_invalid_condition_is_refused(apply, salt, arguments):
    assert salt.states["lxdapi_instance.mod_init"]({"fun": "cmd_run", "creates": "/x", **arguments}) is False
    words = apply.refused(STATE, "true", **{"instance": "c1", **arguments})
    assert next(iter(arguments)) in words


@pytest.mark.mainly("incus7")
def test_test_mode_reports_where_no_command_can_run(apply, daemon, c1):
    ret = apply.predicted(STATE, "true", instance="c2", creates="/etc/passwd")
    assert ret["result"] is None and "instance c2 does not exist" in ret["comment"]
    words = apply.failed(STATE, "true", instance="c2", creates="/etc/passwd")
    assert "not found" in words
    daemon.ask("PUT", "/1.0/instances/c1/state", {"action": "stop", "force": True})
    assert "instance c1 is Stopped" in apply.predicted(STATE, "true", instance=c1)["comment"]
    assert "instance c1 is Stopped" in apply.failed(STATE, "true", instance=c1)


def test_watching_instance_is_restarted_or_reloaded(apply, c1, inside, daemon):
    watch = {"sfun": "running", "watch": [{"file": "x"}], "profiles": ["default"]}
    pid = daemon.ask("GET", "/1.0/instances/c1/state")["pid"]
    ret = apply.predicted("lxdapi_instance.mod_watch", c1, **watch)
    assert (ret["result"], ret["changes"]) == (None, {"restarted": c1})
    ret = apply("lxdapi_instance.mod_watch", c1, **watch)
    assert (ret["result"], ret["changes"]) == (True, {"restarted": c1})
    again = daemon.ask("GET", "/1.0/instances/c1/state")["pid"]
    assert again != pid
    ret = apply.predicted("lxdapi_instance.mod_watch", c1, reload="echo x >> /mnt/count", **watch)
    assert (ret["result"], ret["changes"]) == (None, {"run": "echo x >> /mnt/count"})
    ret = apply("lxdapi_instance.mod_watch", c1, reload="echo x >> /mnt/count", **watch)
    assert ret["result"] is True and inside("cat /mnt/count") == "x"
    assert daemon.ask("GET", "/1.0/instances/c1/state")["pid"] == again
    assert "it ended with 3" in apply("lxdapi_instance.mod_watch", c1, reload="exit 3", **watch)["comment"]
    never = {"cmd": "false", "timeout": 0.1}
    ret = apply("lxdapi_instance.mod_watch", c1, reload="true", wait_for=never, **watch)
    assert (ret["result"], ret["changes"]["run"]) == (False, "true") and "command 'false' has not succeeded" in ret[
        "comment"
    ]
    apply.unchanged("lxdapi_instance.mod_watch", c1, **{**watch, "sfun": "frozen"})
    daemon.ask("PUT", "/1.0/instances/c1/state", {"action": "stop", "force": True})
    assert "so it is not restarted" in apply.unchanged("lxdapi_instance.mod_watch", c1, **watch)["comment"]
    assert until(lambda: daemon.ask("GET", "/1.0/instances/c1")["status"] == "Stopped", 5)


@pytest.mark.mainly("lxd")
def test_watching_instance_is_forced_only_with_force(apply, stubborn):
    for state in ("present", "running"):
        apply.unchanged(f"lxdapi_instance.{state}", stubborn, timeout=0.5, force=True)
        for wrong in ({"force": "perhaps"}, {"reload": 5}, {"reload": ""}):
            assert apply.refused(f"lxdapi_instance.{state}", stubborn, **wrong)
    watch = {"sfun": "present", "timeout": 0.5}
    assert apply("lxdapi_instance.mod_watch", stubborn, **watch)["result"] is False
    ret = apply("lxdapi_instance.mod_watch", stubborn, force=True, **watch)
    assert ret["changes"] == {"restarted": stubborn, "forced": True}


SLS = """
first:
  lxdapi_instance.cmd_run:
    - name: echo first >> /mnt/log
    - instance: c1
    - creates: {here}
second:
  lxdapi_instance.cmd_run:
    - name: echo second >> /mnt/log
    - instance: c1
    - creates: /mnt/log
third:
  lxdapi_instance.cmd_run:
    - name: echo third >> /mnt/log
    - instance: c1
    - onlyif: test -e /mnt/log
    - unless: test -e {here}
    - onchanges:
      - lxdapi_instance: first
fourth:
  lxdapi_instance.cmd_run:
    - name: echo fourth >> /mnt/log
    - instance: c1
    - onchanges:
      - lxdapi_instance: second
fifth:
  lxdapi_instance.stopped:
    - name: c1
    - unless: test -e {here}
c1:
  lxdapi_instance.running:
    - force: true
    - watch:
      - lxdapi_instance: third
"""


@pytest.mark.mainly("incus")
def test_conditions_of_cmd_run_are_checked_inside(salt, c1, inside, tmp_path):
    (salt.tree / "conditions.sls").write_text(SLS.format(here=tmp_path))
    answers = salt.modules["state.apply"]("conditions")
    answers_by_id = {each["__id__"]: each for each in answers.values()}
    assert [name for name, each in answers_by_id.items() if each["changes"]] == ["first", "third", "c1"], answers_by_id
    assert all(each["result"] for each in answers_by_id.values())
    assert "unless condition is true" in answers_by_id["fifth"]["comment"]
    assert answers_by_id["c1"]["changes"] == {"restarted": "c1"}
    assert inside("cat /mnt/log") == "first\nthird"
