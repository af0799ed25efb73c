"""The tables of the benchmark: medians of the turns, and ratios to the other programs."""

import os
import platform
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial

from benchmarks.load import Sample
from benchmarks.streams import StreamsSample

HEAD = (
    *("call", "connections", "program", "requests/s", "p50 ms", "p99 ms", "CPU ms a request"),
    *("CPU × ceiling", "CPU × before", "requests/s × slower than service", "round trips", "errors"),
)


@dataclass(frozen=True, slots=True)
class Figures:
    """One program's figures for one call at one number of connections.

    Attributes:
        rate: Requests per second, the median of the turns.
        p50: Latency in ms that half of the requests of a turn did not exceed, the median of the turns; `p99` likewise.
        cpu: The server's CPU time per request in ms, the median of the turns.
        times_ceiling: `cpu` as a multiple of the ceiling's.
        times_before: `cpu` as a multiple of the older checkout's, if there is one.
        service_is_faster: The service's requests per second, as a multiple of the program's.
        round_trips: Round trips to the database per request; None unless counted.
        errors: Responses with another status than expected, in all turns.
    """

    call: str
    connections: int
    program: str
    rate: float
    p50: float
    p99: float
    cpu: float
    times_ceiling: float
    times_before: float | None
    service_is_faster: float
    round_trips: float | None
    errors: int


def figures(
    call: str, connections: int, turns: Mapping[str, Sequence[Sample]], round_trips: Mapping[str, float]
) -> list[Figures]:
    """Return a row for each program, from its turns."""
    cpu = {name: _median(samples, lambda sample: sample.cpu_per_request) for name, samples in turns.items()}
    rate = {name: _median(samples, lambda sample: sample.rate) for name, samples in turns.items()}
    return [
        Figures(
            call=call,
            connections=connections,
            program=program,
            rate=rate[program],
            p50=_median(samples, partial(percentile, percent=50)) * 1000,
            p99=_median(samples, partial(percentile, percent=99)) * 1000,
            cpu=cpu[program] * 1000,
            times_ceiling=cpu[program] / cpu["ceiling"],
            times_before=cpu[program] / cpu["before"] if "before" in cpu else None,
            service_is_faster=rate["service"] / rate[program],
            round_trips=round_trips.get(call) if program == "service" else None,
            errors=sum(sample.errors for sample in samples),
        )
        for program, samples in turns.items()
    ]


def _median(samples: Sequence[Sample], value: Callable[[Sample], float]) -> float:
    return statistics.median(value(sample) for sample in samples)


def percentile(sample: Sample, percent: int) -> float:
    """Return the latency in seconds that so many percent of the requests of a turn did not exceed."""
    return statistics.quantiles(sample.latencies, n=100, method="inclusive")[percent - 1]


def print_head(turns: int) -> None:
    """Print the machine, and the head of the table."""
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    print(f"{machine}, one worker, pool of 10, {turns} turns\n")
    print("|" + "".join(f" {name} |" for name in HEAD))
    print("|---|--:|---|" + "--:|" * (len(HEAD) - 3))


def print_row(row: Figures) -> None:
    """Print a line of the table."""
    before, round_trips = ("" if value is None else f"{value:.2f}" for value in (row.times_before, row.round_trips))
    slower = "" if row.program == "service" else f"{row.service_is_faster:.2f}"
    print(
        f"| {row.call} | {row.connections} | {row.program} | {row.rate:,.0f} | {row.p50:.2f} | {row.p99:.2f} "
        f"| {row.cpu:.3f} | {row.times_ceiling:.2f} | {before} | {slower} | {round_trips} | {row.errors} |",
        flush=True,
    )


def print_summary(repeated: int, memory_before: int, memory_after: int) -> None:
    """Print how many turns were repeated, and the worker's memory in bytes at its start and after all calls."""
    print(f"\nTurns that the disk disturbed, repeated: {repeated}")
    print(f"Memory of the worker: {memory_before / 2**20:.0f} MiB at its start, {memory_after / 2**20:.0f} MiB after")


def print_streams(streams: int, sample: StreamsSample) -> None:
    """Print the cost of open event streams, and the latency from a write's response to its event."""
    percentiles = statistics.quantiles(sample.latencies, n=100, method="inclusive")
    print("\n| open streams | CPU of a core while idle | p50 ms from response to event | p99 ms | errors |")
    print("|--:|--:|--:|--:|--:|")
    print(
        f"| {streams:,} | {sample.idle_cpu / sample.idle_seconds:.1%} | {percentiles[49] * 1000:.2f} "
        f"| {percentiles[98] * 1000:.2f} | {sample.errors} |"
    )


def as_json(rows: list[Figures]) -> list[dict[str, object]]:
    """Return the rows for `benchmarks/plot.py`."""
    return [asdict(row) for row in rows]
