"""Fitting members of the published recipe: one at a time beside many at once, and beside floors.

Runs are random numbers of the published shape. All ways take turns in one process and the table has
the best of the repeats, with the floors measured in the same run: what the arithmetic takes at the
rate of a plain batched product, and what reading and writing the weights takes at the rate of a
plain addition. --complete times the whole recipe: 10 folds of 45 members, then 40 trainings-on of
each fold.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import torch
from torch import nn

from benchmarks import options, tables
from benchmarks.speed.timing import in_turn
from gale.training.fitting import Examples, FittingStatus, Settings, Weights, fit
from gale.training.losses import Loss
from gale.training.networks.layers import Dense
from gale.training.networks.summary import summary_network
from gale.training.soups import average_weights, fixed_soups
from gale.training.waves import Job, fit_all
from tests.helpers.one_at_a_time import fit_one, plain_network

N_RUNS, N_FEATURES, N_FAMILIES, FOLDS = 1121, 2268, 9, 10
SIZE, ITERATIONS = 5, 40
PUBLISHED = Settings(
    learning_rate=1e-5, adam_epsilon=1e-7, batch_size=128, epochs=2000, patience=30
)
EPOCHS = 3
"""Epochs of each measurement; the fastest counts."""


def make_runs(device: torch.device) -> Examples:
    """Random features, and labels that depend on a few of them."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(N_RUNS, N_FEATURES, generator=generator)
    signal = x[:, : 8 * N_FAMILIES].view(N_RUNS, N_FAMILIES, 8).sum(2) / 8**0.5
    noise = torch.randn(N_RUNS, N_FAMILIES, generator=generator)
    return Examples(x.to(device), (signal + noise > 1.5).float().to(device))


def make_folds() -> list[tuple[np.ndarray, np.ndarray]]:
    """Training and validation rows of each fold."""
    parts = np.array_split(np.random.default_rng(0).permutation(N_RUNS), FOLDS)
    return [(np.setdiff1d(np.arange(N_RUNS), part), np.sort(part)) for part in parts]


def build(
    products: torch.dtype, _: Sequence[int], generators: Sequence[torch.Generator]
) -> nn.Module:
    """Build the published network."""
    prior = torch.zeros(len(generators), N_FAMILIES)
    return summary_network(N_FEATURES, N_FAMILIES, generators, prior=prior, products=products)


