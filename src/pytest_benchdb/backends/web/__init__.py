"""WebGPU, WebNN and WebAssembly in a real Chromium, driven by Playwright; needs the extra ``web``."""
