"""Prints what a measurement of a machine prints, without measuring one: two cores with bf16 and 24 GB."""

from __future__ import annotations

import json
import sys

MEASURED = {
    "device": "CPU",
    "kind": "cpu",
    "precision": "bf16",
    "convolution_flops": 6e11,
    "matmul_flops": 8e11,
    "device_memory_bytes": 24 * 10**9,
    "host_memory_bytes": 24 * 10**9,
}

if __name__ == "__main__":
    sys.stdout.write(json.dumps(MEASURED) + "\n")
