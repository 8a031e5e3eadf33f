"""The model device as a backend of another package: what is stored is what is given."""

import pytest
from tests.plugin.recorded import Record

SUITE = """
    import pytest
    from pytest_benchdb.testing.model_device import ModelFunction

    pytestmark = pytest.mark.benchdb(options={"max_time_s": 0.05})

    def test_eager(bench_model):
        bench_model(bench_model.device.launch)

    def test_compiled(bench_model):
        bench_model(ModelFunction(bench_model.device))

    def test_cold(bench_model):
        bench_model.options(cache_mode="cold")(bench_model.device.launch)

    def test_pedantic(bench_model):
        bench_model.pedantic(bench_model.device.launch, rounds=20)
"""
CONFTEST = """
    from pytest_benchdb.testing import ModelBackend, ModelMeter
    from pytest_benchdb.testing.model_device import ModelMachine, ModelProfile

    MACHINE = ModelMachine(ModelProfile(compile_s=(0.2, 0.1)))

    def pytest_benchdb_backends():
        return [ModelBackend(MACHINE)]

    def pytest_benchdb_meters():
        return [ModelMeter(MACHINE)]
"""


def test_model_device_is_stored_as_it_was_given(record: Record, pytester: pytest.Pytester) -> None:
    pytester.makeconftest(CONFTEST)

    recorded = record(SUITE, "--benchdb-passes=energy")

    recorded.result.assert_outcomes(passed=4)
    rows = recorded.sql(
        "SELECT b.name, m.metric, m.value, m.valid, r.iterations, m.method, r.cache_mode FROM measurement m"
        " JOIN run r ON r.run_id = m.run_id JOIN benchmark b ON b.benchmark_id = r.benchmark_id"
        " WHERE m.domain IS NULL AND m.value IS NOT NULL"
    )
    found = {(name, metric): value for name, metric, value, valid, *_ in rows if valid}
    for name in ("test_eager", "test_compiled"):
        assert found[name, "wall_time"] == pytest.approx(20e-6, rel=0.02)
        assert found[name, "device_time"] == pytest.approx(20e-6, rel=0.02)
        assert found[name, "energy"] == pytest.approx(500 * 20e-6, rel=0.02)
    assert found["test_compiled", "first_call_time"] == pytest.approx(0.2, rel=0.02)
    assert found["test_cold", "device_time"] == pytest.approx(60e-6, rel=0.02)
    assert ("test_cold", "energy") not in found  # it would include the energy of emptying the caches
    assert {(name, iterations, cache) for name, _, _, _, iterations, _, cache in rows} == {
        ("test_eager", 49, "hot"), ("test_compiled", 49, "hot"), ("test_cold", 1, "cold"), ("test_pedantic", 1, "hot")
    }  # fmt: skip
    methods = {name: method for name, metric, _, _, _, method, _ in rows if metric == "device_time"}
    assert methods["test_eager"] == "marks on the device's timeline"
    assert methods["test_pedantic"] == "marks on the device's timeline, launches included"
