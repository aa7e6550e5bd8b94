# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The frame of every module: build it, do its work, turn what was raised into a failed task. The one place for both."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.winbackup.storage.plugins.module_utils._core.interpreter import require_python

# Every module imports this file first: what comes after this line may be written in a later Python.
require_python()

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import (  # noqa: E402
    ConfigurationError,
    StorageError,
)
from ansible_collections.winbackup.storage.plugins.module_utils._core.json_types import as_sentence, to_json_types  # noqa: E402
from ansible_collections.winbackup.storage.plugins.module_utils._core.secrets_in_text import (  # noqa: E402
    passwords_in_addresses,
)
from ansible_collections.winbackup.storage.plugins.module_utils._core.signals import (  # noqa: E402
    Interrupted,
    interruptible,
)
from ansible_collections.winbackup.storage.plugins.module_utils._core.waiting import clock  # noqa: E402


@dataclass(frozen=True)
class ArgumentSpec:
    """The options of a module together with the rules between them, so that they travel as one."""

    options: Mapping[str, Mapping[str, Any]]
    rules: Mapping[str, Any] = field(default_factory=dict)

    def merged_with(self, other: ArgumentSpec) -> ArgumentSpec:
        """Returns a spec with the options and rules of both; an option of `other` wins."""
        rules: dict[str, Any] = dict(self.rules)
        for name, rule in other.rules.items():
            rules[name] = [*rules[name], *rule] if name in rules else rule
        return ArgumentSpec({**self.options, **other.options}, rules)


@dataclass(frozen=True)
class ModuleResult:
    """What a module's work came to: the result, and the sentence that fails the task, if it does."""

    result: Mapping[str, object]
    failure: str | None = None


@dataclass(frozen=True)
class ModuleCall:
    """One call of a module, freed from Ansible: its options, check and diff mode, and where progress is logged."""

    options: Mapping[str, Any]
    check_mode: bool = False
    diff_mode: bool = False
    log: Callable[[str], None] = lambda sentence: None
    # What the monotonic clock said when it began.
    began: float = field(default_factory=clock)


def run_module(spec: ArgumentSpec, work: Callable[[ModuleCall], ModuleResult]) -> None:
    """Runs `work` as an Ansible module; prints its result, or the failure with the facts gathered so far."""
    module = AnsibleModule(argument_spec=dict(spec.options), supports_check_mode=True, **spec.rules)
    # Ansible shows all options of a call; of an address it would show the password, too.
    module.no_log_values |= passwords_in_addresses(module.params)
    call = ModuleCall(module.params, bool(module.check_mode), bool(module._diff), module.debug)
    try:
        failure, result = result_of(work, call)
    except Interrupted as interrupted:
        failure, result = str(interrupted), {}
    for sentence in result.pop("warnings", ()):
        module.warn(sentence)
    if failure is None:
        module.exit_json(**result)
    module.fail_json(msg=failure, **result)


def result_of(work: Callable[[ModuleCall], ModuleResult], call: ModuleCall) -> tuple[str | None, dict[str, Any]]:
    """Does the work of one call; returns (sentence of the failure or None, plain result with `changed`).

    Raises Interrupted where somebody ended it, after all was given back."""
    try:
        with interruptible():
            _check_texts(call.options)
            outcome = work(call)
    except StorageError as error:
        outcome = ModuleResult(error.facts, failure=str(error))
    plain = to_json_types(outcome.result)
    result: dict[str, Any] = {"changed": False, **(plain if isinstance(plain, dict) else {})}
    if result.get("warnings"):
        result["warnings"] = [as_sentence(str(sentence)) for sentence in result["warnings"]]
    if not call.diff_mode:
        result.pop("diff", None)
    return None if outcome.failure is None else as_sentence(outcome.failure), result


def _check_texts(options: Mapping[str, Any]) -> None:
    """Raises ConfigurationError where an option holds what no server, file or console takes; its value is not told."""
    for name, value in options.items():
        texts = value if isinstance(value, list) else [value]
        if any(isinstance(text, str) and any(map(_is_no_character, text)) for text in texts):
            raise ConfigurationError(
                f"{name} holds a NUL, or half a character.", hint="Look at where its value comes from."
            )


def _is_no_character(letter: str) -> bool:
    return letter == "\0" or "\ud800" <= letter <= "\udfff"
