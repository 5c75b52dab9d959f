"""RMS norm without temporaries of the size of the input."""

FLAGS = []
WRAPPER = ["kernel"]

EPS = 1e-6


def kernel(xp, inputs, outputs):
    x, weight = inputs
    mean = xp.einsum("ij,ij->i", x, x) / x.shape[-1]
    scale = 1.0 / xp.sqrt(mean + EPS)
    xp.multiply(x, scale[:, None], out=outputs[0])
    xp.multiply(outputs[0], weight, out=outputs[0])
