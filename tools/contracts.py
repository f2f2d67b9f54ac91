"""A kind of import contract for import-linter: a thing is reserved for the rooms that are named.

Lives here: the check. Which things are reserved for which rooms stands in pyproject.toml.
Not here: layers and forbidden imports, which import-linter brings.

The linter's own "protected" contract refuses to run while a named module does not exist or is imported by nobody; here
that is the best of cases.
"""

from typing import cast

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class ReservedContract(Contract):
    """Says that `modules`, with all below them, are imported directly by `importers` alone, with all below those.

    A module may be another project's (its top package only) or Python's own. Modules always import themselves.
    """

    type_name = "reserved"

    modules = fields.ListField(subfield=fields.StringField())
    importers = fields.ListField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Looks at every direct import; `verbose` changes nothing."""
        del verbose
        rooms, importers = cast("list[str]", self.modules), cast("list[str]", self.importers)
        wrong = sorted(
            (importer, imported)
            for room in rooms
            for imported in graph.modules
            if _is_in(imported, [room])
            for importer in graph.find_modules_that_directly_import(imported)
            if not _is_in(importer, [room, *importers])
        )
        return ContractCheck(kept=not wrong, metadata={"wrong": wrong})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Prints every import that the contract does not allow."""
        for importer, imported in check.metadata["wrong"]:
            output.print_error(f"{importer} may not import {imported}", bold=False)
        output.new_line()


def _is_in(module: str, rooms: list[str]) -> bool:
    return any(module == room or module.startswith(f"{room}.") for room in rooms)
