"""x"""


def generate(path, seed=1): ...
