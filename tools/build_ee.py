#!/usr/bin/env python3
"""Builds an execution environment with this collection and runs the audit in it against the lab: `make ee`.

It needs root, podman, buildah and, unless EE_BASE names an image, debootstrap: no image registry is asked.
The collection goes in as a release would have it, with what meta/execution-environment.yml names. All of it lies
in .build/ee; the image is localhost/winbackup-ee in the storage there.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import lay_tree
import release_archive

ROOT = lay_tree.ROOT
PLACE = ROOT / ".build" / "ee"
# Where `make lab-up` writes how the lab is reached, and its certificates.
LAB = ROOT / ".build" / "lab"
BASE = "localhost/winbackup-base:latest"
IMAGE = "localhost/winbackup-ee:latest"
SUITE = "trixie"
PACKAGES = "python3,python3-pip,python3-venv,ca-certificates"
# No kernel feature is asked for that a container lacks: hence the chroot, and storage without overlays.
CHROOT = ["--isolation", "chroot"]
TRUSTED = Path("/etc/ssl/certs/ca-certificates.crt")


def environment() -> dict[str, str]:
    """Returns the environment of podman and buildah: storage of their own, and limits that a container may set."""
    (PLACE / "storage.conf").write_text(
        f'[storage]\ndriver = "vfs"\ngraphroot = "{PLACE}/containers"\nrunroot = "{PLACE}/run"\n', encoding="utf-8"
    )
    (PLACE / "containers.conf").write_text(
        '[containers]\ndefault_ulimits = ["nofile=1024:20000", "nproc=32768:32768"]\n', encoding="utf-8"
    )
    files = {"CONTAINERS_STORAGE_CONF": "storage.conf", "CONTAINERS_CONF": "containers.conf"}
    return {**os.environ, **{name: str(PLACE / file) for name, file in files.items()}}


def run(command: list[str], **more: Any) -> subprocess.CompletedProcess[str]:
    """Runs a program that must succeed."""
    print(f"== {' '.join(command[:3])} ...", flush=True)
    return subprocess.run(command, check=True, text=True, **more)


def base_image(env: dict[str, str]) -> str:
    """Returns the name of the image to build on; makes one of Debian's packages where EE_BASE names none."""
    given = os.environ.get("EE_BASE")
    if given:
        return given
    if subprocess.run(["podman", "image", "exists", BASE], env=env, check=False).returncode == 0:
        return BASE
    tree = PLACE / "base"
    if not (tree / "usr" / "bin" / "pip3").exists():
        shutil.rmtree(tree, ignore_errors=True)
        run(["debootstrap", "--variant=minbase", f"--include={PACKAGES}", SUITE, str(tree)], stdout=subprocess.DEVNULL)
    # The package index may be behind a proxy that this machine trusts.
    shutil.copy(TRUSTED, tree / "etc" / "ssl" / "certs")
    with subprocess.Popen(["tar", "-C", str(tree), "-c", "."], stdout=subprocess.PIPE) as packed:
        run(["podman", "import", "-", BASE], stdin=packed.stdout, env=env, stdout=subprocess.DEVNULL)
    return BASE


def definition(base: str, archive: Path) -> dict[str, Any]:
    """Returns what ansible-builder is asked for."""
    core = next(
        line.split(";")[0].strip()
        for line in reversed((ROOT / "requirements-test.txt").read_text(encoding="utf-8").splitlines())
        if line.startswith("ansible-core==")
    )
    # Debian keeps pip out of its Python, and has no ensurepip.
    pip = "ENV PIP_BREAK_SYSTEM_PACKAGES=1 PIP_DISABLE_PIP_VERSION_CHECK=1"
    # What is compiled joins Python to libraries of C: optimized it would be no faster, and take minutes.
    fast = "ENV CFLAGS=-O0"
    return {
        "version": 3,
        "images": {"base_image": {"name": base}},
        "dependencies": {
            "python_interpreter": {"python_path": "/usr/bin/python3"},
            "ansible_core": {"package_pip": core},
            "ansible_runner": {"package_pip": "ansible-runner"},
            "galaxy": {"collections": [{"name": f"/build/collections/{archive.name}", "type": "file"}]},
        },
        "additional_build_files": [{"src": str(archive), "dest": "collections"}],
        "additional_build_steps": {
            **{f"prepend_{stage}": [pip] for stage in ("base", "galaxy", "final")},
            "prepend_builder": [pip, fast],
        },
        "options": {"package_manager_path": "/usr/bin/apt-get", "skip_pip_install": True},
    }


