"""RMS norm as it is written first: a temporary for each step."""

# What it was built with, and what the timed call goes through before the kernel, outermost first. Both sides must be alike.
FLAGS = []
WRAPPER = ["kernel"]

EPS = 1e-6


def kernel(xp, inputs, outputs):
    x, weight = inputs
    mean = (x * x).mean(-1)
    scale = 1.0 / xp.sqrt(mean + EPS)
    outputs[0][...] = x * scale[:, None] * weight
