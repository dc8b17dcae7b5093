// Evaluated forms for people and programs: terminal text, JSON, CSV (workbook.h makes the xlsx).
// The first result is the division asked for (合计), the others its parts, one row each. Pure
// functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "reporting/form.h"

namespace canbao::reporting {

struct FormTable {
  FormResult total;
  std::vector<FormResult> parts;  // same form and cut-off; may be empty
};

// A table whose columns are the divisions and whose rows are the form's columns, the checks in
// words below it, and beside form 2-2 the cross table. Aligned by East Asian width; ends with a
// newline.
std::string RenderText(const FormTable& table, Lang lang);

// {"form":…,"division":…,"cutoff":…,"columns":{"1":…,…},"checks":[{"rule":…,"holds":…}], …} as one
// line; "not_yet_verified" stands inside "columns" in form 2-2 only. What follows "checks"
// (population, details, parts) is ours.
std::string RenderJson(const FormTable& table);

// UTF-8 with BOM (spreadsheet programs need it), CRLF, RFC 4180; one line per division. Not
// collected = 未采集 / "not collected", not known = empty.
std::string RenderCsv(const FormTable& table, Lang lang);

// Cells of a terminal: 2 for East Asian wide and full-width characters, 0 for combining ones,
// else 1.
int DisplayWidth(std::string_view utf8);

// What stands in a cell for people: the value, 未采集, or nothing.
std::string CellText(const FormResult& result, size_t index, Lang lang);
// 浙江省 (330000), or the code alone.
std::string DivisionText(const Subject& subject, Lang lang);

}  // namespace canbao::reporting
