"""Task `train`: the API's training step in a loop of our own, which saves, evaluates, and ends as it is asked to."""

from __future__ import annotations

import math
import os
import time
from pathlib import Path
from typing import Any

import tensorflow as tf

from .checkpoints import Checkpoints, fine_tune, latest_in, start_step
from .evaluating import Evaluation
from .faults import Fault
from .log import Log, score
from .models import build, create_variables, device_name, parameters, read_configs
from .reading import has_records
from .talking import Parent

_LOGGED_STEPS = 500  # of a training, at least, where it has so many
_TOTAL = "Loss/total_loss"


def run(parent: Parent) -> None:
    """Trains `job["config"]` in `job["model_dir"]` up to step `job["steps"]`, from the last checkpoint there."""
    training = Training(parent)
    parent.watch(training.leave_before_first_step)
    training.build()
    training.finish(interrupted=not training.train())


class Training:
    """One training, its log and its checkpoints."""

    def __init__(self, parent: Parent) -> None:
        self._parent, job = parent, parent.job
        self._folder = Path(job["model_dir"])
        self._log = Log(self._folder / "log.jsonl")
        self._steps, self._every = int(job["steps"]), int(job["checkpoint_every"])
        self._log_every = max(1, self._steps // _LOGGED_STEPS)
        self._configs = read_configs(job["config"])
        train_config = self._configs["train_config"]
        parent.job["batch"] = train_config.batch_size
        self._resumed = latest_in(self._folder) is not None
        self._step = start_step(self._folder, train_config, self._steps)
        if not has_records(self._configs["train_input_config"]):
            raise Fault("the training records hold no picture", "Look at the attempt's data and its splits")
        self._began = False

    def build(self) -> None:
        """Model, optimizer and pictures; weights restored.

        Raises:
            Fault: pictures, config or checkpoint are not what they should be.
        """
        self._parent.say(f"goes on from step {self._step}" if self._resumed else "builds the model")
        _set_seed(int(self._parent.job["seed"]) + self._step)
        self._model = build(self._configs["pipeline"], training=True)
        create_variables(self._model)
        self._fine_tune()
        self._build_optimizer()
        parts = {"step": self._global_step, "model": self._model, "optimizer": self._optimizer}
        self._checkpoints = Checkpoints(self._folder, **parts)
        self._checkpoints.restore()
        self._evaluated = self._log.evaluations(self._step if self._resumed else -1)
        self._best = self._best_before()
        self._pictures = iter(self._train_pictures())
        self._traced_step = tf.function(self._one_step)
        self._events = tf.summary.create_file_writer(str(self._folder / "train"))
        self._evaluation = self._evaluation_of_val()

    def _fine_tune(self) -> None:
        train_config = self._configs["train_config"]
        if train_config.fine_tune_checkpoint and not self._resumed:
            fine_tune(self._model, train_config)
            self._parent.say(f"starts from {train_config.fine_tune_checkpoint}")

    def _build_optimizer(self) -> None:
        """With all its variables, so that it can be restored before the first step, and this is traced only once."""
        from object_detection.builders import optimizer_builder

        self._global_step = tf.Variable(self._step, trainable=False, dtype=tf.int64, name="global_step")
        config = self._configs["train_config"].optimizer
        self._optimizer, (rate,) = optimizer_builder.build(config, global_step=self._global_step)
        self._optimizer._create_all_weights(self._model.trainable_variables)
        self._rate = rate if callable(rate) else lambda: rate

    def _train_pictures(self) -> Any:
        """Batches without end, augmented and shuffled as the config says."""
        from object_detection import inputs

        reader = self._configs["train_input_config"]
        reader.num_epochs = 0
        return inputs.train_input(self._configs["train_config"], reader, self._configs["model"], model=self._model)

    def _evaluation_of_val(self) -> Evaluation | None:
        if not self._parent.job["val"]:
            return None
        if not has_records(self._configs["eval_input_configs"][0]):
            self._parent.say("the val records hold no picture: nothing is evaluated, and the last step is kept")
            return None
        return Evaluation(self._model, self._configs, self._folder)

    def _best_before(self) -> int | None:
        """The best step of an earlier process whose checkpoint is still there."""
        best = max(self._evaluated, key=self._rank, default=None)
        return best if best is not None and self._checkpoints.best(best) else None

    def train(self) -> bool:
        """Until the last step is saved and evaluated; False where it was asked to stop before."""
        if self._resumed and self._is_due() and self._step not in self._evaluated and not self._evaluate():
            return False  # an earlier process had saved it, and came no further
        if self._step < self._steps:
            self._parent.say("prepares the first step, which takes a while")
        self._logged, self._since = self._step, time.monotonic()
        while self._step < self._steps:
            losses = self._traced_step(self._pictures)
            self._step, self._began = self._step + 1, True
            stop, due = self._parent.asked_to_stop.is_set(), self._is_due()
            if stop or due or self._step % self._log_every == 0:
                self._report(losses)
            if (stop or due) and not self._save(evaluate=not stop):
                return False
        return True

    def _is_due(self) -> bool:
        """Whether this step is saved and evaluated."""
        return self._step == self._steps or self._step % self._every == 0

    def _one_step(self, pictures: Any) -> dict[str, Any]:
        """Losses of the next batch, from which the model has learnt. Traced once."""
        from object_detection import model_lib_v2

        config = self._configs["train_config"]
        features, labels = next(pictures)
        losses: dict[str, Any] = model_lib_v2.eager_train_step(
            self._model,
            features,
            labels,
            config.unpad_groundtruth_tensors,
            self._optimizer,
            training_step=self._global_step,
            add_regularization_loss=config.add_regularization_loss,
            clip_gradients_value=config.gradient_clipping_by_norm or None,
        )
        self._global_step.assign_add(1)
        return losses

    def _report(self, losses: dict[str, Any]) -> None:
        """One logged step: told, written down, and as events under the API's own tags."""
        values = {tag: float(loss) for tag, loss in losses.items()}
        self._check_finite(values[_TOTAL])
        rate, now = float(self._rate()), time.monotonic()
        seconds = (now - self._since) / (self._step - self._logged)
        self._logged, self._since = self._step, now
        line = {"step": self._step, "of": self._steps, "losses": values, "learning_rate": rate, "seconds": seconds}
        self._log.add(line)
        with self._events.as_default():
            for tag, value in {**values, "learning_rate": rate, "steps_per_sec": 1 / seconds}.items():
                tf.summary.scalar(tag, value, step=self._step)
        self._parent.send(line)

    def _check_finite(self, loss: float) -> None:
        if not math.isfinite(loss):
            reason = f"training diverged: the loss is {loss} at step {self._step} of {self._steps}"
            raise Fault(f"{reason}, at learning rate {float(self._rate()):g}", "Lower train.learning_rate_base")

    def _save(self, *, evaluate: bool) -> bool:
        """A checkpoint, and how good it is; False where it was asked to stop."""
        began = time.monotonic()
        self._checkpoints.save(self._step)
        self._events.flush()
        whole = evaluate and self._evaluate()
        self._since += time.monotonic() - began
        return whole

    def _evaluate(self) -> bool:
        """The step's figures, where there is a val; False where it was asked to stop before they were known."""
        if self._evaluation is None:
            return True
        self._parent.say(f"evaluates step {self._step} on val")
        metrics = self._evaluation.run(self._step, self._parent.asked_to_stop.is_set, self._tell_evaluated)
        if metrics is None:
            return False
        self._evaluated[self._step] = metrics
        is_best = self._best is None or self._rank(self._step) > self._rank(self._best)
        if is_best:
            self._checkpoints.keep_best(self._step)
            self._best = self._step
        line = {"evaluated": self._step, "metrics": metrics, "best": is_best}
        self._log.add(line)
        self._parent.send(line)
        return True

    def _tell_evaluated(self, pictures: int) -> None:
        self._parent.send({"evaluating": pictures, "of": self._parent.job["val"]})

    def _rank(self, step: int) -> tuple[float, int]:
        """The best step has most of it. Of two that found nothing the later is better, as it has learnt for longer."""
        worth = score(self._evaluated[step])
        return worth, -step if worth > 0 else step

    def finish(self, *, interrupted: bool) -> None:
        """Says what came of it. Where there is no best step, without val, the last one counts as that."""
        if self._best is None and not interrupted:
            self._checkpoints.keep_best(self._step)
            self._best = self._step
        self._parent.done({
            "step": self._step,
            "best_step": self._best,
            "parameters": parameters(self._model),
            "device": device_name(),
            "metrics": {} if self._best is None else self._evaluated.get(self._best, {}),
            "interrupted": interrupted,
            "checkpoint": None if self._best is None else self._checkpoints.best(self._best),
        })  # fmt: skip

    def leave_before_first_step(self) -> None:
        """Asked to stop while there is nothing to save yet, it ends at once."""
        if not self._began:
            nothing = dict.fromkeys(("best_step", "parameters", "device", "checkpoint"))
            self._parent.done({**nothing, "step": self._step, "metrics": {}, "interrupted": True})
            os._exit(0)


def _set_seed(seed: int) -> None:
    """For weights, and for pictures, their order and their changes. On the CPU the same ones come in every training,
    at no cost in time; what threads add up in another order differs in the last digits."""
    tf.keras.utils.set_random_seed(seed % 2**32)
    if not tf.config.list_physical_devices("GPU"):
        tf.config.experimental.enable_op_determinism()
