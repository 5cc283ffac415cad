"""Settings in layers."""


def layered(*layers):
    """The layers as one; the later one wins."""
    result = layers[0] if layers else {}
    for layer in layers[1:]:
        result.update(layer)
    return result
