"""Open devices in real pages: barriers, timelines, errors; and WebNN on a strict fake where Chromium has none."""

from importlib import resources

import psutil
import pytest

from pytest_benchdb.backends.web.backend import OpenPage, SharedBrowser, Timeline, WebGpuBackend
from pytest_benchdb.backends.web.browser import JavaScriptError

# A dispatch that takes an adapter some time.
WORK = """(n) => {
  const { device } = benchdb;
  const module = device.createShaderModule({ code: `
    @group(0) @binding(0) var<storage, read_write> x: array<f32>;
    @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
      var value = x[id.x];
      for (var i = 0u; i < ${n}u; i++) { value = fma(value, 0.999, 0.001); }
      x[id.x] = value;
    }` });
  const pipeline = device.createComputePipeline({ layout: "auto", compute: { module, entryPoint: "main" } });
  const buffer = device.createBuffer({ size: 4 * 4096, usage: GPUBufferUsage.STORAGE });
  const layout = pipeline.getBindGroupLayout(0);
  const group = device.createBindGroup({ layout, entries: [{ binding: 0, resource: { buffer } }] });
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, group);
  pass.dispatchWorkgroups(64);
  pass.end();
  device.queue.submit([encoder.finish()]);
}"""
DONE_SOON = """() => {
  globalThis.done = false;
  benchdb.device.queue.onSubmittedWorkDone().then(() => { globalThis.done = true; });
}"""

# Only what `assets/webnn.js` calls; a context computes only when it is read.
FAKE_WEBNN = """(places) => {
  class Context {
    lost = new Promise(() => {});
    work = [];
    constructor(type) { this.type = type; }
    createTensor = async ({ dataType, shape }) => ({ dataType, shape, data: null });
    writeTensor = (tensor, data) => this.work.push(() => { tensor.data = data; });
    dispatch = (graph, inputs, outputs) => this.work.push(() => graph.run(inputs, outputs));
    readTensor = async (tensor) => { this.work.splice(0).forEach((step) => step()); return tensor.data.buffer; };
    destroy = () => {};
  }
  globalThis.MLGraphBuilder = class {
    constructor(context) { this.context = context; }
    input = (name) => ({ name });
    add = (left, right) => ({ left, right });
    build = async ({ sum }) => ({
      devices: places[this.context.type],
      run: (inputs, outputs) => {
        outputs.sum.data = new Float32Array([inputs[sum.left.name].data[0] + inputs[sum.right.name].data[0]]);
      },
    });
  };
  const createContext = async ({ deviceType }) => {
    if (!(deviceType in places)) throw new DOMException("no such context", "NotSupportedError");
    return new Context(deviceType);
  };
  Object.defineProperty(navigator, "ml", { value: { createContext }, configurable: true });
}"""


def test_webgpu_synchronize_waits_for_the_adapter(webgpu: OpenPage) -> None:
    webgpu.page.call(WORK, 2_000)
    webgpu.page.call(DONE_SOON)

    webgpu.synchronize()

    assert webgpu.page.evaluate("done") is True


def test_webgpu_synchronize_waits_for_devices_of_libraries_too(webgpu: OpenPage) -> None:
    webgpu.page.call("""async () => {
      const adapter = await navigator.gpu.requestAdapter();
      globalThis.second = await adapter.requestDevice();
    }""")
    webgpu.page.call(WORK.replace("const { device } = benchdb;", "const device = second;"), 2_000)
    webgpu.page.call(DONE_SOON.replace("benchdb.device", "second"))

    webgpu.synchronize()

    assert webgpu.page.evaluate("done") is True


def test_webgpu_marks_report_the_adapters_time(webgpu: OpenPage) -> None:
    if webgpu.mark() is None:
        pytest.skip(f"{webgpu.device.name} has no timestamp queries")
    times = []
    for steps in (200, 20_000):
        webgpu.synchronize()
        begin = webgpu.mark()
        webgpu.page.call(WORK, steps)
        end = webgpu.mark()
        webgpu.synchronize()
        times.append(webgpu.elapsed_s(begin, end))

    assert 0 < times[0] < times[1] < 60


