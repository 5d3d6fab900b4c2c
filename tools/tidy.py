#!/usr/bin/python3
"""tidy.py: the rules of the tree that no compiler knows. Prints what breaks one, exit 1 if anything does.

    tools/tidy.py              all rules on all tracked files

layers        who includes whom (tools/layers.txt)
function-lines, file-lines, header-lines    70, 900, 300 at most
docstring     a comment above each prototype of each header; one may stand for neighbours without a blank line, and
              for inline functions that follow each other
banned        functions of C that are unsafe, not thread-safe, or have a better form in src/base
sleep         waiting by time in src/: wait for something instead
words         unfinished work, and places of somebody's own machine
readme        a README.md in each folder of src/ that has code, of at most 80 lines
guarantees    each sentence of docs/guarantees.md names a test that there is
python        what pyflakes finds

Exceptions stand in tools/allow.txt, each with its reason.
"""

import json
import pathlib
import re
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent
FUNCTION_MAX, FILE_MAX, HEADER_MAX, README_MAX = 70, 900, 300, 80

BANNED = {
    r"(strcpy|strncpy|stpcpy|strcat|strncat)": "copy with a length: memcpy after a check, or wr_writer",
    r"v?sprintf": "snprintf, or wr_writer",
    r"(gets|scanf|sscanf|fscanf)": "wr_reader",
    r"(atoi|atol|atoll|atof)": "a parser that says what is wrong (wr_conf_i64)",
    r"(strtok|strtok_r)": "wr_reader",
    r"(localtime|gmtime|ctime|asctime)": "the _r form, or base/clock.h",
    r"(rand|srand|random|drand48)": "wr_rng",
    r"strerror": "wr_fail, which keeps errno, or strerror_r",
    r"alloca": "an arena",
    r"(malloc|calloc|realloc|strdup|strndup|asprintf|vasprintf)": "wr_alloc_array, wr_strdup: tests can fail those",
    r"(time|gettimeofday|clock_gettime)": "wr_clock",
    r"(system|popen)": "nothing: weir starts no programs",
}
BANNED_HOME = {  # the one file that gives the better form
    "src/base/base.c": r"malloc|calloc|realloc",
    "src/base/clock.c": r"time|clock_gettime",
}
SLEEP = r"(sleep|usleep|nanosleep|clock_nanosleep)"
WORDS = [
    (r"\b(TO[D]O|FIX[M]E|X[X]X|HA[C]K)\b", "unfinished work"),
    (r"\bnot (yet )?imple[m]ented\b|\bunimple[m]ented\b|\bfor n[o]w\b|\bin a real (system|implementation)\b",
     "unfinished work"),
    (r"(?<![\w.])/(work|home|root|Users)/\w", "a place of somebody's own machine"),
]


class Findings:
    """What was found, less what tools/allow.txt lets through."""

    def __init__(self):
        self.count = 0
        self.allow = {}
        for number, line in enumerate((TOP / "tools/allow.txt").read_text().splitlines(), 1):
            fields = line.split(None, 3)
            if not fields or fields[0].startswith("#"):
                continue
            if len(fields) < 4:
                self.say("tools/allow.txt", number, "a line is RULE PLACE LIMIT reason")
                continue
            self.allow[fields[0], fields[1]] = [number, fields[2], False]

    def say(self, file, line, text):
        self.count += 1
        print(f"{file}:{line}: {text}")

    def breaks(self, rule, place, file, line, text):
        """`place` broke `rule`, unless it is allowed."""
        entry = self.allow.get((rule, place))
        if entry is None:
            self.say(file, line, f"{text} [{rule}]")
        else:
            entry[2] = True

    def size(self, rule, place, file, line, value, limit):
        """A measured size: over `limit`, and over what is allowed beyond it."""
        entry = self.allow.get((rule, place))
        allowed = int(entry[1]) if entry else limit
        if value > limit and entry:
            entry[2] = True
        if value > allowed:
            self.say(file, line, f"{place} has {value} lines, at most {allowed} [{rule}]")

    def end(self):
        for (rule, place), (number, limit, used) in self.allow.items():
            if not used:
                self.say("tools/allow.txt", number, f"{rule} {place} {limit} is not needed like that any more")
        return self.count


