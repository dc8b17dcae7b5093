#include "reporting/workbook.h"

#include <xlsxwriter.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

namespace canbao::reporting {
namespace {

struct Formats {
  lxw_format* title;
  lxw_format* left;
  lxw_format* right;
  lxw_format* heading;
  lxw_format* number;
  lxw_format* name;
  lxw_format* count;
  lxw_format* decimal;
  lxw_format* absent;
  lxw_format* note;
  lxw_format* failed;
};

lxw_format* Bordered(lxw_workbook* book) {
  lxw_format* format = workbook_add_format(book);
  format_set_border(format, LXW_BORDER_THIN);
  format_set_align(format, LXW_ALIGN_VERTICAL_CENTER);
  format_set_font_name(format, "SimSun");
  format_set_font_size(format, 10);
  return format;
}

lxw_format* Plain(lxw_workbook* book, double size) {
  lxw_format* format = workbook_add_format(book);
  format_set_font_name(format, "SimSun");
  format_set_font_size(format, size);
  format_set_align(format, LXW_ALIGN_VERTICAL_CENTER);
  return format;
}

Formats MakeFormats(lxw_workbook* book) {
  Formats f{};
  f.title = Plain(book, 18);
  format_set_bold(f.title);
  format_set_align(f.title, LXW_ALIGN_CENTER);
  f.left = Plain(book, 10);
  f.right = Plain(book, 10);
  format_set_align(f.right, LXW_ALIGN_RIGHT);
  f.heading = Bordered(book);
  format_set_align(f.heading, LXW_ALIGN_CENTER);
  format_set_text_wrap(f.heading);
  f.number = Bordered(book);
  format_set_align(f.number, LXW_ALIGN_CENTER);
  f.name = Bordered(book);
  f.count = Bordered(book);
  format_set_num_format(f.count, "#,##0");
  f.decimal = Bordered(book);
  format_set_num_format(f.decimal, "0.00");
  f.absent = Bordered(book);
  format_set_align(f.absent, LXW_ALIGN_CENTER);
  f.note = Plain(book, 9);
  format_set_text_wrap(f.note);
  f.failed = Plain(book, 9);
  format_set_text_wrap(f.failed);
  format_set_font_color(f.failed, 0xC00000);
  return f;
}

// One sheet of one form; `row_` is where the next thing goes.
class Sheet {
 public:
  Sheet(lxw_workbook* book, lxw_worksheet* sheet, const FormTable& table, Lang lang)
      : sheet_(sheet), table_(table), form_(*table.total.form), lang_(lang), f_(MakeFormats(book)) {
    beside_ = !form_.not_yet_verified.zh.empty();
    last_ = static_cast<lxw_col_t>(form_.columns.size() + (beside_ ? 1 : 0));
  }

  void Write() {
    Title();
    Headings();
    Rows();
    Signatures();
    CrossTable();
    Checks();
    Definitions();
    Print();
  }

 private:
  void Text(lxw_row_t row, lxw_col_t col, const std::string& s, lxw_format* format) {
    worksheet_write_string(sheet_, row, col, s.c_str(), format);
  }
  // libxlsxwriter refuses to merge a single cell.
  void Merge(lxw_row_t r1, lxw_col_t c1, lxw_row_t r2, lxw_col_t c2, const std::string& s,
             lxw_format* format) {
    if (r1 == r2 && c1 == c2) {
      Text(r1, c1, s, format);
    } else {
      worksheet_merge_range(sheet_, r1, c1, r2, c2, s.c_str(), format);
    }
  }
  static lxw_col_t At(size_t index) { return static_cast<lxw_col_t>(index + 1); }

  void Title() {
    const Subject& subject = table_.total.subject;
    Text(0, 0, form_.attachment.In(lang_), f_.left);
    Merge(1, 0, 1, last_, form_.title.In(lang_), f_.title);
    worksheet_set_row(sheet_, 1, 30, nullptr);
    lxw_col_t middle = static_cast<lxw_col_t>(last_ / 2);
    std::string who =
        Msg("填报单位：{0}", "Reporting unit: {0}", DivisionText(subject, lang_)).In(lang_);
    if (subject.population == "hukou")
      who += Msg("（本省户籍人口）", " (hukou population)").In(lang_);
    Merge(2, 0, 2, middle, who, f_.left);
    std::string what = Msg("截止日期：{0}", "As of: {0}", subject.cutoff.ToIso()).In(lang_);
    if (!form_.unit.In(lang_).empty()) what += "    " + form_.unit.In(lang_);
    Merge(2, static_cast<lxw_col_t>(middle + 1), 2, last_, what, f_.right);
    row_ = 3;
  }

