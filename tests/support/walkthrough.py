"""
The pages of docs/, run block by block with the real loader and a real daemon.
"""

import doctest
import os
import re
import shlex
import subprocess

import salt.config
import salt.output
import salt.utils.args
import salt.utils.yaml

from tests.support.documentation import blocks

# Where the pages have their SLS files.
TREE = "/srv/salt/"
# Parts of the output that differ from run to run, or from machine to machine.
_VARYING = (
    (r"\d\d:\d\d:\d\d\.\d+", "TIME"),
    (r"\b[\d.]+ m?s\b", "DURATION"),
    (r"\b[\d.]+ [KM]iB\b", "SIZE"),
    (r"\b[0-9a-f]{64}\b", "FINGERPRINT"),
    (r"^ *(incus|lxd) [\d.]+ on \S+:", "SERVER:"),
)
_SAME = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


class Reader:
    """
    Runs the code blocks of pages.

    A caption below ``/srv/salt/``
        The text becomes the content of the file.
    A caption with the word configuration
        Salt must know each of the settings.
    Any other caption
        The block belongs to another program, and does not run.
    ``yaml`` without a caption
        The SLS is applied twice. The second time nothing changes.
    ``bash``, ``console``
        Each line runs (with ``console`` each line that begins with ``$``): ``salt-call`` with the loaded modules, other
        commands as they are. ``console`` also shows the output, in which ``...`` stands for any lines.

    stand_ins
        Texts to replace, ``{text on the page: text in the test}``.
    elsewhere
        The beginnings of the lines that the test skips.
    pillar
        Pillar for an SLS without a caption.
    """

    def __init__(self, salt, daemon, stand_ins=(), elsewhere=(), pillar=None):
        self._salt, self._daemon, self._pillar = salt, daemon, pillar
        self._stand_ins = {TREE: f"{salt.tree}/", **dict(stand_ins)}
        self._elsewhere = tuple(elsewhere)

    def read(self, page):
        """Run every block of the page."""
        for block in blocks(page):
            self.do(block)

    def do(self, block):
        """Run a block."""
        text = self._here(block.text)
        if block.caption.startswith(TREE):
            path = self._salt.tree / block.caption[len(TREE) :]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        elif "configuration" in block.caption:
            known = {*salt.config.VALID_OPTS, *salt.config.DEFAULT_MASTER_OPTS, "lxdapi"}
            assert set(salt.utils.yaml.safe_load(text)) <= known
        elif not block.caption:
            {"bash": self._run_lines, "console": self._compare, "yaml": self._apply, "yaml+jinja": self._apply}[
                block.language
            ](text)

    def _here(self, text):
        for shown, here in self._stand_ins.items():
            text = text.replace(shown, here)
        return text

    def _apply(self, text):
        (self._salt.tree / "shown.sls").write_text(text)
        for changes in ("may be", False):
            for answer in self._salt.modules["state.apply"]("shown", pillar=self._pillar).values():
                assert answer["result"] is True and (changes or not answer["changes"]), answer

    def _run_lines(self, text):
        for line in text.splitlines():
            self._run(line)

    def _compare(self, text):
        for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
            command, _, expected = part.partition("\n")
            found = self._run(command)
            assert _is_same(expected, found), f"$ {command}\n{found}"

    def _run(self, line):
        """Run a line and return its output."""
        words = shlex.split(line, comments=True)
        target = words[words.index(">") + 1] if ">" in words else None
        words = words[: words.index(">")] if target else words
        if line.startswith(self._elsewhere):
            return ""
        found = self._salt_call(words[1:]) if words[0] == "salt-call" else self._command(words)
        if target:
            (self._salt.tree / target).write_text(found)
        return "" if target else found

    def _salt_call(self, words):
        options = {word for word in words if word.startswith("--")}
        out = [word.partition("=")[2] for word in options if word.startswith("--out=")]
        function, *arguments = [word for word in words if word not in options]
        called = self._salt.modules[function]
        args, kwargs = salt.utils.args.parse_input(arguments, condition=False)
        answer = called(*args, **kwargs)
        failed = [each for each in answer.values() if each["result"] is False] if function == "state.apply" else []
        assert failed == []
        shown = out or [getattr(called, "__outputter__", "nested")]
        opts = {**self._salt.opts(), "color": False, "state_verbose": "--state-verbose=False" not in options}
        return salt.output.out_format({"local": answer}, shown[0], opts)

    def _command(self, words):
        assert words[0] in ("incus", "curl", "sed"), words
        words = [re.sub("^images:", "local:images:", word) for word in words]  # an alias that the daemon has here
        environment = {**os.environ, "INCUS_DIR": str(self._daemon.directory), "HOME": str(self._salt.folder)}
        done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, (words, done.stderr)
        return done.stdout


def _is_same(expected, found):
    for pattern, name in _VARYING:
        expected, found = (re.sub(pattern, name, text, flags=re.MULTILINE) for text in (expected, found))
    return doctest.OutputChecker().check_output(expected.rstrip() + "\n", found.rstrip() + "\n", _SAME)
