window.BENCHMARK_DATA = {
  "lastUpdate": 1772359200000,
  "repoUrl": "https://github.com/example/demo",
  "entries": {
    "Rust": [
      {
        "commit": {
          "author": {
            "name": "A"
          },
          "committer": {
            "name": "A"
          },
          "id": "0123456789abcdef0123456789abcdef01234567",
          "message": "sort: faster\n\nMuch.",
          "timestamp": "2026-02-28T10:00:00+01:00",
          "url": "https://example.com"
        },
        "date": 1772359200000,
        "tool": "cargo",
        "benches": [
          {
            "name": "sort",
            "value": 1234,
            "range": "\u00b1 56",
            "unit": "ns/iter"
          }
        ]
      }
    ],
    "Python": [
      {
        "commit": {
          "id": "0123456789abcdef0123456789abcdef01234567",
          "message": "x",
          "timestamp": "2026-02-28T10:00:00Z"
        },
        "date": 1772359201000,
        "tool": "pytest",
        "benches": [
          {
            "name": "tests/test_a.py::test_b",
            "value": 250.5,
            "unit": "iter/sec",
            "range": "stddev: 0.001",
            "extra": "mean: 3.9 msec\nrounds: 5"
          }
        ]
      },
      {
        "commit": {
          "id": "0123456789abcdef0123456789abcdef01234567",
          "message": "x",
          "timestamp": "2026-02-28T10:00:00Z"
        },
        "date": 1772359202000,
        "tool": "customBiggerIsBetter",
        "benches": [
          {
            "name": "score",
            "value": 8.5,
            "unit": "points"
          }
        ]
      }
    ]
  }
}
