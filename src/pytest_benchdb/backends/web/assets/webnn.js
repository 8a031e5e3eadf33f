// WebNN: finds the available contexts, opens one, and waits for its queue.
(() => {
  if (navigator.ml === undefined) return;
  const TYPES = ["cpu", "gpu", "npu"];

  // Adds two numbers with a graph; `devices` are those that the browser reports for it, null if not reported.
  const add = async (context) => {
    const descriptor = { dataType: "float32", shape: [1] };
    const builder = new MLGraphBuilder(context);
    const sum = builder.add(builder.input("a", descriptor), builder.input("b", descriptor));
    const graph = await builder.build({ sum });
    const a = await context.createTensor({ ...descriptor, writable: true });
    const b = await context.createTensor({ ...descriptor, writable: true });
    const output = await context.createTensor({ ...descriptor, readable: true });
    context.writeTensor(a, new Float32Array([1.5]));
    context.writeTensor(b, new Float32Array([2.25]));
    context.dispatch(graph, { a, b }, { sum: output });
    const value = new Float32Array(await context.readTensor(output))[0];
    if (value !== 3.75) throw new Error(`the context says that 1.5 + 2.25 is ${value}`);
    return { output, devices: graph.devices ?? null };
  };

  const contexts = async () => {
    const found = [];
    const refused = {};
    for (const type of TYPES) {
      try {
        const context = await navigator.ml.createContext({ deviceType: type });
        const { devices } = await add(context);
        context.destroy?.();
        // For a missing device, Chromium makes a context that runs on the processor.
        if (devices === null || devices.includes(type)) found.push({ type, devices });
        else refused[type] = `its graphs run on ${devices.join(", ")}`;
      } catch (error) {
        refused[type] = benchdb.text(error);
      }
    }
    return { found, refused };
  };

  const open = async (type) => {
    const context = await navigator.ml.createContext({ deviceType: type });
    const { output } = await add(context);
    context.lost?.then((info) => {
      benchdb.lost = true;
      benchdb.uncaught.push(`MLContext lost: ${info.message}`);
    });
    // A context has one queue, processed in order, so a read ends after all earlier work.
    Object.assign(benchdb, { context, barrier: () => context.readTensor(output) });
  };

  benchdb.webnn = { contexts, open };
})();
