"""Change one line of the source at a time, and see whether a test notices.

    python scripts/mutants.py                # 60 mutants before the default suite: an hour or two
    python scripts/mutants.py --near -n 12   # only tests that name its file, and of its own room
    python scripts/mutants.py --skip 20      # from the 21st on
    python scripts/mutants.py --again        # those that were killed are known; try the others
    python scripts/mutants.py --write        # say on the page what is known so far, and run nothing
    python scripts/mutants.py --list         # show them, and run nothing

A mutant is drawn by room, file and place with a seed; the source is copied, changed there, and the
copy is tested, up to the first test that fails: ``trials.py`` says by which tests. What came of
each is kept in out/mutants.json, so that a command which was stopped goes on. What survives is
named in docs/reliability.md: it is an untested line, or a change that changes nothing.
"""

import argparse
import ast
import json
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from trials import NEAR, ROOT, STYLE, Mutant, Trials

PAGE = ROOT / "docs" / "reliability.md"
KEPT = ROOT / "out" / "mutants.json"
MARK = "<!-- written by scripts/mutants.py -->"
WHY = "<!-- why the survivors survive, by hand -->"
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-n", type=int, default=60, help="how many")
    parser.add_argument("--rooms", nargs="*", choices=list(NEAR), default=list(NEAR))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--near", action="store_true", help="only tests that name it, and its room")
    parser.add_argument("--skip", type=int, default=0, help="mutants that were tried before")
    parser.add_argument("--minutes", type=float, default=60.0, help="that a suite may take")
    parser.add_argument("--again", action="store_true", help="try anew what was not killed")
    parser.add_argument("--write", action="store_true", help="say on the page what is known so far")
    parser.add_argument("--list", action="store_true", help="show them, and run nothing")
    asked = parser.parse_args()
    mutants = drawn(asked.n, asked.seed, asked.rooms)[asked.skip :]
    if asked.list:
        print("\n".join(map(str, mutants)))
        return
    if asked.write:
        write(mutants, json.loads(KEPT.read_text(encoding="utf-8")), asked, 0)
        return
    with tempfile.TemporaryDirectory() as place:
        tried(mutants, Trials(Path(place), minutes=asked.minutes), asked)


def tried(mutants: list[Mutant], trials: Trials, asked: argparse.Namespace) -> None:
    """Try mutants with the tests near them, then what survived with all that come to its line."""
    kept: dict[str, dict[str, object]] = {"near": {}, "all": {}, "tests": {}}
    if KEPT.is_file():
        kept = json.loads(KEPT.read_text(encoding="utf-8"))
    if asked.again:
        for fates in (kept["near"], kept["all"]):
            for name in [one for one, fate in fates.items() if not _is_killed(fate)]:
                del fates[name]

    def stage(name: str, these: list[Mutant], fate: Callable[[Mutant], str]) -> list[Mutant]:
        """Return what a stage does not kill."""
        for one in these:
            if str(one) not in kept[name]:
                began = time.monotonic()
                kept[name][str(one)] = fate(one)
                took = time.monotonic() - began
                print(f"{kept[name][str(one)]}: {one} ({took:.0f} s)", flush=True)
                keep(kept)
                write(mutants, kept, asked, len(trials.unsound))
        return [one for one in these if not _is_killed(kept[name][str(one)])]

    left = stage("near", mutants, trials.near)
    if asked.near:
        return
    unknown = [one for one in left if str(one) not in kept["tests"]]
    if unknown:
        kept["tests"] |= {str(one): tests for one, tests in trials.reaching(unknown).items()}
        keep(kept)
    stage("all", left, lambda one: trials.fate(one, kept["tests"][str(one)]))
    write(mutants, kept, asked, len(trials.unsound))


def keep(kept: dict[str, dict[str, object]]) -> None:
    """Put aside what came of each, and which tests come to it."""
    KEPT.parent.mkdir(exist_ok=True)
    KEPT.write_text(json.dumps(kept, indent=1), encoding="utf-8")


def _is_killed(fate: object) -> bool:
    return str(fate).startswith("killed")


def write(
    mutants: list[Mutant],
    kept: dict[str, dict[str, object]],
    asked: argparse.Namespace,
    unsound: int,
) -> None:
    """Put the score and the survivors at the end of the page; what is written below stays."""
    ends = {one: kept["all"].get(str(one), kept["near"].get(str(one))) for one in mutants}
    fates = {one: str(fate) for one, fate in ends.items() if fate is not None}
    killed = sum(map(_is_killed, fates.values()))
    undecided = sum(fate == "undecided" for fate in fates.values())
    only = sum(not _is_killed(fate) and str(one) not in kept["all"] for one, fate in fates.items())
    first = f" from number {asked.skip + 1} on" if asked.skip else ""
    of = f"{len(fates)} mutants tried, of {len(mutants)} drawn"
    about = (
        f"{killed} of {of} (seed {asked.seed}{first}, of {', '.join(asked.rooms)}) "
        f"were killed by the default suite but `{STYLE}`, {undecided} undecided within "
        f"{asked.minutes:g} min each, {datetime.now(UTC).date().isoformat()}. "
    )
    if only:
        about += f"{only} faced only the tests that name their file, or of their room. "
    if unsound:
        about += f"Left out were {unsound} tests that failed without a mutant. "
    lines = [MARK, "", "## Mutants", "", f"{about}Survivors and undecided:", ""]
    lines += ["| place | was | became |", "|---|---|---|"]
    lines += [
        f"| {one.file.removeprefix('src/ketasim/')}:{one.line} | `{_cell(one.before)}` | "
        f"`{_cell(one.after)}` |"
        for one, fate in fates.items()
        if not _is_killed(fate)
    ]
    above, _, below = PAGE.read_text(encoding="utf-8").partition(MARK)
    below = below.partition(WHY)[2]
    text = "\n".join([above.rstrip(), "", *lines, ""])
    PAGE.write_text(f"{text}\n{WHY}{below}" if below else text, encoding="utf-8")


def _cell(text: str) -> str:
    return text.replace("|", "\\|")[:90]


if __name__ == "__main__":
    main()
