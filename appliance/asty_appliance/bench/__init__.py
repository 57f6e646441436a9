"""The benchmarks: what the machine reaches, beside the ceiling of the same run."""