  void Headings() {
    const lxw_row_t top = row_;
    const auto leaf = static_cast<lxw_row_t>(top + static_cast<lxw_row_t>(HeadingLines(form_)) - 1);
    Merge(top, 0, leaf, 0, Msg("地区", "Division").In(lang_), f_.heading);
    for (const HeadingCell& cell : HeadingsOf(form_)) {
      const auto row = static_cast<lxw_row_t>(top + static_cast<lxw_row_t>(cell.row));
      const auto column = static_cast<lxw_col_t>(cell.column);
      const auto last_row = static_cast<lxw_row_t>(row + static_cast<lxw_row_t>(cell.rows) - 1);
      Merge(row, column, last_row, static_cast<lxw_col_t>(cell.column + cell.span - 1),
            cell.text.In(lang_), f_.heading);
      if (last_row != leaf || cell.span != 1) continue;
      const bool beside = static_cast<size_t>(cell.column) > form_.columns.size();
      if (beside || cell.rows == 1) {
        Text(leaf + 1, column,
             beside ? Msg("表外", "beside").In(lang_) : std::to_string(cell.column), f_.number);
      }
    }
    Text(leaf + 1, 0, Msg("栏次", "Column").In(lang_), f_.number);
    worksheet_set_row(sheet_, leaf, 90, nullptr);
    worksheet_freeze_panes(sheet_, leaf + 2, 1);
    worksheet_repeat_rows(sheet_, 1, leaf + 1);
    row_ = leaf + 2;
  }

  void Value(lxw_row_t row, lxw_col_t col, const FormColumn& column, std::optional<int64_t> value) {
    if (!value) {
      worksheet_write_blank(sheet_, row, col, f_.absent);
    } else if (column.has_decimals()) {
      worksheet_write_number(sheet_, row, col, static_cast<double>(*value) / 100, f_.decimal);
    } else {
      worksheet_write_number(sheet_, row, col, static_cast<double>(*value), f_.count);
    }
  }

  void Row(const FormResult& result, const std::string& name) {
    Text(row_, 0, name, f_.name);
    for (size_t i = 0; i < form_.columns.size(); ++i) {
      bool words = result.not_collected[i] || form_.columns[i].type == ColumnType::kYesNo;
      if (words) {
        Text(row_, At(i), CellText(result, i, lang_), f_.absent);
      } else {
        Value(row_, At(i), form_.columns[i], result.columns[i]);
      }
    }
    if (beside_) Value(row_, last_, form_.columns.front(), result.not_yet_verified);
    ++row_;
  }

  void Rows() {
    Row(table_.total, table_.parts.empty() ? DivisionText(table_.total.subject, lang_)
                                           : Msg("合计", "Total").In(lang_));
    for (const FormResult& part : table_.parts) Row(part, DivisionText(part.subject, lang_));
  }

  void Signatures() {
    size_t count = form_.signatures.size();
    for (size_t i = 0; i < count; ++i) {
      size_t columns = static_cast<size_t>(last_) + 1;
      Merge(row_, static_cast<lxw_col_t>(columns * i / count), row_,
            static_cast<lxw_col_t>(columns * (i + 1) / count - 1), form_.signatures[i].In(lang_),
            f_.left);
    }
    row_ += 2;
  }

  void CrossTable() {
    if (!table_.total.HasCross()) return;
    Note(Msg("附：同时参加职工和居民险种的人数（表中计入职工栏）",
             "Beside: persons in employee and resident schemes (counted under employees above)")
             .In(lang_),
         f_.note);
    for (int resident = 11; resident <= 15; ++resident) {
      Text(row_, static_cast<lxw_col_t>(resident - 10), fmt::format("({})", resident), f_.number);
    }
    Text(row_, 0, Msg("职工 × 居民", "employee × resident").In(lang_), f_.number);
    ++row_;
    for (size_t employee = 0; employee < 10; ++employee) {
      Text(row_, 0, fmt::format("({})", employee + 1), f_.number);
      for (size_t i = 0; i < 5; ++i) {
        worksheet_write_number(sheet_, row_, static_cast<lxw_col_t>(i + 1),
                               static_cast<double>(table_.total.cross[employee * 5 + i]), f_.count);
      }
      ++row_;
    }
    ++row_;
  }