def synchronised(device: torch.device) -> float:
    """Seconds on the clock, once the device has done all it was asked to."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


def best_of(work: Callable[[], object], device: torch.device, repeats: int = 20) -> float:
    """Seconds that some work takes, after a first time that does not count."""
    work()
    seconds = []
    for _ in range(repeats):
        start = synchronised(device)
        work()
        seconds.append(synchronised(device) - start)
    return min(seconds)


def one_at_a_time(runs: Examples) -> float:
    """Seconds a member-epoch of plain PyTorch."""
    device = runs.features.device
    training, held_out = (torch.from_numpy(rows).to(device) for rows in make_folds()[-1])
    generator = torch.Generator(device).manual_seed(0)
    network = plain_network(N_FEATURES, N_FAMILIES, generator).to(device)
    settings = Settings(1e-5, 1e-7, 128, EPOCHS, EPOCHS)
    parts = [(runs.features[rows], runs.labels[rows]) for rows in (training, held_out)]
    start = synchronised(device)
    fit_one(network, parts[0], parts[1], Loss(), settings, generator)
    return (synchronised(device) - start) / EPOCHS


def at_once(runs: Examples, members: int, products: torch.dtype) -> float:
    """Seconds a member-epoch of members that are fitted together."""
    device = runs.features.device
    generators = [torch.Generator(device).manual_seed(seed) for seed in range(members)]
    network = build(products, range(members), generators).to(device)
    training, held_out = (
        torch.from_numpy(rows).to(device).expand(members, -1) for rows in make_folds()[-1]
    )
    settings = Settings(1e-5, 1e-7, 128, EPOCHS, EPOCHS)
    times = [synchronised(device)]
    for _ in fit(
        network, runs, training, held_out, Loss(), settings, generators,
        names=[""] * members, report=lambda _: times.append(synchronised(device)),
    ):  # fmt: skip
        pass
    return float(np.diff(times).min()) / members


def operations() -> tuple[float, float]:
    """Operations of a member-epoch: those of training, and those of validation."""
    network = build(torch.float32, [0], [torch.Generator()])
    sizes = [layer.n_in * layer.n_out for layer in network.modules() if isinstance(layer, Dense)]
    training, held_out = make_folds()[-1]
    # Forward, gradient of the weights, and, but for the first layer, gradient of the input.
    return 2 * len(training) * (3 * sum(sizes) - sizes[0]), 2 * len(held_out) * sum(sizes)


def traffic() -> float:
    """Bytes of weights that a member-epoch must read and write, in single precision."""
    network = build(torch.float32, [0], [torch.Generator()])
    n_weights = sum(parameter.numel() for parameter in network.parameters())
    first = N_FEATURES * 1024
    steps = -(-len(make_folds()[-1][0]) // PUBLISHED.batch_size)
    # A step reads weights forward and, but for the first layer, backward; writes the gradient; and
    # the optimiser reads it and reads and writes weights and two moments.
    return 4.0 * (steps * (9 * n_weights + (n_weights - first)) + n_weights)


def compute_floor(device: torch.device, products: torch.dtype) -> float:
    """Seconds a member-epoch at the rate of plain products."""
    members = 8 if device.type == "cpu" else 64

    def rate(dtype: torch.dtype) -> float:
        x = torch.randn(members, 128, N_FEATURES, device=device).to(dtype)
        w = torch.randn(members, N_FEATURES, 1024, device=device).to(dtype)
        product = torch.empty(members, 128, 1024, device=device, dtype=dtype)
        seconds = best_of(lambda: torch.bmm(x, w, out=product), device)
        return members * 2 * 128 * N_FEATURES * 1024 / seconds

    training, validation = operations()
    return training / rate(products) + validation / rate(torch.float32)


def memory_floor(device: torch.device) -> float:
    """Seconds a member-epoch at the rate of plain additions."""
    a, b, c = (torch.randn(100_000_000, device=device) for _ in range(3))
    return traffic() * best_of(lambda: torch.add(a, b, out=c), device) / (3 * a.nbytes)


def table(
    device: torch.device, members: list[int], products: list[torch.dtype], repeats: int
) -> tables.Table:
    """Measure all ways in turn, and make a table of the best of each."""
    runs = make_runs(device)
    plain = ("one at a time, plain PyTorch", torch.float32)
    ways: dict[tuple[str, torch.dtype], Callable[[], float]] = {plain: partial(one_at_a_time, runs)}
    for dtype in products:
        for count in members:
            ways[f"{count} at once", dtype] = partial(at_once, runs, count, dtype)
    floors: dict[tuple[str, torch.dtype], Callable[[], float]] = {
        ("compute", dtype): partial(compute_floor, device, dtype)
        for dtype in (torch.float32, *products)
    }
    floors["memory", torch.float32] = partial(memory_floor, device)
    least = {way: min(values) for way, values in in_turn(ways | floors, repeats).items()}
    memory = least["memory", torch.float32]
    rows = [["", "products", "member-epochs/s", "ratio", "compute", "memory"]]
    for name, dtype in ways:
        value, compute = least[name, dtype], least["compute", dtype]
        rows.append(
            [
                name,
                str(dtype).removeprefix("torch."),
                f"{1 / value:.2f}",
                f"{least[plain] / value:.2f}",
                f"{compute / value:.0%}",
                f"{memory / value:.0%}",
            ]
        )
    return rows


def complete(device: torch.device, products: torch.dtype, settings: Settings) -> None:
    """Time the whole recipe, all folds, members and trainings-on."""
    runs, folds = make_runs(device), make_folds()
    started = synchronised(device)
    member_epochs = 0

    def fitted(jobs: list[Job]) -> list[tuple[float, Weights]]:
        nonlocal member_epochs
        results: dict[int, tuple[float, Weights]] = {}
        for number, done in fit_all(jobs, partial(build, products), runs, Loss(), settings, tell):
            member_epochs += len(done.epochs)
            results[number] = done.validation, done.weights
        return [results[number] for number in range(len(jobs))]

    def tell(pulse: FittingStatus) -> None:
        if pulse.epoch % 50 == 0:
            options.tell(f"{time.perf_counter() - started:8.0f} s  {pulse}")

    count = SIZE + ITERATIONS
    members = fitted(
        [Job(f"fold {f}, member {i}", *folds[f], seed=f * count + i)
         for f in range(FOLDS) for i in range(count)]
    )  # fmt: skip
    jobs = []
    for f in range(FOLDS):
        of_fold = members[f * count : (f + 1) * count]
        for i, soup in enumerate(fixed_soups([score for score, _ in of_fold], SIZE)):
            start = partial(average_weights, [of_fold[member][1] for member in soup])
            jobs.append(
                Job(f"fold {f}, soup {i}", *folds[f], seed=10**6 + f * count + i, start=start)
            )
    tuned = fitted(jobs)
    seconds = synchronised(device) - started
    best = [min(score for score, _ in tuned[f * ITERATIONS :][:ITERATIONS]) for f in range(FOLDS)]
    floor = max(compute_floor(device, products), memory_floor(device))
    print(
        f"complete recipe: {seconds:.0f} s for {len(members) + len(tuned)} fits and "
        f"{member_epochs:,} member-epochs, {member_epochs / seconds:.1f} a second, "
        f"{member_epochs * floor / seconds:.0%} of the larger floor; "
        f"validation log loss {np.mean(best):.4f}"
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the device, then a table or the time of the whole recipe."""
    parser = options.parser("benchmarks.speed.fitting", __doc__, repeats=5)
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--members", type=int, nargs="+", help="how many to fit at once")
    parser.add_argument("--products", nargs="+", default=["float32", "bfloat16"],
                        help="precision of matrix products")  # fmt: skip
    parser.add_argument("--complete", action="store_true", help="time the whole recipe")
    parser.add_argument("--epochs", type=int, default=PUBLISHED.epochs, help="of --complete")
    asked = parser.parse_args(arguments)

    device = torch.device(asked.device)
    name = (
        torch.cuda.get_device_name(device)
        if device.type == "cuda"
        else f"CPU, {torch.get_num_threads()} threads"
    )
    products = [getattr(torch, name) for name in asked.products]
    title = f"{name}, PyTorch {torch.__version__}"
    if asked.complete:
        settings = Settings(1e-5, 1e-7, 128, asked.epochs, PUBLISHED.patience)
        print(title)
        complete(device, products[-1], settings)
        return
    members = asked.members or ([1, 4, 10] if device.type == "cpu" else [1, 10, 50, 450])
    tables.show(title, table(device, members, products, asked.repeats), markdown=asked.markdown)
    print(
        "\ncompute, memory: shares of what either alone would take at the rates measured beside,"
        f"\n{sum(operations()) / 1e9:.1f} GFLOP and {traffic() / 1e6:.0f} MB per member-epoch"
    )


if __name__ == "__main__":
    main()
