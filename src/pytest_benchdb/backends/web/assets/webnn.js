// WebNN: finds the contexts that can be made, opens one, and waits for its timeline.
(() => {
  if (navigator.ml === undefined) return;
  const TYPES = ["cpu", "gpu", "npu"];

  // Adds two numbers with a graph; `devices` is where the browser says that it runs, null if it does not say.
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
        // Chromium makes a context for what is not there and runs it on the processor.
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
    // A context works through one queue in order, so a read ends after everything that was asked before.
    Object.assign(benchdb, { context, barrier: () => context.readTensor(output) });
  };

  benchdb.webnn = { contexts, open };
})();