  void Note(const std::string& s, lxw_format* format) {
    Merge(row_, 0, row_, last_, s, format);
    ++row_;
  }

  void Checks() {
    std::string rules;
    for (const CheckResult& check : table_.total.checks) {
      if (check.blocking) rules += (rules.empty() ? "" : "；") + check.rule;
    }
    if (!rules.empty()) Note(Msg("审核关系：{0}", "Checks: {0}", rules).In(lang_), f_.note);
    std::vector<const FormResult*> all = {&table_.total};
    for (const FormResult& part : table_.parts) all.push_back(&part);
    for (const FormResult* result : all) {
      for (const CheckResult& check : result->checks) {
        if (check.holds) continue;
        Note(DivisionText(result->subject, lang_) + ": " + check.explanation.In(lang_), f_.failed);
      }
    }
  }

  void Definitions() {
    Note(Msg("指标解释", "Definitions").In(lang_), f_.note);
    for (const FormColumn& column : form_.columns) {
      bool zh = lang_ == Lang::kZh;
      std::string s = fmt::format("{} {}", column.number, column.heading.In(lang_));
      if (!column.definition.In(lang_).empty()) {
        s += (zh ? "：" : ": ") + column.definition.In(lang_);
      }
      if (!column.note.In(lang_).empty()) {
        s += (zh ? "（" : " (") + column.note.In(lang_) + (zh ? "）" : ")");
      }
      Note(s, f_.note);
    }
  }

  void Print() {
    worksheet_set_column(sheet_, 0, 0, 18, nullptr);
    worksheet_set_column(sheet_, 1, last_, 9.5, nullptr);
    worksheet_set_landscape(sheet_);
    worksheet_set_paper(sheet_, 8);  // A3
    worksheet_fit_to_pages(sheet_, 1, 0);
    worksheet_set_margins(sheet_, 0.4, 0.4, 0.5, 0.5);
    worksheet_center_horizontally(sheet_);
    worksheet_set_footer(sheet_, "&C&P / &N");
    worksheet_print_area(sheet_, 0, 0, row_ - 1, last_);
  }

  lxw_worksheet* sheet_;
  const FormTable& table_;
  const Form& form_;
  Lang lang_;
  Formats f_;
  bool beside_ = false;
  lxw_col_t last_ = 0;
  lxw_row_t row_ = 0;
};

}  // namespace

Status WriteXlsx(const FormTable& table, const std::string& path, Lang lang) {
  std::string temporary = path + ".part";
  auto cannot_write = [&](const std::string& why) {
    std::error_code ignored;
    std::filesystem::remove(temporary, ignored);
    return Fail(
        Error{ErrorClass::kEnvironment, "CB-REPORTING-0010",
              Msg("无法写出工作簿: {0}", "cannot write the workbook: {0}", why),
              Msg("请检查目录、权限和磁盘空间", "check the folder, its rights and free space"),
              path, 0, 0});
  };
  // Tried first: libxlsxwriter opens the file only at the end, and complains on stderr.
  std::FILE* probe = std::fopen(temporary.c_str(), "wb");
  if (probe == nullptr) return cannot_write(std::strerror(errno));
  std::fclose(probe);
  lxw_workbook* book = workbook_new(temporary.c_str());
  if (book == nullptr) return cannot_write("libxlsxwriter");
  lxw_doc_properties properties{};
  properties.title = const_cast<char*>(table.total.form->title.In(lang).c_str());
  // Fixed, so that the same figures give the same bytes.
  properties.created = 1483228800;  // 2017-01-01
  workbook_set_properties(book, &properties);
  std::string name = Msg("表{0}", "form {0}", table.total.form->code).In(lang);
  lxw_worksheet* sheet = workbook_add_worksheet(book, name.c_str());
  Sheet(book, sheet, table, lang).Write();
  lxw_error error = workbook_close(book);
  if (error != LXW_NO_ERROR) return cannot_write(lxw_strerror(error));
  std::error_code ec;
  std::filesystem::rename(temporary, path, ec);
  if (ec) return cannot_write(ec.message());
  return {};
}

}  // namespace canbao::reporting
