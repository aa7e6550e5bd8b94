"""Makes the collection importable under its own name, wherever pytest is started."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent
subprocess.run([sys.executable, str(ROOT / "tools" / "lay_tree.py"), "link"], check=True, stdout=subprocess.DEVNULL)
# Tests never go out to a server that the environment of the person who runs them names.
for name in [name for name in os.environ if name.startswith(("VMWARE_", "WINBACKUP_"))]:
    del os.environ[name]
# How fast examples are made says how busy the machine is, and nothing of the code.
settings.register_profile("any", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# A change is judged by the same examples wherever it is tested; `make test-all` goes and looks for others.
settings.register_profile("project", settings.get_profile("any"), derandomize=True)
settings.register_profile("search", settings.get_profile("any"), max_examples=500)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "project"))
