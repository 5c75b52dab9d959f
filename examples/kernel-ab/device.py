"""Arrays and clocks: NumPy on a processor, torch on a CUDA device. What each call does on CUDA is that of torch's documentation of
`torch.cuda` (2.9); it has not been run on a device, and test_harness.py holds its order of calls against a stand-in."""

import time

import numpy as np

POISON_INT = -17
# More than the L2 cache of any device: written before each timed pass, so that every call finds its inputs outside the cache.
FLUSH_BYTES = 256 << 20


class Processor:
    """One core: wall times only."""

    clocks = ("wall",)
    xp = np

    def put(self, array):
        return array.copy()

    def load(self, buffer, array):
        buffer[...] = array

    def scale(self, buffer, base, factor):
        if base.dtype.kind == "f":
            np.multiply(base, base.dtype.type(factor), out=buffer)
        else:
            buffer[...] = base

    def poison(self, buffer):
        kind = buffer.dtype.kind
        buffer[...] = {"b": True, "i": POISON_INT, "u": np.iinfo(buffer.dtype).max if kind == "u" else 0}.get(kind, np.nan)

    def values(self, array):
        return array.astype(np.float64) if array.dtype.kind == "f" else array

    def raw(self, array):
        return np.ascontiguousarray(array).tobytes()

    def synchronize(self):
        pass

    def timed(self, clock, run):
        """Microseconds that `run` takes."""
        began = time.perf_counter_ns()
        run()
        return (time.perf_counter_ns() - began) / 1e3


class Cuda:
    """The current CUDA device. Each clock has passes of its own, since they disturb each other: events want the host to be ahead
    of the device, the host's clock wants to start with an idle one."""

    clocks = ("device", "wall")

    def __init__(self, torch):
        self.torch = self.xp = torch
        self.stream = torch.cuda.current_stream()
        self.scratch = torch.empty(FLUSH_BYTES, dtype=torch.uint8, device="cuda")

    def put(self, array):
        return self.torch.from_numpy(array).cuda()

    def load(self, buffer, array):
        buffer.copy_(self.torch.from_numpy(array))

    def scale(self, buffer, base, factor):
        if base.is_floating_point():
            self.torch.mul(base, factor, out=buffer)
        else:
            buffer.copy_(base)

    def poison(self, buffer):
        if buffer.is_floating_point() or buffer.is_complex():
            buffer.fill_(float("nan"))
        elif buffer.dtype in (self.torch.bool, self.torch.uint8):
            buffer.fill_(self.torch.iinfo(self.torch.uint8).max)
        else:
            buffer.fill_(POISON_INT)

    def values(self, array):
        # NumPy has no bfloat16.
        return (array.to(self.torch.float64) if array.is_floating_point() else array).cpu().numpy()

    def raw(self, array):
        return array.contiguous().view(self.torch.uint8).cpu().numpy().tobytes()

    def synchronize(self):
        # All streams of the device, not the current one alone.
        self.torch.cuda.synchronize()

    def timed(self, clock, run):
        """Microseconds that `run` takes: by events on the stream, or by the host's clock, which waits for the whole device."""
        if clock == "device":
            start, end = (self.torch.cuda.Event(enable_timing=True) for _ in range(2))
            # Without a wait in between: the device is at the flush while the host puts the calls in its queue, so no gap
            # between two launches is in the time, as long as all of them are in the queue before the flush ends.
            self.scratch.zero_()
            start.record(self.stream)
            run()
            self.stay()
            end.record(self.stream)
            # The whole device: what runs on elsewhere must not reach into the next pass.
            self.synchronize()
            # Milliseconds.
            return start.elapsed_time(end) * 1e3
        self.scratch.zero_()
        self.synchronize()
        began = time.perf_counter_ns()
        run()
        self.synchronize()
        ended = time.perf_counter_ns()
        self.stay()
        return (ended - began) / 1e3

    def stay(self):
        """A kernel that leaves another stream current would have its work, and all that follows, timed by nobody."""
        if self.torch.cuda.current_stream() != self.stream:
            raise RuntimeError("the kernel left another stream current")


def found():
    """The device of this process."""
    try:
        import torch
    except ImportError:
        return Processor()
    return Cuda(torch) if torch.cuda.is_available() else Processor()
