"""The same vector sum, y = 2x + y, as WebAssembly, as JavaScript and as a WebGPU shader, in a real Chromium."""

from pathlib import Path

import pytest

COUNT = 65_536
SHADER = Path(__file__).with_name("saxpy.wgsl").read_text(encoding="utf-8")

# (module (memory (export "memory") 8)
#   (func (export "saxpy") (param $end i32)  ;; x at 0, y at $end, both $end bytes long
#     (local $i i32)
#     (loop $next
#       (f32.store (i32.add (local.get $i) (local.get $end))
#         (f32.add (f32.mul (f32.const 2) (f32.load (local.get $i)))
#                  (f32.load (i32.add (local.get $i) (local.get $end)))))
#       (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 4))) (local.get $end))))))
MODULE = bytes.fromhex(
    "0061736d01000000"  # magic, version
    "010501 60017f00"  # one type: takes an i32, returns nothing
    "03020100"  # one function of that type
    "0503010008"  # memory of 8 pages
    "071202066d656d6f727902000573617870790000"  # exports: memory, saxpy
    "0a31012f"  # one body of 47 bytes
    "01017f"  # one local, i32
    "0340"  # loop
    "2001 2000 6a"  # i + end: where to store
    "4300000040 2001 2a0200 94"  # 2 * x[i]
    "2001 2000 6a 2a0200"  # y[i]
    "92 380200"  # sum, stored
    "2001 4104 6a 2201"  # i += 4
    "2000 49 0d00"  # again while i < end
    "0b 0b"
)


def keep(bench, timing, items):
    """Record what was timed in the page, where no way to the browser and back is in it."""
    bench.record("wall_time", timing.samples_s)
    bench.record("first_call_time", timing.first_call_s)
    bench.record("throughput", [items / sample_s for sample_s in timing.samples_s])
    bench.extra_info.update(iterations=timing.iterations, resolution_s=timing.resolution_s)


@pytest.mark.benchdb(implementation="javascript", workload="microbenchmark", precision="fp32")
def test_saxpy_in_javascript(bench_wasm):
    page = bench_wasm.device
    page.call("(count) => { globalThis.x = new Float32Array(count).fill(1); globalThis.y = x.slice(); }", COUNT)

    timing = page.time("() => { for (let i = 0; i < x.length; i++) y[i] = 2 * x[i] + y[i]; }")

    keep(bench_wasm, timing, COUNT)


@pytest.mark.benchdb(implementation="wasm", workload="microbenchmark", precision="fp32")
def test_saxpy_in_wasm(bench_wasm):
    page = bench_wasm.device
    page.call("async (code) => { globalThis.saxpy = (await WebAssembly.instantiate(code)).instance.exports; }", MODULE)
    page.call("(count) => new Float32Array(saxpy.memory.buffer, 0, 2 * count).fill(1) && null", COUNT)

    first = page.call(
        "(count) => { saxpy.saxpy(4 * count); return new Float32Array(saxpy.memory.buffer)[count]; }", COUNT
    )
    timing = page.time("(end) => saxpy.saxpy(end)", [4 * COUNT])

    assert first == 3
    keep(bench_wasm, timing, COUNT)


@pytest.mark.benchdb(implementation="wgsl", workload="microbenchmark", precision="fp32")
def test_saxpy_on_webgpu(bench_webgpu):
    page = bench_webgpu.device
    page.call(
        """(count, code) => {
          const { device } = benchdb;
          const module = device.createShaderModule({ code });
          const pipeline = device.createComputePipeline({ layout: "auto", compute: { module, entryPoint: "main" } });
          const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST;
          const [x, y] = [0, 1].map(() => device.createBuffer({ size: 4 * count, usage }));
          device.queue.writeBuffer(x, 0, new Float32Array(count).fill(1));
          const entries = [x, y].map((buffer, binding) => ({ binding, resource: { buffer } }));
          const group = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
          globalThis.saxpy = () => {
            const encoder = device.createCommandEncoder();
            const pass = encoder.beginComputePass();
            pass.setPipeline(pipeline);
            pass.setBindGroup(0, group);
            pass.dispatchWorkgroups(count / 64);
            pass.end();
            device.queue.submit([encoder.finish()]);
          };
        }""",
        COUNT,
        SHADER,
    )

    timing = page.time("() => saxpy()")  # a round ends when the adapter is done

    keep(bench_webgpu, timing, COUNT)


@pytest.mark.benchdb(implementation="javascript", workload="scenario")
def test_round_trip_to_the_page(bench_wasm):
    """What a call costs from Python: nearly all of it is the way to the browser and back."""
    answer = bench_wasm(bench_wasm.device.call, "(a, b) => a + b", 40, 2)

    assert answer == 42
