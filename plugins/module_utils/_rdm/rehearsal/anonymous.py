# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""A report to be attached to an issue: versions, what was accepted, the words of refusals, and no name. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial

from ansible_collections.winbackup.storage.plugins.module_utils._rdm.host_lun import HostLun
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import VirtualMachine
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.rehearsal.edge import About
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.rehearsal.fitness import Stage
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.rehearsal.questions import (
    Answer,
    Prediction,
    Question,
)

FORMAT = 1
_TIB = 1024**4
# What names something wherever it comes from, in the order in which it is looked for.
_TELLING: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("<url>", re.compile(r"\b[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE)),
    ("<file>", re.compile(r"\[[^\]\n]*\](?: [^\n]*?\.(?:vmdk|vmx|vmsd|nvram|log)\b|(?: \S+)?)")),
    ("<path>", re.compile(r"(?<![\w<])/(?:vmfs|var|tmp|scratch|opt|etc|dev)\b\S*")),
    ("<lun>", re.compile(r"\b(?:naa|eui|t10|mpx|vml|sym|uuid|fc)\.[\w:.+-]+", re.IGNORECASE)),
    ("<address>", re.compile(r"\b(?:\d{1,3}\.){3}\d{1,3}\b|\b(?:[0-9a-f]{1,4}:){3,7}[0-9a-f]{1,4}\b", re.IGNORECASE)),
    ("<user>", re.compile(r"\b[\w.+-]+@[\w.-]+|\b[\w-]+\\\S+")),
    ("<id>", re.compile(r"\b[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}\b|\b[0-9a-f]{16,}\b", re.IGNORECASE)),
    ("<object>", re.compile(r"\b(?:vm|host|datastore|group|resgroup|domain|datacenter|task|session)-[a-z]?\d+\b")),
    ("<host>", re.compile(r"\b(?:[\w-]+\.){2,}[a-z]{2,}\b(?!\()", re.IGNORECASE)),
)
# Words of the API that look like the name of a host.
_OF_THE_API = re.compile(r"(?:vim|vmodl|msg|vpx)\.", re.IGNORECASE)


def names_of(stage: Stage, machine: VirtualMachine | None, server: str, user: str) -> dict[str, str]:
    """Returns the names that may stand in an answer, each with what is written in its place."""
    lun, host = stage.lun, stage.host
    names = dict.fromkeys((lun.canonical_name, lun.uuid, lun.vml, lun.display_name, *lun.names), "<lun>")
    names |= dict.fromkeys((lun.device_path, lun.device_name, lun.serial or ""), "<lun>")
    names |= {
        stage.datastore.name: "<datastore>",
        stage.datastore.uuid: "<datastore>",
        stage.datastore.id: "<datastore>",
    }
    names |= {host.name: "<host>", host.id: "<host>", server: "<server>", user: "<user>"}
    names |= dict.fromkeys((host.datacenter or "", host.cluster or ""), "<place>")
    if machine is not None:
        texts = (machine.name, machine.id, machine.path, machine.instance_uuid or "", machine.vmx_path or "")
        names |= dict.fromkeys(texts, "<vm>")
    names.pop("", None)
    return names


def without_names(text: str, names: Mapping[str, str]) -> str:
    """Returns the text with everything that names something of the site replaced by what it is."""
    for name in sorted(names, key=lambda name: (-len(name), name)):
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", names[name], text, flags=re.I)
    for placeholder, pattern in _TELLING:
        text = pattern.sub(partial(_instead, placeholder), text)
    return text


def _instead(placeholder: str, found: re.Match[str]) -> str:
    return found[0] if placeholder == "<host>" and _OF_THE_API.match(found[0]) else placeholder


def report(
    about: About,
    stage: Stage,
    machine: VirtualMachine | None,
    answers: Mapping[Question, Answer],
    prediction: Prediction,
    names: Mapping[str, str],
) -> dict[str, object]:
    """Returns the report of a rehearsal."""
    return {
        "format": FORMAT,
        "server": about,
        "host": {"version": stage.host.version},
        "datastore": {"type": stage.datastore.type, "version": stage.datastore.version},
        "vm": {"hardware_version": machine.version if machine is not None else None},
        "lun": _lun(stage.lun),
        "answers": answers_result(answers, names),
        "conversion": prediction,
    }


def answers_result(answers: Mapping[Question, Answer], names: Mapping[str, str] | None) -> list[dict[str, object]]:
    """Returns the answers as results list them; without the names of the site where these are given."""
    rows: list[dict[str, object]] = []
    for question, answer in answers.items():
        message = answer.message
        if message is not None and names is not None:
            message = without_names(message, names)
        rows.append({"question": question, "verdict": answer.verdict, "fault": answer.fault, "message": message})
    return rows


def _lun(lun: HostLun) -> dict[str, object]:
    """Returns what kind of LUN it is: nothing by which it, or the site, could be told from others."""
    size = lun.capacity_bytes
    return {
        "kind_of_name": lun.canonical_name.partition(".")[0] if "." in lun.canonical_name else None,
        "local": lun.local,
        "ssd": lun.ssd,
        "sectors": lun.disk_type,
        "block_size": lun.block_size,
        "larger_than_2_tib": size > 2 * _TIB if size is not None else None,
        "is_ata": None if lun.vendor is None else lun.vendor.upper() == "ATA",
    }
