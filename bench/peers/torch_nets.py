#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Hybrid-ResNet and the CNN of PtychoPINN written with PyTorch, for bench/nets.py.

Weights are random, under the names of the checkpoints; the definitions are those of
github.com/hoidn/PtychoPINN (ptycho_torch/generators and model.py), read as formulas.  The weights
need only numpy; to run a net needs torch.
"""
import math

import numpy

try:
    import torch
    import torch.nn.functional as F
except ImportError:
    torch = None

MODES, HIDDEN, BLOCKS = 12, 32, 6


def random_weights(shapes, seed=1):
    """Weights of variance 1 / fan-in, gains about 1."""
    generator = numpy.random.default_rng(seed)
    weights = {}
    for name, shape in shapes.items():
        fan = math.prod(shape[1:4] if "spectral" not in name else shape[:1]) if len(shape) > 1 else 100
        weights[name] = generator.uniform(-1, 1, shape).astype(numpy.float32) * numpy.float32(math.sqrt(3 / fan))
        if len(shape) == 1 and name.endswith("weight"):
            weights[name] += 1
    return weights


class Net:
    """What both have in common: `arrays`, and `weights`, the same as tensors on a device."""

    def place(self, device, channels_last=False):
        other = type(self).__new__(type(self))
        other.__dict__.update(self.__dict__)
        last = {"memory_format": torch.channels_last} if channels_last else {}
        other.weights = {n: torch.from_numpy(w).to(device, **(last if w.ndim == 4 else {})) for n, w in self.arrays.items()}
        return other

    def conv(self, x, name, mirrored=False, **options):
        if mirrored:
            x, options = F.pad(x, (1, 1, 1, 1), mode="reflect"), {"padding": 0}
        return F.conv2d(x, self.weights[name + ".weight"], self.weights.get(name + ".bias"), **options)


class HybridResNet(Net):
    """Layout A (`newer` false) or B, real and imaginary part, without skip connections."""

    def __init__(self, newer, patches=4):
        self.newer, self.patches, self.side = newer, patches, 128
        width = [HIDDEN, 2 * HIDDEN, 4 * HIDDEN, 4 * HIDDEN]
        self.down = "downsample_layers.%d.conv" if newer else "downsample.%d"
        self.up = ["upsample_layers.0.block", "upsample_layers.1.block"] if newer else ["up1.block", "up2.block"]
        shapes = {}

        def conv(name, outputs, inputs, side):
            shapes[name + ".weight"], shapes[name + ".bias"] = (outputs, inputs, side, side), (outputs,)

        conv("lifter.conv1", HIDDEN, patches, 3)
        conv("lifter.conv2", HIDDEN, HIDDEN, 3)
        for i, c in enumerate(width):
            shapes["encoder_blocks.%d.spectral.weights" % i] = (c, c, MODES, MODES, 2)
            conv("encoder_blocks.%d.local_conv" % i, c, c, 3)
        for i in range(2):
            conv(self.down % i, width[i + 1], width[i], 2)
        for j in range(BLOCKS):
            for k in (1, 5):
                conv("resnet.blocks.%d.block.%d" % (j, k), width[3], width[3], 3)
                norm = "resnet.blocks.%d.block.%d" % (j, k + 1)
                shapes[norm + ".weight"], shapes[norm + ".bias"] = (width[3],), (width[3],)
        for i, name in enumerate(self.up):
            c, side = width[2 - i], 4 if newer else 3
            shapes[name + ".0.weight"], shapes[name + ".0.bias"] = (c, c // 2, side, side), (c // 2,)
            shapes[name + ".1.weight"], shapes[name + ".1.bias"] = (c // 2,), (c // 2,)
        conv("output_proj", 2 * patches, HIDDEN, 1)
        self.arrays = random_weights(shapes)
        if newer:
            self.arrays["resnet.layerscale"] = numpy.full((), 0.1, numpy.float32)

    def norm(self, x, name):
        return F.instance_norm(x, weight=self.weights[name + ".weight"], bias=self.weights[name + ".bias"], eps=1e-5)

    def spectral(self, x, i):
        spectrum = torch.fft.rfft2(x.float())
        weight = torch.view_as_complex(self.weights["encoder_blocks.%d.spectral.weights" % i])
        result = torch.zeros_like(spectrum)
        result[:, :, :MODES, :MODES] = torch.einsum("bixy,ioxy->boxy", spectrum[:, :, :MODES, :MODES], weight)
        return torch.fft.irfft2(result, s=x.shape[-2:])

    def __call__(self, x, mark=lambda stage: None):
        x = self.conv(F.gelu(self.conv(x, "lifter.conv1", padding=1)), "lifter.conv2", padding=1)
        mark("lifter")
        for i in range(4):
            x = x + F.gelu(self.spectral(x, i) + self.conv(x, "encoder_blocks.%d.local_conv" % i, self.newer, padding=1))
            mark("encoder_block%d" % i)
            if i < 2:
                x = self.conv(x, self.down % i, stride=2)
                mark("downsample%d" % i)
        act = F.gelu if self.newer else F.relu
        for j in range(BLOCKS):
            block = "resnet.blocks.%d.block." % j
            y = act(self.norm(self.conv(x, block + "1", True), block + "2"))
            y = self.norm(self.conv(y, block + "5", True), block + "6")
            x = x + (self.weights["resnet.layerscale"] * y if self.newer else y)
            mark("resnet_block%d" % j)
        for i, name in enumerate(self.up):
            x = F.conv_transpose2d(x, self.weights[name + ".0.weight"], self.weights[name + ".0.bias"], stride=2,
                                   padding=1, output_padding=0 if self.newer else 1)
            x = act(self.norm(x, name + ".1"))
            mark("up%d" % (i + 1))
        x = self.conv(x, "output_proj")
        mark("output_proj")
        return x

    def parts(self, answer):
        """What argand calls amplitude and phase."""
        y = answer.reshape(-1, 2, self.patches, *answer.shape[2:])
        return torch.hypot(y[:, 0], y[:, 1]), torch.atan2(y[:, 1], y[:, 0])


class Cnn(Net):
    """N = 64, one pattern, attention in the encoder, two decoders, amplitude and phase."""

    WIDTHS = 64, 128, 256

    def __init__(self):
        self.patches, self.side = 1, 64
        shapes = {}

        def conv(name, outputs, inputs, side=3):
            shapes[name + ".weight"], shapes[name + ".bias"] = (outputs, inputs, side, side), (outputs,)

        for i, (inputs, c) in enumerate(zip((1,) + self.WIDTHS, self.WIDTHS)):
            block = "encoder.blocks.%d" % i
            conv(block + ".conv1", c, inputs)
            conv(block + ".conv2", c, c)
            for k, (outputs, hidden) in ((1, (c // 16, c)), (3, (c, c // 16))):
                name = block + ".attention.ChannelGate.mlp.%d" % k
                shapes[name + ".weight"], shapes[name + ".bias"] = (outputs, hidden), (outputs,)
            shapes[block + ".attention.SpatialGate.compress.weight"] = (1, 2, 7, 7)
        for part in ("amp", "phase"):
            for i, (inputs, c) in enumerate(zip(self.WIDTHS[:0:-1], self.WIDTHS[1::-1])):
                conv("decoder_%s.blocks.%d.conv1" % (part, i), c, inputs)
                conv("decoder_%s.blocks.%d.conv2" % (part, i), c, c)
            head = "decoder_%s.%s." % (part, part)
            conv(head + "conv1", 1, self.WIDTHS[0] - 1)
            conv(head + "conv_up_block.conv1", self.WIDTHS[0], 1)
            conv(head + "conv_up_block.conv2", self.WIDTHS[0], self.WIDTHS[0])
            conv(head + "conv2", 1, self.WIDTHS[0])
        self.arrays = random_weights(shapes)

    def pair(self, x, block):
        return F.relu(self.conv(F.relu(self.conv(x, block + ".conv1", padding=1)), block + ".conv2", padding=1))

    def attention(self, x, name):
        def gate(v):
            for k in (1, 3):
                layer = name + ".ChannelGate.mlp.%d" % k
                v = F.linear(v, self.weights[layer + ".weight"], self.weights[layer + ".bias"])
                v = F.relu(v) if k == 1 else v
            return v

        x = x * torch.sigmoid(gate(x.mean((2, 3))) + gate(x.amax((2, 3))))[:, :, None, None]
        pooled = torch.cat((x.amax(1, keepdim=True), x.mean(1, keepdim=True)), 1)
        return x * torch.sigmoid(self.conv(pooled, name + ".SpatialGate.compress", padding=3))

    def __call__(self, x, mark=lambda stage: None):
        for i in range(3):
            block = "encoder.blocks.%d" % i
            x = F.max_pool2d(self.attention(self.pair(x, block), block + ".attention"), 2)
            mark("encoder%d" % i)
        answers = []
        for part, act in (("amp", F.silu), ("phase", lambda v: math.pi * torch.tanh(v))):
            u, head = x, "decoder_%s.%s." % (part, part)
            for i in range(2):
                u = F.interpolate(self.pair(u, "decoder_%s.blocks.%d" % (part, i)), scale_factor=2)
                mark("decoder_%s%d" % (part, i))
            quarter = u.shape[-1] // 2
            inner = F.pad(act(self.conv(u[:, :-1], head + "conv1", padding=1)), (quarter,) * 4)
            outer = F.interpolate(self.pair(u[:, -1:], head + "conv_up_block"), scale_factor=2)
            outer = F.silu(self.conv(outer, head + "conv2", padding=1))
            border = torch.ones_like(outer)
            border[:, :, quarter:-quarter, quarter:-quarter] = 0
            answers.append(inner + outer * border)
            mark("head_%s" % part)
        return torch.cat(answers, 1)

    def parts(self, answer):
        return answer[:, :1], answer[:, 1:]
