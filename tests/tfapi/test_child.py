"""The worker as a child: real processes that answer, crash, hang, talk nonsense and are interrupted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Told

from yolo_pipeline.errors import InputError
from yolo_pipeline.tfapi.child import Child

PYTHON = Path(sys.executable)
posix = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
START = """
import json, os, signal, sys, time
def say(**message):
    sys.stdout.write(json.dumps(message) + "\\n")
    sys.stdout.flush()
first = json.loads(sys.stdin.buffer.readline())
"""


def child(
    tmp_path: Path, program: str, job: dict[str, Any] | None = None, task: str = "train", **options: Any
) -> Child:
    code = START + textwrap.dedent(program)
    options = {"silence": 20.0, "python": PYTHON, **options}
    return Child(task, job or {}, tmp_path / "out" / "worker.log", program=("-c", code), **options)


def fault_of(tmp_path: Path, program: str, **options: Any) -> str:
    """The line that a child's end becomes, with LOG for the log's path."""
    with pytest.raises(InputError) as caught, child(tmp_path, program, **options) as running:
        list(running.messages())
    assert "\n" not in str(caught.value)
    return str(caught.value).replace(str(tmp_path / "out" / "worker.log"), "LOG")


def test_messages_come_in_order_until_it_is_done(tmp_path: Path) -> None:
    with child(tmp_path, 'say(say="begun"); say(step=1, losses={"Loss/a": 0.5}); say(done={"step": 1})') as running:
        said = list(running.messages())

    assert said == [{"say": "begun"}, {"step": 1, "losses": {"Loss/a": 0.5}}, {"done": {"step": 1}}]


def test_it_is_given_its_task_and_job_as_the_first_line(tmp_path: Path) -> None:
    job = {"config": tmp_path / "설정" / "pipeline.config", "steps": 2}

    with child(tmp_path, "say(done=first)", job) as running:
        (said,) = running.messages()

    assert said["done"] == {"task": "train", "job": {"config": str(tmp_path / "설정" / "pipeline.config"), "steps": 2}}


@pytest.mark.parametrize(
    ("device", "seen"),
    [
        pytest.param("cpu", "", id="the CPU alone"),
        pytest.param("0", "0", id="a GPU by its number"),
        pytest.param(1, "1", id="a number of YAML"),
        pytest.param(None, "7", id="nothing said: as the user's environment has it"),
    ],
)
def test_the_device_is_what_cuda_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, device: object, seen: str
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "7")
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    names = ["CUDA_VISIBLE_DEVICES", "TF_USE_LEGACY_KERAS", "PYTHONPATH"]

    with child(tmp_path, f"say(done={{n: os.environ.get(n) for n in {names}}})", {"device": device}) as running:
        (said,) = running.messages()

    assert said["done"] == {"CUDA_VISIBLE_DEVICES": seen, "TF_USE_LEGACY_KERAS": "1", "PYTHONPATH": None}


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        pytest.param(
            'say(fault={"reason": "checkpoint ckpt-3 is of another model", "remedy": "Name another"})',
            "LOG: checkpoint ckpt-3 is of another model. Name another",
            id="a fault in clean words",
        ),
        pytest.param(
            'say(fault={"reason": "two\\nlines"}); time.sleep(60)', "LOG: two lines", id="a fault, and it lives on"
        ),
        pytest.param('say(fault="odd")', "LOG: odd", id="a fault that is no object"),
        pytest.param(
            'say(say="x"); raise ValueError("no anchors")',
            "LOG: the TensorFlow process failed (exit code 1): ValueError: no anchors. Look there for more",
            id="a traceback",
        ),
        pytest.param(
            """
            import atexit
            atexit.register(lambda: print("goodbye", file=sys.stderr))
            try:
                {}["a"]
            except KeyError:
                raise RuntimeError("first line\\nsecond line")
            """,
            "LOG: the TensorFlow process failed (exit code 1): RuntimeError: first line. Look there for more",
            id="the last of two tracebacks, with lines after it",
        ),
        pytest.param(
            'print("cannot find libcudart.so", file=sys.stderr); sys.exit(3)',
            "LOG: the TensorFlow process failed (exit code 3): cannot find libcudart.so. Look there for more",
            id="an exit code and a last line",
        ),
        pytest.param(
            "os._exit(5)",
            "LOG: the TensorFlow process failed (exit code 5). Look there for more",
            id="an exit code alone",
        ),
        pytest.param("", "LOG: the TensorFlow process ended without a result. Look there for more", id="no result"),
        pytest.param(
            "os.kill(os.getpid(), signal.SIGKILL)",
            "LOG: the TensorFlow process was killed, most likely as memory ran out. "
            "Free some memory, or lower train.batch",
            id="killed",
            marks=posix,
        ),
        pytest.param(
            'raise MemoryError("Unable to allocate 9 GiB")',
            "LOG: the TensorFlow process ran out of memory: MemoryError: Unable to allocate 9 GiB. "
            "Free some memory, or lower train.batch",
            id="out of memory, as Python says it",
        ),
        pytest.param(
            "os.kill(os.getpid(), signal.SIGSEGV)",
            "LOG: the TensorFlow process was ended by SIGSEGV. Look there for more",
            id="a crash in native code",
            marks=posix,
        ),
        pytest.param(
            'open("/dev/full", "wb", buffering=0).write(b"checkpoint")',
            "LOG: the TensorFlow process stopped: the disk is full: OSError: [Errno 28] No space left on device. "
            "Free some space and try again",
            id="a full disk",
            marks=pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full"),
        ),
    ],
)
def test_every_end_is_one_line(tmp_path: Path, program: str, expected: str) -> None:
    assert fault_of(tmp_path, program) == expected


def test_a_line_of_an_earlier_process_is_not_quoted(tmp_path: Path) -> None:
    assert "ValueError: earlier" in fault_of(tmp_path, 'raise ValueError("earlier")')

    assert fault_of(tmp_path, "os._exit(2)") == "LOG: the TensorFlow process failed (exit code 2). Look there for more"
    assert "ValueError: earlier" in (tmp_path / "out" / "worker.log").read_text()


@pytest.mark.parametrize(
    "program",
    [
        pytest.param("time.sleep(60)", id="nothing is said"),
        pytest.param('sys.stdout.write("{\\"say\\": 1"); sys.stdout.flush(); time.sleep(60)', id="half a line is said"),
        pytest.param("signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)", id="it ignores SIGTERM"),
    ],
)
def test_a_child_that_hangs_is_ended(tmp_path: Path, program: str) -> None:
    began = time.monotonic()

    said = fault_of(tmp_path, program, silence=1.0)

    assert said == (
        "LOG: the TensorFlow process said nothing for 1 seconds and was ended. "
        "Look there for what it did last, and try again"
    )
    assert time.monotonic() - began < 10


def test_lines_in_the_log_are_signs_of_life(tmp_path: Path) -> None:
    program = """
    for _ in range(8):
        print("evaluating", file=sys.stderr, flush=True)
        time.sleep(0.4)
    say(done={})
    """

    with child(tmp_path, program, silence=1.5) as running:
        assert list(running.messages()) == [{"done": {}}]


@pytest.mark.parametrize(
    ("written", "logged"),
    [
        pytest.param(rb"\x00\xff\xfe binary \x80\n", b"\x00\xff\xfe binary \x80\n", id="binary"),
        pytest.param(rb"[1, 2, 3]\n", b"[1, 2, 3]\n", id="JSON that is no object"),
        pytest.param(rb'"words"\nnull\n17\n', b'"words"\nnull\n17\n', id="JSON that is no object, three times"),
        pytest.param(rb'{"step": 1,\n', b'{"step": 1,\n', id="half an object"),
        pytest.param(rb"\n\n", b"\n\n", id="empty lines"),
    ],
)
def test_garbage_on_stdout_goes_to_the_log(tmp_path: Path, written: bytes, logged: bytes) -> None:
    program = f"sys.stdout.buffer.write({written!r}.decode('unicode_escape').encode('latin-1'))\nsay(done={{}})"

    with child(tmp_path, program) as running:
        assert list(running.messages()) == [{"done": {}}]

    assert (tmp_path / "out" / "worker.log").read_bytes() == logged


@pytest.mark.parametrize(
    "line",
    [
        pytest.param('b"x" * 10_000_000', id="10 MB without sense"),
        pytest.param('b"[" * 10_000_000', id="10 MB of brackets"),
        pytest.param('b\'{"a": \' + b"9" * 10_000_000 + b"}"', id="a number of 10 million digits"),
    ],
)
def test_long_garbage_is_cut_in_the_log(tmp_path: Path, line: str) -> None:
    with child(tmp_path, f'sys.stdout.buffer.write({line} + b"\\n"); say(done={{}})') as running:
        assert list(running.messages()) == [{"done": {}}]

    assert (tmp_path / "out" / "worker.log").stat().st_size == 4097


def test_a_message_of_10_mb_is_a_message(tmp_path: Path) -> None:
    with child(tmp_path, 'say(done="x" * 10_000_000)') as running:
        assert [len(message["done"]) for message in running.messages()] == [10_000_000]


def test_a_child_that_closes_stdout_and_lives_on_is_ended(tmp_path: Path) -> None:
    said = fault_of(tmp_path, "os.close(1); time.sleep(60)")

    assert said == "LOG: the TensorFlow process closed its output without ending. Try again"


@posix
def test_the_end_is_seen_though_a_grandchild_holds_stdout(tmp_path: Path) -> None:
    program = f"""
    import subprocess
    subprocess.Popen([{sys.executable!r}, "-c", "import time; time.sleep(40)"], start_new_session=True)
    raise ValueError("gone")
    """
    began = time.monotonic()

    assert "ValueError: gone" in fault_of(tmp_path, program, silence=30.0)
    assert time.monotonic() - began < 15


@posix
def test_what_a_child_started_ends_with_it(tmp_path: Path) -> None:
    program = f"""
    import subprocess
    started = subprocess.Popen([{sys.executable!r}, "-c", "import time; time.sleep(60)"])
    say(say=started.pid)
    time.sleep(60)
    """
    with child(tmp_path, program, patience=0.5) as running:
        grandchild = next(running.messages())["say"]
        assert not gone(grandchild, within=0.1)
        running.stop()

    assert gone(grandchild)


def gone(pid: int, within: float = 5.0) -> bool:
    """Whether a process has ended, or does so within some seconds; one that nobody waits for has ended, too."""
    for _ in range(round(within / 0.05)):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


ANSWERS = """
say(ready={"device": "CPU", "size": 320})
while line := sys.stdin.buffer.readline():
    header = json.loads(line)
    if header.get("stop"):
        break
    data = [sys.stdin.buffer.read(h * w * 3) for h, w in header["shapes"]]
    say(found=[[len(d), sum(d)] for d in data])
