"""What the documentation says of commands, keys and routes is what the program says."""

import re
import subprocess

from harness import process
from harness.weir import BINARY


def test_commands_and_keys_are_as_weir_says():
    done = subprocess.run([process.TOP / "tools/docs", "--check"], capture_output=True, text=True, check=False,
                          env={"WEIR_BINARY": str(BINARY), "PATH": "/usr/bin:/bin"})
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_route_is_described():
    routes = re.findall(r'\{"(GET|POST|DELETE)",\s+"([^"]+)"', (process.TOP / "src/serve/http/route.c").read_text())
    text = (process.TOP / "docs/api.md").read_text()
    assert len(routes) > 5
    for method, path in routes:
        assert re.search(rf"^\| {method} .*`/{re.escape(path)}`", text, re.M), (method, path)
