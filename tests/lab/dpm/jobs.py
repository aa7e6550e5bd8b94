# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Jobs and their tasks as scripts see them."""

from __future__ import annotations

import uuid
from typing import Any

from powershell import Int64

from .faces import Face, date, error_info, member
from .records import DataSource, Job
from .server import DpmServer
from .signatures import JOB_TYPES, STATUSES
from .sources import SourceFace
from .texts import JOB_TEXTS


class JobFace(Face):
    """A job, always as it is now."""

    kind = "Job"

    def __init__(self, server: DpmServer, job: Job) -> None:
        super().__init__()
        self.job = job
        self._server = server

    def ps_get(self, name: str) -> Any:
        with self._server.lock:
            self._server.settle()
            options, job = self._server.options, self.job
            self._values = {
                "status": member(options, "JobStatusType", STATUSES, job.status),
                "starttime": date(job.start),
                "endtime": date(job.end),
                "hascompleted": job.end is not None,
                "protectiongroupname": job.group_name,
                "datasize": Int64(job.size),
                "datasources": self._sources,
                "tasklist": self._tasks,
                "tasks": self._tasks,
            }
            kind = member(options, "DPMJobType", JOB_TYPES, job.type)
            if options.job_type == "text":
                texts = JOB_TEXTS.get(job.type, (job.type, job.type))
                self._values |= {"jobtype": texts[options.japanese], "jobcategory": kind}
            else:
                self._values["jobtype"] = kind
            if options.job_id != "none":
                self._values[options.job_id.lower()] = job.id
            return super().ps_get(name)

    def _sources(self) -> list[Any]:
        if self._server.options.job_datasources == "names":
            return [one.name for one in self.job.sources]
        return [SourceFace(self._server, one) for one in self.job.sources]

    def _tasks(self) -> list[Any]:
        return [TaskFace(self._server, self.job, source) for source in self.job.sources]


class TaskFace(Face):
    kind = "Task"

    def __init__(self, server: DpmServer, job: Job, source: DataSource) -> None:
        options = server.options
        super().__init__(
            {
                "CreatedTime": date(job.start),
                "StartTime": date(job.start),
                "EndTime": date(job.end),
                "Status": member(options, "JobStatusType", STATUSES, job.status),
                "Type": member(options, "DPMJobType", JOB_TYPES, job.type),
                "ProductionServerName": source.computer,
                "DatasourcePath": source.name if options.task_path == "name" else source.display_path or source.name,
                "TaskId": uuid.uuid5(job.id, str(source.id)),
                "ErrorInfo": None if job.error is None else error_info(server, job.error, job.detail),
            }
        )
