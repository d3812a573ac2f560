"""Which activation follows a layer of a model, or comes before it: by torch.fx where it traces, else by what is known of the order.

A model that can't be traced is taken apart, and its parts are traced; between parts the order in which they were registered
counts. torch's transformer layers name their activation.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from torch import fx, nn

from actfn import catalog
from actfn.torch.gated import GatedModule
from actfn.torch.recognize import Computed, Tracer, Use, use_of, use_of_call, use_of_function

LAYERS = (
    nn.Linear,
    nn.Conv1d,
    nn.Conv2d,
    nn.Conv3d,
    nn.ConvTranspose1d,
    nn.ConvTranspose2d,
    nn.ConvTranspose3d,
)
_TRANSFORMERS = (nn.TransformerEncoderLayer, nn.TransformerDecoderLayer)


@dataclass
class Neighbour:
    """The activation beside a layer (None: there is none), how it was found, and whether the search came to an end."""

    use: Use | None
    how: str
    ended: bool = True


def neighbours(model: nn.Module, following: bool = True) -> dict[str, Neighbour]:
    """Name of each Linear, convolution and transposed convolution -> the activation that follows it (or comes before it)."""
    found: dict[str, Neighbour] = {}
    _search("", model, following, found)
    for name, part in model.named_modules():
        if isinstance(part, LAYERS) and name not in found:
            found[name] = Neighbour(None, "not called when traced", ended=False)
    return {n: found[n] for n, m in model.named_modules() if isinstance(m, LAYERS)}


def activation_of(part: nn.Module) -> Use | None:
    """What a module is as an activation: for a gated unit, its gate."""
    if isinstance(part, GatedModule):
        return Use(part.definition.name, part.definition, part.values())
    if isinstance(part, nn.GLU):
        gate = catalog.gated_units()["glu"].gate
        return Use(gate, catalog.find(gate))
    found = use_of(part)
    return None if found is None or found.definition.name == "identity" else found


def _search(name: str, part: nn.Module, following: bool, found: dict[str, Neighbour]) -> None:
    if isinstance(part, LAYERS):
        found[name] = Neighbour(None, "none in reach", ended=False)
    elif isinstance(part, _TRANSFORMERS):
        _transformer(name, part, following, found)
    elif not _has_layers(part):
        return
    else:
        graph = _traced(part)
        if graph is None:
            for key, child in part.named_children():
                _search(_joined(name, key), child, following, found)
            _by_registration(name, part, following, found)
        else:
            _by_graph(name, part, graph, following, found)


def _traced(part: nn.Module) -> fx.Graph | None:
    if isinstance(part, nn.ModuleList | nn.ModuleDict) or type(part).__module__ == "torch.nn.modules.transformer":
        return None
    try:
        return Tracer(_leaf).trace(part)
    except Exception:  # whatever a forward raises that is given stand-ins for tensors
        return None


def _leaf(part: nn.Module) -> bool:
    own = type(part).__module__.startswith("torch.nn.") and not isinstance(part, nn.Sequential)
    return own or use_of(part) is not None or isinstance(part, GatedModule)


def _by_graph(name: str, part: nn.Module, graph: fx.Graph, following: bool, found: dict[str, Neighbour]) -> None:
    for node in graph.nodes:
        if node.op != "call_module":
            continue
        own = _joined(name, node.target)
        child = part.get_submodule(node.target)
        if not isinstance(child, LAYERS):
            _search(own, child, following, found)
        elif own not in found:
            found[own] = _along(node, part, following)


def _along(start: fx.Node, part: nn.Module, following: bool) -> Neighbour:
    """The activation nearest to a layer's node."""
    waiting, seen, ended = deque([start]), {start}, True
    while waiting:
        for node in waiting[0].users if following else waiting[0].all_input_nodes:
            if node in seen:
                continue
            seen.add(node)
            if node.op in ("output", "placeholder"):
                ended = False
                continue
            try:
                use = _use(node, part)
            except Computed:
                return Neighbour(None, f"{node.name}: its arguments are computed", ended=False)
            if use is not None:
                return Neighbour(use, "traced")
            if node.op != "call_module" or not _has_layers(part.get_submodule(str(node.target))):
                waiting.append(node)
        waiting.popleft()
    return Neighbour(None, "traced: none", ended)


def _use(node: fx.Node, part: nn.Module) -> Use | None:
    if node.op == "call_module":
        return activation_of(part.get_submodule(str(node.target)))
    return use_of_call(node.target, node.args, node.kwargs) if node.op.startswith("call_") else None


def _by_registration(name: str, part: nn.Module, following: bool, found: dict[str, Neighbour]) -> None:
    """Looks on among a part's children for layers whose search hasn't come to an end."""
    children = [(_joined(name, key), child) for key, child in part.named_children()]
    if not following:
        children.reverse()
    for i, (own, _) in enumerate(children):
        waiting = [n for n in found if not found[n].ended and (n == own or n.startswith(own + "."))]
        for _, other in children[i + 1 :]:
            use = activation_of(other)
            if use is not None:
                for each in waiting:
                    found[each] = Neighbour(use, "order of registration")
            if use is not None or _has_layers(other):
                break


def _transformer(name: str, part: nn.Module, following: bool, found: dict[str, Neighbour]) -> None:
    """linear1, the activation, linear2; attention has none."""
    activation = part.activation
    use = activation_of(activation) if isinstance(activation, nn.Module) else use_of_function(activation)
    beside = "linear1" if following else "linear2"
    for key, layer in part.named_modules():
        if isinstance(layer, LAYERS):
            how = "by name" if use is not None or key != beside else "an activation that isn't known"
            found[_joined(name, key)] = Neighbour(use if key == beside else None, how, how == "by name")


def _has_layers(part: nn.Module) -> bool:
    return any(isinstance(each, LAYERS) for each in part.modules())


def _joined(name: str, key: object) -> str:
    return f"{name}.{key}" if name else str(key)
