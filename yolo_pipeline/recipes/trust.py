"""Which runtime to use: one that finds what torch finds, and of those the fastest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from yolo_pipeline import runtimes
from yolo_pipeline.asking import Asking
from yolo_pipeline.errors import InputError, PipelineError
from yolo_pipeline.progress import Progress
from yolo_pipeline.recipes.trust_check import INT8, Agreement, Check, shown
from yolo_pipeline.tracks import Track

_RUN_BY_OTHERS = "torch"  # of the runtimes that tracks train in

FEWEST = 64
"""Pictures for which it is worth to prepare another runtime than torch, unless it is asked for by name."""


def choose(
    track: Track,
    weights: Path,
    asked: str,
    int8: bool,
    asking: Asking,
    samples: Sequence[Path],
    check_pictures: Sequence[Path],
    truths: Mapping[str, Any] | None,
    count: int,
    progress: Progress,
) -> str:
    """The runtime to open weights with.

    Args:
        asked: its name, or "auto" for the fastest of those installed that agrees with torch; of a track that trains
            in something else, or classifies, this alone.
        int8: whether whole numbers of 8 bits may be used, which are faster and a little less exact.
        samples: training pictures, for int8.
        check_pictures: to compare runtimes on, at most 32 of them; where there are none, the samples serve.
        truths: COCO truth of `check_pictures`, its images in their order; None: they are not labelled.
        count: pictures to be shown to it.

    Raises:
        InputError: the runtime that was asked for does not agree, does not exist, is not installed, or cannot run a
            model of this track.
        WeightsError: the network cannot be exported for it.
    """
    if (network := runtimes.network_file(weights)) is not None:
        return _of_network(network, asked, int8)
    if track.runtime != _RUN_BY_OTHERS or track.task == "classify":
        return _own(track.runtime, asked, int8)
    pictures, truths = (check_pictures, truths) if check_pictures else (samples, None)
    check = Check(track, weights, asking, pictures, truths, progress)
    if asked == "auto":
        return _fastest(check, int8, samples, count)
    runtime = _named(asked, int8)
    if runtime != "torch":
        track.prepare(weights, runtime, asking, samples, progress)
        _require(check.of(runtime))
    return runtime


def _of_network(network: Path, asked: str, int8: bool) -> str:
    runtime = {".xml": "openvino"}.get(network.suffix.lower(), network.suffix.lower().removeprefix("."))
    if int8 or asked not in ("auto", runtime):
        raise InputError(
            network, f"is an exported network, which runs in {runtime} as it is", "Leave --runtime and --int8 out"
        )
    return runtime


def _own(runtime: str, asked: str, int8: bool) -> str:
    """The only runtime of a track whose weights no other runs as they are."""
    if int8 or asked not in ("auto", runtime):
        named = f"{asked}{INT8}" if int8 and not asked.endswith(INT8) else asked
        raise InputError(
            f"runtime {named}", f"cannot run this model, which {runtime} alone runs", "Leave --runtime and --int8 out"
        )
    return runtime


def _named(asked: str, int8: bool) -> str:
    if int8 and asked not in ("openvino", f"openvino{INT8}"):
        raise InputError(f"runtime {asked}", "has no int8", "Say openvino, or leave int8 out")
    return f"openvino{INT8}" if int8 else asked


def _require(agreement: Agreement) -> None:
    """
    Raises:
        InputError: the runtime does not agree with torch.
    """
    if agreement.agrees:
        return
    reason = (
        f"does not find what torch finds: mAP50 {shown(agreement.mAP50)} against {shown(agreement.torch_mAP50)} "
        f"on {agreement.images} pictures, where {agreement.allowed:g} is allowed"
    )
    remedy = "Leave int8 out, or calibrate on other pictures" if agreement.runtime.endswith(INT8) else "Use torch"
    raise InputError(f"runtime {agreement.runtime}", reason, remedy)


def _fastest(check: Check, int8: bool, samples: Sequence[Path], count: int) -> str:
    """Of what is installed; where few pictures are to be shown, of what an earlier command has prepared and checked."""
    candidates = [name for name in check.track.runtimes(check.asking.device) if int8 or not name.endswith(INT8)]
    if "torch-half" not in candidates and not runtimes.installed("openvino"):
        check.progress.say(
            f"OpenVINO, which may be faster than torch, is not installed: {runtimes.install_command('openvino')}"
        )
    if count < FEWEST:
        known = [name for name in candidates if check.track.prepared(check.weights, name) and check.known(name)]
        if candidates and not known:
            check.progress.say(f"for {count} pictures a faster runtime than torch is not worth its preparation")
        candidates = known
    agreements = list(filter(None, (_prepared(check, name, samples) for name in candidates)))
    best = min((one for one in agreements if one.agrees), key=lambda one: one.seconds, default=None)
    return best.runtime if best is not None and best.seconds < best.torch_seconds else "torch"


def _prepared(check: Check, runtime: str, samples: Sequence[Path]) -> Agreement | None:
    """What became of one of several runtimes; it may fail, as there are others."""
    try:
        check.track.prepare(check.weights, runtime, check.asking, samples, check.progress)
        agreement = check.of(runtime)
        _require(agreement)
    except PipelineError as error:
        check.progress.say(f"left out: {error}")
        return None
    return agreement
