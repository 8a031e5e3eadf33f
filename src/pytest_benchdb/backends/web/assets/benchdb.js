// Runs first in every document: calls functions, times them, and keeps uncaught errors.
(() => {
  const functions = new Map(); // by number, so that V8 keeps compiled code between calls
  const uncaught = [];
  const BARRIER_SHARE = 20; // a round is at least this many barriers long: a barrier adds at most 5 %

  const text = (error) => {
    if (!(error instanceof Error) && !(error instanceof DOMException)) return String(error);
    const head = `${error.name}: ${error.message}`;
    const stack = String(error.stack ?? "");
    return stack.startsWith(head) ? stack : stack ? `${head}\n${stack}` : head;
  };

  addEventListener("error", (event) => uncaught.push(text(event.error ?? event.message)));
  addEventListener("unhandledrejection", (event) => uncaught.push(text(event.reason)));

  // Playwright cannot send bytes, so they arrive as base64.
  const decode = (value) => {
    if (value === null || typeof value !== "object" || typeof value.benchdbBytes !== "string") return value;
    return Uint8Array.from(atob(value.benchdbBytes), (character) => character.charCodeAt(0));
  };

  const functionOf = (id, source) => {
    if (!functions.has(id) && source !== null) {
      const value = (0, eval)(`(${source}\n)`);
      if (typeof value !== "function") throw new TypeError(`not a function: ${source.slice(0, 80)}`);
      functions.set(id, value);
    }
    return functions.get(id);
  };

  const isThenable = (value) => value !== null && typeof value === "object" && typeof value.then === "function";

  const failure = (...texts) => ({ error: [...texts, ...uncaught.splice(0)].join("\n"), lost: benchdb.lost });

  // Every answer is a plain object with a value or the text of an error.
  const answer = async (id, source, work) => {
    try {
      const target = functionOf(id, source);
      if (target === undefined) return { missing: true };
      const result = await work(target);
      if (uncaught.length > 0) return failure();
      return result;
    } catch (error) {
      // Uncaught errors of the device say why its promise was rejected.
      return failure(text(error));
    }
  };

  const call = (id, source, args) =>
    answer(id, source, async (target) => {
      const value = target(...args.map(decode));
      return { value: isThenable(value) ? await value : value };
    });

  const barrier = async () => {
    if (benchdb.barrier !== null) await benchdb.barrier();
  };

  // Time of a barrier on an idle device, in milliseconds; null without one.
  const barrierCost = async () => {
    if (benchdb.barrier === null) return null;
    let shortest = Infinity;
    for (let i = 0; i < 10; i++) {
      const begin = performance.now();
      await benchdb.barrier();
      shortest = Math.min(shortest, performance.now() - begin);
    }
    return shortest;
  };

  // Time of one round including its barriers, in milliseconds.
  const round = async (target, values, iterations, asynchronous) => {
    await barrier();
    const begin = performance.now();
    if (asynchronous) {
      for (let i = 0; i < iterations; i++) benchdb.result = await target(...values);
    } else {
      for (let i = 0; i < iterations; i++) benchdb.result = target(...values);
    }
    if (benchdb.barrier !== null) await benchdb.barrier(); // an await of nothing would cost a microtask
    return performance.now() - begin;
  };

  // Runs a function until it is warm, and returns the number of iterations that fill a round.
  const warmUp = async (target, values, asynchronous, { iterations: fixed, round_ms, warm_at_ms }) => {
    let iterations = fixed ?? 1;
    while (performance.now() < warm_at_ms) {
      const elapsed_ms = await round(target, values, iterations, asynchronous);
      if (fixed === null && elapsed_ms < round_ms) iterations *= 2;
    }
    while (fixed === null) {
      let shortest_ms = Infinity; // a round that was preempted or waited for the compiler takes too long
      for (let i = 0; i < 3 && shortest_ms > 0; i++) {
        shortest_ms = Math.min(shortest_ms, await round(target, values, iterations, asynchronous));
        if (shortest_ms > 10 * round_ms && iterations === 1) return 1;
      }
      if (shortest_ms >= 0.8 * round_ms) return iterations;
      iterations = Math.min(10 * iterations, Math.max(iterations + 1, Math.ceil((iterations * round_ms) / shortest_ms)));
    }
    return iterations;
  };

  const time = (id, source, args, plan) =>
    answer(id, source, async (target) => {
      const values = args.map(decode);
      await barrier();
      const begin = performance.now();
      let value = target(...values);
      const asynchronous = isThenable(value);
      if (asynchronous) value = await value;
      await barrier();
      const first_ms = performance.now() - begin;
      const barrier_ms = await barrierCost();
      const round_ms = Math.max(plan.round_ms, BARRIER_SHARE * (barrier_ms ?? 0));
      const warm_at_ms = begin + plan.warmup_ms;
      const iterations = await warmUp(target, values, asynchronous, { ...plan, round_ms, warm_at_ms });
      const rounds_ms = [];
      const end_ms = performance.now() + (plan.max_ms ?? 0);
      while (rounds_ms.length < plan.rounds || performance.now() < end_ms) {
        rounds_ms.push(await round(target, values, iterations, asynchronous));
      }
      return { barrier_ms, first_ms, iterations, rounds_ms, value };
    });

  // The smallest observed step of the page's clock, in milliseconds.
  const resolution = () => {
    let smallest = Infinity;
    let last = performance.now();
    const end = last + 5;
    while (last < end) {
      const now = performance.now();
      if (now !== last) smallest = Math.min(smallest, now - last);
      last = now;
    }
    return smallest;
  };

  globalThis.benchdb = { barrier: null, call, lost: false, resolution, result: undefined, text, time, uncaught };
})();
