"""Settings in layers."""

import copy


def _lay_over(below, above):
    result = dict(below)
    for key, value in above.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict):
            earlier = result.get(key)
            result[key] = _lay_over(earlier if isinstance(earlier, dict) else {}, value)
        else:
            result[key] = copy.deepcopy(value)
    return result


def layered(*layers):
    """The layers as one, sections merged key by key. The later one wins; None removes. No layer is changed or shared."""
    result = {}
    for layer in layers:
        result = _lay_over(result, layer)
    return result
