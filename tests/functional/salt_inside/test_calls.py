"""
Functions of Salt inside an instance that has a Python of its own.
"""

import threading

import pytest
from salt import payload
from salt.exceptions import CommandExecutionError
from salt.utils.args import parse_input
from salt.version import __version__

from tests.support.cli_examples import examples, public_functions
from tests.support.daemons import until
from tests.support.walkthrough import Reader

SECRET = "Hidden-5ac1"  # noqa: S105
WEB = """
/etc/web:
  file.managed:
    - source: salt://web/conf
    - template: jinja
    - context:
        port: {{ pillar['port'] }}

/etc/name:
  file.managed:
    - contents: {{ grains['id'] }} {{ salt['file.file_exists']('/bin/busybox') }}
"""
# Its example runs in test_build.py.
BUILD = "lxdapi_salt.sls_build"
TOP = "base:\n  '{}1':\n    - web\n"


@pytest.fixture
def tree(salt, pillar):
    """A web server for the instance p1, and its pillar."""
    (salt.tree / "web").mkdir()
    (salt.tree / "web" / "init.sls").write_text(WEB)
    (salt.tree / "web" / "conf").write_text("listen {{ port }} on {{ salt['cmd.run']('hostname') }}\n")
    (salt.tree / "top.sls").write_text(TOP.format("p"))
    (pillar / "top.sls").write_text(TOP.format("p").replace("web", "web.port"))
    (pillar / "web").mkdir()
    (pillar / "web" / "port.sls").write_text(f"port: 80\ntoken: {SECRET}\n")
    return salt.tree


@pytest.fixture
def refused(call):
    """Return the error of a call."""

    def refuse(function, /, *args, **kwargs):
        with pytest.raises(CommandExecutionError) as caught:
            call(function, *args, **kwargs)
        return str(caught.value)

    return refuse


def outcomes(results):
    """Return {state id: (result, whether it changed something)}."""
    return {each["__id__"]: (each["result"], bool(each["changes"])) for each in results.values()}


@pytest.mark.mainly("incus")
def test_salt_runs_inside_and_ends_with_the_process(call, p1, inside, running, ended):
    inside(p1, "rm -rf /var/cache/lxdapi")
    assert call("ping", p1) is True
    assert call("call", p1, "test.version") == __version__
    assert call("call", p1, "grains.get", "id") == "p1"
    assert running(p1)
    ended()
    assert not running(p1)
    found = inside(p1, "cd /var/cache/lxdapi; stat -c %a .; ls | grep -v thin-; ls salt-*").split()
    assert found == ["700", f"salt-{__version__}", "extmods", "extrn_files", "files"]


@pytest.mark.mainly("lxd")
def test_states_are_rendered_and_applied_inside(call, tree, p1, inside):
    assert call("show_top", p1) == {"base": ["web"]}
    assert set(call("show_sls", p1, "web")) == {"/etc/web", "/etc/name"}
    assert {each["fun"] for each in call("show_low_sls", p1, "web")} == {"managed"}
    assert call("show_highstate", p1)["/etc/name"]["file"][0] == {"contents": "p1 True"}
    assert outcomes(call("apply", p1, "web", test=True)) == dict.fromkeys(("/etc/web", "/etc/name"), (None, True))
    assert inside(p1, "ls /etc/web /etc/name 2>/dev/null") == ""
    assert outcomes(call("apply", p1, ["web"])) == dict.fromkeys(("/etc/web", "/etc/name"), (True, True))
    assert inside(p1, "cat /etc/web /etc/name") == "listen 80 on p1\np1 True\n"
    assert outcomes(call("highstate", p1)) == dict.fromkeys(("/etc/web", "/etc/name"), (True, False))
    changed = call("apply", p1, "web", pillar={"port": 81}, exclude=[{"id": "/etc/name"}])
    assert outcomes(changed) == {"/etc/web": (True, True)}


@pytest.mark.mainly("incus")
def test_secrets_stay_in_no_file_process_list_or_log(call, tree, p1, inside, ended, daemon, caplog):
    (tree / "token.sls").write_text("/root/token:\n  file.managed:\n    - contents_pillar: [token, other]\n")
    other = SECRET[::-1]
    (applied,) = call("apply", p1, "token", pillar={"other": other}).values()
    assert applied["result"] is True
    call("call", p1, "test.kwarg", None, {"password": SECRET})
    call("call", p1, "cmd.run", "cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline > /root/processes")
    ended()
    assert inside(p1, "cat /root/token") == f"{SECRET}\n{other}\n"
    for secret in (SECRET, other):
        places = "/root/processes /var/cache/lxdapi/salt-* /run /tmp /var/log"
        assert inside(p1, f"grep -r {secret} {places}") == ""
        own = [each.getMessage() for each in caplog.records if each.name.startswith("lxdapi")]
        assert secret not in "".join(own) and secret not in daemon.log.read_text()


@pytest.mark.mainly("lxd")
def test_calls_of_one_process_use_the_same_salt(call, p1, ended, proxy):
    first = call("call", p1, "cmd.run", "echo $PPID")
    assert first and call("call", p1, "cmd.run", "echo $PPID") == first
    assert sum(path.endswith("/exec") for _, path, *_ in proxy.seen) == 1
    ended()
    assert call("call", p1, "cmd.run", "echo $PPID") != first


