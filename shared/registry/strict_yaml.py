"""YAML that means one thing: no field is given twice, and a day is text like any other."""

from collections import Counter
from collections.abc import Iterator

import yaml

from shared.domain.errors import IkmError
from shared.domain.violation import Violation


class NotYaml(IkmError):
    """The file is not YAML."""


class _Loader(yaml.SafeLoader):
    """YAML without dates: a day that no calendar has must be a violation, not an exception."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def load(source: str) -> tuple[object, list[Violation]]:
    """Return the content of one document, and the fields that it gives twice. Raises NotYaml."""
    try:
        loader = _Loader(source)
        node = loader.get_single_node()
        if node is None:
            return None, []
        return loader.construct_document(node), list(_repeated_fields(node, "", set()))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise NotYaml(str(error)) from error


def field_path(path: str, name: object) -> str:
    """Return the path of a field of the mapping at `path`."""
    return f"{path}.{name}" if path else str(name)


def _repeated_fields(node: yaml.Node, path: str, seen: set[int]) -> Iterator[Violation]:
    """Yield the fields given twice in one mapping, of which YAML would silently keep the last."""
    if id(node) in seen:  # an alias
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _repeated_fields(item, f"{path}[{index}]", seen)
    elif isinstance(node, yaml.MappingNode):
        names = Counter(key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode))
        for name, times in names.items():
            if times > 1:
                yield Violation(field_path(path, name), "repeated", "is given twice")
        for key, item in node.value:
            yield from _repeated_fields(item, field_path(path, key.value), seen)
