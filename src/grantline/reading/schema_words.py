"""The words that the mapping's JSON Schema shows for each option; an editor shows them as hints."""

from __future__ import annotations

OPTION_WORDS = {
    "version": "Version of this notation.",
    "file": "How to read the file; what is left out is recognized.",
    "mode": "full: what is not in the file ends. delta: rows not named are untouched.",
    "columns": "What each column becomes; without it, by their names.",
    "constants": "Targets with the same value in every row.",
    "where": "Only rows for which every condition holds are read.",
    "sources": "Several files or sheets that belong together, each with its own columns.",
    "ready": "Name of the file that must be in the folder before it is read, such as _SUCCESS.",
}
SOURCE_WORDS = {
    "match": "Pattern of the names of the files, such as users*.csv.",
    "sheet": "Name of the sheet.",
    "file": "How to read it; over the options of the whole mapping.",
    "columns": OPTION_WORDS["columns"],
    "constants": OPTION_WORDS["constants"],
    "where": OPTION_WORDS["where"],
}
COLUMN_WORDS = {
    "source": "The column's header.",
    "to": "The target that it becomes.",
    "resource_type": "For entitlements: the resource type of the values.",
    "split": "For entitlements: the separator of the values in a cell.",
    "parts": "For entitlements: the separator of resource and entitlement inside a value.",
    "date": "For dates: a strptime pattern, or serial, epoch, epoch_ms, filetime.",
    "zone": "For dates: the time zone of times that state none.",
    "serials": "For dates: plain numbers are a spreadsheet's day numbers.",
    "pattern": "A regular expression (RE2) that the whole cell must match.",
    "nulls": "Words that mean empty; compared exactly.",
    "map": "Words and what they are replaced by; compared exactly.",
    "case": "For account.id: sensitive where ids differ only by letter case.",
}
WHERE_WORDS = {
    "column": "The column, mapped or not.",
    "is": "Whether the cell is empty or filled.",
    "equals": "The cell is this text.",
    "differs": "The cell is any other text.",
    "in": "The cell is one of these.",
    "not_in": "The cell is none of these.",
}
FILE_WORDS = {
    "format": "The format; it must agree with the content.",
    "encoding": "The text encoding.",
    "delimiter": "One character, or comma, semicolon, tab, pipe, space.",
    "quote": "The quote; null: no quotes.",
    "escape": "The character before a quote inside quotes; null: it is doubled.",
    "header_row": "The line of the header; null: there is none.",
    "names": "Names of the columns, for a file without a header or in place of it.",
    "skip_rows_starting_with": "Rows that begin so are left out.",
    "stop_at_row_starting_with": "The data end before the row that begins so.",
    "skip_last": "So many rows at the end are left out.",
    "comment": "Rows that begin so are left out.",
    "count_row": "How the row begins that ends the data and states the number of records.",
    "sheet": "Name of the sheet.",
    "fill_merged": "Every cell of merged ones gets their value.",
    "fill_down": "Columns whose blank cells take the value above them.",
    "displayed_text": "Numbers whose format shows leading zeros keep them.",
    "protective_prefix": "A character taken off the start of cells; formulas: an apostrophe before a formula.",
    "records": "Path of the list of records.",
    "items": "For lists of objects: which key of the objects is the value.",
    "member": "Pattern of the name of the file to read in a ZIP.",
}
