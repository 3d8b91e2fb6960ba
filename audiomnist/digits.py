"""The ten digits: how many there are, and the English word for each."""

N_DIGITS = 10

DIGIT_WORDS = (
    *("zero", "one", "two", "three", "four"),
    *("five", "six", "seven", "eight", "nine"),
)
