"""`swap`: another activation in a model that is there already, with its hooks and parameters kept, and a way back.

An activation is found as a module, as a function that a module keeps as an attribute
(`TransformerEncoderLayer.activation`), and as a call within a module's `forward`. Calls are replaced through torch.fx, one
module at a time, once for training and once for evaluation, as fx fixes what depends on that flag; the model's class stays.
"""

from __future__ import annotations

import copy
import dis
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import CodeType
from typing import Any, cast

from torch import fx, nn

from actfn import catalog
from actfn.torch.modules import ActivationModule
from actfn.torch.recognize import Computed, Tracer, Use, known_function, use_of, use_of_call, use_of_function
from actfn.torch.replacement import Matcher, keep, maker, matcher
from actfn.torch.table import table


@dataclass(frozen=True)
class Row:
    """One place: its name in the model, what kind it is ("module", "attribute", "call" or "left"), what was and is there."""

    place: str
    kind: str
    old: str
    new: str


@dataclass
class Swapped:
    """What `swap` did: `len` places, which `str` shows as a table of 80 columns; `undo()` takes it back.

    `model` is the model that was given, or what has replaced it where it was itself an activation. `left` are the places
    that couldn't be changed, each with its reason in `new`.
    """

    model: nn.Module
    rows: list[Row] = field(default_factory=list)
    left: list[Row] = field(default_factory=list)
    _original: nn.Module | None = None
    _undo: list[Callable[[], None]] = field(default_factory=list, repr=False)

    def undo(self) -> nn.Module:
        """Puts back what was there, and returns the model. Doing it twice does nothing."""
        while self._undo:
            self._undo.pop()()
        self.model = self._original if self._original is not None else self.model
        return self.model

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __str__(self) -> str:
        shown = [(r.place or "(the model)", r.kind, r.old, r.new) for r in (*self.rows, *self.left)]
        counted = f"{len(self.rows)} replaced" + (f", {len(self.left)} left" if self.left else "")
        return "\n".join([table(("place", "kind", "old", "new"), shown), counted]) if shown else counted


def swap(model: nn.Module, old: Any, new: Any, /, *, calls: bool = True, **arguments: Any) -> Swapped:
    """Replaces the activations `old` of a model by `new`, in place, and says what it replaced and what it couldn't.

    `old` is a class (`nn.ReLU`: exactly that, no subclass), a name ("relu", PyTorch's and ours; or a class's own name), a
    function (`F.gelu`), a predicate of (name, module), or a tuple of these. A class and a name stand for calls of that
    function too, unless `calls=False`.
    `new` is a name, a formula, a config (see `from_config`), a definition, a module (copied for each place), a module class,
    or a function of the old module. `arguments` go to the new module, as in `swap(model, nn.ReLU, "elu", alpha=0.5)`.

    A module at several places is replaced by one. Forward and backward hooks, the training flag and `inplace` are kept; where
    old and new are the same function, so are its arguments, and a learned parameter stays the same object. New parameters
    get the device and dtype of those beside them.

    Raises `LookupError` for a name that is neither the catalog's nor that of a class in the model, `TypeError` for what is
    no module; the model is then as it was.
    """
    if not isinstance(model, nn.Module):
        raise TypeError(f"swap changes a torch.nn.Module, not {type(model).__name__}")
    return _Swap(model, matcher(old, model), maker(new, arguments), calls).run()


# -- doing it -----------------------------------------------------------------------------------------------------------------


