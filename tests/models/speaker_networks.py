"""The networks that tell speakers apart, in torch: what the converted files are measured against.

Written from their papers, and named as the published weights are.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class SincFilters(nn.Module):
    """80 band-pass filters, of which only the lower edge and the width were learned."""

    window_: Tensor
    n_: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.low_hz_ = nn.Parameter(torch.rand(40, 1) * 4000)
        self.band_hz_ = nn.Parameter(torch.rand(40, 1) * 2000)
        self.register_buffer("window_", torch.hamming_window(251, periodic=False)[:125])
        self.register_buffer("n_", 2 * torch.pi * torch.arange(-125, 0).view(1, -1) / 16000)

    def forward(self, sound: Tensor) -> Tensor:
        low = 50 + self.low_hz_.abs()
        high = torch.clamp(low + 50 + self.band_hz_.abs(), 50, 8000)
        band, lows, highs = high - low, low @ self.n_, high @ self.n_
        even = (highs.sin() - lows.sin()) / (self.n_ / 2) * self.window_
        odd = (lows.cos() - highs.cos()) / (self.n_ / 2) * self.window_
        cosines = torch.cat([even, 2 * band, even.flip(1)], 1)
        sines = torch.cat([odd, torch.zeros_like(band), -odd.flip(1)], 1)
        filters = torch.cat([cosines, sines]) / (2 * band).repeat(2, 1)
        return F.conv1d(sound, filters[:, None], stride=10)


class SincNet(nn.Module):
    """Sound (batch, 1, samples) to features (batch, 60, frames)."""

    def __init__(self) -> None:
        super().__init__()
        first = nn.ModuleDict({"filterbank": SincFilters()})
        self.wav_norm1d = nn.InstanceNorm1d(1, affine=True)
        self.conv1d = nn.ModuleList([first, nn.Conv1d(80, 60, 5), nn.Conv1d(60, 60, 5)])
        self.norm1d = nn.ModuleList(nn.InstanceNorm1d(n, affine=True) for n in (80, 60, 60))

    def forward(self, sound: Tensor) -> Tensor:
        value = self.conv1d[0]["filterbank"](self.wav_norm1d(sound)).abs()
        for number, norm in enumerate(self.norm1d):
            value = self.conv1d[number](value) if number else value
            value = F.leaky_relu(norm(F.max_pool1d(value, 3, 3)))
        return value


class Segmentation(nn.Module):
    """pyannote segmentation-3.0."""

    def __init__(self) -> None:
        super().__init__()
        self.sincnet = SincNet()
        self.lstm = nn.LSTM(60, 128, 4, batch_first=True, bidirectional=True)
        self.linear = nn.ModuleList([nn.Linear(256, 128), nn.Linear(128, 128)])
        self.classifier = nn.Linear(128, 7)

    def forward(self, sound: Tensor) -> Tensor:
        value, _ = self.lstm(self.sincnet(sound).transpose(1, 2))
        for linear in self.linear:
            value = F.leaky_relu(linear(value))
        return self.classifier(value).log_softmax(-1)


def _chain(**parts: nn.Module) -> nn.Sequential:
    """Parts one after the other, by name."""
    chain = nn.Sequential()
    for name, part in parts.items():
        chain.add_module(name, part)
    return chain


def _norm_relu(n: int) -> nn.Sequential:
    return _chain(batchnorm=nn.BatchNorm1d(n), relu=nn.ReLU())


class Residual(nn.Module):
    """Two convolutions beside a shortcut."""

    def __init__(self, step: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(32, 32, 3, (step, 1), 1, bias=False)
        self.bn1 = nn.BatchNorm2d(32)
        self.conv2 = nn.Conv2d(32, 32, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(32)
        self.shortcut = nn.Sequential()
        if step > 1:
            conv = nn.Conv2d(32, 32, 1, (step, 1), bias=False)
            self.shortcut = nn.Sequential(conv, nn.BatchNorm2d(32))

    def forward(self, value: Tensor) -> Tensor:
        inner = F.relu(self.bn1(self.conv1(value)))
        return F.relu(self.bn2(self.conv2(inner)) + self.shortcut(value))


class Head(nn.Module):
    """Filterbanks (batch, 80, frames) to (batch, 320, frames)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(32)
        self.layer1 = nn.Sequential(Residual(2), Residual(1))
        self.layer2 = nn.Sequential(Residual(2), Residual(1))
        self.conv2 = nn.Conv2d(32, 32, 3, (2, 1), 1, bias=False)
        self.bn2 = nn.BatchNorm2d(32)

    def forward(self, value: Tensor) -> Tensor:
        value = F.relu(self.bn1(self.conv1(value[:, None])))
        value = F.relu(self.bn2(self.conv2(self.layer2(self.layer1(value)))))
        return value.flatten(1, 2)


