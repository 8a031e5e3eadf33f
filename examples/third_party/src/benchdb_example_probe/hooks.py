"""What the entry point names. pytest loads this module in every recording run, so it imports next to nothing."""


def pytest_benchdb_backends():
    from benchdb_example_probe.backend import ExampleBackend

    return [ExampleBackend()]


def pytest_benchdb_meters():
    from benchdb_example_probe.meter import ExampleMeter

    return [ExampleMeter()]


def pytest_benchdb_environment(config):
    from benchdb_example_probe.accelerator import FIRMWARE

    return {"example_firmware": FIRMWARE}
