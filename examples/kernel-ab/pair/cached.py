"""A trick: outputs of the first call, kept by the address of the input. The gate has to see it."""

FLAGS = []
WRAPPER = ["kernel"]

EPS = 1e-6
_KEPT = {}


def kernel(xp, inputs, outputs):
    x, weight = inputs
    key = (x.data_ptr() if hasattr(x, "data_ptr") else x.ctypes.data, x.shape)
    if key not in _KEPT:
        mean = xp.einsum("ij,ij->i", x, x) / x.shape[-1]
        scale = 1.0 / xp.sqrt(mean + EPS)
        _KEPT[key] = x * scale[:, None] * weight
    outputs[0][...] = _KEPT[key]
