"""Change one line of the source at a time, and see whether a test notices.

    python scripts/mutants.py                # 60 mutants before the default suite: many hours
    python scripts/mutants.py --near -n 12   # the tests of the mutant's own room only
    python scripts/mutants.py --list         # show them, and run nothing

A mutant is drawn by room, file and place with a seed; the source is copied, changed there, and the
copy is tested. The tests of the mutant's own room come first, then all others. What survives is
named in docs/reliability.md: it is an untested line, or a change that changes nothing.
"""

import argparse
import ast
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reliability.md"
MARK = "<!-- written by scripts/mutants.py -->"
NEAR = {
    "core": "unit/test_schedule.py unit/test_system.py unit/test_protocol.py unit/test_model.py",
    "compile": "unit/test_compile_trace.py unit/test_compile_elementary.py "
               "unit/test_compile_cache.py unit/test_cache_attacked.py agreement/test_method.py",
    "engines": "agreement/test_ivp.py agreement/test_trajectories.py agreement/test_door.py "
               "agreement/test_failures.py agreement/test_gradients.py",
    "readouts": "unit/test_readouts_language.py unit/test_summaries.py agreement/test_readouts.py",
    "results": "unit/test_store.py unit/test_store_attacked.py cli/test_all_or_none.py",
    "studies": "unit/test_sweep.py unit/test_designs.py unit/test_fit.py unit/test_judge_parts.py "
               "unit/test_posterior.py unit/test_indices.py unit/test_budget.py",
    "mechanisms": "golden laws unit/test_model.py",
}  # fmt: skip
SWAPS = {
    ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">", ast.Eq: "!=", ast.NotEq: "==",
    ast.In: "not in", ast.NotIn: "in", ast.Is: "is not", ast.IsNot: "is", ast.Add: "-",
    ast.Sub: "+", ast.Mult: "/", ast.Div: "*", ast.FloorDiv: "/", ast.And: "or", ast.Or: "and",
}  # fmt: skip
TOKENS = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
    ast.In: "in", ast.NotIn: "not in", ast.Is: "is", ast.IsNot: "is not", ast.Add: "+",
    ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.And: "and", ast.Or: "or",
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """One line of one file, before and after."""

    room: str
    file: str
    line: int
    before: str
    after: str


def drawn(count: int, seed: int, rooms: list[str]) -> list[Mutant]:
    """Return mutants, as many from each room; the same for the same source and seed."""
    chance, found = random.Random(seed), []
    for i in range(count):
        room = rooms[i % len(rooms)]
        files = sorted((ROOT / "src" / "ketasim" / room).rglob("*.py"))
        while True:
            file = chance.choice(files)
            many = list(mutants_of(file, room))
            one = chance.choice(many) if many else None
            if one is not None and one not in found:
                found.append(one)
                break
    return found


def mutants_of(file: Path, room: str) -> Iterator[Mutant]:
    """Yield every change of one operator, number or truth within a function of a file."""
    text = file.read_text(encoding="utf-8")
    lines = text.splitlines()
    for function in ast.walk(ast.parse(text)):
        if not isinstance(function, ast.FunctionDef):
            continue
        inside = [node for stage in function.body for node in ast.walk(stage)]
        for node in inside:
            for line, start, stop, new in changes(node, lines):
                old = lines[line - 1]
                after = old[:start] + new + old[stop:]
                if _parses(lines, line, after):
                    name = file.relative_to(ROOT).as_posix()
                    yield Mutant(room, name, line, old.strip(), after.strip())


def changes(node: ast.AST, lines: list[str]) -> Iterator[tuple[int, int, int, str]]:
    """Yield (line, first column, last column, text) of what can stand instead of a node."""
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        yield from _between(node.left, node.comparators[0], type(node.ops[0]), lines)
    elif isinstance(node, ast.BinOp):
        yield from _between(node.left, node.right, type(node.op), lines)
    elif isinstance(node, ast.BoolOp):
        yield from _between(node.values[0], node.values[1], type(node.op), lines)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield node.lineno, node.col_offset, node.col_offset + 4, ""
    elif isinstance(node, ast.Constant) and type(node.value) in (bool, int, float):
        new = not node.value if type(node.value) is bool else node.value + 1
        if node.lineno == node.end_lineno:
            yield node.lineno, node.col_offset, node.end_col_offset, repr(new)


