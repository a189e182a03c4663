"""A file that is no kubeconfig is told so, by its name."""

import pytest

from minik8s.client import kubeconfig


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("root:x:0:0\n", "clusters, users and contexts were expected"),
        ("a: [\n", "this is neither YAML nor JSON"),
        ("{", "this is neither YAML nor JSON"),
        ("{}", "no context ''"),
        (None, "no such file or directory"),
    ],
)
def test_what_is_no_kubeconfig_is_told_with_the_name_of_the_file(tmp_path, text, said):
    file = tmp_path / "config"
    if text is not None:
        file.write_text(text)
    with pytest.raises(ValueError, match="kubeconfig") as found:
        kubeconfig.load(file)
    assert str(found.value) == f"kubeconfig {file}: {said}"
