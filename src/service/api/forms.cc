// The forms of a division: on the screen in the layout of the attachment, and as files with the
// bytes that `canbao forms` writes.
#include <unistd.h>

#include <boost/json.hpp>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "reporting/render.h"
#include "reporting/workbook.h"
#include "service/api/divisions_known.h"
#include "service/api/figure_pages.h"
#include "service/api/work.h"

namespace canbao::service {
namespace {

namespace json = boost::json;
using reporting::FormColumn;
using reporting::FormResult;
using reporting::FormTable;

constexpr const char* kBesideKey = "not_yet_verified";

tl::expected<FormTable, Problem> AskedTable(Context& c) {
  CANBAO_ASSIGN(reg::Connection * db, c.Db());
  CANBAO_ASSIGN(DivisionsPtr divisions, DivisionsOf(c));
  auto division = AskedDivision(c, *divisions);
  if (!division) return tl::unexpected(std::move(division.error()));
  auto cutoff = AskedCutoff(c);
  if (!cutoff) return tl::unexpected(std::move(cutoff.error()));
  auto place = FigurePlaceOf(*division, cutoff->run.province);
  if (!place) {
    return Refuse(422, "CB-SERVICE-0203",
                  Text{"报表汇总到县级为止。", "forms go down to the county."},
                  Text{"请选择县级或以上的行政区划。", "Choose a county or a level above it."});
  }
  if (place->division / 10000 * 10000 != cutoff->run.province) {
    return Refuse(404, "CB-SERVICE-0201",
                  Text{"没有这个行政区划的数据。", "nothing is known of this division."});
  }
  CANBAO_ASSIGN(reporting::FormPtr form,
                FormOf(c.services(), std::string(c.request().Param("form")), cutoff->run.cutoff));
  CANBAO_ASSIGN(FiguresPtr source, FiguresFor(*db, cutoff->run, *place));
  const auto population = c.request().Query("population") == "hukou" ? reporting::Population::kHukou
                                                                     : reporting::Population::kAll;
  return reporting::MakeFormTable(*source, form, place->division, place->level, population,
                                  *divisions);
}

json::value ValueJson(const FormColumn& column, std::optional<int64_t> value) {
  if (!value) return nullptr;
  if (column.has_decimals()) return static_cast<double>(*value) / 100;
  return *value;
}

// People stand behind it: cells and cases of persons, not shares of the population.
bool Opens(const FormColumn& column, std::optional<int64_t> value) {
  return (column.source == "cell" || column.source == "case") && value.value_or(0) > 0;
}

json::array HeadingsJson(const reporting::Form& form) {
  json::array lines(static_cast<size_t>(reporting::HeadingLines(form)), json::array{});
  for (const reporting::HeadingCell& cell : reporting::HeadingsOf(form)) {
    // What stands beside the form is no heading of it: the column says so itself.
    if (static_cast<size_t>(cell.column) > form.columns.size()) continue;
    lines[static_cast<size_t>(cell.row)].as_array().push_back(
        json::object{{"text", TextJson(cell.text)},
                     {"column", cell.column},
                     {"span", cell.span},
                     {"rows", cell.rows}});
  }
  return lines;
}

json::array ColumnsJson(const FormResult& result, Lang lang) {
  json::array out;
  const reporting::Form& form = *result.form;
  for (size_t i = 0; i < form.columns.size(); ++i) {
    const FormColumn& column = form.columns[i];
    const auto value = result.not_collected[i] ? std::nullopt : result.columns[i];
    Text definition = column.definition;
    if (!column.note.zh.empty()) {
      definition.zh += "（" + column.note.zh + "）";
      definition.en += " (" + column.note.en + ")";
    }
    out.push_back(json::object{{"key", std::to_string(column.number)},
                               {"label", TextJson(column.heading)},
                               {"definition", TextJson(definition)},
                               {"value", ValueJson(column, value)},
                               {"text", reporting::CellText(result, i, lang)},
                               {"opens", Opens(column, value)}});
  }
  if (!form.not_yet_verified.zh.empty()) {
    const auto value = result.not_yet_verified;
    out.push_back(json::object{
        {"key", kBesideKey},
        {"label", TextJson(form.not_yet_verified)},
        {"definition", TextJson({"没有有效参保、原因尚未查明的人数；列在表外，不在第26栏。",
                                 "no active enrolment and no reason yet; beside the form, never in "
                                 "column 26."})},
        {"value", value ? json::value(*value) : json::value(nullptr)},
        {"text", value ? std::to_string(*value) : std::string()},
        {"opens", value.value_or(0) > 0}});
  }
  return out;
}

json::object PartJson(const FormResult& result) {
  json::object values;
  const reporting::Form& form = *result.form;
  for (size_t i = 0; i < form.columns.size(); ++i) {
    values[std::to_string(form.columns[i].number)] =
        ValueJson(form.columns[i], result.not_collected[i] ? std::nullopt : result.columns[i]);
  }
  if (!form.not_yet_verified.zh.empty()) {
    values[kBesideKey] =
        result.not_yet_verified ? json::value(*result.not_yet_verified) : json::value(nullptr);
  }
  const std::string code = DivisionCode(uint64_t{result.subject.division} * 1000000);
  return {{"division", code},
          {"name", result.subject.name.zh.empty() ? code : result.subject.name.zh},
          {"values", std::move(values)}};
}

json::array ChecksJson(const FormTable& table) {
  json::array out;
  const FormResult& total = table.total;
  for (size_t i = 0; i < total.checks.size(); ++i) {
    const reporting::CheckResult& check = total.checks[i];
    out.push_back(json::object{
        {"rule", check.rule},
        {"holds", check.holds},
        {"known", check.known},
        {"blocks", check.blocking},
        {"text", TextJson(check.holds ? total.form->checks[i].message : check.explanation)}});
  }
  // Of the parts, what does not hold.
  for (const FormResult& part : table.parts) {
    for (const reporting::CheckResult& check : part.checks) {
      if (check.holds) continue;
      out.push_back(json::object{
          {"rule", check.rule},
          {"holds", false},
          {"known", check.known},
          {"blocks", check.blocking},
          {"division", DivisionCode(uint64_t{part.subject.division} * 1000000)},
          {"text",
           TextJson(
               {reporting::DivisionText(part.subject, Lang::kZh) + "：" + check.explanation.zh,
                reporting::DivisionText(part.subject, Lang::kEn) + ": " + check.explanation.en})}});
    }
  }
  return out;
}

// The writer of workbooks wants a name; the file is gone before the answer.
Result<std::string> WorkbookBytes(const FormTable& table, Lang lang) {
  std::string folder = (std::filesystem::temp_directory_path() / "canbao-form-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) return Fail(FileError(kCodeCannotWrite, folder, errno));
  const std::string path = folder + "/form.xlsx";
  Status written = reporting::WriteXlsx(table, path, lang);
  auto bytes = written ? ReadWholeFile(path) : Result<std::string>(Fail(written.error()));
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  return bytes;
}

Answer GetForm(Context& c) {
  auto table = AskedTable(c);
  if (!table) return tl::unexpected(std::move(table.error()));
  const FormResult& total = table->total;
  const reporting::Form& form = *total.form;
  json::array rows;
  for (const FormResult& part : table->parts) rows.push_back(PartJson(part));
  const std::string code = DivisionCode(uint64_t{total.subject.division} * 1000000);
  return Json(
      json::object{{"form", form.code},
                   {"title", TextJson(form.title)},
                   {"attachment", TextJson(form.attachment)},
                   {"unit", TextJson(form.unit)},
                   {"division", code},
                   {"division_name", total.subject.name.zh.empty() ? code : total.subject.name.zh},
                   {"cutoff", total.subject.cutoff.ToIso()},
                   {"population", total.subject.population},
                   {"headings", HeadingsJson(form)},
                   {"columns", ColumnsJson(total, LanguageOf(c.request()))},
                   {"rows", std::move(rows)},
                   {"checks", ChecksJson(*table)},
                   {"blocked", total.Blocked()}});
}

Answer GetFormFile(Context& c) {
  auto table = AskedTable(c);
  if (!table) return tl::unexpected(std::move(table.error()));
  const Lang lang = LanguageOf(c.request());
  std::string format(c.request().Query("format"));
  if (format.empty()) format = "xlsx";
  std::string bytes;
  if (format == "xlsx") {
    CANBAO_ASSIGN(bytes, WorkbookBytes(*table, lang));
  } else {
    bytes = format == "json" ? reporting::RenderJson(*table) : reporting::RenderCsv(*table, lang);
    while (bytes.ends_with("\n\n")) bytes.pop_back();
  }
  const reporting::Subject& subject = table->total.subject;
  const std::string name =
      Msg("表{0}_{1}_{2}.{3}", "form-{0}_{1}_{2}.{3}", table->total.form->code,
          subject.name.In(lang).empty() ? std::to_string(subject.division) : subject.name.In(lang),
          subject.cutoff.ToIso(), format)
          .In(lang);
  const char* type = format == "xlsx"
                         ? "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
                     : format == "csv" ? "text/csv; charset=utf-8"
                                       : "application/json";
  Response r = Download({}, name, type);
  r.body = std::move(bytes);
  c.Record({"form.file",
            std::nullopt,
            {},
            json::serialize(json::object{{"form", table->total.form->code},
                                         {"division", subject.division},
                                         {"cutoff", subject.cutoff.ToIso()},
                                         {"format", format}})});
  return r;
}

}  // namespace

void AddFormHandlers(Handlers& to) {
  to.On("getForm", GetForm);
  to.On("getFormFile", GetFormFile);
}

}  // namespace canbao::service
