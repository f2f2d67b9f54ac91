"""A kind of import contract for import-linter: a module is reserved for the named packages.

Lives here: the check. pyproject.toml lists the reserved modules and their importers.
Not here: layers and forbidden imports, which import-linter provides.

The linter's own "protected" contract fails if a named module does not exist or is not imported; here that is allowed.
"""

from typing import cast

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class ReservedContract(Contract):
    """Only `importers`, and modules below them, import `modules` or modules below those directly.

    A module may belong to another project (its top package only) or to Python. A module may import itself.
    """

    type_name = "reserved"

    modules = fields.ListField(subfield=fields.StringField())
    importers = fields.ListField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Check every direct import; `verbose` changes nothing."""
        del verbose
        modules, importers = cast("list[str]", self.modules), cast("list[str]", self.importers)
        wrong = sorted(
            (importer, imported)
            for module in modules
            for imported in graph.modules
            if _is_in(imported, [module])
            for importer in graph.find_modules_that_directly_import(imported)
            if not _is_in(importer, [module, *importers])
        )
        return ContractCheck(kept=not wrong, metadata={"wrong": wrong})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print every import that the contract does not allow."""
        for importer, imported in check.metadata["wrong"]:
            output.print_error(f"{importer} may not import {imported}", bold=False)
        output.new_line()


def _is_in(module: str, packages: list[str]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)
