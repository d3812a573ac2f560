"""The words and signs of a formula, and the first pass over its text: what is wrong, where, and what to write instead.

Plain text work: no SymPy, no `ast`. The one idea: in a formula values and operators take turns, so that one look at
each token finds nearly every mistake at the place where a person sees it, before a deeper grammar is asked.
"""

from __future__ import annotations

import keyword
import re
import unicodedata
from typing import NoReturn

MAX_LENGTH = 2000
MAX_BRACKETS = 50
MAX_DIGITS = 40
MAX_DECIMAL_EXPONENT = 400
MAX_NAME = 30
WIDTH = 70
"""Columns of a long text shown in an error."""

_UNARY = """
abs sign exp expm1 log log1p sqrt cbrt sin cos tan asin acos atan sinh cosh tanh asinh erf erfc sigmoid softplus relu
"""
FUNCTIONS = {
    **dict.fromkeys(_UNARY.split(), "u"),
    **dict.fromkeys(("min", "max"), "u, v, ..."),
    "clip": "u, low, high",
    "where": "condition, value, otherwise",
}
"""Name -> arguments."""
KNOWN = {*FUNCTIONS, "x", "pi", "e"}


class FormulaError(ValueError):
    """A formula that can't be read: `text`, `position` (column from 0), `reason`, and `hint`: what to write instead.

    As a string it shows the text with carets under the place.
    """

    def __init__(self, text: str, position: int, reason: str, hint: str = "", length: int = 1) -> None:
        super().__init__(text, position, reason, hint, length)  # all of them, so that it can be pickled
        self.text, self.position, self.reason, self.hint, self.length = text, position, reason, hint, length

    def __str__(self) -> str:
        lines = [self.reason]
        if self.text:
            start = max(0, min(self.position - WIDTH // 3, len(self.text) - WIDTH))
            shown = "".join(_printable(character) for character in self.text[start : start + WIDTH])
            at = self.position - start
            before, after = "..." if start else "", "..." if start + WIDTH < len(self.text) else ""
            carets = "^" * max(1, _columns(shown[at : at + self.length]))
            lines += [f"  {before}{shown}{after}", " " * (2 + len(before) + _columns(shown[:at])) + carets]
        return "\n".join([*lines, self.hint] if self.hint else lines)


def _printable(character: str) -> str:
    return " " if character.isspace() else character if character.isprintable() else "?"


def _columns(text: str) -> int:
    """The width of a text in a terminal."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return len(text) + wide - sum(unicodedata.combining(character) > 0 for character in text)


_ONLY = "a formula has numbers, names and operators only"
_WHERE = "where(condition, value, otherwise)"
_OTHER_NAMES = {
    "ln": "log(x)",
    "log2": "log(x)/log(2)",
    "log10": "log(x)/log(10)",
    "exp2": "2**x",
    "pow": "x**2",
    "power": "x**2",
    "square": "x**2",
    "sqr": "x**2, or sqrt(x)",
    "reciprocal": "1/x",
    "rsqrt": "1/sqrt(x)",
    "fabs": "abs(x)",
    "absolute": "abs(x)",
    "sgn": "sign(x)",
    "maximum": "max(x, 0)",
    "fmax": "max(x, 0)",
    "minimum": "min(x, 0)",
    "fmin": "min(x, 0)",
    "clamp": "clip(x, low, high)",
    "arcsin": "asin(x)",
    "arccos": "acos(x)",
    "arctan": "atan(x)",
    "arcsinh": "asinh(x)",
    "acosh": "log(x + sqrt(x**2 - 1))",
    "atanh": "log((1 + x)/(1 - x))/2",
    "cot": "1/tan(x)",
    "expit": "sigmoid(x)",
    "logistic": "sigmoid(x)",
    "logsigmoid": "-softplus(-x)",
    "log_sigmoid": "-softplus(-x)",
    "silu": "x*sigmoid(x)",
    "swish": "x*sigmoid(x)",
    "heaviside": "where(x > 0, 1, 0)",
    "step": "where(x > 0, 1, 0)",
    "piecewise": _WHERE,
    "select": _WHERE,
    "ifelse": _WHERE,
}
_OTHER_WORDS = {
    **dict.fromkeys(("if", "else"), f"write {_WHERE}"),
    **dict.fromkeys(("True", "False"), "write a comparison, such as x > 0"),
}
_OTHER_SIGNS = {
    "^": "write ** for a power, as in x**2",
    "&&": "write 'and'",
    "&": "write 'and'",
    "||": "write 'or'",
    "|": "write abs(x) for |x|, and 'or' between conditions",
    "!": "write 'not'",
    "~": "write 'not'",
    "=": "write == to compare; an argument has no name in front",
    ":=": "write == to compare; an argument has no name in front",
    "=>": "write >=",
    "=<": "write <=",
    "<>": "write !=",
    "//": "write / to divide",
    "%": "a formula has no remainder",
    "@": "write * to multiply",
    "?": f"write {_WHERE}",
    "[": "write ( and )",
    "]": "write ( and )",
    "{": "write ( and )",
    "}": "write ( and )",
    "'": _ONLY,
    '"': _ONLY,
    "#": _ONLY,
    ";": _ONLY,
    ":": _ONLY,
    ".": _ONLY,
    "\\": "write plain Python-like text, not TeX",
    "$": "write plain Python-like text, not TeX",
}
_OTHER_CHARACTERS = {
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"),
    **dict.fromkeys("\u00d7\u00b7\u22c5\u2219\u2217\u2022", "*"),
    **dict.fromkeys("\u00f7\u2215\u2044", "/"),
    **dict(zip("\u2264\u2a7d\u2265\u2a7e\u2260", ("<=", "<=", ">=", ">=", "!="), strict=True)),
    **dict(zip("\u2227\u2228\u00ac", ("and", "or", "not"), strict=True)),
    **dict(zip("\u221a\u221b", ("sqrt(...)", "cbrt(...)"), strict=True)),
    **dict(zip("\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456", "aeopcyxi", strict=True)),  # Cyrillic
    "\u03bb": "lam",  # 'lambda' is a word of Python's
}


def other_name(name: str) -> str:
    """What to write for a name that other languages and libraries have; "" where nobody knows."""
    return _OTHER_NAMES.get(name.lower(), "")


def _ascii_for(character: str) -> str:
    """What to write for a character that isn't ASCII; "" where nobody knows."""
    if character in _OTHER_CHARACTERS:
        return _OTHER_CHARACTERS[character]
    plain = unicodedata.normalize("NFKC", character)
    if unicodedata.decomposition(character).startswith("<super>") and plain.isascii():
        return f"**{plain}"
    name = unicodedata.name(plain, "") if len(plain) == 1 else ""
    if name.startswith("GREEK "):
        return name.split(" WITH ")[0].rsplit(" ", 1)[-1].lower()
    return plain if plain.isascii() and plain.isprintable() else ""


def check_parameter(name: str) -> None:
    def refuse(reason: str, hint: str) -> NoReturn:
        raise FormulaError(name, 0, f"a parameter can't be named {name[: MAX_NAME + 1]!r}: {reason}", hint, len(name))

    if name in KNOWN:
        refuse("a formula's own word", f"choose another, such as {name}_1")
    if keyword.iskeyword(name):
        refuse("a word of Python's", f"choose another, such as {'lam' if name == 'lambda' else name + '_1'}")
    if not (name.isascii() and name.isidentifier()) or name.startswith("_"):
        refuse("a name is a letter, then letters, digits and _", "choose another, such as alpha")
    if len(name) > MAX_NAME:
        refuse("it is too long", f"choose one of at most {MAX_NAME} characters")


_SPACE = re.compile(r"\s*", re.ASCII)
_NUMBER = re.compile(r"(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_OTHER_NUMBER = re.compile(r"0[xX][\da-fA-F]+|0[oO][0-7]+|0[bB][01]+|\d+(?:_\d+)+|0\d+(?![\d.eE])", re.ASCII)
_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_DOTTED = re.compile(r"[A-Za-z_]\w*(?:\s*\.\s*[A-Za-z_]\w*)+", re.ASCII)
_SIGN = re.compile(r"\*\*|[<>=!]=|[-+*/<>(),]")


class Scan:
    """One pass over a text; raises `FormulaError` at the first token that doesn't fit."""

    def __init__(self, text: str) -> None:
        if not isinstance(text, str):
            raise FormulaError("", 0, f"a formula is a text, not {type(text).__name__}")
        self.text = text
        self.values: list[str] = []
        """The names used as values, in order."""
        if len(text) > MAX_LENGTH:
            self._refuse(MAX_LENGTH, f"the formula is {len(text)} characters long", f"at most {MAX_LENGTH}")
        self._brackets: list[tuple[int, bool]] = []  # position, whether it opens the arguments of a call
        self._last, self._value_due = "", True  # the token before, and whether a value must come next
        position = self._space(0)
        if position == len(text):
            self._refuse(0, "the formula is empty", "write one in x, such as x*sigmoid(x)")
        while position < len(text):
            for pattern, read in ((_NUMBER, self._number), (_NAME, self._name), (_SIGN, self._sign)):
                match = pattern.match(text, position)
                if match and text[position : position + 2] not in _OTHER_SIGNS:
                    read(match[0], position)
                    self._last, position = match[0], self._space(match.end())
                    break
            else:
                self._other(position)
        if self._value_due:
            self._refuse(len(text.rstrip()), "the formula ends where a value should follow")
        if self._brackets:
            self._refuse(self._brackets[-1][0], "this bracket is never closed")

    def _refuse(self, position: int, reason: str, hint: str = "", length: int = 1) -> NoReturn:
        raise FormulaError(self.text, position, reason, hint, length)

    def _space(self, position: int) -> int:
        match = _SPACE.match(self.text, position)
        return match.end() if match else position

    def _value(self, token: str, position: int) -> None:
        if not self._value_due:
            ahead = "(...)" if token == "(" else token[:MAX_NAME]
            call = f"{self._last}({ahead})" if self._last in FUNCTIONS else f"{self._last[-MAX_NAME:]}*{ahead}"
            self._refuse(position, "an operator is missing before this", f"write {call}", len(token))
        self._value_due = False

    def _number(self, token: str, position: int) -> None:
        other = _OTHER_NUMBER.match(self.text, position)
        if other and len(other[0]) <= MAX_DIGITS:
            digits = other[0].replace("_", "")
            plain = int(digits, 0 if digits[1:2].isalpha() else 10)
            self._refuse(position, "this is no plain decimal number", f"write {plain}", len(other[0]))
        self._value(token, position)
        digits, _, exponent = token.lower().partition("e")
        if len(digits.replace(".", "")) > MAX_DIGITS or abs(int(exponent or 0)) > MAX_DECIMAL_EXPONENT:
            limits = f"at most {MAX_DIGITS} digits, and an exponent of at most {MAX_DECIMAL_EXPONENT} in size"
            self._refuse(position, "the number is too long", limits, len(token))

    def _name(self, token: str, position: int) -> None:
        if token in ("and", "or"):
            self._operator(token, position)
        elif token == "not":
            if self._last not in ("", "(", ",", "and", "or", "not"):
                self._refuse(position, "'not' can't stand here", "put brackets around it and its condition", len(token))
        elif keyword.iskeyword(token):
            hint = _OTHER_WORDS.get(token, _ONLY)
            self._refuse(position, f"{token!r} can't stand in a formula", hint, len(token))
        elif dotted := _DOTTED.match(self.text, position):
            last = dotted[0].rpartition(".")[2].strip()
            plain = f"{last}({FUNCTIONS[last]})" if last in FUNCTIONS else last if last in KNOWN else other_name(last)
            hint = f"write {plain}" if plain else "a formula has functions of its own, such as exp(u)"
            self._refuse(position, "a name in a formula has no dot", hint, len(dotted[0]))
        elif token.startswith("_") or len(token) > MAX_NAME:
            limits = f"a name is a letter, then letters, digits and _, at most {MAX_NAME} in all"
            self._refuse(position, "this can't be a name", limits, len(token))
        else:
            self._value(token, position)
            if self.text[self._space(position + len(token)) :][:1] != "(":
                self.values.append(token)

    def _sign(self, token: str, position: int) -> None:
        if token == "(":
            call = not self._value_due and _NAME.fullmatch(self._last) is not None
            if not call:
                self._value(token, position)
            self._brackets.append((position, call))
            if len(self._brackets) > MAX_BRACKETS:
                self._refuse(position, "the brackets are nested too deeply", f"at most {MAX_BRACKETS}")
            self._value_due = True
        elif token == ")":
            if not self._brackets:
                self._refuse(position, "this bracket was never opened")
            _, call = self._brackets.pop()
            if self._value_due and not (call and self._last == "("):
                self._refuse(position, "a value should stand before this")
            self._value_due = False
        elif token == ",":
            if self._brackets and self._brackets[-1][1]:
                self._operator(token, position)
            else:
                self._refuse(position, "a comma stands between the arguments of a function only", "write 0.5 for 0,5")
        elif not (self._value_due and token in "+-"):
            self._operator(token, position)

    def _operator(self, token: str, position: int) -> None:
        if self._value_due:
            self._refuse(position, f"a value should stand before {token!r}", length=len(token))
        self._value_due = True

    def _other(self, position: int) -> NoReturn:
        for length in (2, 1):
            sign = self.text[position : position + length]
            if sign in _OTHER_SIGNS:
                self._refuse(position, f"{sign!r} can't stand in a formula", _OTHER_SIGNS[sign], length)
        character = self.text[position]
        if character.isascii():
            self._refuse(position, f"{character!r} can't stand in a formula")
        name = unicodedata.name(character, "")
        reason = f"{_printable(character)!r} (U+{ord(character):04X}{' ' * bool(name)}{name}) is not an ASCII character"
        plain = _ascii_for(character)
        self._refuse(position, reason, f"write {plain!r}" if plain else "")
