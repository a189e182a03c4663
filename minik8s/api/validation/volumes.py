"""What a Pod's volumes must keep to: one source each, paths that stay inside, modes that are modes."""

from minik8s.api.pods import PodSpec
from minik8s.api.validation import containers
from minik8s.api.validation.fields import Problems
from minik8s.api.volumes import (
    SOURCES,
    ConfigMapVolumeSource,
    DownwardAPIProjection,
    DownwardAPIVolumeSource,
    KeyToPath,
    ProjectedVolumeSource,
    SecretVolumeSource,
    ServiceAccountTokenProjection,
    Volume,
    VolumeProjection,
)

PARTS = tuple(VolumeProjection.__struct_fields__)


def check(problems: Problems, path: str, spec: PodSpec) -> None:
    names: set[str] = set()
    for at, volume in enumerate(spec.volumes):
        here = f"{path}.volumes[{at}]"
        _check_volume(problems, here, volume)
        if volume.name in names:
            problems.duplicate(f"{here}.name", volume.name)
        names.add(volume.name)


def _check_volume(problems: Problems, path: str, volume: Volume) -> None:
    if not volume.name:
        problems.required(f"{path}.name")
    else:
        problems.label_name(f"{path}.name", volume.name)
    given = [name for name in SOURCES if getattr(volume, name) is not None]
    if not given:
        problems.required(path, "must specify a volume type")
    for extra in given[1:]:
        problems.forbidden(f"{path}.{extra}", "may not specify more than 1 volume type")
    _check_source(problems, path, volume)


def _check_source(problems: Problems, path: str, volume: Volume) -> None:
    if volume.configMap:
        if not volume.configMap.name:
            problems.required(f"{path}.configMap.name")
        _check_files(problems, f"{path}.configMap", volume.configMap)
    if volume.secret:
        if not volume.secret.secretName:
            problems.required(f"{path}.secret.secretName")
        _check_files(problems, f"{path}.secret", volume.secret)
    if volume.hostPath and not volume.hostPath.path:
        problems.required(f"{path}.hostPath.path")
    if volume.downwardAPI:
        _check_mode(problems, f"{path}.downwardAPI.defaultMode", volume.downwardAPI.defaultMode)
        _check_fields(problems, f"{path}.downwardAPI", volume.downwardAPI)
    if volume.projected:
        _check_projected(problems, f"{path}.projected", volume.projected)


def _check_projected(problems: Problems, path: str, projected: ProjectedVolumeSource) -> None:
    _check_mode(problems, f"{path}.defaultMode", projected.defaultMode)
    for at, part in enumerate(projected.sources):
        _check_part(problems, f"{path}.sources[{at}]", part)


def _check_part(problems: Problems, path: str, part: VolumeProjection) -> None:
    """One of the sources of a projected volume."""
    given = [name for name in PARTS if getattr(part, name)]
    if not given:
        problems.required(path, f"must specify a source (minik8s knows {', '.join(PARTS)})")
    for extra in given[1:]:
        problems.forbidden(f"{path}.{extra}", "may not specify more than 1 volume type")
    for kind in ("configMap", "secret"):
        if source := getattr(part, kind):
            if not source.name:
                problems.required(f"{path}.{kind}.name")
            _check_items(problems, f"{path}.{kind}", source.items)
    if part.downwardAPI:
        _check_fields(problems, f"{path}.downwardAPI", part.downwardAPI)
    if part.serviceAccountToken:
        _check_token(problems, f"{path}.serviceAccountToken", part.serviceAccountToken)


def _check_token(problems: Problems, path: str, token: ServiceAccountTokenProjection) -> None:
    if not token.path:
        problems.required(f"{path}.path")
    containers.check_inside(problems, f"{path}.path", token.path)
    seconds = token.expirationSeconds
    if seconds is not None and seconds < 600:
        problems.invalid(f"{path}.expirationSeconds", seconds, "may not specify a duration less than 10 minutes")
    if seconds is not None and seconds > 1 << 32:
        problems.invalid(f"{path}.expirationSeconds", seconds, "may not specify a duration larger than 2^32 seconds")


def _check_fields(problems: Problems, path: str, source: DownwardAPIProjection | DownwardAPIVolumeSource) -> None:
    for at, item in enumerate(source.items):
        here = f"{path}.items[{at}]"
        if not item.path:
            problems.required(f"{here}.path")
        containers.check_inside(problems, f"{here}.path", item.path)
        if item.resourceFieldRef:
            containers.check_amount(problems, f"{here}.resourceFieldRef", item.resourceFieldRef)
            if not item.resourceFieldRef.containerName:
                problems.required(f"{here}.resourceFieldRef.containerName")
        elif item.fieldRef is None or not item.fieldRef.fieldPath:
            problems.required(f"{here}.fieldRef.fieldPath")
        _check_mode(problems, f"{here}.mode", item.mode)


def _check_files(problems: Problems, path: str, source: ConfigMapVolumeSource | SecretVolumeSource) -> None:
    _check_mode(problems, f"{path}.defaultMode", source.defaultMode)
    _check_items(problems, path, source.items)


def _check_items(problems: Problems, path: str, items: list[KeyToPath]) -> None:
    for at, item in enumerate(items):
        _check_mode(problems, f"{path}.items[{at}].mode", item.mode)
        containers.check_inside(problems, f"{path}.items[{at}].path", item.path)
        for field in ("key", "path"):
            if not getattr(item, field):
                problems.required(f"{path}.items[{at}].{field}")


def _check_mode(problems: Problems, place: str, mode: int | None) -> None:
    if mode is not None and not 0 <= mode <= 0o777:
        problems.invalid(place, mode, "must be a number between 0 and 0777 (octal), both inclusive")
