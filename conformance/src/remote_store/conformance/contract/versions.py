"""The installed versions, and whether they are compatible."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from importlib.metadata import Distribution, PackageNotFoundError, distribution, packages_distributions, version

from packaging.requirements import Requirement
from packaging.version import Version

SUITE = "remote-store-conformance"
CORE = "remote-store-core"


def installed() -> Mapping[str, str]:
    """The versions of the suite, core, pytest and Python."""
    return {"suite": _version(SUITE), "core": _version(CORE), "pytest": version("pytest"), "python": python()}


def python() -> str:
    """Name and version of the Python implementation, with operating system and machine."""
    return f"{platform.python_implementation()} {platform.python_version()} on {platform.system()} {platform.machine()}"


def distribution_of(module: str) -> Distribution | None:
    """The distribution that contains a module; `None` if none does."""
    parts = module.split(".")
    for count in range(len(parts), 0, -1):
        try:
            return distribution("-".join(parts[:count]).replace("_", "-"))
        except PackageNotFoundError:
            continue
    names = set(packages_distributions().get(parts[0], ()))
    return distribution(names.pop()) if len(names) == 1 else None


def required(found: Distribution) -> Mapping[str, str]:
    """The installed versions of a distribution's dependencies, by name, without extras, core and the suite."""
    names = [requirement.name for requirement in _requirements(found)]
    return {name: _version(name) for name in names if name not in (CORE, SUITE) and _version(name)}


def skew(backend: Distribution | None = None) -> str:
    """Why the versions of core, suite and backend are incompatible, and how to fix it; empty if they are compatible."""
    for asking in filter(None, (_found(SUITE), backend)):
        for requirement in _requirements(asking):
            there = _version(requirement.name)
            if requirement.name not in (CORE, SUITE) or not there:
                continue
            if not requirement.specifier.contains(there, prereleases=True):
                return _told(asking, requirement, there)
    return ""


def _told(asking: Distribution, requirement: Requirement, there: str) -> str:
    name = asking.metadata["Name"]
    lowest = min((Version(entry.version) for entry in requirement.specifier), default=Version("0"))
    newer = Version(there) > lowest
    mend = f"pip install --upgrade {name}" if newer else f'pip install "{requirement.name}{requirement.specifier}"'
    return (
        f"{name} {asking.version} needs {requirement.name}{requirement.specifier}, but {there} is installed; "
        f"fix it with: {mend}"
    )


def _requirements(found: Distribution) -> list[Requirement]:
    parsed = map(Requirement, found.requires or ())
    return [entry for entry in parsed if entry.marker is None or entry.marker.evaluate({"extra": ""})]


def _found(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None


def _version(name: str) -> str:
    found = _found(name)
    return found.version if found is not None else ""