def build(env: dict[str, str]) -> None:
    """Builds the image."""
    archive = release_archive.build(lay_tree.copy(PLACE / "copy") / lay_tree.INNER, PLACE / "archive", 0)
    # JSON is YAML.
    file = PLACE / "execution-environment.yml"
    file.write_text(json.dumps(definition(base_image(env), archive), indent=2), encoding="utf-8")
    context = PLACE / "context"
    shutil.rmtree(context, ignore_errors=True)
    create = ["ansible-builder", "create", "-f", str(file), "-c", str(context), "--output-filename", "Containerfile"]
    run(create, stdout=subprocess.DEVNULL)
    options = [*CHROOT, "--network", "host", "--pull=never", "--layers=false", "--tag", IMAGE]
    run(["podman", "build", *options, "-f", str(context / "Containerfile"), str(context)], env=env)


def lab_variables() -> dict[str, str]:
    """Returns the environment by which the lab that is up is reached, as `make lab-up` wrote it."""
    words = shlex.split((LAB / "environment").read_text(encoding="utf-8"))
    given = dict(word.split("=", 1) for word in words if "=" in word)
    # Where Ansible and the collection are here is not where they are in the image.
    return {name: value for name, value in given.items() if name.startswith(("VMWARE_", "WINBACKUP_"))}


def audit(env: dict[str, str]) -> None:
    """Runs the audit in the image against the lab that is up, and looks at what it leaves."""
    container = run(["buildah", "from", "--pull-never", IMAGE], env=env, stdout=subprocess.PIPE).stdout.strip()
    try:
        out = PLACE / "out"
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        variables = lab_variables()
        settings = {**variables, "HOME": "/runner", "ANSIBLE_LOCALHOST_WARNING": "false"}
        given = [argument for name, value in settings.items() for argument in ("--env", f"{name}={value}")]
        authorities = {Path(value).parent for name, value in variables.items() if "CA_" in name}
        folders = sorted({out, LAB} | authorities)
        mounted = [argument for folder in folders for argument in ("--volume", f"{folder}:{folder}")]
        # The folders of the lab are only for the user who started it, and that is root here.
        inside = ["buildah", "run", *CHROOT, "--user", "0:0", "--network", "host", *given, *mounted, container, "--"]
        play = ["ansible-playbook", "-i", str(LAB / "inventory.yml"), "winbackup.storage.audit"]
        play += ["--limit", "localhost:dpm"]
        run([*inside, *play, "-e", f"storage_report_path={out}", "-e", f"audit_json={out}/read.json"], env=env)
        # Kerberos and CredSSP are there, and no compiler.
        run([*inside, "python3", "-c", "import krb5, gssapi, requests_credssp, pypsrp, winrm, pyVmomi"], env=env)
        run([*inside, "sh", "-c", "command -v kinit && command -v ssh && ! command -v gcc"], env=env)
        assert (out / "report.html").stat().st_size > 10_000
        read = json.loads((out / "read.json").read_text(encoding="utf-8"))
        print(f"== the audit in the image read {', '.join(sorted(read))}; its report is {out / 'report.html'}")
    finally:
        run(["buildah", "rm", container], env=env, stdout=subprocess.DEVNULL)


def main() -> int:
    """Returns the exit code."""
    needed = ["podman", "buildah", *([] if os.environ.get("EE_BASE") else ["debootstrap"])]
    missing = [name for name in needed if shutil.which(name) is None]
    if missing or os.geteuid() != 0:
        print(f"make ee needs root and {', '.join(missing or needed)}", file=sys.stderr)
        return 1
    PLACE.mkdir(parents=True, exist_ok=True)
    env = environment()
    try:
        build(env)
        audit(env)
    except subprocess.CalledProcessError as fault:
        print(f"{' '.join(map(str, fault.cmd[:3]))} ... ended with {fault.returncode}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
