#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Hybrid-ResNet and the CNN of PtychoPINN written with PyTorch, for bench/nets.py.

Weights are random, under the names of the checkpoints; the definitions are those of
github.com/hoidn/PtychoPINN (ptycho_torch/generators and model.py), read as formulas.
"""
import math

import torch
import torch.nn.functional as F

MODES, HIDDEN, BLOCKS = 12, 32, 6


def random_weights(shapes, seed=1):
    """Weights of variance 1 / fan-in, gains about 1."""
    generator = torch.Generator().manual_seed(seed)
    weights = {}
    for name, shape in shapes.items():
        fan = math.prod(shape[1:4] if "spectral" not in name else shape[:1]) if len(shape) > 1 else 100
        weights[name] = (2 * torch.rand(shape, generator=generator) - 1) * math.sqrt(3 / fan)
        if len(shape) == 1 and name.endswith("weight"):
            weights[name] += 1
    return weights


class HybridResNet:
    """Layout A (`newer` false) or B, real and imaginary part, without skip connections."""

    def __init__(self, newer, patches=4):
        self.newer, self.patches, self.stages = newer, patches, None
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
        self.weights = random_weights(shapes)
        if newer:
            self.weights["resnet.layerscale"] = torch.tensor(0.1)

    def conv(self, x, name, mirrored=False, **options):
        if mirrored:
            x, options = F.pad(x, (1, 1, 1, 1), mode="reflect"), {"padding": 0}
        return F.conv2d(x, self.weights[name + ".weight"], self.weights[name + ".bias"], **options)

    def norm(self, x, name):
        return F.instance_norm(x, weight=self.weights[name + ".weight"], bias=self.weights[name + ".bias"], eps=1e-5)

    def spectral(self, x, i):
        spectrum = torch.fft.rfft2(x)
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

    def parts(self, samples, side):
        """What argand calls amplitude and phase."""
        y = self(samples).reshape(-1, 2, self.patches, side, side)
        return torch.hypot(y[:, 0], y[:, 1]), torch.atan2(y[:, 1], y[:, 0])
