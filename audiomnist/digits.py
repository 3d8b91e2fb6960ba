"""The ten digits: how many there are, and the English word for each."""

N_DIGITS = 10

DIGIT_WORDS = (
    *("zero", "one", "two", "three", "four"),
    *("five", "six", "seven", "eight", "nine"),
)


def article(digit: int) -> str:
    """The indefinite article before a digit: "an" for 8, "a" for all others."""
    return "an" if digit == 8 else "a"
