"""From the words of a sweep to Hydra's launcher: the one that ``hydra/launcher=NAME`` selects, ours or any other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hydra import compose, initialize_config_module
from hydra._internal.callbacks import Callbacks
from hydra.core.global_hydra import GlobalHydra
from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn
from hydra.errors import HydraException
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext
from hydra.utils import instantiate
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from benchmark.config import plugin_configs
from benchmark.config.compose import register
from benchmark.config.quoting import word
from benchmark.launchers.engine import Engine, Result, Task
from tasks.errors import InputError


def is_of_hydra(word: str) -> bool:
    """Whether a word is for Hydra: how the jobs are launched, rather than what they are."""
    return word.lstrip("+~").startswith(("hydra/", "hydra."))


class Launch:
    """Launches jobs, one batch after the other.

    Args:
        words: ``hydra/launcher=NAME`` and ``hydra.launcher.KEY=VALUE``.
        home: where the launcher's own files go, below ``sweep``.
        task: what runs a job, given its composed configuration.

    Raises InputError for a launcher that there is not.
    """

    def __init__(self, words: Sequence[str], home: Path, task: Task) -> None:
        self._started = 0
        register()
        with initialize_config_module(version_base="1.3", config_module=plugin_configs.OURS):
            try:
                config = compose("config", overrides=[*words, word("home", str(home))], return_hydra_config=True)
            except (HydraException, OmegaConfBaseException) as error:
                raise InputError(f"{' '.join(words)}: {str(error).splitlines()[0]}") from error
            context = HydraContext(GlobalHydra.instance().config_loader(), Callbacks(config))
        self._launcher = _launcher(config, context, task)

    @property
    def device(self) -> str | None:
        """The kind of device that jobs see, where the launcher decides and says so."""
        return self._launcher.device if isinstance(self._launcher, Engine) else None

    @property
    def places(self) -> int:
        """How many jobs run side by side, where the launcher says so; raises InputError where its extra is missing."""
        return self._launcher.places if isinstance(self._launcher, Engine) else 1

    def __call__(self, jobs: Sequence[Sequence[str]]) -> list[Result]:
        """Launch jobs, and return what became of each; KeyboardInterrupt stops those that are left."""
        if not jobs:
            return []
        done = self._launcher.launch([list(words) for words in jobs], initial_job_idx=self._started)
        self._started += len(jobs)
        return [_result(job) for job in done]


def _launcher(config: DictConfig, context: HydraContext, task: Task) -> Launcher:
    chosen = config.hydra.launcher
    if Plugins.is_in_toplevel_plugins_module(chosen._target_):
        return Plugins.instance().instantiate_launcher(hydra_context=context, task_function=task, config=config)
    launcher: Launcher = instantiate(chosen)
    launcher.setup(hydra_context=context, task_function=task, config=config)
    return launcher


def _result(done: JobReturn) -> Result:
    """Unwrap a result; another launcher may return an error that was none of the job's."""
    try:
        result: Result = done.return_value
    except Exception as error:
        return Result(1, f"{type(error).__name__}: {error}", lost=True)
    return result
