"""What a task changes: the inputs of a row, room for its outputs, and how inputs are varied."""

import numpy as np


class Problem:
    def __init__(self, row):
        self.row = row

    def inputs(self, seed):
        random = np.random.default_rng(seed)
        shape = (self.row["rows"], self.row["hidden"])
        return [
            random.standard_normal(shape).astype(self.row["dtype"]),
            random.standard_normal(shape[1]).astype(self.row["dtype"]),
        ]

    def outputs(self):
        return [np.empty((self.row["rows"], self.row["hidden"]), self.row["dtype"])]

    def vary(self, device, buffers, bases, factor):
        """Other values in the same buffers, made on the device: cheap, since it is done before every few timed calls. Numbers
        are scaled; integers, which may be indices, stay, so a task whose inputs are all integers writes its own."""
        for buffer, base in zip(buffers, bases, strict=True):
            device.scale(buffer, base, factor)

    def nearly(self, arrays, others, random):
        """The same inputs but for one element in sixteen: whoever looks at a few elements takes them for the same. A task whose
        inputs belong together (offsets, permutations) writes its own."""
        picked = [random.random(array.shape) < 1 / 16 for array in arrays]
        return [np.where(*three) for three in zip(picked, others, arrays, strict=True)]
