// WebNN: finds the contexts that can be made, opens one, and waits for its timeline.
(() => {
  if (navigator.ml === undefined) return;
  const TYPES = ["cpu", "gpu", "npu"];

  const contexts = async () => {
    const found = [];
    const failed = {};
    for (const type of TYPES) {
      try {
        const context = await navigator.ml.createContext({ deviceType: type });
        found.push({ type, accelerated: context.accelerated ?? null });
        context.destroy?.();
      } catch (error) {
        failed[type] = benchdb.text(error);
      }
    }
    return { found, failed };
  };

  // Adds two numbers with a graph; its output stays as what the barrier reads.
  const open = async (type) => {
    const context = await navigator.ml.createContext({ deviceType: type });
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
    context.lost?.then((info) => benchdb.uncaught.push(`MLContext lost: ${info.message}`));
    // A context works through one queue in order, so a read ends after everything that was asked before.
    Object.assign(benchdb, { context, barrier: () => context.readTensor(output) });
  };

  benchdb.webnn = { contexts, open };
})();