def tracked(*patterns):
    out = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns], cwd=TOP,
                         capture_output=True, text=True, check=True).stdout
    return [f for f in out.splitlines() if (TOP / f).is_file()]


def without_comments(text):
    """C text with comments, strings and characters blanked, lines kept."""
    pattern = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
    return pattern.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), text)


def line_of(text, position):
    return text.count("\n", 0, position) + 1


# ---- layers ----------------------------------------------------------------------------------------

def read_layers():
    layers = {}
    for line in (TOP / "tools/layers.txt").read_text().splitlines():
        line = line.split("#")[0]
        if ":" in line:
            folder, may = line.split(":")
            layers[folder.strip()] = may.split()
    return layers


def owner(file, layers):
    """The longest folder of layers.txt that has `file`."""
    fits = [f for f in layers if file.startswith(f + "/")]
    return max(fits, key=len) if fits else None


def resolve(file, name):
    """The tracked header that an include in `file` means, or None for a system's."""
    for place in (f"include/{name}", f"src/{name}", str(pathlib.PurePosixPath(file).parent / name)):
        if (TOP / place).is_file():
            return str(pathlib.PurePosixPath(place))
    return None


def check_layers(found, files, layers):
    for file in files:
        mine = owner(file, layers)
        if mine is None:
            if file.startswith("src/"):
                found.say(file, 1, "its folder has no line in tools/layers.txt [layers]")
            continue
        for number, line in enumerate((TOP / file).read_text().splitlines(), 1):
            match = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
            header = match and resolve(file, match.group(1))
            theirs = header and owner(header, layers)
            if not theirs or theirs == mine or theirs == "include/weir":
                continue
            if "all" not in layers[mine] and theirs not in layers[mine]:
                found.breaks("layers", file, file, number, f"{mine} may not include {theirs} ({match.group(1)})")


# ---- sizes and docstrings --------------------------------------------------------------------------

def tags(files):
    """Functions and prototypes, from ctags: dicts with name, path, kind, line, end."""
    if not files:
        return []
    cmd = ["ctags", "--output-format=json", "--fields=+neK", "--kinds-C=fp", "-o", "-", "--language-force=C",
           "-I", "WR_MUST_USE,WEIR_MUST_USE,WR_PRINTF+,WR_CLEANUP+,WEIR_API", *files]
    out = subprocess.run(cmd, cwd=TOP, capture_output=True, text=True, check=True).stdout
    return [json.loads(line) for line in out.splitlines()]


def check_sizes(found, files, functions):
    for file in files:
        count = len((TOP / file).read_text().splitlines())
        rule, limit = ("header-lines", HEADER_MAX) if file.endswith(".h") else ("file-lines", FILE_MAX)
        found.size(rule, file, file, 1, count, limit)
    for f in functions:
        if f["kind"] == "function" and "end" in f:
            found.size("function-lines", f"{f['path']}:{f['name']}", f["path"], f["line"],
                       f["end"] - f["line"] + 1, FUNCTION_MAX)


def check_docstrings(found, functions):
    lines_of = {}
    for f in functions:
        if not f["path"].endswith(".h"):
            continue
        lines = lines_of.setdefault(f["path"], (TOP / f["path"]).read_text().splitlines())
        if not is_documented(lines, f["line"] - 2, inline=f["kind"] == "function"):
            found.breaks("docstring", f"{f['path']}:{f['name']}", f["path"], f["line"],
                         f"{f['name']} has no comment above it")


