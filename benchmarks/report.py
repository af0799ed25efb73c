"""What is printed and kept of the measurements."""

import os
import platform
import statistics
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from benchmarks.load import Sample
from benchmarks.streams import StreamsSample

HEAD = (
    *("call", "connections", "program", "requests/s", "p50 ms", "p99 ms", "CPU ms a request"),
    *("× the ceiling's CPU", "service's requests/s ×", "round trips", "errors"),
)


@dataclass(frozen=True, slots=True)
class Figures:
    """What one program did in all turns of one call at one number of connections, and compared with the others."""

    call: str
    connections: int
    program: str
    rate: float
    p50: float
    p99: float
    cpu: float
    times_ceiling: float
    service_is_faster: float
    round_trips: float | None
    errors: int


def figures(
    call: str, connections: int, samples: Mapping[str, Sample], round_trips: Mapping[str, float]
) -> list[Figures]:
    """Return what was measured by turns, each program's beside the ceiling's and the service's. Times are in ms."""
    return [
        Figures(
            call=call,
            connections=connections,
            program=program,
            rate=sample.rate,
            p50=sample.percentile(50) * 1000,
            p99=sample.percentile(99) * 1000,
            cpu=sample.cpu_per_request * 1000,
            times_ceiling=sample.cpu_per_request / samples["ceiling"].cpu_per_request,
            service_is_faster=samples["service"].rate / sample.rate,
            round_trips=round_trips.get(call) if program == "service" else None,
            errors=sample.errors,
        )
        for program, sample in samples.items()
    ]


def print_head() -> None:
    """Print where it was measured, and the head of the table."""
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, one worker, pool of 10\n")
    print("|" + "".join(f" {name} |" for name in HEAD))
    print("|---|--:|---|" + "--:|" * (len(HEAD) - 3))


def print_row(row: Figures) -> None:
    """Print a line of the table."""
    round_trips = "" if row.round_trips is None else f"{row.round_trips:.2f}"
    faster = "" if row.program == "service" else f"{row.service_is_faster:.2f}"
    print(
        f"| {row.call} | {row.connections} | {row.program} | {row.rate:,.0f} | {row.p50:.2f} | {row.p99:.2f} "
        f"| {row.cpu:.3f} | {row.times_ceiling:.2f} | {faster} | {round_trips} | {row.errors} |",
        flush=True,
    )


def print_memory(before: int, after: int) -> None:
    """Print what a worker takes, in bytes, at its start and after all calls."""
    print(f"\nMemory of the worker: {before / 2**20:.0f} MiB at its start, {after / 2**20:.0f} MiB after all calls")


def print_streams(streams: int, sample: StreamsSample) -> None:
    """Print what open streams of events cost, and how soon they told of a change."""
    percentiles = statistics.quantiles(sample.latencies, n=100, method="inclusive")
    print("\n| open streams | CPU of a core while idle | p50 ms from answer to event | p99 ms | errors |")
    print("|--:|--:|--:|--:|--:|")
    print(
        f"| {streams:,} | {sample.idle_cpu / sample.idle_seconds:.1%} | {percentiles[49] * 1000:.2f} "
        f"| {percentiles[98] * 1000:.2f} | {sample.errors} |"
    )


def as_json(rows: list[Figures]) -> list[dict[str, object]]:
    """Return the rows, for who draws them."""
    return [asdict(row) for row in rows]
