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
settings.register_profile("project", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("project")
