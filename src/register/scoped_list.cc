#include "register/scoped_list.h"

#include <algorithm>
#include <charconv>

#include "register/cursor.h"
#include "register/internal/row_query.h"
#include "register/internal/sql_day.h"

namespace canbao::reg {
namespace {

struct Register {
  Date cutoff;
  int64_t province = 0;
  int64_t run_id = 0;
};

Result<Register> Look(Connection& c, Date cutoff) {
  Register at;
  CANBAO_ASSIGN(at.cutoff, CutoffFor(c, cutoff));
  CANBAO_ASSIGN(Rows run, c.Exec("SELECT province, run_id FROM canbao.run WHERE superseded_by IS "
                                 "NULL AND cutoff = " +
                                 SqlDay(at.cutoff)));
  if (run.size() > 0) {
    at.province = run.Int(0, 0);
    at.run_id = run.Int(0, 1);
  }
  return at;
}

// What a cursor belongs to: the list, its filters, the state of the register.
std::string NameOf(const RowFilter& f, const Register& at) {
  return fmt::format("{} {} {} {} {} {} {} {} {} {} {} {} {}", static_cast<int>(f.list), f.form,
                     f.column, f.hukou, at.cutoff.ToIso(), at.run_id, f.division, f.branch,
                     f.number, f.age_from, f.age_to, f.scheme, f.group);
}

std::string Joined(const std::vector<std::string>& parts, const char* between,
                   const char* behind = "") {
  std::string out;
  for (const std::string& p : parts) out += (out.empty() ? "" : between) + p + behind;
  return out;
}

// (k0, k1, …) > the cursor's, with what an index can use said apart.
std::string Beyond(const RowQuery& q, bool forward, size_t first_param) {
  std::vector<std::string> params;
  for (size_t i = 0; i < q.keys.size(); ++i) {
    params.push_back(fmt::format("${}::text::{}", first_param + i, q.key_types[i]));
  }
  auto head = [](const std::vector<std::string>& v, size_t n) {
    return Joined({v.begin(), v.begin() + static_cast<ptrdiff_t>(n)}, ", ");
  };
  std::string sql;
  if (q.index < q.keys.size()) {
    sql = fmt::format(" AND ({}) {} ({})", head(q.keys, q.index),
                      forward ? ">=" : "<=", head(params, q.index));
  }
  return sql + fmt::format(" AND ({}) {} ({})", Joined(q.keys, ", "), forward ? ">" : "<",
                           Joined(params, ", "));
}

struct CountyCount {
  int64_t county;
  int64_t rows;
};

Result<std::vector<CountyCount>> CountsOf(Connection& c, const RowQuery& q) {
  std::vector<CountyCount> out;
  if (q.counts.empty()) {
    CANBAO_ASSIGN(Rows n,
                  c.Exec(fmt::format("SELECT count(*) {} WHERE {}", q.from, q.where), q.params));
    out.push_back({-1, n.Int(0, 0)});
    return out;
  }
  CANBAO_ASSIGN(Rows rows, c.Exec(q.counts + " ORDER BY 1", q.params));
  for (int i = 0; i < rows.size(); ++i) out.push_back({rows.Int(i, 0), rows.Int(i, 1)});
  return out;
}

class PageReader {
 public:
  PageReader(Connection& c, const FieldCipher& cipher, const PageRequest& request)
      : c_(c), cipher_(cipher), request_(request) {}

  Result<TablePage> Read() {
    CANBAO_ASSIGN(at_, Look(c_, request_.filter.cutoff));
    CANBAO_ASSIGN(query_, QueryFor(request_.filter, at_.cutoff, at_.province, true));
    list_ = NameOf(request_.filter, at_);
    // The planner takes a policy for far more selective than it is and would rather sort all than
    // read the index in order until the page is full.
    CANBAO_TRY(
        c_.Run("SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off; "
               "SET LOCAL enable_seqscan = off; SET LOCAL jit = off; "
               "SET LOCAL max_parallel_workers_per_gather = 0"));
    CANBAO_ASSIGN(counts_, CountsOf(c_, query_));
    int64_t count = 0;
    for (const CountyCount& k : counts_) count += k.rows;
    TablePage page;
    page.count = count;
    for (const TextColumn& column : query_.columns) {
      page.columns.push_back(DescribeColumn(column.name));
    }
    std::string where = query_.where;
    std::vector<Param> params = query_.params;
    CANBAO_TRY(Begin(&where, &params, count));
    // Nothing to find: an index of what is common would be read to its end for it.
    if (count == 0) return page;
    CANBAO_TRY(Fetch(where, std::move(params), &page));
    return page;
  }