def is_documented(lines, at, inline):
    """Does a comment end above line `at` with no blank line between? An inline function may share its neighbour's."""
    while at >= 0 and lines[at].strip() and not lines[at].rstrip().endswith("*/"):
        at -= 1
    if at < 0 or lines[at].strip():
        return at >= 0
    if not inline or lines[at - 1] != "}":
        return False
    while at > 0 and lines[at] != "{":
        at -= 1
    return is_documented(lines, at - 1, inline)


# ---- words and functions ---------------------------------------------------------------------------

def check_banned(found, files):
    rules = [(re.compile(rf"(?<![\w.>])({name})\s*\("), why) for name, why in BANNED.items()]
    sleep = re.compile(rf"(?<![\w.>]){SLEEP}\s*\(")
    for file in files:
        text = without_comments((TOP / file).read_text())
        home = BANNED_HOME.get(file)
        for rule, why in rules:
            for match in rule.finditer(text):
                name = match.group(1)
                if not (home and re.fullmatch(home, name)):
                    found.breaks("banned", f"{file}:{name}", file, line_of(text, match.start()), f"{name}(): use {why}")
        for match in sleep.finditer(text):
            found.breaks("sleep", file, file, line_of(text, match.start()), "wait for something, not for time")


def check_words(found, files):
    for file in files:
        try:
            lines = (TOP / file).read_text().splitlines()
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(lines, 1):
            for pattern, why in WORDS:
                match = re.search(pattern, line)
                if match:
                    found.breaks("words", file, file, number, f"'{match.group().strip()}': {why}")


def check_readmes(found, files):
    for folder in sorted({str(pathlib.PurePosixPath(f).parent) for f in files}):
        readme = TOP / folder / "README.md"
        if not readme.is_file():
            found.breaks("readme", folder, folder, 1, "the folder has no README.md")
            continue
        found.size("readme-lines", f"{folder}/README.md", f"{folder}/README.md", 1,
                   len(readme.read_text().splitlines()), README_MAX)


def check_guarantees(found):
    """A promise is a list item; it ends with its tests, `test/…/file::name`."""
    page = TOP / "docs/guarantees.md"
    if not page.is_file():
        return
    text = page.read_text()
    for item in re.finditer(r"^- .*(?:\n  .*)*", text, re.M):
        line = line_of(text, item.start())
        named = re.findall(r"`(test/[^`]+?)::(\w+)`", item.group())
        if not named:
            found.say("docs/guarantees.md", line, "a promise that names no test [guarantees]")
        for file, name in named:
            if not (TOP / file).is_file() or not re.search(rf"\b{name}\b", (TOP / file).read_text()):
                found.say("docs/guarantees.md", line, f"there is no {file}::{name} [guarantees]")


def check_python(found):
    files = tracked("*.py") + [f for f in tracked("tools", "bench", "test", "examples")
                               if is_script(f, "python3") and not f.endswith(".py")]
    out = subprocess.run(["pyflakes3", *files], cwd=TOP, capture_output=True, text=True, check=False).stdout
    for line in out.splitlines():
        file, number, rest = line.split(":", 2)
        found.say(file, number, rest.strip())


def is_script(file, interpreter):
    with open(TOP / file, "rb") as f:
        first = f.readline(80)
    return first.startswith(b"#!") and interpreter.encode() in first


def main():
    found = Findings()
    code = tracked("*.c", "*.h")
    mine = [f for f in code if f.startswith(("src/", "include/"))]
    functions = tags(code)
    check_layers(found, code, read_layers())
    check_sizes(found, code, functions)
    check_docstrings(found, functions)
    check_banned(found, [f for f in mine if f.startswith("src/")])
    check_words(found, tracked("src", "include", "test", "bench", "tools", "examples", "docs", "*.md", ".ci", "Makefile"))
    check_readmes(found, [f for f in code if f.startswith("src/")])
    check_guarantees(found)
    check_python(found)
    return 1 if found.end() else 0


if __name__ == "__main__":
    sys.exit(main())