class _Swap:
    """One swap at work."""

    def __init__(self, model: nn.Module, matcher: Matcher, make: Callable[[nn.Module], nn.Module], calls: bool) -> None:
        self.matcher, self.make, self.calls = matcher, make, calls
        self.result = Swapped(model, _original=model)
        self.made: dict[int, tuple[nn.Module, nn.Module]] = {}
        """By the id of an old module: it and the new one."""

    def run(self) -> Swapped:
        model = self.result.model
        if self.matcher.module("", model):
            new = self._replacement(model, model)
            self._note("", "module", model, new)
            self.result.model = new
            return self.result
        try:
            parts = list(model.named_modules(remove_duplicate=False))
            matched = {n: m for n, m in parts if n and self.matcher.module(n, m)}
            inside = tuple(f"{n}." for n in matched)
            for name, old in matched.items():
                if not name.startswith(inside):
                    self._in_parent(name, old)
            firsts = {id(m): n for n, m in reversed(parts)}
            others = [(n, m) for n, m in parts if firsts[id(m)] == n and n not in matched and not n.startswith(inside)]
            if self.calls:
                for name, owner in others:
                    self._attributes(name, owner)
                for name, owner in others:
                    self._calls(name, owner)
            self._fast_paths(model)
        except BaseException:
            self.result.undo()
            raise
        return self.result

    def _note(self, place: str, kind: str, old: Any, new: Any) -> None:
        shown = [repr(v) if isinstance(v, nn.Module) else str(v) for v in (old, new)]
        (self.result.left if kind == "left" else self.result.rows).append(Row(place, kind, *shown))

    def _replacement(self, old: nn.Module, owner: nn.Module) -> nn.Module:
        """The new module, with what is kept of the old one."""
        if id(old) not in self.made:
            new = self.make(old)
            if not isinstance(new, nn.Module):
                raise TypeError(f"the new activation for {old!r} is a torch.nn.Module, not {new!r}")
            place = next((p for m in (owner, self.result.model) for p in m.parameters() if p.is_floating_point()), None)
            if place is not None:
                new.to(place.device, place.dtype)
            keep(old, new)
            self.made[id(old)] = (old, new)
        return self.made[id(old)][1]

    def _in_parent(self, name: str, old: nn.Module) -> None:
        path, _, key = name.rpartition(".")
        parent = self.result.model.get_submodule(path)
        new = self._replacement(old, parent)
        _set_child(parent, key, new)

        def undo() -> None:
            _set_child(parent, key, old)
            old.train(new.training)

        self.result._undo.append(undo)
        self._note(name, "module", old, new)

    def _attributes(self, name: str, owner: nn.Module) -> None:
        for key, value in list(vars(owner).items()):
            if key == "forward" or not callable(value) or isinstance(owner, ActivationModule):
                continue
            use = use_of_function(value)
            if use is not None and self.matcher.use(use):
                new = self._replacement(_stand_in(use, owner), owner)
                self._set_attribute(owner, key, new)
                self._note(f"{name}.{key}".lstrip("."), "attribute", _called(value), new)

    def _set_attribute(self, owner: nn.Module, key: str, new: Any) -> None:
        """Sets an attribute that is no module to anything."""
        before = vars(owner)[key]
        setattr(owner, key, new)
        if isinstance(owner, nn.TransformerDecoderLayer) and isinstance(new, nn.Module):
            vars(owner)[key] = new  # or a copy of the layer takes F.relu, as it finds none among its attributes

        def undo() -> None:
            delattr(owner, key)
            setattr(owner, key, before)

        self.result._undo.append(undo)

    def _fast_paths(self, model: nn.Module) -> None:
        """Tells torch's transformers, which run a fused ReLU or GELU in evaluation, whether theirs is still one."""
        for layer in model.modules():
            if not isinstance(layer, nn.TransformerEncoderLayer):
                continue
            now: Any = layer.activation
            if any(now is new for _, new in self.made.values()):
                use = use_of(now)
                relu = use is not None and use.definition.name == "relu"  # ours too: there is one result
                gelu = type(now) is nn.GELU and now.approximate == "none"
                self._set_attribute(layer, "activation_relu_or_gelu", 1 if relu else 2 if gelu else 0)
        for encoder in model.modules():
            nested = isinstance(encoder, nn.TransformerEncoder) and encoder.use_nested_tensor
            if nested and not all(
                getattr(layer, "activation_relu_or_gelu", 0) for layer in cast(nn.ModuleList, encoder.layers)
            ):
                self._set_attribute(encoder, "use_nested_tensor", False)

    # -- calls within forward ---------------------------------------------------------------------------------------------

    def _calls(self, name: str, owner: nn.Module) -> None:
        kind = type(owner)
        if kind.__module__.startswith("torch.nn.") or isinstance(owner, ActivationModule) or not self._mentions(kind):
            return
        place = f"{name}.forward".lstrip(".")
        before = vars(owner).get("forward")
        reason = None if before is None or isinstance(before, Traced) else "its forward isn't its class's own"
        reason = reason or _fixed_choice(kind.forward)
        if reason:
            self._note(place, "left", kind.__name__, reason)
            return
        graphs: dict[bool, fx.Graph] = {}
        attributes = set(vars(owner))
        for training in (True, False):
            try:
                graphs[training] = _graph(owner, training, before)
            except Exception as error:  # whatever a forward raises that is given stand-ins for tensors
                said = str(error).strip().split("\n")[0]
                self._note(place, "left", kind.__name__, f"torch.fx can't trace it: {said}")
                return
            finally:
                for constant in set(vars(owner)) - attributes:
                    self.result._undo.append(lambda constant=constant: vars(owner).pop(constant, None))
        added: dict[str, str] = {}
        for training, graph in graphs.items():
            self._in_graph(graph, owner, place, training, added)
        if added:
            forward = Traced(owner, {t: fx.GraphModule(owner, g, type(owner).__name__) for t, g in graphs.items()})
            owner.forward = forward

            def undo() -> None:
                del owner.forward
                if before is not None:
                    owner.forward = before
                for key in added.values():
                    owner._modules.pop(key, None)

            self.result._undo.append(undo)

    def _mentions(self, kind: type) -> bool:
        """Whether the class's methods name a function that may be one to replace: tracing has a price."""
        names: set[str] = set()
        for each in kind.__mro__[: kind.__mro__.index(nn.Module)]:
            for key, member in vars(each).items():
                if key != "__init__" and hasattr(member, "__code__"):
                    names |= _names(member.__code__)
        entries = {n.removesuffix("_") for n in names} & set(catalog.entries())
        return any(self.matcher.use(use) for n in entries for use in _uses(n))

    def _in_graph(self, graph: fx.Graph, owner: nn.Module, place: str, training: bool, added: dict[str, str]) -> None:
        for node in list(graph.nodes):
            if node.op not in ("call_function", "call_method"):
                continue
            shown = _called(node.target)
            try:
                use = use_of_call(node.target, node.args, node.kwargs, training)
            except Computed as reason:
                known = known_function(node.target)
                if training and known is not None and any(map(self.matcher.use, _uses(known[0]))):
                    self._note(f"{place}: {node.name}", "left", shown, str(reason))
                continue
            if use is None or not self.matcher.use(use):
                continue
            key = added.get(node.name)
            if key is None:
                key = added[node.name] = _free(f"swapped_{node.name}", owner)
                owner.add_module(key, self._replacement(_stand_in(use, owner), owner))
                self._note(f"{place}: {node.name}", "call", shown, owner.get_submodule(key))
            x = node.args[0] if node.args else node.kwargs["input"]
            with graph.inserting_after(node):
                call = graph.call_module(key, (x,))
            node.replace_all_uses_with(call)
            graph.erase_node(node)
        graph.lint()


