"""The optimizer against its definition."""

from __future__ import annotations

import torch

from cascade.training.muon import Muon, is_matrix, orthogonal


def _after_steps(parameter: torch.Tensor, gradient: torch.Tensor, steps: int) -> torch.Tensor:
    parameter = torch.nn.Parameter(parameter.clone())
    optimizer = Muon([parameter], lr=0.01)
    for _ in range(steps):
        parameter.grad = gradient.clone()
        optimizer.step()
    return parameter.detach()


def test_orthogonal_keeps_directions_and_levels_singular_values() -> None:
    matrix = torch.randn(16, 40, generator=torch.Generator().manual_seed(0))
    u, _, v = torch.linalg.svd(matrix, full_matrices=False)
    for given in (matrix, matrix.T):
        result = orthogonal(given)
        values = torch.linalg.svdvals(result)
        assert values.min() > 0.6
        assert values.max() < 1.3
        assert (result if given is matrix else result.T).flatten().dot((u @ v).flatten()) > 0.97 * 16**0.5 * (
            result.norm()
        )


def test_an_update_has_the_size_of_adams() -> None:
    weight = torch.zeros(24, 24, 3, 3)
    gradient = torch.randn(weight.shape, generator=torch.Generator().manual_seed(1))
    change = _after_steps(weight, gradient, steps=1)
    assert 0.8 < change.square().mean().sqrt() / (0.01 * 0.2) < 1.2


def test_biases_and_small_heads_are_trained_by_adam() -> None:
    generator = torch.Generator().manual_seed(2)
    for shape in ((24,), (2, 16, 3, 3)):
        start, gradient = torch.randn(shape, generator=generator), torch.randn(shape, generator=generator)
        assert not is_matrix(start)
        parameter = torch.nn.Parameter(start.clone())
        adam = torch.optim.Adam([parameter], lr=0.01)
        for _ in range(5):
            parameter.grad = gradient.clone()
            adam.step()
        assert torch.allclose(_after_steps(start, gradient, steps=5), parameter, atol=1e-6)


def test_a_restored_state_goes_on_alike() -> None:
    generator = torch.Generator().manual_seed(3)
    start, gradient = (
        torch.randn(8, 8, 3, 3, generator=generator),
        torch.randn(8, 8, 3, 3, generator=generator),
    )
    parameter = torch.nn.Parameter(start.clone())
    optimizer = Muon([parameter], lr=0.01)
    for step in range(4):
        if step == 2:
            saved = optimizer.state_dict()
            optimizer = Muon([parameter], lr=0.01)
            optimizer.load_state_dict(saved)
        parameter.grad = gradient.clone()
        optimizer.step()
    assert torch.equal(parameter, _after_steps(start, gradient, steps=4))