"""


def test_requests_with_bytes_are_answered(tmp_path: Path) -> None:
    picture = bytes(range(12))

    with child(tmp_path, ANSWERS) as running:
        assert running.ready() == {"device": "CPU", "size": 320}
        two = running.ask({"shapes": [[2, 2], [1, 1]]}, [memoryview(picture), b"\x01\x02\x03"])
        none = running.ask({"shapes": []}, [])
        shaped = running.ask({"shapes": [[2, 2]]}, [np.arange(12, dtype=np.uint8).reshape(2, 2, 3).data])

    assert shaped == {"found": [[12, 66]]}
    assert two == {"found": [[12, 66], [3, 6]]}
    assert none == {"found": []}


def test_large_pictures_and_large_answers_do_not_block_each_other(tmp_path: Path) -> None:
    program = """
    say(ready={})
    header = json.loads(sys.stdin.buffer.readline())
    say(say="y" * 5_000_000)
    data = sys.stdin.buffer.read(header["bytes"])
    say(found="x" * len(data))
    """

    with child(tmp_path, program) as running:
        answer = running.ask({"bytes": 20_000_000}, [bytes(10_000_000), memoryview(bytes(10_000_000))])

    assert len(answer["found"]) == 20_000_000


def test_a_child_that_does_not_read_its_pictures_is_ended(tmp_path: Path) -> None:
    with (
        pytest.raises(InputError, match="said nothing for 1 seconds"),
        child(tmp_path, "say(ready={}); time.sleep(60)", silence=1.0) as running,
    ):
        running.ask({"shapes": [[2000, 2000]]}, [bytes(12_000_000)])


def test_a_child_that_dies_over_a_request_is_told_of(tmp_path: Path) -> None:
    program = 'say(ready={}); sys.stdin.buffer.readline(); raise ValueError("bad shape")'

    with pytest.raises(InputError, match="ValueError: bad shape"), child(tmp_path, program) as running:
        running.ask({"shapes": [[2000, 2000]]}, [bytes(12_000_000)])


def test_a_child_that_was_asked_for_nothing_more_ends_with_the_block(tmp_path: Path) -> None:
    ended = tmp_path / "ended"
    program = f'say(ready={{}}); sys.stdin.read(); open({str(ended)!r}, "w")'

    with child(tmp_path, program) as running:
        running.ready()

    assert ended.is_file()


SAVES = """
say(step=1)
for line in sys.stdin:
    if json.loads(line).get("stop"):
        time.sleep(0.3)
        say(step=2)
        say(done={"step": 2, "interrupted": True})
        break
