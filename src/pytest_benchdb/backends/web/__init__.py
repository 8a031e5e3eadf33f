"""WebGPU, WebNN and WebAssembly in a real Chromium that Playwright drives; extra ``web``."""
