"""The documentation names everything that exists, and nothing that does not.

In: the pages as text, and the code's own lists (settings, codes, states, permissions, verbs, targets,
limits, API paths). What the code has and the pages lack is a failure, and so is the reverse where a
script could rely on it. Needs no database and no network.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import json
import re
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from grantline import errors
from grantline.api import problems
from grantline.api.urls import api
from grantline.aws import check as connection_check
from grantline.aws.policies import permission_policy, trust_policy
from grantline.catalog.guard import GuardLimits
from grantline.cli.check import check
from grantline.cli.main import VERBS
from grantline.config.settings import PREFIX, Settings, variable_names
from grantline.control.audit.rules import Action
from grantline.control.imports.states import ImportState
from grantline.control.organizations.roles import matrix_lines
from grantline.control.runs.models import RunState, Trigger
from grantline.control.sources.models import SourceState
from grantline.errors import ANSWERS, GrantlineError
from grantline.formats.limits import Limits
from grantline.formats.options import FORMATS, FileOptions
from grantline.issues import ROW_CODES
from grantline.mapping.dates import KINDS
from grantline.mapping.document import COLUMN_OPTIONS, OPTIONS, SOURCE_OPTIONS, WHERE_OPTIONS
from grantline.mapping.layouts import LAYOUTS
from grantline.mapping.names import KEY_NAMES, NAMES, PROFILE_NAMES, folded
from grantline.mapping.notation import read_text as load_yaml
from grantline.mapping.targets import TARGETS
from grantline.mapping.words import STATUS_WORDS
from grantline.reading import as_mapping

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md")])
FIRST_SCREEN_LINES = 40
HOSTS = ("pypi" + ".org", "pythonhosted" + ".org", "registry.npmjs" + ".org", "deb.debian" + ".org", "crates" + ".io")
MACHINE_PATH = re.compile(r"(?<![\w.~$}/-])/(?:" + "|".join(("work", "root", "home")) + r")/")
BINARY = {".woff2", ".png", ".xlsx", ".ico", ".gz", ".zip", ".parquet", ".ods"}


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def section(text: str, heading: str) -> str:
    """What stands below a heading, up to the next one of its level or above."""
    found = re.search(rf"^(#+) {re.escape(heading)}$", text, re.MULTILINE)
    assert found, f"there is no heading {heading!r}"
    following = re.search(rf"^#{{1,{len(found[1])}}} ", text[found.end() :], re.MULTILINE)
    return text[found.end() :][: following.start() if following else None]


def rows(text: str) -> dict[str, list[str]]:
    """The rows of the tables in `text`, each by every code in its first cell."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        if line.startswith("|"):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            found |= dict.fromkeys(re.findall(r"`([^`]+)`", cells[0]), cells)
    return found


def missing(names: Iterable[str], text: str) -> list[str]:
    return [name for name in names if f"`{name}`" not in text]


def test_every_setting_with_its_default() -> None:
    table = rows(page("reference/settings.md"))
    assert set(table) == set(variable_names())
    for field in fields(Settings):
        default = field.default
        if isinstance(default, bool):
            assert f"`{str(default).lower()}`" in table[PREFIX + field.name.upper()][1]
        elif isinstance(default, int | str) and default:
            assert f"`{default}`" in table[PREFIX + field.name.upper()][1], field.name


def test_settings_named_anywhere_exist() -> None:
    named = {name for path in PAGES for name in re.findall(r"GRANTLINE_[A-Z_]+\b", path.read_text(encoding="utf-8"))}
    assert named <= set(variable_names())


def test_the_permission_matrix_is_the_code_s() -> None:
    assert "\n".join(matrix_lines()) in page("reference/roles.md")


def test_every_audit_action() -> None:
    assert set(rows(section(page("reference/roles.md"), "Audit log"))) == {action.value for action in Action}


def classes(root: type[Exception]) -> Iterator[type[Exception]]:
    yield root
    for child in root.__subclasses__():
        yield from classes(child)


def test_every_error_code_with_how_it_is_answered() -> None:
    table = rows(page("reference/codes.md"))
    marks = {error.code: error.mark for error in classes(GrantlineError) if issubclass(error, GrantlineError)}
    for code, answer in ANSWERS.items():
        assert table[code][1:4] == [marks[code], str(answer.status), str(answer.exit_code)], code


def test_every_code_of_http_alone() -> None:
    table = rows(section(page("reference/codes.md"), "Codes of HTTP alone"))
    found = {error.code: str(error.status) for error in classes(problems.ProtocolError) if hasattr(error, "status")}
    assert {code: cells[1] for code, cells in table.items()} == found


def test_every_code_and_step_of_the_connection_check() -> None:
    codes = {code for name, code in vars(connection_check).items() if name.startswith(("EXTERNAL_ID_", "ROLE_IN_USE"))}
    assert set(rows(section(page("reference/codes.md"), "Codes of the connection check"))) == codes
    text = section(page("how-to/connect-a-bucket.md"), "3. Check the connection")
    assert missing(connection_check.STEPS, text) == []
    assert missing(("pass", "fail", "unknown", "skipped"), text) == []


@pytest.mark.parametrize(
    ("heading", "names"),
    [
        ("Row codes", ROW_CODES),
        ("Run states", tuple(RunState)),
        ("Import states", tuple(ImportState)),
        ("Data source states", tuple(SourceState)),
    ],
)
def test_every_state_and_row_code(heading: str, names: tuple[str, ...]) -> None:
    assert set(rows(section(page("reference/codes.md"), heading))) == set(map(str, names))


def test_import_states_are_in_the_order_in_which_they_apply() -> None:
    order = list(rows(section(page("reference/codes.md"), "Import states")))
    assert order == ["held", "running", "paused", "failing", "new", "stale", "healthy"]


def test_every_trigger() -> None:
    assert missing(map(str, Trigger), section(page("reference/codes.md"), "Run states")) == []


def options(verb: str) -> list[str]:
    """What `grantline <verb>` takes, from its own parser."""
    parsers = argparse.ArgumentParser().add_subparsers()
    importlib.import_module(f"grantline.cli.{verb.replace('-', '_')}").add_parser(parsers)
    actions = [action for action in parsers.choices[verb]._actions if action.help != argparse.SUPPRESS]
    named = [action.option_strings or [str(action.metavar or action.dest)] for action in actions]
    return [names[-1] for names in named if "--help" not in names]


def test_every_verb_and_no_other() -> None:
    headings = re.findall(r"^## (\S+)$", page("reference/cli.md"), re.MULTILINE)
    assert set(headings) == set(VERBS)


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_every_option_of_a_verb_and_no_other(verb: str) -> None:
    text = section(page("reference/cli.md"), verb)
    assert missing(options(verb), text) == []
    named = {name for name in rows(text) if name.startswith("--")}
    assert named == {name for name in options(verb) if name.startswith("--")}


def test_every_exit_code() -> None:
    text = section(page("reference/cli.md"), "Exit codes")
    said = {int(number) for number in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)}
    assert {answer.exit_code for answer in ANSWERS.values()} | {0, 1, 64, 75, 130} == said


def test_every_target_of_a_mapping() -> None:
    text = section(page("reference/mapping.md"), "Targets")
    assert set(rows(text)) == {*TARGETS, "profile.<name>"}


@pytest.mark.parametrize(
    ("heading", "names"),
    [
        ("Options", OPTIONS),
        ("columns", COLUMN_OPTIONS),
        ("where", WHERE_OPTIONS),
        ("sources", SOURCE_OPTIONS),
        ("file", tuple(field.name for field in fields(FileOptions))),
    ],
)
def test_every_option_of_a_mapping(heading: str, names: tuple[str, ...]) -> None:
    assert set(rows(section(page("reference/mapping.md"), heading))) == set(names)


def test_every_word_of_a_mapping() -> None:
    text = page("reference/mapping.md")
    assert missing([name for name in FORMATS if name != "auto"], section(text, "file")) == []
    assert missing(KINDS, section(text, "Dates")) == []
    said = re.findall(r"^\| `(\w+)` \| (.*) \|$", section(text, "Status words"), re.MULTILINE)
    assert {word: status for status, words in said for word in words.split(", ")} == STATUS_WORDS


def test_every_known_name_and_layout() -> None:
    text = page("reference/mapping.md")
    names = section(text, "Known names")
    said = {folded(name) for row in names.splitlines() for name in re.split(r"[,·|:;(]", row)}
    assert [name for name in (*KEY_NAMES, *NAMES, *PROFILE_NAMES) if name not in said] == []
    assert set(rows(section(text, "Known layouts"))) >= {layout.name for layout in LAYOUTS}


def test_every_limit_with_its_value() -> None:
    table = rows(section(page("reference/file-formats.md"), "Limits"))
    assert set(table) == {field.name for field in fields(Limits)}
    for field in fields(Limits):
        assert isinstance(field.default, int | float)
        assert table[field.name][1].split(" ")[0] == f"{int(field.default):,}", field.name


def test_the_guard_s_defaults() -> None:
    text = page("how-to/import-a-file.md")
    assert f"{GuardLimits().share * 100:.0f} %, {GuardLimits().count}" in text


def test_every_path_of_the_api_and_no_other() -> None:
    paths = api.get_openapi_schema()["paths"]
    exists = {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}
    said = set(re.findall(r"`((?:GET|POST|PATCH|PUT|DELETE) /api/v1[^`?]*)`", page("reference/api.md")))
    assert said == exists
    anywhere = {
        name
        for path in PAGES
        for name in re.findall(r"`((?:GET|POST|PATCH|PUT|DELETE) /api/v1[^`?]*)`", path.read_text(encoding="utf-8"))
    }
    assert anywhere <= exists


def test_every_query_parameter_of_the_api() -> None:
    text = page("reference/api.md")
    paths = api.get_openapi_schema()["paths"].values()
    operations = [operation for methods in paths for operation in methods.values()]
    names = {
        item["name"] for operation in operations for item in operation.get("parameters", ()) if item["in"] == "query"
    }
    assert missing(names, text) == []


def test_every_metric_and_health_check() -> None:
    from grantline.api import measures, operations

    source = inspect.getsource(measures)
    metrics = set(re.findall(r'"(grantline_\w+)"', source))
    text = page("how-to/operations.md")
    assert [name for name in metrics if name not in text] == []
    assert missing([f"/{pattern.name}" for pattern in operations.urlpatterns], text) == []


def blocks(name: str, language: str) -> list[str]:
    """The code blocks of a page in one language, without their indentation."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```", page(name), re.MULTILINE | re.DOTALL)
    return [inspect.cleandoc(indent + text) if indent else text for indent, text in found]


def test_the_policies_shown_are_those_that_are_made() -> None:
    trust, permissions, service = map(json.loads, blocks("how-to/connect-a-bucket.md", "json"))
    assert trust == trust_policy("arn:aws:iam::111111111111:role/grantline", "gl_…")
    assert permissions == permission_policy("acme-exports", "exports/")
    assert {statement["Action"] for statement in service["Statement"]} == {"sts:AssumeRole"}


def test_the_mappings_shown_are_accepted() -> None:
    shown = blocks("reference/mapping.md", "yaml")
    assert len(shown) == 3
    for text in shown:
        as_mapping(text)
    for text in re.findall(r"`(\{source: [^`]*\})`", page("reference/mapping.md")):
        assert load_yaml(f"columns: [{text}]")["columns"][0]["to"] in {*TARGETS, "profile.city"}


def test_the_files_shown_are_accepted_without_a_mapping(tmp_path: Path) -> None:
    shown = blocks("how-to/import-a-file.md", "csv")
    assert len(shown) == 2
    for text in shown:
        file = tmp_path / "shown.csv"
        file.write_text(text, encoding="utf-8")
        answer = check(file, None, None, tmp_path)
        assert (answer["outcome"], answer["issues"]) == ("accepted", [])
        assert all(column["to"] for column in answer["columns"])


def test_the_problem_shown_is_what_the_api_answers() -> None:
    (shown,) = [json.loads(text) for text in blocks("reference/api.md", "json")]
    error = errors.Conflict(shown["detail"], remedy=shown["remedy"])
    assert json.loads(problems.problem_response(error).content) == shown


def test_the_readme_s_first_screen() -> None:
    head = "\n".join((ROOT / "README.md").read_text(encoding="utf-8").splitlines()[:FIRST_SCREEN_LINES])
    assert "](docs/assets/overview.png)" in head
    for needed in ("`make demo`", "`make test`", "Python 3.11", "PostgreSQL", "MiniStack"):
        assert needed in head


def links(path: Path) -> Iterator[str]:
    """Where the page's links and pictures lead inside the repository, without anchors."""
    text = re.sub(r"^ *```.*?^ *```", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        file = target.partition("#")[0]
        if file and "://" not in file and not file.startswith("mailto:"):
            yield file


def test_links_lead_somewhere() -> None:
    broken = [
        f"{path.relative_to(ROOT)}: {target}"
        for path in PAGES
        for target in links(path)
        if not target.endswith(".png") and not (path.parent / target).exists()
    ]
    assert broken == []


def test_pictures_are_there() -> None:
    """`make screenshots` makes them."""
    wanted = {(path.parent / target).resolve() for path in PAGES for target in links(path) if target.endswith(".png")}
    assert [str(picture.relative_to(ROOT)) for picture in wanted if not picture.exists()] == []


def test_files_named_in_the_docs_are_there() -> None:
    inside = re.compile(r"`((?:docs|src|tests|requirements)/[^`\s*…<>]+|[A-Z_]+\.md)`")
    broken = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in PAGES
        for name in inside.findall(path.read_text(encoding="utf-8"))
        if not (ROOT / name).exists()
    ]
    assert broken == []


def test_pages_named_in_the_code_are_there() -> None:
    named = {
        name.rstrip(".")
        for path in (ROOT / "src").rglob("*.py")
        for name in re.findall(r"\bdocs/[\w./-]+", path.read_text(encoding="utf-8"))
    }
    assert [name for name in sorted(named) if not (ROOT / name).exists() and not (ROOT / f"{name}.md").exists()] == []


def test_every_dependency_with_its_reason() -> None:
    text = page("reference/dependencies.md").lower()
    lines = [
        line for name in ("runtime", "dev") for line in (ROOT / f"requirements/{name}.in").read_text().splitlines()
    ]
    names = [re.split(r"[\[<>=~! ]", line)[0] for line in lines if line and not line.startswith(("#", "-r"))]
    stubs = [name for name in names if "stubs" in name or name.startswith("types-")]
    assert [name for name in names if name not in stubs and name.lower() not in text] == []


def test_make_targets_named_in_the_docs_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {name for path in PAGES for name in re.findall(r"`make ([a-z]+)", path.read_text(encoding="utf-8"))}
    assert named <= targets


def kept_files() -> list[Path]:
    """Every file that is, or would be, under version control; all but the environment where git is not."""
    try:
        done = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return [path for name in ("src", "tests", "docs", "requirements") for path in (ROOT / name).rglob("*.*")]
    return [ROOT / name for name in done.stdout.splitlines()]


def test_no_file_names_a_registry_host_or_a_machine_path() -> None:
    found = []
    for path in kept_files():
        if path.suffix in BINARY or not path.is_file():
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        names = [host for host in HOSTS if host in text]
        names += [match.group() for match in MACHINE_PATH.finditer(text)]
        found += [f"{path.relative_to(ROOT)}: {name}" for name in names]
    assert found == []


def test_the_error_tree_s_remedies_name_no_unknown_setting() -> None:
    named = set(re.findall(r"GRANTLINE_[A-Z_]+\b", inspect.getsource(errors)))
    assert named <= set(variable_names())
