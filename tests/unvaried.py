"""An augmentation that varies nothing, from which tests switch one variation on."""

from audiomnist.training.config import AugmentationConfig

UNVARIED = AugmentationConfig(
    slowest=1.0,
    fastest=1.0,
    bend=0.0,
    shift=0.0,
    end_points=0.0,
    warp=0.0,
    reverberation_part=0.0,
    noise_part=0.0,
    equaliser_db=0.0,
    band_part=0.0,
    cut_part=0.0,
)
