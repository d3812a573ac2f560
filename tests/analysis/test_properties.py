"""The claims joined, their time limits, and the proofs that are kept as data."""

from __future__ import annotations

import json
import os
import random
import time

import pytest

import actfn
from actfn import catalog
from actfn.analysis import limited, proofs, properties
from actfn.analysis.claims import STATUSES, Claim
from actfn.analysis.properties import GROUPS, MEANINGS
from actfn.definition import Definition, Parameter
from tests.entries import EVERY

SAMPLE = random.Random(os.environ.get("PYTEST_XDIST_TESTRUNUID", time.time_ns())).sample(EVERY, 4)
"""Another few in every run, the same in its workers; `python -m actfn.analysis.proofs --check` derives all of them again."""


def test_every_claim_is_made_by_one_group() -> None:
    named = [name for group in GROUPS for name in group.names]
    assert sorted(named) == sorted(MEANINGS)
    assert len(named) == len(set(named))


# -- the data -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("entry", EVERY, ids=lambda entry: entry.name)
def test_every_entry_has_its_proofs(entry: Definition) -> None:
    claims = proofs.kept(entry)
    assert claims is not None, f"run: python -m actfn.analysis.proofs {entry.name}"
    assert list(claims) == list(MEANINGS)
    for name, claim in claims.items():
        assert claim.certificate, name
        if claim.ball is not None:
            middle, radius = map(float, claim.ball)
            assert 0 <= radius <= 1e-14 * max(1.0, abs(middle)), name


def test_no_proof_is_left_of_an_entry_that_is_gone() -> None:
    assert {path.stem for path in proofs.FOLDER.glob("*.json")} == set(catalog.entries())


def test_how_much_is_proven() -> None:
    """95 % of the smoothness classes and 90 % of all claims."""
    found = proofs.counts({entry.name: proofs.proven(entry) for entry in EVERY})
    assert found["smoothness"]["proven"] >= 0.95 * len(EVERY)
    total = sum(count["proven"] for count in found.values())
    assert total >= 0.90 * len(EVERY) * len(MEANINGS)


@pytest.mark.parametrize("entry", SAMPLE, ids=lambda entry: entry.name)
def test_a_sample_is_derived_again(entry: Definition) -> None:
    kept = proofs.kept(entry)
    assert kept is not None
    for name, claim in properties.properties(entry).items():
        if claim.status == "unknown" and kept[name].status != "unknown":
            assert "seconds" in " ".join(claim.certificate), name  # a busy machine
        else:
            assert proofs.data_of(claim) == proofs.data_of(kept[name]), name


def test_a_changed_definition_has_no_kept_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    elu = catalog.find("elu")
    other = Definition("elu", "where(x > 0, x, 2*alpha*(exp(x) - 1))", elu.parameters)
    assert proofs.kept(elu) is not None
    assert proofs.kept(other) is None
    monkeypatch.setattr(catalog, "entries", lambda: {"elu": other})
    assert proofs.kept(other) is None  # the file is of another formula


def test_a_proof_goes_through_json_unchanged(tmp_path) -> None:
    claims = dict(proofs.proven(catalog.find("gelu")))
    proofs.write(catalog.find("gelu"), claims, tmp_path)
    data = json.loads((tmp_path / "gelu.json").read_text())
    assert {name: proofs.claim_of(c) for name, c in data["claims"].items()} == claims


# -- limits -------------------------------------------------------------------------------------------------------------


def test_out_of_time_is_unknown_and_costs_the_others_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    works = ["actfn.analysis.properties:smoothness_claim", "time:sleep_for_ever", "actfn.analysis.ends:ends"]
    (smooth, _), (nothing, reason), (ends, _) = limited.within(works, catalog.find("relu"), {}, 30)
    assert smooth["smoothness"].value == 0
    assert nothing is None
    assert "AttributeError" in reason
    assert ends["limits"].status == "proven"


def test_a_process_that_is_too_slow_is_stopped() -> None:
    began = time.monotonic()
    works = ["actfn.analysis.ends:ends", "actfn.analysis.properties:smoothness_claim"]
    results = list(limited.within(works, catalog.find("gelu"), {}, 0.01))
    assert [found for found, _ in results] == [None, None]
    assert all("0.01 seconds" in reason for _, reason in results)
    assert time.monotonic() - began < 20