def _between(
    left: ast.expr, right: ast.expr, kind: type, lines: list[str]
) -> Iterator[tuple[int, int, int, str]]:
    if kind not in SWAPS or left.end_lineno != right.lineno:
        return
    line, first, last = right.lineno, left.end_col_offset, right.col_offset
    at = lines[line - 1][first:last].find(TOKENS[kind])
    if at >= 0 and lines[line - 1].isascii():
        yield line, first + at, first + at + len(TOKENS[kind]), SWAPS[kind]


def _parses(lines: list[str], line: int, after: str) -> bool:
    try:
        ast.parse("\n".join([*lines[: line - 1], after, *lines[line:]]))
    except SyntaxError:
        return False
    return True


def fate(one: Mutant, *, near: bool, minutes: float) -> str:
    """Return ``killed``, ``survived`` or ``undecided``, when time ran out, for one mutant."""
    with tempfile.TemporaryDirectory() as place:
        root = Path(place) / "copy"
        shutil.copytree(ROOT, root, ignore=shutil.ignore_patterns(".git", "out", "*.zarr"))
        path = root / one.file
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        old = lines[one.line - 1]
        indent = old[: len(old) - len(old.lstrip())]
        lines[one.line - 1] = f"{indent}{one.after}\n"
        path.write_text("".join(lines), encoding="utf-8")
        own = [f"tests/{name}" for name in NEAR[one.room].split()]
        stages = [own] if near else [own, ["tests"]]
        for tests in stages:
            word = _tested(root, tests, minutes)
            if word != "survived":
                return word
    return "survived"


def _tested(root: Path, tests: list[str], minutes: float) -> str:
    env = {**os.environ, "PYTHONPATH": str(root / "src")}
    words = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    try:
        done = subprocess.run(
            words, cwd=root, env=env, timeout=60.0 * minutes, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return "undecided"  # a mutant that hangs, or a machine that is busy
    return "survived" if done.returncode == 0 else "killed"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-n", type=int, default=60, help="how many")
    parser.add_argument("--rooms", nargs="*", choices=list(NEAR), default=list(NEAR))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--near", action="store_true", help="only the tests of its own room")
    parser.add_argument("--minutes", type=float, default=60.0, help="that one suite may take")
    parser.add_argument("--list", action="store_true", help="show them, and run nothing")
    asked = parser.parse_args()
    fates: list[tuple[Mutant, str]] = []
    for one in drawn(asked.n, asked.seed, asked.rooms):
        began = time.monotonic()
        word = "-" if asked.list else fate(one, near=asked.near, minutes=asked.minutes)
        fates.append((one, word))
        took = time.monotonic() - began
        print(
            f"{word} {one.file}:{one.line} {one.before} -> {one.after} ({took:.0f} s)", flush=True
        )
        if not asked.list:
            write(fates, asked)


def write(fates: list[tuple[Mutant, str]], asked: argparse.Namespace) -> None:
    """Put the score and the survivors at the end of the page."""
    killed = sum(word == "killed" for _, word in fates)
    open_ = sum(word == "undecided" for _, word in fates)
    suite = "the tests of their own rooms only" if asked.near else "the default suite"
    lines = [
        MARK, "", "## Mutants", "",
        f"{killed} of {len(fates)} mutants (seed {asked.seed}, of {', '.join(asked.rooms)}) were "
        f"killed by {suite}, {open_} undecided within {asked.minutes:g} min each, "
        f"{datetime.now(UTC).date().isoformat()}. Survivors and undecided:", "",
    ]  # fmt: skip
    lines += ["| place | was | became |", "|---|---|---|"]
    lines += [
        f"| {one.file.removeprefix('src/ketasim/')}:{one.line} | `{_cell(one.before)}` | "
        f"`{_cell(one.after)}` |"
        for one, word in fates
        if word != "killed"
    ]
    above = PAGE.read_text(encoding="utf-8").partition(MARK)[0].rstrip()
    PAGE.write_text("\n".join([above, "", *lines, ""]), encoding="utf-8")


def _cell(text: str) -> str:
    return text.replace("|", "\\|")[:90]


if __name__ == "__main__":
    main()
