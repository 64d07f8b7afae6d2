from itertools import chain

from slicewise_training.make_split import acdc_group, draw_split


def test_no_patient_is_on_two_sides_and_none_is_lost() -> None:
    patients = [f"patient{n:03d}" for n in range(1, 101)]
    split = draw_split(patients, {p: acdc_group(p) for p in patients}, 0.2, 0.08)
    assert sorted(chain.from_iterable(split.values())) == patients
    assert {acdc_group(p) for p in split["test"]} == {acdc_group(p) for p in patients}


def test_a_split_is_the_same_every_time() -> None:
    patients = [f"patient{n:03d}" for n in range(1, 41)]
    stratum = {p: acdc_group(p) for p in patients}
    assert draw_split(patients, stratum, 0.2, 0.08) == draw_split(patients[::-1], stratum, 0.2, 0.08)