def test_properties_of_a_formula_of_one_s_own() -> None:
    mine = actfn.define("where(x > 0, x, a*x)", a=0.25)
    claims = mine.properties()
    assert list(claims) == list(MEANINGS)
    assert claims["lipschitz"] == claims["lipschitz"].__class__(1.0, "proven", *_rest(claims["lipschitz"]))
    assert claims["homogeneous"].value == 1
    assert mine.properties(a=2.0)["lipschitz"].value == 2.0
    with pytest.raises(ValueError, match="no parameter"):
        mine.properties(b=1.0)


def _rest(claim: Claim) -> tuple:
    return claim.certificate, claim.ball


def test_an_entry_added_at_run_time_gets_everything(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    """One definition is all there is to add: proofs, kernels, modules and a card come from it."""
    import numpy as np
    import torch

    import actfn.torch
    from actfn.card import write_card

    new = Definition(
        name="shifted_elu_for_this_test",
        formula="where(x > 0, x, a*(exp(x) - 1)) + b",
        parameters=(Parameter("a", 1.0, "positive"), Parameter("b", 0.5)),
        title="Shifted ELU",
        summary="An entry for a test.",
    )
    entries = {**catalog.entries(), new.name: new}
    monkeypatch.setattr(catalog, "entries", lambda: entries)
    monkeypatch.setattr(catalog, "find", entries.__getitem__)
    activation = actfn.get(new.name)
    claims = activation.properties()
    assert set(claims) == set(MEANINGS)
    assert claims["lipschitz"].value == 1.0
    assert {claim.status for claim in claims.values()} <= set(STATUSES)
    x = np.linspace(-3, 3, 11, dtype=np.float32)
    expected = np.where(x > 0, x, np.expm1(x)) + np.float32(0.5)
    np.testing.assert_allclose(activation(x), expected, rtol=1e-5)
    assert isinstance(activation.ufunc(), np.ufunc)
    t = torch.tensor(x, requires_grad=True)
    actfn.torch.module(new.name, a=1.0)(t).sum().backward()
    assert t.grad is not None
    np.testing.assert_allclose(t.grad.numpy(), np.where(x > 0, 1, np.exp(x)), rtol=1e-5)
    _, written = write_card(new, {}, tmp_path)
    assert all(path.stat().st_size > 1000 for path in written)


# -- the gain -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "parameters", "expected"),
    [
        ("elu", {}, 1.2451983007007066),
        ("relu", {}, 2**0.5),
        ("identity", {}, 1.0),
        ("leaky_relu", {}, (2 / (1 + 0.01**2)) ** 0.5),
        ("leaky_relu", {"negative_slope": 0.2}, (2 / (1 + 0.2**2)) ** 0.5),
        ("selu", {}, 1.0),
        ("tanh", {}, 1.5925374),
        ("sigmoid", {}, 1.8462285),
    ],
)
def test_gains(name: str, parameters: dict[str, float], expected: float) -> None:
    parameters = {p.name: v for p, v in zip(catalog.find(name).parameters, parameters.values(), strict=False)}
    got = actfn.gain(name, **parameters)
    assert isinstance(got, float)
    assert got == pytest.approx(expected, rel=1e-6 if name in ("tanh", "sigmoid") else 1e-15)


def test_gains_agree_with_torch_where_torch_is_right() -> None:
    import torch

    for name, theirs in (("identity", "linear"), ("relu", "relu"), ("leaky_relu", "leaky_relu")):
        assert actfn.gain(name) == pytest.approx(torch.nn.init.calculate_gain(theirs), rel=1e-15)


def test_gain_refuses() -> None:
    with pytest.raises(LookupError, match="did you mean"):
        actfn.gain("eluu")
    with pytest.raises(TypeError, match="catalog name"):
        actfn.gain(3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="isn't known"):
        actfn.gain(actfn.define("0*x"))


def test_selu_s_constants_come_out_of_its_family() -> None:
    found = actfn.self_normalizing("scale*where(x > 0, x, alpha*(exp(x) - 1))")
    assert found.constants["alpha"][0].startswith("1.67326324235437728481704299167")
    assert found.constants["scale"][0].startswith("1.05070098735548049341933498529")
    assert found.claim.status == "proven"
    assert found.contraction.value < 1