"""


def interrupted(running: Child) -> None:
    """Takes its first message; then the user presses Ctrl-C."""
    with running:
        messages = running.messages()
        next(messages)
        os.kill(os.getpid(), signal.SIGINT)
        next(messages)


@posix
@pytest.mark.parametrize(
    ("task", "told"),
    [
        pytest.param("train", ["stopping: TensorFlow saves where it is, within 60 seconds"], id="training is saved"),
        pytest.param("ask", [], id="there is nothing to save"),
    ],
)
def test_ctrl_c_reaches_the_parent_alone_and_lets_it_save(tmp_path: Path, task: str, told: list[str]) -> None:
    saved, progress = tmp_path / "saved", Told()
    program = f"""
    say(say="begun")
    stop = sys.stdin.readline()
    open({str(saved)!r}, "w").write(stop)
    say(done={{}})
    """
    running = child(tmp_path, program, progress=progress, task=task)

    with pytest.raises(KeyboardInterrupt):
        interrupted(running)

    assert progress.lines == told
    assert (saved.read_text() if saved.exists() else "") == ('{"stop": true}\n' if told else "")


def test_stop_gives_what_it_said_last(tmp_path: Path) -> None:
    with child(tmp_path, SAVES) as running:
        next(running.messages())

        assert running.stop() == {"step": 2, "interrupted": True}
        assert running.stop() is None


@pytest.mark.parametrize(
    "program",
    [
        pytest.param("say(step=1); time.sleep(60)", id="it does not listen"),
        pytest.param('say(step=1); json.loads(sys.stdin.readline()); say(say="saving"); time.sleep(60)', id="it hangs"),
        pytest.param("say(step=1); os.close(1); time.sleep(60)", id="it closed stdout"),
    ],
)
def test_a_child_that_ignores_stop_is_killed(tmp_path: Path, program: str) -> None:
    told, began = Told(), time.monotonic()

    with child(tmp_path, program, progress=told, patience=1.0) as running:
        next(running.messages())
        assert running.stop() is None

    assert time.monotonic() - began < 8
    assert told.lines == [
        "stopping: TensorFlow saves where it is, within 1 seconds",
        "it did not end, and was killed: what it saved before is kept",
    ]


def test_a_child_that_cannot_save_says_why(tmp_path: Path) -> None:
    program = """
    say(step=1)
    sys.stdin.readline()
    say(fault={"reason": "the disk is full", "remedy": "Free some space and try again"})
    """
    told = Told()

    with child(tmp_path, program, progress=told) as running:
        next(running.messages())
        assert running.stop() is None

    assert told.lines == [
        "stopping: TensorFlow saves where it is, within 60 seconds",
        f"it did not save: {tmp_path / 'out' / 'worker.log'}: the disk is full. Free some space and try again",
    ]


@posix
def test_another_error_in_the_block_kills_it_at_once(tmp_path: Path) -> None:
    began, pids = time.monotonic(), []

    def work() -> None:
        with child(tmp_path, "say(say=os.getpid()); time.sleep(60)") as running:
            pids.append(next(running.messages())["say"])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()
    assert gone(pids[0])
    assert time.monotonic() - began < 8


@posix
def test_a_dead_parent_ends_its_child(tmp_path: Path) -> None:
    ended = tmp_path / "ended"
    program = f'say(say=os.getpid()); sys.stdin.read(); open({str(ended)!r}, "w")'
    code = f"""
import sys, time
from pathlib import Path
from yolo_pipeline.tfapi.child import Child
with Child("train", {{}}, Path({str(tmp_path)!r}, "log"), python=Path(sys.executable), program=("-c", {START + program!r})) as c:
    print(next(c.messages())["say"], flush=True)
    time.sleep(60)
"""
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())

    parent.kill()
    parent.wait()
    parent.stdout.close()

    assert gone(pid)
    assert ended.is_file()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_log_that_cannot_be_written_any_more_does_not_stop_it(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "worker.log").symlink_to("/dev/full")

    with child(tmp_path, 'print("no JSON", flush=True); say(done={})') as running:
        assert list(running.messages()) == [{"done": {}}]


def test_a_log_where_none_can_be(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")

    with pytest.raises(InputError) as caught, child(tmp_path, ""):
        pass

    assert str(caught.value) == f"{tmp_path / 'out' / 'worker.log'}: cannot be written (File exists)"


def test_a_python_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught, child(tmp_path, "", python=tmp_path / "no-python"):
        pass

    assert str(caught.value) == (
        f"{tmp_path / 'no-python'}: cannot be started (No such file or directory). "
        "Make it with `python -m yolo_pipeline setup-tfapi`"
    )
