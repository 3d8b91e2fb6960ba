"""What breaks on purpose."""


def breaking(error):
    """A function that only raises an error."""

    def fail(*_, **__):
        raise error

    return fail
