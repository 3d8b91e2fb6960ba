"""Train a network on a split's features and leave a model on disk.

Owns the learning loop and its checkpoints. It knows nothing of queues or processes. How
the model is served is for `recognition`. TensorFlow and Keras are imported only inside
functions.

The loop is not `keras.Model.fit`, which takes more processor time, and whose callbacks
do not resume a training bit for bit.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from audiomnist.digits import N_DIGITS
from audiomnist.errors import ModelError
from audiomnist.networks.architectures import build
from audiomnist.networks.backend import tensorflow_ready
from audiomnist.networks.config import NetworkConfig
from audiomnist.networks.files import load_network, save_network, to_litert
from audiomnist.networks.pretrained import build_teacher
from audiomnist.recognition.models import LITERT, WEIGHTS
from audiomnist.storage import write_atomically
from audiomnist.training.config import TrainConfig
from audiomnist.training.data import TrainingData
from audiomnist.training.events import write_events
from audiomnist.training.history import (
    EpochMetrics,
    best_epoch,
    is_stalled,
    read_history,
    write_history,
)

if TYPE_CHECKING:
    import keras
    from keras.optimizers.schedules import CosineDecay

CHECKPOINT = "checkpoint.keras"

_WARM_UP = 0.1  # part of all steps in which the learning rate rises

_VALIDATED_AT_ONCE = 512  # clips

_NOT_DECAYED = ["bias", "gamma", "beta"]  # offsets and scales


def train(
    network: NetworkConfig,
    config: TrainConfig,
    data: TrainingData,
    folder: Path,
    *,
    on_epoch: Callable[[EpochMetrics], None],
    on_batch: Callable[[int, int, float], None] | None = None,
    resume: bool = False,
) -> None:
    """Train a network and leave the model in a folder.

    After each epoch the folder holds `checkpoint.keras` (weights and optimizer),
    `history.csv` and `model.keras` (the epoch of lowest validation loss); at the
    end `model.tflite`, made of the latter, with the outputs "logits" and
    "embedding". Each file appears whole or not at all. The same seed gives the
    same weights on one machine, also when the training was interrupted.

    For TensorBoard, `tensorboard/events.out.tfevents` grows by one epoch at a time:
    the measures of `history.csv`, and the learning rate of the epoch's last step.

    Parameters
    ----------
    network, config, data
        What learns, how, and from what.
    folder
        An existing folder for the files.
    on_epoch
        Called after each epoch, when its files are written.
    on_batch
        Called with the number of batches done in this epoch, their total, and the
        last one's loss.
    resume
        Go on after the last epoch in the folder, if there is one.

    Raises
    ------
    ModelError
        If the folder holds a checkpoint that does not fit, or the loss is no
        longer a number.
    """
    learner = _Learner(network, config, data)
    history = learner.restore(folder) if resume else []
    # Those that an interruption left out.
    write_events(history, learner.learning_rate, folder)
    while len(history) < config.epochs and not is_stalled(history, config.patience):
        metrics = learner.learn_epoch(len(history) + 1, on_batch)
        history.append(metrics)
        if best_epoch(history) is metrics:
            save_network(learner.network, folder / WEIGHTS)
        write_history(history, folder)
        save_network(learner.checkpoint, folder / CHECKPOINT)
        write_events(history, learner.learning_rate, folder)
        on_epoch(metrics)
    write_atomically(folder / LITERT, to_litert(load_network(folder / WEIGHTS)))


def taught_loss(loss: Any, logits: Any, targets: Any, part: float) -> Any:
    """Compute the loss of distillation: by the labels and by a teacher's predictions.

    Parameters
    ----------
    loss
        Its loss by the labels.
    logits
        Its answers, (n_clips, n_members, n_answers).
    targets
        The teacher's probabilities, (n_clips, n_answers), from which nothing is
        learned by the teacher.
    part
        How much they count, from 0 to 1.

    Returns
    -------
    tensorflow.Tensor
        One number: `loss` for the part of the labels, and for the other part the mean
        cross-entropy of the answers to the targets.
    """
    import tensorflow

    targets = tensorflow.stop_gradient(targets)[:, None]
    log_answers = tensorflow.nn.log_softmax(logits)
    cross_entropy = -tensorflow.reduce_sum(targets * log_answers, axis=-1)
    return (1 - part) * loss + part * tensorflow.reduce_mean(cross_entropy)


class _Learner:
    """One network, its optimizer and its data during training."""

    def __init__(
        self, network: NetworkConfig, config: TrainConfig, data: TrainingData
    ) -> None:
        self.config, self.data = config, data
        self.n_negatives = 0
        if data.negatives is not None:
            self.n_negatives = round(config.others_part * len(data.train))
        n_clips = len(data.train) + self.n_negatives
        self.batch_size = min(config.batch_size, n_clips)
        self.n_batches = -(-n_clips // self.batch_size)
        tensorflow = tensorflow_ready()
        import keras

        keras.utils.set_random_seed(config.seed)
        self._build(network)
        self.loss = keras.losses.CategoricalCrossentropy(
            from_logits=True, label_smoothing=config.label_smoothing
        )
        self.step = tensorflow.function(self._step)
        self.answer = tensorflow.function(
            lambda features: self.network(features, training=False)["logits"],
            reduce_retracing=True,
        )

    def _build(self, network: NetworkConfig) -> None:
        """Build the network, its teacher if there is one, and their optimizer."""
        import keras

        shape = self.data.features.shape
        self.network = build(network, shape)
        outputs, learning = [self.network.output], [self.network]
        self.teacher = None
        if self.config.taught_part:
            self.teacher = build_teacher(network.n_others, shape)
            embedded = self.teacher.embedding(self.network.input)
            outputs.append({"taught": self.teacher.head(embedded)})
            learning.append(self.teacher.head)
        self.weights = [
            weight for model in learning for weight in model.trainable_variables
        ]
        self.seeds = [
            layer.seed_generator.state
            for model in learning
            for layer in model.layers
            if isinstance(layer, keras.layers.Dropout) and layer.rate > 0
        ]
        # The same layers once more: only this one is saved with the optimizer.
        self.checkpoint = keras.Model(self.network.input, outputs)
        self.rate = _learning_rate(self.config, self.n_batches)
        self.checkpoint.compile(optimizer=_optimizer(self.config, self.rate))
        self.checkpoint.optimizer.build(self.weights)

    def learn_epoch(
        self, epoch: int, on_batch: Callable[[int, int, float], None] | None
    ) -> EpochMetrics:
        """Train on every clip once, then validate."""
        begin, begin_processor = time.perf_counter(), time.process_time()
        loss, accuracy = self._learn(self._batches(epoch), on_batch)
        if not np.isfinite(loss):
            raise ModelError(
                f"The training loss became {loss} in epoch {epoch}. "
                "Choose a lower learning rate."
            )
        val_loss, val_accuracy = self._validate()
        return EpochMetrics(
            epoch,
            loss,
            accuracy,
            val_loss,
            val_accuracy,
            time.perf_counter() - begin,
            time.process_time() - begin_processor,
        )

    def _batches(self, epoch: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Features and labels of each batch; all chance depends on the epoch alone."""
        rng = np.random.default_rng((self.config.seed, epoch))
        for seed in self.seeds:  # of dropout, which a checkpoint does not hold
            seed.assign(rng.integers(2**31, size=seed.shape))
        # (n_clips, n_bins, n_frames), (n_clips,)
        features, labels = self.data.draw_epoch(
            self.n_negatives, self.config.augmentation, rng
        )
        # Full batches of one shape: the first clips fill the last batch up.
        order = np.resize(
            rng.permutation(len(features)), self.n_batches * self.batch_size
        )
        for chosen in np.split(order, self.n_batches):
            yield features[chosen], labels[chosen]

    def _learn(
        self,
        batches: Iterable[tuple[np.ndarray, np.ndarray]],
        on_batch: Callable[[int, int, float], None] | None,
    ) -> tuple[float, float]:
        """Learn from batches; returns the mean of their losses and accuracies."""
        sums = np.zeros(2)
        for batch, (features, labels) in enumerate(batches, start=1):
            loss, accuracy = (float(value) for value in self.step(features, labels))
            sums += loss, accuracy
            if on_batch:
                on_batch(batch, self.n_batches, loss)
        means = sums / self.n_batches
        return float(means[0]), float(means[1])

    def learning_rate(self, epoch: int) -> float:
        """The rate of an epoch's last step."""
        return float(self.rate(epoch * self.n_batches - 1))

    def restore(self, folder: Path) -> list[EpochMetrics]:
        """Take up the checkpoint; returns the history of the epochs in it."""
        path = folder / CHECKPOINT
        if not path.exists():
            return []
        saved = load_network(path, with_optimizer=True)
        mine, theirs = _state(self.checkpoint), _state(saved)
        if [part.shape for part in mine] != [part.shape for part in theirs]:
            raise ModelError(
                f"{path} is from another network. Delete it and train from the start."
            )
        for part, value in zip(mine, theirs, strict=True):
            part.assign(value)
        # An epoch whose checkpoint was not reached is learned again, with the
        # same result.
        n_epochs = int(self.checkpoint.optimizer.iterations) // self.n_batches
        return read_history(folder)[:n_epochs]

    def _step(self, features: Any, labels: Any) -> tuple[Any, Any]:
        """Learn from one batch; returns its loss by the labels and its accuracy."""
        import tensorflow

        embedded = None
        if self.teacher:
            embedded = self.teacher.embedding(features, training=False)
        with tensorflow.GradientTape() as tape:
            # Each member of an ensemble learns for itself: (n_clips, n_members, 10).
            outputs = self.network(features, training=True)
            logits = self._with_none(outputs["members"])
            together = self._with_none(outputs["logits"])
            wanted = tensorflow.one_hot(labels, logits.shape[2])[:, None]
            wanted = tensorflow.repeat(wanted, logits.shape[1], axis=1)
            loss = learned = self.loss(wanted, logits)
            if self.teacher:
                answers = self._with_none(self.teacher.head(embedded, training=True))
                teachers_loss = self.loss(wanted[:, 0], answers)
                targets = tensorflow.nn.softmax(
                    self._with_none(self.teacher.head(embedded, training=False))
                )
                part = self.config.taught_part
                learned = teachers_loss + taught_loss(loss, logits, targets, part)
        gradients = tape.gradient(learned, self.weights)
        self.checkpoint.optimizer.apply(gradients, self.weights)
        is_right = tensorflow.argmax(together, axis=1) == labels
        return loss, tensorflow.reduce_mean(tensorflow.cast(is_right, "float32"))

    def _with_none(self, logits: Any) -> Any:
        """Logits and that of "none of these", which is 0, if that is learned, too."""
        import tensorflow

        if not self.n_negatives:
            return logits
        return tensorflow.concat([logits, tensorflow.zeros_like(logits[..., :1])], -1)

    def _validate(self) -> tuple[float, float]:
        """Loss on the whole validation part, and accuracy on its digits."""
        digits = self.data.validation_digits
        logits = self._answers(self.data.validation)
        accuracy = float(np.mean(logits.argmax(axis=1) == digits))
        labels = digits
        if self.n_negatives:
            negatives = self.data.validation_negatives
            if negatives is not None and len(negatives):
                logits = np.concatenate([logits, self._answers(negatives)])
                labels = np.append(digits, np.full(len(negatives), N_DIGITS))
            logits = np.pad(logits, ((0, 0), (0, 1)))
        wanted = np.eye(logits.shape[1], dtype=np.float32)[labels]
        return float(self.loss(wanted, logits)), accuracy

    def _answers(self, clips: np.ndarray) -> np.ndarray:
        """Logits of features, some at once: (n_clips, 10)."""
        return np.concatenate(
            [
                self.answer(clips[first : first + _VALIDATED_AT_ONCE]).numpy()
                for first in range(0, len(clips), _VALIDATED_AT_ONCE)
            ]
        )


def _learning_rate(config: TrainConfig, n_batches: int) -> "CosineDecay":
    """A warm-up and a cosine over all steps."""
    from keras.optimizers.schedules import CosineDecay

    n_steps = config.epochs * n_batches
    n_rising = round(_WARM_UP * n_steps)
    if n_rising == 0:
        return CosineDecay(config.learning_rate, n_steps)
    return CosineDecay(
        initial_learning_rate=0.0,
        warmup_target=config.learning_rate,
        warmup_steps=n_rising,
        decay_steps=n_steps - n_rising,
    )


def _optimizer(config: TrainConfig, rate: "CosineDecay") -> "keras.Optimizer":
    """AdamW, which decays neither offsets nor scales."""
    import keras

    optimizer = keras.optimizers.AdamW(rate, weight_decay=config.weight_decay)
    optimizer.exclude_from_weight_decay(var_names=_NOT_DECAYED)
    return optimizer


def _state(model: "keras.Model") -> list[Any]:
    """All variables of a compiled model, then those of its optimizer."""
    return [*model.variables, *model.optimizer.variables]