class Masked(nn.Module):
    """A convolution weighted by the context of a hundred frames and of all."""

    def __init__(self, dilation: int) -> None:
        super().__init__()
        spread: dict[str, Any] = {"padding": dilation, "dilation": dilation}
        self.linear_local = nn.Conv1d(128, 32, 3, bias=False, **spread)
        self.linear1 = nn.Conv1d(128, 64, 1)
        self.linear2 = nn.Conv1d(64, 32, 1)

    def forward(self, value: Tensor) -> Tensor:
        means = [part.mean(-1, keepdim=True).expand_as(part) for part in value.split(100, -1)]
        context = value.mean(-1, keepdim=True) + torch.cat(means, -1)
        mask = self.linear2(F.relu(self.linear1(context))).sigmoid()
        return self.linear_local(value) * mask


class Dense(nn.Module):
    """32 channels more, from all before them."""

    def __init__(self, n: int, dilation: int) -> None:
        super().__init__()
        self.nonlinear1 = _norm_relu(n)
        self.linear1 = nn.Conv1d(n, 128, 1, bias=False)
        self.nonlinear2 = _norm_relu(128)
        self.cam_layer = Masked(dilation)

    def forward(self, value: Tensor) -> Tensor:
        inner = self.nonlinear2(self.linear1(self.nonlinear1(value)))
        return torch.cat([value, self.cam_layer(inner)], 1)


class Statistics(nn.Module):
    """Mean and standard deviation over time."""

    def forward(self, value: Tensor) -> Tensor:
        return torch.cat([value.mean(-1), value.std(-1)], 1)[..., None]


class CamPlusPlus(nn.Module):
    """CAM++: filterbanks (batch, frames, 80) to a voice (batch, 192)."""

    def __init__(self) -> None:
        super().__init__()
        self.head = Head()
        first = nn.Conv1d(320, 128, 5, 2, 2, bias=False)
        parts: dict[str, nn.Module] = {"tdnn": _chain(linear=first, nonlinear=_norm_relu(128))}
        n = 128
        for number, (n_layers, dilation) in enumerate([(12, 1), (24, 2), (16, 2)], 1):
            layers = {f"tdnnd{k + 1}": Dense(n + 32 * k, dilation) for k in range(n_layers)}
            parts[f"block{number}"] = _chain(**layers)
            n += 32 * n_layers
            halving = nn.Conv1d(n, n // 2, 1, bias=False)
            parts[f"transit{number}"] = _chain(nonlinear=_norm_relu(n), linear=halving)
            n //= 2
        last = _chain(batchnorm=nn.BatchNorm1d(192, affine=False))
        dense = _chain(linear=nn.Conv1d(2 * n, 192, 1, bias=False), nonlinear=last)
        self.xvector = _chain(**parts, out_nonlinear=_norm_relu(n), stats=Statistics(), dense=dense)

    def forward(self, feats: Tensor) -> Tensor:
        return self.xvector(self.head(feats.transpose(1, 2)))[..., 0]


def untrained(network: nn.Module, seed: int) -> nn.Module:
    """Random weights, also where torch begins with zeros and ones."""
    torch.manual_seed(seed)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            nn.init.normal_(module.running_mean, std=0.1)
            nn.init.uniform_(module.running_var, 0.5, 2.0)
        if (
            isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d | nn.InstanceNorm1d)
            and module.affine
        ):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.1)
    return network.eval()
