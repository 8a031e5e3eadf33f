"""The smallest ONNX model that execution providers take: y = x · w for 2 x 2 matrices, w twice the identity.

Written by hand, as the ``onnx`` package is not needed to run a model. A product with a constant is what nearly every
provider can do, XNNPACK and NPUs included; a bare addition is not. Fields are those of onnx.proto3 (IR version 7,
operators of version 13): ``key length content``, where key is ``field number * 8 + 2`` for what has a length.
"""


def _field(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2, len(content)]) + content


def _number(number: int, value: int) -> bytes:
    return bytes([number << 3, value])


def _matrix(name: bytes) -> bytes:
    two = _number(1, 2)  # TensorShapeProto.Dimension: dim_value
    shape = _field(1, two) + _field(1, two)
    tensor = _number(1, 1) + _field(2, shape)  # TypeProto.Tensor: elem_type FLOAT, shape
    return _field(1, name) + _field(2, _field(1, tensor))  # ValueInfoProto: name, type


_NODE = _field(1, b"x") + _field(1, b"w") + _field(2, b"y") + _field(4, b"MatMul")
_TWO = b"\0\0\0@"  # 2.0, little-endian
_WEIGHT = (
    _number(1, 2) + _number(1, 2) + _number(2, 1)  # TensorProto: dims, data_type FLOAT
    + _field(8, b"w") + _field(9, _TWO + bytes(4) + bytes(4) + _TWO)  # name, raw_data
)  # fmt: skip
_GRAPH = _field(1, _NODE) + _field(2, b"g") + _field(5, _WEIGHT) + _field(11, _matrix(b"x")) + _field(12, _matrix(b"y"))
_OPERATORS = _field(1, b"") + _number(2, 13)

DOUBLING: bytes = _number(1, 7) + _field(7, _GRAPH) + _field(8, _OPERATORS)
"""The model: 103 bytes."""