 private:
  // Where the page begins.
  Status Begin(std::string* where, std::vector<Param>* params, int64_t count) {
    if (!request_.after.empty() || !request_.before.empty()) {
      forward_ = request_.before.empty();
      CANBAO_ASSIGN(Cursor from,
                    OpenCursor(cipher_, list_, forward_ ? request_.after : request_.before,
                               query_.keys.size()));
      *where += Beyond(query_, forward_, params->size() + 1);
      for (const std::string& key : from.keys) params->emplace_back(key);
      ordinal_ = from.ordinal;
      at_start_ = false;
    } else if (request_.page > 1) {
      CANBAO_TRY(Jump(where, params, std::min((request_.page - 1) * request_.limit, count)));
    } else {
      ordinal_ = 0;
    }
    return {};
  }

  // The county by its count, there the mark before the row, the row by steps from it.
  Status Jump(std::string* where, std::vector<Param>* params, int64_t skip) {
    at_start_ = skip == 0;
    ordinal_ = skip;
    offset_ = skip;
    for (const CountyCount& k : counts_) {
      if (k.county < 0) return {};
      if (offset_ >= k.rows) {
        offset_ -= k.rows;
        continue;
      }
      const auto county = static_cast<int32_t>(k.county);
      params->emplace_back(county);
      if (!query_.marks.empty()) {
        CANBAO_ASSIGN(
            Rows mark,
            c_.Exec("SELECT ordinal, person_key FROM canbao.list_mark WHERE cutoff = " +
                        SqlDay(at_.cutoff) +
                        " AND list = $1 AND county = $2 AND ordinal <= $3 ORDER BY ordinal DESC "
                        "LIMIT 1",
                    {Param(query_.marks), Param(county), Param(offset_)}));
        if (mark.size() > 0) {
          offset_ -= mark.Int(0, 0);
          params->emplace_back(mark.Int(0, 1));
          *where += fmt::format(" AND ({}, {}) >= (${}, ${})", query_.keys[0], query_.keys[1],
                                params->size() - 1, params->size());
          return {};
        }
      }
      *where += fmt::format(" AND {} >= ${}", query_.keys[0], params->size());
      return {};
    }
    return {};
  }

  Status Fetch(const std::string& where, std::vector<Param> params, TablePage* page) {
    std::string select = query_.select, order, outside;
    for (size_t i = 0; i < query_.keys.size(); ++i) {
      select += fmt::format(", {} AS k{}", query_.keys[i], i);
      const char* direction = forward_ ? "" : " DESC";
      order += fmt::format("{}{}{}", i == 0 ? "" : ", ", query_.keys[i], direction);
      outside += fmt::format("{}{}.k{}{}", i == 0 ? "" : ", ", query_.alias, i, direction);
    }
    std::string keys;
    for (size_t i = 0; i < query_.keys.size(); ++i)
      keys += fmt::format(", {}.k{}", query_.alias, i);
    // The page first, then what its rows need besides: no plan joins before it has cut.
    std::string skip;
    if (offset_ > 0) {
      params.emplace_back(offset_);
      skip = fmt::format(" OFFSET ${}", params.size());
    }
    CANBAO_ASSIGN(
        Rows rows,
        c_.Exec(
            fmt::format("WITH {0} AS MATERIALIZED (SELECT {1} {2} WHERE {3} ORDER BY {4} LIMIT {5}"
                        "{6}) SELECT {7}{8} FROM {0} {9} ORDER BY {10}",
                        query_.alias, select, query_.from, where, order, request_.limit + 1, skip,
                        SelectList(query_.columns), keys, query_.joins, outside),
            params));
    CANBAO_TRY(
        c_.Run("SET LOCAL enable_sort = on; SET LOCAL enable_bitmapscan = on; "
               "SET LOCAL enable_seqscan = on"));
    CANBAO_ASSIGN(TextContext context, TextContext::Load(c_, cipher_, true));
    context.screen = true;
    int n = std::min(rows.size(), request_.limit);
    bool more = rows.size() > request_.limit;
    for (int i = 0; i < n; ++i) {
      int row = forward_ ? i : n - 1 - i;
      page->rows.push_back(TextRow(context, query_.columns, rows, row));
    }
    if (n == 0) return {};
    if (ordinal_ >= 0) page->first = forward_ ? ordinal_ + 1 : std::max<int64_t>(1, ordinal_ - n);
    int first_row = forward_ ? 0 : n - 1, last_row = forward_ ? n - 1 : 0;
    bool has_next = forward_ ? more : true;
    bool has_previous = forward_ ? !at_start_ : more;
    auto cursor = [&](int row, int64_t ordinal) {
      Cursor k;
      k.ordinal = ordinal;
      int base = rows.columns() - static_cast<int>(query_.keys.size());
      for (int i = base; i < rows.columns(); ++i) k.keys.emplace_back(rows.Text(row, i));
      return SealCursor(cipher_, list_, k);
    };
    int64_t first = page->first.value_or(1);
    if (has_next) page->next = cursor(last_row, first + n - 1);
    if (has_previous) page->previous = cursor(first_row, first);
    return {};
  }

