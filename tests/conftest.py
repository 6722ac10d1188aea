"""What tests of training, models and the command line share: a campaign, a recipe, a model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import platformdirs
import pytest
from hypothesis import settings

import gale
from gale.features import compute_features
from gale.features.summary import SummarySpec
from gale.library.installed import FOLDER_VARIABLE
from gale.plumbing.cache import Cache
from gale.plumbing.work import Work
from gale.simulation import Physics, simulate
from helpers.brief import brief_recipes
from helpers.model_files import restated
from helpers.shared import made_once, shared_root
from helpers.stacks import stack_recipe
from helpers.training import TINY, Array, Exported, Trained, tiny_recipe

if TYPE_CHECKING:
    from gale.training.export import PartGraph

settings.register_profile("gale", deadline=None)  # on a busy machine, any example may be slow
settings.load_profile("gale")

SHORT_RUNS = Path(__file__).parents[1] / "examples" / "short_runs.toml"
RARE = (
    "chlorine_bearing_compound",
    "sulfur_bearing_compound",
    "alcohol",
    "other_oxygen_bearing_compound",
)

NUMBERS = count()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the modules that have slow tests: at the end, all processes have short ones."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session", autouse=True)
def cache_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keep away from the user's cache and libraries: in this process, and in those it starts."""
    folder = shared_root(tmp_path_factory) / "cache"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        patch.setenv(FOLDER_VARIABLE, str(folder / "libraries"))
        patch.setattr(platformdirs, "user_cache_path", lambda *_, **__: folder / "gale")
        yield folder
    assert not (folder / "libraries").exists(), "a test added a library that others then used"


@pytest.fixture(autouse=True)
def libraries_folder(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Give each test its own folder of added libraries: others run beside it, and use theirs."""
    folder = tmp_path_factory.getbasetemp() / f"libraries-{next(NUMBERS)}"
    monkeypatch.setenv(FOLDER_VARIABLE, str(folder))
    return folder


@pytest.fixture(scope="session")
def campaign_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A campaign in the competition's layout; every family is in every split."""

    def make(folder: Path) -> None:
        simulate(
            folder / "campaign",
            design="different",
            runs={"train": 60, "val": 24, "test": 24},
            ions=1500,
            prevalence=dict.fromkeys(RARE, 0.1),
            physics=Physics.load(SHORT_RUNS),
            seed=1,
        )

    return made_once(tmp_path_factory, "data", make) / "campaign"


@pytest.fixture(scope="session")
def campaign(campaign_folder: Path) -> gale.Campaign:
    return gale.Campaign.open(campaign_folder)


@pytest.fixture(scope="session")
def recipe_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recipe") / "tiny.toml"
    path.write_text(TINY, "utf-8")
    return path


@pytest.fixture
def cache() -> Cache:
    return Cache.default()


@pytest.fixture(scope="session")
def trained(
    campaign: gale.Campaign, cache_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Trained:

    def make(folder: Path) -> None:
        model = gale.train(
            campaign,
            tiny_recipe(),
            history=folder / "model.history.csv",
            journal=folder / "journal",
            work=Work(cache=Cache.default()),
        )
        model.save(folder / "model.onnx")

    folder = made_once(tmp_path_factory, "model", make)
    path = folder / "model.onnx"
    return Trained(gale.Model.load(path), path, folder / "model.history.csv")


@pytest.fixture(scope="session")
def stack_file(
    campaign: gale.Campaign, cache_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A model with an elution network, and beside it what its training writes."""

    def make(folder: Path) -> None:
        model = gale.train(
            campaign,
            stack_recipe(),
            history=folder / "stack.history.csv",
            out_of_fold=folder / "stack.out_of_fold.csv",
            work=Work(cache=Cache.default()),
        )
        model.save(folder / "stack.onnx")

    return made_once(tmp_path_factory, "stack", make) / "stack.onnx"


@pytest.fixture(scope="session")
def stack(stack_file: Path) -> gale.Model:
    return gale.Model.load(stack_file)


@pytest.fixture
def few_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page of a training lists two runs and two labels, since each takes a while."""
    for most in ("MOST_RUNS", "MOST_LABELS"):
        monkeypatch.setattr(f"gale.report.training_page.{most}", 2)


@pytest.fixture
def few_epochs(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Train recipes that come with gale for few epochs, within this process."""
    folder = made_once(tmp_path_factory, "recipes", brief_recipes)
    monkeypatch.setattr("gale.training.recipe.RECIPES", folder)


@pytest.fixture
def exported(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> Exported:
    """Skip the slow part of training: its model has the facts that it should, in another graph."""
    captured = Exported()

    def export(
        parts: Sequence[PartGraph], n_features: int, facts: Mapping[str, Any], *_: Any, **__: Any
    ) -> bytes:
        captured.networks.extend(part.network for part in parts)
        return restated(trained.path.read_bytes(), dict(facts))

    monkeypatch.setattr("gale.training.to_onnx", export)
    monkeypatch.setattr("gale.model.check_shapes", lambda *_: None)
    return captured


@pytest.fixture
def features(campaign: gale.Campaign, trained: Trained, cache: Cache) -> Array:
    """Features of the runs of train and val, in the campaign's order."""
    paths = campaign.of_split("train", "val").paths
    return compute_features(
        paths, SummarySpec(trained.model.spec.mz), work=Work(cache=cache)
    ).values


@pytest.fixture
def predict(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., list[object]]:
    """Arguments of a prediction in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def arguments(*more: object) -> list[object]:
        return ["predict", "--model", trained.path, "-o", "p.csv", *more]

    return arguments


@pytest.fixture
def runs(campaign: gale.Campaign) -> list[Path]:
    return list(campaign.of_split("test").paths[:3])
