#include "casework/store.h"

#include <algorithm>

#include "casework/internal/case_row.h"

namespace canbao::casework {
namespace {

tl::unexpected<Error> NoSuchCase() {
  return Fail(ErrorClass::kInput, "CB-CASEWORK-0012", Msg("没有这个案件", "no such case"));
}

std::string_view TextOr(const reg::Rows& rows, int i, int column) {
  return rows.IsNull(i, column) ? std::string_view() : rows.Text(i, column);
}

constexpr char kTime[] = "to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')";

Status ReadRelations(reg::Connection& c, const Policy& policy, const std::string& chosen,
                     CaseDetail* d) {
  CANBAO_ASSIGN(reg::Rows rows,
                c.Exec("SELECT * FROM canbao.case_enrolments($1)", {reg::Param(d->row.id)}));
  for (int i = 0; i < rows.size(); ++i) {
    Relation r;
    r.scheme = static_cast<int>(rows.Int(i, 0));
    r.region = static_cast<uint32_t>(rows.Int(i, 1));
    r.state = static_cast<int>(rows.Int(i, 2));
    r.enrolled_on = ParseIsoDate(rows.Text(i, 3));
    r.employed = rows.Bool(i, 4);
    r.source = TextOr(rows, i, 5);
    if (!rows.IsNull(i, 6)) d->residence = static_cast<uint64_t>(rows.Int(i, 6));
    d->relations.push_back(std::move(r));
  }
  d->facts.relations = static_cast<int>(d->relations.size());
  if (const KeepRule* rule = policy.KeepRuleOf(d->row.number)) {
    d->facts.proposed_keep = ProposeKeep(*rule, d->relations, d->residence, d->row.found_cutoff);
  }
  d->keep = d->facts.proposed_keep;
  if (chosen.empty()) return {};
  for (size_t i = 0; i < d->relations.size(); ++i) {
    const Relation& r = d->relations[i];
    if (fmt::format("{}@{}", r.scheme, r.region) != chosen) continue;
    d->keep = static_cast<int>(i);
    d->chosen = true;
    break;
  }
  return {};
}

Status ReadDiscrepancy(reg::Connection& c, const reg::FieldCipher& cipher, CaseDetail* d) {
  CANBAO_ASSIGN(reg::Rows rows, c.Exec("SELECT * FROM canbao.case_discrepancy($1) LIMIT 1",
                                       {reg::Param(d->row.id)}));
  if (rows.size() == 0) return {};
  d->field = TextOr(rows, 0, 0);
  d->delivered = TextOr(rows, 0, 1);
  d->prevailing = TextOr(rows, 0, 2);
  for (auto [column, to] : {std::pair(3, &d->delivered), std::pair(4, &d->prevailing)}) {
    if (rows.IsNull(0, column)) continue;
    d->identity_field = true;
    *to = cipher.OpenText(rows.Bytes(0, column)).value_or("");
  }
  d->source = TextOr(rows, 0, 5);
  d->place = fmt::format("{}:{}", TextOr(rows, 0, 6), rows.Int(0, 7) & 0xFFFFFFFF);
  return {};
}

Status ReadParties(reg::Connection& c, CaseDetail* d) {
  CANBAO_ASSIGN(reg::Rows rows,
                c.Exec("SELECT region, outside, canbao.acts_for(region, county, outside), "
                       "agreed_by, " +
                           fmt::format(kTime, "agreed_at") +
                           " FROM canbao.case_party WHERE case_id = $1 ORDER BY outside, region",
                       {reg::Param(d->row.id)}));
  for (int i = 0; i < rows.size(); ++i) {
    PartyRow p;
    p.party.region = static_cast<uint32_t>(rows.Int(i, 0));
    p.party.outside = rows.Bool(i, 1);
    p.party.mine = rows.Bool(i, 2);
    p.party.agreed = !rows.IsNull(i, 3);
    p.by = TextOr(rows, i, 3);
    p.at = TextOr(rows, i, 4);
    d->facts.parties.push_back(p.party);
    d->parties.push_back(std::move(p));
  }
  return {};
}

Status ReadHistory(reg::Connection& c, CaseDetail* d) {
  CANBAO_ASSIGN(reg::Rows events, c.Exec(fmt::format("SELECT {}, by, action, from_state, to_state, "
                                                     "note FROM canbao.case_event "
                                                     "WHERE case_id = $1 ORDER BY event_id",
                                                     fmt::format(kTime, "at")),
                                         {reg::Param(d->row.id)}));
  for (int i = 0; i < events.size(); ++i) {
    CaseEvent e;
    e.at = events.Text(i, 0);
    e.by = events.Text(i, 1);
    e.action = events.Text(i, 2);
    e.from = static_cast<State>(events.Int(i, 3));
    e.to = static_cast<State>(events.Int(i, 4));
    e.note = TextOr(events, i, 5);
    d->events.push_back(std::move(e));
  }
  return {};
}

EvidenceRow EvidenceOf(const reg::Rows& rows, int i) {
  EvidenceRow e;
  e.id = rows.Int(i, 0);
  e.name = rows.Text(i, 1);
  e.content_type = rows.Text(i, 2);
  e.size = rows.Int(i, 3);
  e.sha256 = rows.Text(i, 4);
  e.by = rows.Text(i, 5);
  e.at = rows.Text(i, 6);
  return e;
}
std::string EvidenceSql() {
  return "SELECT evidence_id, name, content_type, size, sha256, by, " + fmt::format(kTime, "at") +
         " FROM canbao.case_evidence WHERE case_id = $1";
}

// What a step needs to know; events and evidence are for the page.
Result<CaseDetail> ReadFacts(reg::Connection& c, const reg::FieldCipher& cipher,
                             const Policy& policy, int64_t id) {
  CANBAO_ASSIGN(
      reg::Rows rows,
      c.Exec(fmt::format("SELECT {}, c.state, c.gone_cutoff IS NOT NULL, c.keep, c.pending_action, "
                         "c.pending_by, {}, c.region = 0 OR canbao.acts_for(c.region, c.county, "
                         "false) FROM canbao.case c LEFT JOIN LATERAL "
                         "canbao.case_persons(ARRAY[c.case_id]) w ON true WHERE c.case_id = $1",
                         internal::CaseColumns(), fmt::format(kTime, "c.pending_at")),
             {reg::Param(id)}));
  if (rows.size() == 0) return NoSuchCase();
  constexpr int k = internal::kCaseColumns;
  CaseDetail d;
  d.row = internal::RowOf(rows, 0, cipher, Date::Today());
  d.facts.kind = d.row.kind;
  d.facts.shown = d.row.shown;
  d.facts.pays_benefits = d.row.pays_benefits && d.row.kind == CaseKind::kDuplicate;
  d.facts.state = static_cast<State>(rows.Int(0, k));
  d.facts.gone = rows.Bool(0, k + 1);
  d.facts.pending_action = TextOr(rows, 0, k + 3);
  d.facts.pending_by = TextOr(rows, 0, k + 4);
  d.pending_at = TextOr(rows, 0, k + 5);
  d.facts.mine_as_source = rows.Bool(0, k + 6);
  const std::string chosen(TextOr(rows, 0, k + 2));
  if (d.row.kind == CaseKind::kDuplicate) {
    CANBAO_TRY(ReadRelations(c, policy, chosen, &d));
    CANBAO_TRY(ReadParties(c, &d));
  } else {
    CANBAO_TRY(ReadDiscrepancy(c, cipher, &d));
  }
  return d;
}

// Sets of an UPDATE, with their parameters.
class Sets {
 public:
  void Add(const std::string& column, reg::Param value, const char* cast = "") {
    params_.push_back(std::move(value));
    sql_ += fmt::format(", {} = ${}{}", column, params_.size(), cast);
  }
  void Raw(const std::string& text) { sql_ += ", " + text; }
  const std::string& sql() const { return sql_; }
  std::vector<reg::Param>& params() { return params_; }

