"""Kafka's own dump tool reads weir's segment files, and has nothing to complain of.

The log is made by make_log.c: 600 records in each topic of plain records, in three segments or four; 30 rounds of
marked transactions of two writers. What the tool would say of damage is tried too, so that its silence means
something.
"""

import re
import shutil
import subprocess

import pytest

from harness.process import TOP

TOOL = TOP / "test/peers/kafka-tool"
MAKE_LOG = TOP / "build/test/system/make_log"
RECORDS = 600
ROUNDS = 30
CODECS = {"uncompressed": "none", "gzip": "gzip", "snappy": "snappy", "lz4": "lz4", "zstd": "zstd"}
# kafka.tools.DumpLogSegments' words for what it finds wrong.
COMPLAINTS = re.compile(r"isvalid: false|Mismatch|mismatch|out of order|Non-consecutive|Found|Exception|corrupt|"
                        r"followed by|not equal|Could not|Invalid|trailing", re.I)


@pytest.fixture(scope="module")
def tool():
    """Runs the tool over files and gives what it says."""
    if shutil.which("java") is None or shutil.which("mvn") is None:
        pytest.skip("no java or mvn (tools/setup test installs them)")
    fetched = subprocess.run([TOOL, "dump-log", "--version"], capture_output=True, text=True, timeout=600)
    if fetched.returncode != 0:
        pytest.skip(f"Kafka's tools cannot be fetched from Maven Central: {fetched.stderr[-500:]}")

    def dump(files, *words):
        names = ",".join(str(f) for f in files)
        done = subprocess.run([TOOL, "dump-log", *words, "--files", names], capture_output=True, text=True, timeout=300)
        return done.returncode, done.stdout + done.stderr

    return dump


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    """The folder of the log."""
    folder = tmp_path_factory.mktemp("log") / "data"
    subprocess.run([MAKE_LOG, folder], check=True, timeout=120)
    return folder


def files(log, topic, suffix):
    found = sorted((log / f"{topic}-0").glob(f"*.{suffix}"))
    assert found, f"no .{suffix} in {topic}-0"
    return found


def read(tool, what, *words):
    rc, text = tool(what, *words)
    assert rc == 0, text[-2000:]
    # With --deep-iteration it says this of every segment that does not begin at offset 0, Kafka's own too.
    text = re.sub(r"Non-consecutive offsets in \S+\n  -1 is followed by \d+\n", "", text)
    wrong = [line for line in text.splitlines() if COMPLAINTS.search(line) and "payload" not in line]
    assert not wrong, wrong[:5]
    return text


@pytest.mark.parametrize("topic", [*CODECS, "append-time"])
def test_records_of_every_codec_are_read(tool, log, topic):
    segments = files(log, topic, "log")
    assert len(segments) >= 3
    text = read(tool, segments, "--print-data-log", "--deep-iteration")
    offsets = [int(o) for o in re.findall(r"^\| offset: (\d+) ", text, re.M)]
    assert offsets == list(range(RECORDS))
    batches = re.findall(r"^baseOffset: .* compresscodec: (\w+) .* isvalid: (\w+)$", text, re.M)
    assert set(batches) == {(CODECS.get(topic, "none"), "true")}
    assert "headerKeys: [trace,trace,]" in text
    assert "key: key-599 payload: value 599 " in text
    kinds = set(re.findall(r"(CreateTime|LogAppendTime): \d+ size", text))
    assert kinds == {"LogAppendTime" if topic == "append-time" else "CreateTime"}


def test_markers_are_read_as_kafkas_own(tool, log):
    text = read(tool, files(log, "marked", "log"), "--print-data-log", "--deep-iteration")
    markers = re.findall(r"endTxnMarker: (\w+)", text)
    assert markers.count("COMMIT") == ROUNDS // 2 + ROUNDS // 3
    assert markers.count("ABORT") == 2 * ROUNDS - markers.count("COMMIT")
    assert text.count("isTransactional: true isControl: false") >= 2 * ROUNDS
    offsets = [int(o) for o in re.findall(r"^\| offset: (\d+) ", text, re.M)]
    assert offsets == list(range(ROUNDS * (1 + 2 + 1 + 2)))


@pytest.mark.parametrize("topic", [*CODECS, "append-time", "marked"])
def test_indexes_agree_with_their_segments(tool, log, topic):
    for suffix in ("index", "timeindex"):
        text = read(tool, files(log, topic, suffix))
        assert len(re.findall(r"^(?:offset|timestamp): \d+", text, re.M)) >= 3


def test_aborted_transactions_are_read(tool, log):
    text = read(tool, files(log, "marked", "txnindex"))
    aborted = re.findall(r"producerId: (\d+) firstOffset: (\d+) lastOffset: (\d+) lastStableOffset: (\d+)", text)
    assert len(aborted) == ROUNDS // 2 + ROUNDS - ROUNDS // 3
    for _, first, last, stable in aborted:
        assert int(first) < int(last)
        assert int(stable) <= int(last) + 1


def test_a_repaired_segment_is_read_too(tool, log, tmp_path):
    """Empty batches stand where records were lost."""
    copy = tmp_path / "data"
    shutil.copytree(log, copy)
    segment = files(copy, "marked", "log")[2]
    content = bytearray(segment.read_bytes())
    content[1000] ^= 1  # in a batch in the middle
    content[len(content) - 30] ^= 1  # in the last one
    segment.write_bytes(content)
    found = subprocess.run([MAKE_LOG, copy, "repair"], check=True, capture_output=True, text=True, timeout=60).stdout
    lost = [line.split()[-2:] for line in found.splitlines() if line.startswith("damaged batch")]
    assert len(lost) == 2, found
    text = read(tool, [segment])  # without --deep-iteration, which tells of every gap between records
    assert "isvalid: false" not in text
    for first, behind in lost:
        assert f"baseOffset: {first} lastOffset: {int(behind) - 1} count: 0 " in text
    for suffix in ("index", "timeindex", "txnindex"):
        read(tool, [segment.with_suffix(f".{suffix}")])


def test_the_tool_does_complain_of_damage(tool, log, tmp_path):
    """Else its silence above would mean nothing."""
    copy = tmp_path / "none-0"
    shutil.copytree(log / "uncompressed-0", copy)
    segment = sorted(copy.glob("*.log"))[0]
    index = segment.with_suffix(".index")
    content = bytearray(index.read_bytes())
    content[3] ^= 1
    index.write_bytes(content)
    _, text = tool([index])
    assert COMPLAINTS.search(text), text
    content = bytearray(segment.read_bytes())
    content[200] ^= 1
    segment.write_bytes(content)
    _, text = tool([segment], "--deep-iteration")
    assert COMPLAINTS.search(text), text
