from lslm import heads
from lslm.pretraining.recipe import SETTLED
from lslm.search import space as spaces
from lslm.search.bounds import Bound
from lslm.settings import Range, SearchSpace

HEAD = heads.get("classify")
SIZE, LATENCY = Bound("size_mb", 2.0), Bound("latency_ms", 1.0)
GIVEN: SearchSpace = {"encoder.max_words": (100,), "training.learning_rate": Range(low=1, high=2)}


def test_without_a_bound_the_space_is_what_it_was() -> None:
    assert spaces.of(HEAD, None) == {**spaces.DEFAULT, **HEAD.space}
    assert spaces.of(HEAD, GIVEN) == GIVEN


def test_names_that_decide_a_bounded_measure_join() -> None:
    joined = spaces.of(HEAD, None, [SIZE]).keys() - spaces.of(HEAD, None).keys()
    assert joined == {"encoder.max_words", "encoder.vector_units", "encoder.stored"}
    assert 16 in spaces.of(HEAD, None, [LATENCY])["encoder.units"]


def test_a_name_that_the_settings_give_stays_as_it_is_there() -> None:
    joined = spaces.of(HEAD, GIVEN, [SIZE, LATENCY])
    assert joined["encoder.max_words"] == (100,)
    assert {"encoder.vector_units", "encoder.units"} < joined.keys()


def test_what_a_head_does_not_read_or_needs_at_one_value_stays_out() -> None:
    head = heads.get("language-model")
    joined = spaces.of(head, None, [SIZE]).keys()
    assert not joined & {*head.unused, *head.needs}
    assert joined - spaces.of(head, None).keys() == {"encoder.vector_units", "encoder.stored"}


def test_names_that_a_pretrained_layer_settles_stay_out() -> None:
    space = spaces.of(HEAD, None, [SIZE, LATENCY], SETTLED)
    assert not space.keys() & set(SETTLED)
    assert "encoder.layers" in space
    assert spaces.of(HEAD, None, settled=SETTLED).keys() < spaces.of(HEAD, None).keys()


def test_a_grid_stays_within_its_ranges() -> None:
    points = spaces.grid(
        {
            "encoder.units": Range(low=64, high=128, step=40),
            "encoder.spatial_dropout": Range(low=0.1, high=0.9, step=0.3),
            "encoder.head_dropout": Range(low=0.0, high=0.6, step=0.1),
        }
    )
    assert points["encoder.units"] == [64, 104]
    assert points["encoder.spatial_dropout"] == [0.1, 0.4, 0.7]
    assert points["encoder.head_dropout"] == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