 private:
  std::string sql_;
  std::vector<reg::Param> params_;
};

Status Write(reg::Connection& c, const CaseDetail& d, const Actor& actor, const Effect& effect,
             int version) {
  Sets set;
  if (effect.state) set.Add("state", reg::Param(static_cast<int16_t>(*effect.state)));
  if (effect.due) {
    if (effect.due->has_value()) {
      set.Add("due", reg::Param(effect.due->ToIso()), "::date");
    } else {
      set.Raw("due = NULL");
    }
  }
  if (effect.assignee) {
    if (effect.assignee->empty()) {
      set.Raw("assignee = NULL");
    } else {
      set.Add("assignee", reg::Param(*effect.assignee));
    }
  }
  if (effect.keep) {
    const Relation& r = d.relations[static_cast<size_t>(*effect.keep)];
    set.Add("keep", reg::Param(fmt::format("{}@{}", r.scheme, r.region)));
  }
  if (effect.sets_pending) {
    set.Add("pending_action", reg::Param(effect.action));
    set.Add("pending_by", reg::Param(actor.account));
    set.Add("pending_note", reg::Param(effect.note));
    set.Raw("pending_at = now()");
  }
  if (effect.clears_pending) {
    set.Raw("pending_action = NULL, pending_by = NULL, pending_at = NULL, pending_note = NULL");
  }
  if (effect.closes) {
    set.Add("closed_by", reg::Param(effect.closed_by));
    if (!effect.approved_by.empty()) set.Add("approved_by", reg::Param(effect.approved_by));
  } else if (effect.state) {
    set.Raw("closed_by = NULL, approved_by = NULL");
  }
  set.params().emplace_back(d.row.id);
  const size_t id_at = set.params().size();
  set.params().emplace_back(int32_t{version});
  CANBAO_ASSIGN(reg::Rows changed,
                c.Exec(fmt::format("UPDATE canbao.case SET version = version + 1{} "
                                   "WHERE case_id = ${} AND version = ${}",
                                   set.sql(), id_at, id_at + 1),
                       set.params()));
  if (changed.affected() == 0) {
    return Fail(ErrorClass::kInput, "CB-CASEWORK-0003",
                Msg("案件已被他人更改", "somebody has changed the case meanwhile"),
                Text{"请刷新后重试。", "Reload it and try again."});
  }
  if (effect.clears_agreements) {
    // Of one's own side; the others' word stands until they take it back themselves.
    CANBAO_TRY(
        c.Exec("UPDATE canbao.case_party SET agreed_by = NULL, agreed_at = NULL "
               "WHERE case_id = $1",
               {reg::Param(d.row.id)}));
  }
  for (uint32_t region : effect.agrees) {
    CANBAO_ASSIGN(reg::Rows agreed,
                  c.Exec("UPDATE canbao.case_party SET agreed_by = $3, agreed_at = now() "
                         "WHERE case_id = $1 AND region = $2",
                         {reg::Param(d.row.id), reg::Param(static_cast<int32_t>(region)),
                          reg::Param(actor.account)}));
    if (agreed.affected() == 0) {
      return Fail(ErrorClass::kInput, "CB-CASEWORK-0005",
                  Msg("这一方的步骤由另一方办理", "the step is another party's to do"));
    }
  }
  std::vector<reg::Param> event = {reg::Param(d.row.id),      reg::Param(actor.account),
                                   reg::Param(effect.action), reg::Param(nullptr),
                                   reg::Param(nullptr),       reg::Param(nullptr)};
  if (effect.state) {
    event[3] = reg::Param(static_cast<int16_t>(d.facts.state));
    event[4] = reg::Param(static_cast<int16_t>(*effect.state));
  }
  if (!effect.note.empty()) event[5] = reg::Param(effect.note);
  CANBAO_TRY(
      c.Exec("INSERT INTO canbao.case_event (case_id, by, action, from_state, to_state, note, "
             "cutoff) SELECT $1, $2, $3, $4::smallint, $5::smallint, $6::text, "
             "max(cutoff) FROM canbao.run WHERE superseded_by IS NULL",
             event));
  return {};
}

}  // namespace

Result<CaseDetail> ReadCase(reg::Connection& c, const reg::FieldCipher& cipher,
                            const Policy& policy, int64_t id) {
  CANBAO_ASSIGN(CaseDetail d, ReadFacts(c, cipher, policy, id));
  CANBAO_TRY(ReadHistory(c, &d));
  CANBAO_ASSIGN(reg::Rows evidence,
                c.Exec(EvidenceSql() + " ORDER BY evidence_id", {reg::Param(id)}));
  for (int i = 0; i < evidence.size(); ++i) d.evidence.push_back(EvidenceOf(evidence, i));
  return d;
}

Status StepCase(reg::Connection& c, const reg::FieldCipher& cipher, const Policy& policy,
                int64_t id, int version, const Actor& actor, const Intent& intent, Date today) {
  CANBAO_ASSIGN(CaseDetail d, ReadFacts(c, cipher, policy, id));
  if (version != 0 && version != d.row.version) {
    return Fail(ErrorClass::kInput, "CB-CASEWORK-0003",
                Msg("案件已被他人更改", "somebody has changed the case meanwhile"),
                Text{"请刷新后重试。", "Reload it and try again."});
  }
  CANBAO_ASSIGN(Effect effect, Decide(policy, d.facts, actor, intent, today));
  return Write(c, d, actor, effect, d.row.version);
}

Result<BulkResult> StepCases(reg::Connection& c, const reg::FieldCipher& cipher,
                             const Policy& policy, const std::vector<int64_t>& ids,
                             const Actor& actor, const Intent& intent, Date today) {
  BulkResult result;
  for (int64_t id : ids) {
    CANBAO_TRY(c.Run("SAVEPOINT one_case"));
    Status done = StepCase(c, cipher, policy, id, 0, actor, intent, today);
    if (done) {
      CANBAO_TRY(c.Run("RELEASE one_case"));
      result.done.push_back(id);
      continue;
    }
    if (done.error().cls != ErrorClass::kInput) return Fail(std::move(done.error()));
    CANBAO_TRY(c.Run("ROLLBACK TO one_case; RELEASE one_case"));
    result.refused.push_back({id, std::move(done.error())});
  }
  return result;
}

Status AddEvidenceRow(reg::Connection& c, int64_t id, const EvidenceRow& e) {
  CANBAO_ASSIGN(reg::Rows seen,
                c.Exec("SELECT FROM canbao.case WHERE case_id = $1", {reg::Param(id)}));
  if (seen.size() == 0) return NoSuchCase();
  CANBAO_TRY(
      c.Exec("INSERT INTO canbao.case_evidence (case_id, name, content_type, size, sha256, by) "
             "VALUES ($1, $2, $3, $4, $5, $6)",
             {reg::Param(id), reg::Param(e.name), reg::Param(e.content_type), reg::Param(e.size),
              reg::Param(e.sha256), reg::Param(e.by)}));
  CANBAO_TRY(
      c.Exec("INSERT INTO canbao.case_event (case_id, by, action, note, cutoff) "
             "SELECT $1, $2, 'evidence', $3, max(cutoff) FROM canbao.run "
             "WHERE superseded_by IS NULL",
             {reg::Param(id), reg::Param(e.by), reg::Param(e.name)}));
  return {};
}

Result<EvidenceRow> FindEvidence(reg::Connection& c, int64_t id, int64_t evidence) {
  CANBAO_ASSIGN(reg::Rows rows, c.Exec(EvidenceSql() + " AND evidence_id = $2",
                                       {reg::Param(id), reg::Param(evidence)}));
  if (rows.size() == 0) {
    return Fail(ErrorClass::kInput, "CB-CASEWORK-0015",
                Msg("没有这份证据", "no such piece of evidence"));
  }
  return EvidenceOf(rows, 0);
}

}  // namespace canbao::casework