  Connection& c_;
  const FieldCipher& cipher_;
  const PageRequest& request_;
  Register at_;
  RowQuery query_;
  std::string list_;
  std::vector<CountyCount> counts_;
  bool forward_ = true;
  bool at_start_ = true;
  int64_t ordinal_ = -1;  // forward: rows before the page; backward: of the row behind it
  int64_t offset_ = 0;
};

}  // namespace

Result<Date> CutoffFor(Connection& c, Date cutoff) {
  CANBAO_ASSIGN(Rows rows, c.Exec("SELECT cutoff FROM canbao.run WHERE superseded_by IS NULL "
                                  "ORDER BY cutoff"));
  if (rows.size() == 0) {
    return Fail(ErrorClass::kUsage, "CB-REGISTER-0602",
                Msg("登记库中还没有任何运行。", "the register holds no run yet."),
                Msg("请先比对一批数据。", "Compare a delivery first."));
  }
  if (!cutoff.has_value()) return ParseIsoDate(rows.Text(rows.size() - 1, 0));
  for (int i = 0; i < rows.size(); ++i) {
    if (ParseIsoDate(rows.Text(i, 0)) == cutoff) return cutoff;
  }
  return Fail(
      ErrorClass::kUsage, "CB-REGISTER-0601",
      Msg("没有截止日期 {0} 的数据。", "nothing is known for the cut-off {0}.", cutoff.ToIso()));
}

PageColumn DescribeColumn(const ListColumn& column) {
  PageColumn out;
  out.key = column.en;
  out.label = {column.zh, column.en};
  for (char& ch : out.label.en) {
    if (ch == '_') ch = ' ';
  }
  if (!out.label.en.empty() && out.label.en[0] >= 'a' && out.label.en[0] <= 'z') {
    out.label.en[0] = static_cast<char>(out.label.en[0] & ~0x20);
  }
  static const std::pair<std::string_view, CellKind> kKinds[] = {
      {"person_key", CellKind::kPerson},
      {"number", CellKind::kMasked},
      {"name", CellKind::kMasked},
      {"phone", CellKind::kMasked},
      {"address", CellKind::kMasked},
      {"birth_date", CellKind::kDay},
      {"county", CellKind::kDivision},
      {"city", CellKind::kDivision},
      {"region", CellKind::kDivision},
      {"hukou_division", CellKind::kDivision},
      {"residence_division", CellKind::kDivision},
      {"file", CellKind::kPlace},
      {"source", CellKind::kPlace},
      {"line", CellKind::kPlace},
      {"cutoff", CellKind::kDay},
      {"enrolled_on", CellKind::kDay},
      {"ended_on", CellKind::kDay},
      {"first_month", CellKind::kDay},
      {"known_from", CellKind::kDay},
      {"known_until", CellKind::kDay},
      {"changed_on", CellKind::kDay},
      {"from", CellKind::kDay},
      {"until", CellKind::kDay}};
  for (const auto& [key, kind] : kKinds) {
    if (key == out.key) out.kind = kind;
  }
  return out;
}

Result<TablePage> ReadPage(Connection& c, const FieldCipher& cipher, const PageRequest& request) {
  return PageReader(c, cipher, request).Read();
}

Result<int64_t> CountRows(Connection& c, const RowFilter& filter) {
  CANBAO_ASSIGN(Register at, Look(c, filter.cutoff));
  CANBAO_ASSIGN(RowQuery query, QueryFor(filter, at.cutoff, at.province, true));
  CANBAO_ASSIGN(std::vector<CountyCount> counts, CountsOf(c, query));
  int64_t count = 0;
  for (const CountyCount& k : counts) count += k.rows;
  return count;
}

}  // namespace canbao::reg