def _set_child(parent: nn.Module, key: str, child: nn.Module) -> None:
    if key in vars(parent) and vars(parent)[key] is parent._modules.get(key):
        vars(parent)[key] = child
    parent._modules[key] = child


def _names(code: CodeType) -> set[str]:
    """The names that code refers to, but for its own attributes (`self.relu`)."""
    found, before = set(), None
    for step in dis.get_instructions(code):
        if isinstance(step.argval, str) and not (before is not None and before.argval == "self"):
            found.add(step.argval)
        before = step
    return found


def _uses(name: str) -> list[Use]:
    """What a function of an entry's name may be."""
    variants = ["gelu", "gelu_tanh"] if name == "gelu" else [name]
    return [Use(name, catalog.find(each)) for each in variants]


def _free(name: str, owner: nn.Module) -> str:
    """The name, with a _ more for each that is taken."""
    while hasattr(owner, name):
        name += "_"
    return name


def _stand_in(use: Use, owner: nn.Module) -> nn.Module:
    return use.module().train(owner.training)


def _called(target: Any) -> str:
    return f"Tensor.{target}" if isinstance(target, str) else getattr(target, "__name__", repr(target))


# -- traced forwards ----------------------------------------------------------------------------------------------------------


class Traced:
    """The forward of one module, as torch.fx traced it in training and in evaluation, with other calls in it."""

    def __init__(self, owner: nn.Module, modes: dict[bool, fx.GraphModule]) -> None:
        self.owner, self.modes = owner, modes

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return type(self.modes[self.owner.training]).forward(self.owner, *args, **kwargs)  # pyright: ignore


def _fixed_choice(forward: Any) -> str | None:
    """Why tracing would fix what an argument decides, or None."""
    for name, parameter in inspect.signature(forward).parameters.items():
        if parameter.default is None or isinstance(parameter.default, bool):
            return f"torch.fx would fix what its argument {name}={parameter.default} decides"
    return None


def _graph(owner: nn.Module, training: bool, before: Any) -> fx.Graph:
    if isinstance(before, Traced):
        return copy.deepcopy(before.modes[training].graph)
    flags = [(m, m.training) for m in owner.modules()]
    try:
        for part, _ in flags:
            part.training = training
        graph = Tracer().trace(owner)
    finally:
        for part, flag in flags:
            part.training = flag
    for node in graph.nodes:
        node.type = None  # an annotation that is text would be in the way of pickling
    return graph
