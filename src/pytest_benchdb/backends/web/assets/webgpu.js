// WebGPU: finds adapters, opens one, waits for every device of the page, and places marks on its device's timeline.
(() => {
  if (navigator.gpu === undefined) return;
  const devices = new Set(); // all devices of the page: a library under test may request its own
  const MARKS = 256;

  const requestDevice = GPUAdapter.prototype.requestDevice;
  GPUAdapter.prototype.requestDevice = async function (...args) {
    const device = await requestDevice.apply(this, args);
    devices.add(device);
    device.addEventListener("uncapturederror", (event) => {
      benchdb.uncaught.push(`${event.error.constructor.name}: ${event.error.message}`);
    });
    device.lost.then((info) => {
      devices.delete(device);
      if (info.reason !== "destroyed") benchdb.uncaught.push(`GPUDevice lost (${info.reason}): ${info.message}`);
    });
    return device;
  };

  const barrier = () => Promise.all([...devices].map((device) => device.queue.onSubmittedWorkDone()));

  const describe = (adapter, options) => {
    const { vendor, architecture, device, description } = adapter.info;
    return {
      options,
      vendor,
      architecture,
      device,
      description,
      // The newer property first; Chromium 140 removed the older one.
      fallback: adapter.info.isFallbackAdapter ?? adapter.isFallbackAdapter ?? null,
      driver: adapter.info.driver ?? null,
      api: adapter.info.backend ?? null,
      type: adapter.info.type ?? null,
      features: [...adapter.features].sort(),
      max_buffer_bytes: adapter.limits.maxBufferSize,
      max_storage_binding_bytes: adapter.limits.maxStorageBufferBindingSize,
    };
  };

  const adapters = async () => {
    const found = [];
    for (const options of [
      { powerPreference: "high-performance" },
      { powerPreference: "low-power" },
      { forceFallbackAdapter: true },
    ]) {
      const adapter = await navigator.gpu.requestAdapter(options);
      if (adapter !== null) found.push(describe(adapter, options));
    }
    return found;
  };

  // Adds two numbers in a compute shader; an adapter that cannot do this is not used.
  const add = async (device) => {
    device.pushErrorScope("validation");
    const module = device.createShaderModule({
      code: `@group(0) @binding(0) var<storage, read_write> x: array<f32>;
        @compute @workgroup_size(1) fn main() { x[2] = x[0] + x[1]; }`,
    });
    const pipeline = device.createComputePipeline({ layout: "auto", compute: { module, entryPoint: "main" } });
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    const buffer = device.createBuffer({ size: 12, usage });
    const back = device.createBuffer({ size: 12, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
    device.queue.writeBuffer(buffer, 0, new Float32Array([1.5, 2.25, 0]));
    const group = device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: [{ binding: 0, resource: { buffer } }],
    });
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(1);
    pass.end();
    encoder.copyBufferToBuffer(buffer, 0, back, 0, 12);
    device.queue.submit([encoder.finish()]);
    const error = await device.popErrorScope();
    if (error !== null) throw error;
    await back.mapAsync(GPUMapMode.READ);
    const sum = new Float32Array(back.getMappedRange())[2];
    back.destroy();
    buffer.destroy();
    return sum;
  };

  const open = async (options) => {
    const adapter = await navigator.gpu.requestAdapter(options);
    if (adapter === null) throw new Error(`no WebGPU adapter for ${JSON.stringify(options)}`);
    const wanted = ["timestamp-query", "shader-f16", "subgroups"];
    const requiredLimits = {};
    for (const name in adapter.limits) {
      if (typeof adapter.limits[name] === "number") requiredLimits[name] = adapter.limits[name];
    }
    const device = await adapter.requestDevice({
      requiredFeatures: wanted.filter((name) => adapter.features.has(name)),
      requiredLimits,
    });
    Object.assign(benchdb, { adapter, barrier, device });
    device.lost.then((info) => {
      // A lost device never comes back: it silently drops work, which would look fast.
      benchdb.lost = true;
      benchdb.barrier = async () => {
        throw new Error(`benchdb.device was lost (${info.reason}): ${info.message}`);
      };
    });
    const sum = await add(device);
    if (sum !== 3.75) throw new Error(`the adapter says that 1.5 + 2.25 is ${sum}`);
  };

  // A mark is a slot of a query set, written by an empty pass.
  const sets = new Map();
  const mark = (set, slot) => {
    const { device } = benchdb;
    if (!sets.has(set)) sets.set(set, device.createQuerySet({ type: "timestamp", count: MARKS }));
    const encoder = device.createCommandEncoder();
    const timestampWrites = { querySet: sets.get(set), beginningOfPassWriteIndex: slot };
    encoder.beginComputePass({ timestampWrites }).end();
    device.queue.submit([encoder.finish()]);
  };

  // All marks of one set, in nanoseconds, as text: a double is exact for only 104 days.
  const marks = async (set, count, done) => {
    const { device } = benchdb;
    const size = 8 * count;
    const resolved = device.createBuffer({ size, usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC });
    const back = device.createBuffer({ size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
    const encoder = device.createCommandEncoder();
    encoder.resolveQuerySet(sets.get(set), 0, count, resolved, 0);
    encoder.copyBufferToBuffer(resolved, 0, back, 0, size);
    device.queue.submit([encoder.finish()]);
    await back.mapAsync(GPUMapMode.READ);
    const values = [...new BigUint64Array(back.getMappedRange())].map(String);
    back.destroy();
    resolved.destroy();
    if (done) {
      sets.get(set).destroy();
      sets.delete(set);
    }
    return values;
  };

  benchdb.webgpu = { adapters, mark, marks, open };
})();