@pytest.mark.mainly("incus")
def test_exit_codes_and_errors_are_those_of_the_function(call, refused, salt, p1):
    assert call("call", p1, "cmd.run_all", "echo a; exit 3", {"ignore_retcode": False})["retcode"] == 3
    assert salt.modules.pack["__context__"]["retcode"] == 3
    assert call("ping", p1) is True and salt.modules.pack["__context__"]["retcode"] == 0
    assert refused("call", p1, "nope.nope") == "instance p1: 'nope.nope' is not available."
    assert "[Errno 101]" in call("call", p1, "http.query", "http://127.0.0.1:1")["error"]
    assert "instance p1: SaltInvocationError: A valid link" in refused("call", p1, "file.readlink", "/etc/passwd")
    (salt.tree / "broken.sls").write_text("{{ nothing( }}\n")
    (error,) = call("apply", p1, "broken")
    assert "Rendering SLS 'base:broken' failed" in error and salt.modules.pack["__context__"]["retcode"] == 1
    (error,) = call("apply", p1, "missing")
    assert "No matching sls found for 'missing' in env 'base'" in error


@pytest.mark.mainly("incus7")
def test_large_output_odd_names_and_parallel_states_work(call, salt, p1, inside):
    text = call("call", p1, "cmd.run", "head -c 20000000 /dev/zero | tr '\\0' a")
    assert len(text) == 20000000 and set(text) == {"a"}
    (salt.tree / "odd.sls").write_text("'/root/a b é':\n  file.managed:\n    - source: 'salt://c d/é f'\n")
    (salt.tree / "c d").mkdir()
    (salt.tree / "c d" / "é f").write_bytes(b"\x00\xff\n")
    assert outcomes(call("apply", p1, "odd")) == {"/root/a b é": (True, True)}
    assert inside(p1, "od -An -tx1 '/root/a b é'; rm /root/*").split() == ["00", "ff", "0a"]
    state = "/root/{0}:\n  file.managed:\n    - source: salt://c d/{0}\n    - parallel: true\n"
    (salt.tree / "many.sls").write_text("".join(state.format(number) for number in range(6)))
    for number in range(6):
        (salt.tree / "c d" / str(number)).write_text(f"{number}" * 3000 + "\n")
    assert set(outcomes(call("apply", p1, "many")).values()) == {(True, True)}
    found = inside(p1, "cd /root; for n in *; do echo $n $(wc -c < $n) $(cut -c1-2 $n); done")
    assert found.splitlines() == [f"{n} 3001 {n}{n}" for n in range(6)], "replies of the master are not mixed"


@pytest.mark.mainly("incus")
def test_background_process_of_a_state_outlives_salt(call, p1, running, ended):
    call("call", p1, "cmd.run_bg", "sleep 86399")
    ended()
    assert running(p1, "sleep 86399") and not running(p1)


@pytest.mark.mainly("lxd")
def test_reason_is_named_where_salt_cannot_run(refused, call, p1, daemon, running):
    errors = []

    def wait():
        errors.append(refused("call", p1, "cmd.run", "sleep 61"))

    thread = threading.Thread(target=wait)
    thread.start()
    assert until(lambda: running(p1, "sleep 61"), 30)
    daemon.ask("PUT", "/1.0/instances/p1/state", {"action": "stop", "force": True})
    thread.join(60)
    assert errors[0].startswith("Salt inside instance p1 ended with ")
    for python in ("auto", "inside", "carried"):
        words = "instance p1 is Stopped: Salt runs inside running instances, start it first"
        assert refused("ping", p1, python=python) == words
    assert "not found" in refused("ping", "nowhere")


@pytest.mark.mainly("incus")
def test_command_line_examples_do_what_they_show(salt, tree, web1):
    (tree / "top.sls").write_text(TOP.format("web"))
    found = public_functions("_modules")
    found = {name: text for name, text in found.items() if name.startswith(("lxdapi_salt.", "lxdapi_fleet.apply"))}
    commands = [words for text in found.values() for words in examples(text) if "python=carried" not in words]
    commands = [words for words in commands if words[0] != BUILD]
    assert {words[0] for words in commands} == set(found) - {BUILD}
    for function, *words in commands:
        args, kwargs = parse_input(words, condition=False)
        if function.endswith((".apply", ".highstate", ".show_highstate", "_sls")):
            kwargs.setdefault("pillar", {"port": 80})
        result = salt.modules[function](*args, **kwargs)
        assert result and payload.loads(payload.dumps(result)) == result, function


@pytest.mark.mainly("lxd")
@pytest.mark.parametrize(
    "function, arguments",
    [
        ("ping", {"python": "3.11"}),
        ("ping", {"name": "a/b"}),
        ("call", {"function": "test.ping", "kwargs": ["a"]}),
        ("apply", {"mods": [1]}),
        ("apply", {"mods": "web", "pillar": "port"}),
        ("apply", {"mods": "web", "test": "perhaps"}),
        ("show_sls", {"mods": ","}),
    ],
    ids=str,
)
def test_invalid_arguments_are_refused_before_any_request(refused, proxy, function, arguments):
    refused(function, **{"name": "c1", **arguments})
    assert proxy.requests() == []


@pytest.mark.mainly("incus7")
def test_guide_does_what_it_shows(salt, daemon, web1):
    # test_build.py builds images
    Reader(salt, daemon, elsewhere=["salt-call lxdapi_salt.sls_build"]).read("docs/how-to/salt-inside")
