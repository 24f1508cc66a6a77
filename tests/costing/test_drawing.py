"""Draws are from the search space and nowhere else."""

from lslm.costing.drawing import draws, n_trials
from tests.costing.made import settings


def test_draws_lie_in_the_space():
    space = {
        "encoder.units": [8, 16],
        "encoder.layers": {"low": 1, "high": 3},
        "encoder.head_dropout": {"low": 0.1, "high": 0.3, "step": 0.1},
        "training.learning_rate": {"low": 0.001, "high": 0.01, "log": True},
        "training.weight_decay": {"low": 0.0, "high": 0.5},
    }
    found = draws(settings(search={"n_trials": 5, "space": space}))
    assert {each.encoder.units for each in found} == {8, 16}
    assert {each.encoder.layers for each in found} == {1, 2, 3}
    assert {each.encoder.head_dropout for each in found} == {0.1, 0.2, 0.3}
    assert all(0.001 <= each.training.learning_rate <= 0.01 for each in found)
    assert all(0.0 <= each.training.weight_decay <= 0.5 for each in found)


def test_draws_of_a_whole_number_on_a_logarithmic_range_are_whole():
    space = {"encoder.units": {"low": 8, "high": 64, "log": True}}
    found = {each.encoder.units for each in draws(settings(search={"n_trials": 1, "space": space}))}
    assert len(found) > 10


def test_draws_of_the_default_space_are_valid():
    assert len(draws(settings(search={"n_trials": 1}))) > 1


def test_a_bounded_search_draws_sizes_too():
    space = {"encoder.units": [8]}
    found = draws(settings(search={"n_trials": 1, "space": space, "max_size_mb": 2.0}))
    assert {each.encoder.vector_units for each in found} == {32, 64, 96, 128, 160, 192}


def test_without_a_search_there_is_the_start_alone():
    (only,) = draws(settings(training={"epochs": 7}))
    assert only.training.epochs == 7


def test_a_grid_has_as_many_trials_as_points():
    space = {"encoder.units": [8, 16], "encoder.layers": {"low": 1, "high": 3}}
    asked = settings(search={"n_trials": 50, "sampler": "grid", "space": space})
    assert n_trials(asked) == 6