def test_webgpu_marks_beyond_one_set_are_all_reported(webgpu: OpenPage) -> None:
    marks = [webgpu.mark() for _ in range(2 * Timeline.SET_SIZE + 10)]
    if marks[0] is None:
        pytest.skip(f"{webgpu.device.name} has no timestamp queries")
    webgpu.synchronize()

    times = [webgpu.elapsed_s(begin, end) for begin, end in zip(marks[::2], marks[1::2], strict=True)]

    assert len(times) == Timeline.SET_SIZE + 5
    assert all(0 <= time < 60 for time in times)


def test_webgpu_without_timestamps_has_no_marks(shared: SharedBrowser) -> None:
    backend = WebGpuBackend(shared)
    opened = backend.open(backend.devices()[0])
    opened.page.call("""async () => {
      const adapter = await navigator.gpu.requestAdapter();
      benchdb.device = await adapter.requestDevice();
    }""")

    assert opened.mark() is None
    opened.close()


def test_webgpu_error_that_nobody_caught_reaches_the_barrier(webgpu: OpenPage) -> None:
    webgpu.page.call("() => { benchdb.device.createShaderModule({ code: 'nonsense' }); }")

    with pytest.raises(JavaScriptError, match=r"(?s)GPUValidationError: .*nonsense"):
        webgpu.synchronize()
    webgpu.synchronize()  # result once


def test_webgpu_device_that_was_destroyed_never_looks_done(webgpu: OpenPage) -> None:
    webgpu.page.call("() => { benchdb.device.destroy(); return benchdb.device.lost.then(() => null); }")

    for _ in range(2):
        with pytest.raises(JavaScriptError, match=r"benchdb\.device was lost \(destroyed\)"):
            webgpu.synchronize()
    assert webgpu.page.evaluate("benchdb.lost") is False  # the next test has another
    webgpu.synchronize()


def test_death_of_the_webgpu_process_reaches_the_caller(webgpu: OpenPage, shared: SharedBrowser) -> None:
    pid = shared.get().facts.pid
    children = psutil.Process(pid).children(recursive=True)
    (gpu,) = [process for process in children if "--type=gpu-process" in process.cmdline()]

    gpu.kill()

    with pytest.raises(JavaScriptError, match=r"GPUDevice lost \(unknown\)"):
        webgpu.page.call("() => benchdb.device.lost.then(() => null)", limit_s=60)
    with pytest.raises(JavaScriptError, match=r"benchdb\.device was lost \(unknown\)"):
        webgpu.synchronize()


def test_wasm_device_needs_no_barrier_and_has_no_timeline(wasm: OpenPage) -> None:
    wasm.synchronize()

    assert (wasm.sync_mode, wasm.mark(), wasm.memory(), wasm.flush_cache()) == (None, None, {}, False)
    with pytest.raises(ValueError, match="has no timeline"):
        wasm.elapsed_s(0, 1)


def test_wasm_memory_that_runs_out_is_known_as_such(wasm: OpenPage) -> None:
    with pytest.raises(JavaScriptError) as caught:
        wasm.page.call("() => new ArrayBuffer(2 ** 52)")

    assert wasm.is_out_of_memory(caught.value)


def test_closing_a_device_twice_is_not_a_error(wasm: OpenPage) -> None:
    wasm.close()
    wasm.close()


@pytest.fixture
def fake_webnn(wasm: OpenPage) -> OpenPage:
    script = resources.files("pytest_benchdb.backends.web").joinpath("assets").joinpath("webnn.js")
    wasm.page.evaluate(FAKE_WEBNN, {"cpu": ["cpu"], "gpu": ["gpu", "cpu"], "npu": ["cpu"]})
    wasm.page.with_page(lambda page: page.evaluate(script.read_text(encoding="utf-8")))
    return wasm


def test_webnn_contexts_that_run_elsewhere_are_refused(fake_webnn: OpenPage) -> None:
    contexts = fake_webnn.page.evaluate("benchdb.webnn.contexts()")

    assert contexts == {
        "found": [{"type": "cpu", "devices": ["cpu"]}, {"type": "gpu", "devices": ["gpu", "cpu"]}],
        "refused": {"npu": "its graphs run on cpu"},
    }


def test_webnn_barrier_reads_after_dispatched_work(fake_webnn: OpenPage) -> None:
    page = fake_webnn.page
    page.evaluate("(type) => benchdb.webnn.open(type)", "cpu")
    page.call("() => { globalThis.done = false; benchdb.context.work.push(() => { globalThis.done = true; }); }")

    OpenPage(fake_webnn.device, lambda: page, "context.readTensor").synchronize()

    assert page.evaluate("done") is True
