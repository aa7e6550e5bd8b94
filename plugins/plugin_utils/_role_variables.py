# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""A role's variables as its argument specification means them, whatever text they came as. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

# What a role leaves behind begins with its name too, and may stand there from the run before.
_RESULT = "result"
# So alike are a misspelt name and the right one: not `failed` and `fail_on`, which are both in use.
_ALIKE = 0.7


def unknown_variables(role: str, options: Iterable[str], names: Iterable[str]) -> list[str]:
    """Returns a sentence for each of these names that begins with the role's, or with one that a single slip makes of
    it before the end of an option, and is none of its options."""
    known = [*options, f"{role}_{_RESULT}"]
    ends = {name.removeprefix(role) for name in options}
    sentences = []
    for name in sorted(set(names) - set(known)):
        plain = name.casefold()
        meant = [f"{role}{end}" for end in ends if plain.endswith(end) and _is_slip_of(role, plain.removesuffix(end))]
        if meant:
            sentences.append(f"{name} is no variable of the role {role}. Did you mean {max(meant)}?")
        if meant or not name.startswith(f"{role}_"):
            continue
        nearest = get_close_matches(name, known[:-1], n=1, cutoff=0.0)
        sentences.append(f"{name} is no variable of the role {role}. Did you mean {nearest[0]}?")
    return sentences


def _is_slip_of(word: str, text: str) -> bool:
    """Tells whether a text is a word, or the word with one letter left out, put in or changed, or two swapped."""
    if text == word:
        return True
    left = next((at for at, (one, other) in enumerate(zip(word, text, strict=False)) if one != other), None)
    if left is None:
        return abs(len(word) - len(text)) == 1
    rest, typed = word[left:], text[left:]
    swapped = rest[1::-1] + rest[2:]
    return rest[1:] == typed or rest == typed[1:] or rest[1:] == typed[1:] or typed == swapped


def misspelt_variables(beginnings: Iterable[str], options: Iterable[str], names: Iterable[str]) -> list[str]:
    """Returns a sentence for each of these names that has one of the beginnings and is nearly one of the options.

    Inventories have variables of their own that begin with a word as common as `site`; those are left alone.
    """
    by_end = {option.partition("_")[2]: option for option in options}
    sentences = []
    for name in sorted(set(names) - set(by_end.values())):
        beginning, _underscore, end = name.partition("_")
        if beginning not in beginnings or not end:
            continue
        near = [known for known in by_end if end.startswith(known) or known.startswith(end)]
        near = near or get_close_matches(end, by_end, n=1, cutoff=_ALIKE)
        if near:
            sentences.append(f"There is no variable {name}. Did you mean {by_end[near[0]]}?")
    return sentences


def converted(
    role: str, options: Mapping[str, Mapping[str, Any]], given: Mapping[str, object]
) -> tuple[dict[str, Any], list[str]]:
    """Returns the values by their names without the role's, converted; and a sentence for each that cannot be.

    A text for a list is its one entry, an empty text is nothing given. What has neither value nor default is left out.
    """
    shaped = {name: _shaped(options[name], value) for name, value in given.items() if value is not None}
    # Defaults and choices count as the specification has them; an empty answer is none.
    present = {name: value for name, value in shaped.items() if value != ""}
    spec = {name: {key: one[key] for key in one if key in _RULES} for name, one in options.items()}
    # Ansible's own conversion does not refuse them, it breaks down.
    endless = {name: value for name, value in present.items() if spec[name].get("type") == "int" and _is_endless(value)}
    checked = ArgumentSpecValidator(spec).validate({name: present[name] for name in present if name not in endless})
    values = {
        name.removeprefix(f"{role}_"): value
        for name, value in checked.validated_parameters.items()
        if value is not None
    }
    problems = [f"{name} must be a whole number, not {value}" for name, value in endless.items()]
    return values, [*problems, *(str(message) for message in checked.error_messages)]


def chosen(role: str, options: Mapping[str, Mapping[str, Any]], values: Mapping[str, Any]) -> dict[str, Any]:
    """Returns by their full names the values that are not the default; no secrets, and no text that is a template."""
    # The playbook site has variables of its own beside those of audit.
    full = {name if name in options else f"{role}_{name}": value for name, value in values.items()}
    return {
        name: value
        for name, value in full.items()
        if value != options[name].get("default") and not options[name].get("no_log") and "{" not in str(value)
    }


# Of what a specification says of an option, this decides about its value; the rest is documentation.
_RULES = ("type", "elements", "default", "choices", "required", "no_log")


def _is_endless(value: object) -> bool:
    text = str(value).strip().lower().replace("_", "").lstrip("+-")
    return text in ("inf", "infinity")


def _shaped(option: Mapping[str, Any], value: object) -> object:
    if option.get("type") == "list" and not isinstance(value, list | tuple):
        return [] if value == "" else [value]
    return value
