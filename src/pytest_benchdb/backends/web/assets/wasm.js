// WebAssembly: reports the engine's features, and adds two numbers.
(() => {
  const bytes = (...values) => new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, ...values]);
  // (module (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))
  const ADD = bytes(
    1, 7, 1, 96, 2, 127, 127, 1, 127, 3, 2, 1, 0, 7, 7, 1, 3, 97, 100, 100, 0, 0,
    10, 9, 1, 7, 0, 32, 0, 32, 1, 106, 11,
  );
  // (module (func (result v128) (i8x16.splat (i32.const 0)) (i8x16.popcnt)))
  const SIMD = bytes(1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11);
  // (module (memory 1 1 shared) (func (drop (i32.atomic.load (i32.const 0)))))
  const ATOMICS = bytes(1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 5, 4, 1, 3, 1, 1, 10, 11, 1, 9, 0, 65, 0, 254, 16, 2, 0, 26, 11);

  const features = () => ({
    simd: WebAssembly.validate(SIMD),
    threads: WebAssembly.validate(ATOMICS) && crossOriginIsolated && typeof SharedArrayBuffer === "function",
    hardware_concurrency: navigator.hardwareConcurrency,
  });

  const open = async () => {
    const { instance } = await WebAssembly.instantiate(ADD);
    const sum = instance.exports.add(40, 2);
    if (sum !== 42) throw new Error(`WebAssembly says that 40 + 2 is ${sum}`);
  };

  benchdb.wasm = { features, open };
})();
