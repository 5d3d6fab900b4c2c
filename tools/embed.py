#!/usr/bin/python3
"""embed.py: text files as C constants, made at build.

    tools/embed.py PREFIX OUT.c HEADER FILE…

FILE `dir/name.sql` becomes `const char PREFIX_name[]`, which HEADER declares. Lines that are only a comment of
SQL (`-- …`) are left out: they are for readers, and replication commands take none.
"""

import pathlib
import sys


def literal(text):
    """Text as C string literals, one for each line."""
    quoted = (line.replace("\\", "\\\\").replace('"', '\\"') for line in text.splitlines())
    return "\n".join(f'    "{line}\\n"' for line in quoted)


def main(prefix, out, header, *files):
    parts = [f'/* Made by tools/embed.py of the files named below. */\n#include "{header}"\n']
    for name in files:
        path = pathlib.Path(name)
        lines = path.read_text(encoding="utf-8").splitlines()
        text = "\n".join(line for line in lines if not line.lstrip().startswith("--"))
        parts.append(f"/* {path.name} */\nconst char {prefix}_{path.stem}[] =\n{literal(text)};\n")
    pathlib.Path(out).write_text("\n".join(parts), encoding="utf-8")


main(*sys.argv[1:])
