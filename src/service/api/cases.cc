// Cases: pages of them, one with its history, steps, evidence. What a step means is casework's;
// here it becomes JSON and a status.
#include <boost/json.hpp>
#include <charconv>
#include <mutex>

#include "casework/evidence.h"
#include "casework/store.h"
#include "identity/citizen_number.h"
#include "identity/name.h"
#include "register/read.h"
#include "scheme/scheme.h"
#include "service/api/case_json.h"
#include "service/api/divisions_known.h"
#include "service/api/work.h"
#include "service/context.h"

namespace canbao::service {
namespace {

namespace json = boost::json;
using casework::CaseDetail;
using casework::CaseKind;
using casework::CaseRow;
using casework::Policy;

// Refusals of casework by what a client does about them.
tl::unexpected<Problem> RefusedStep(Error error) {
  static constexpr std::pair<std::string_view, int> kStatuses[] = {
      {"CB-CASEWORK-0003", 412}, {"CB-CASEWORK-0004", 409}, {"CB-CASEWORK-0005", 403},
      {"CB-CASEWORK-0007", 409}, {"CB-CASEWORK-0008", 403}, {"CB-CASEWORK-0009", 409},
      {"CB-CASEWORK-0010", 403}, {"CB-CASEWORK-0012", 404}, {"CB-CASEWORK-0013", 415},
      {"CB-CASEWORK-0014", 413}, {"CB-CASEWORK-0015", 404}, {"CB-CASEWORK-0016", 409},
      {"CB-CASEWORK-0017", 400}};
  for (const auto& [code, status] : kStatuses) {
    if (error.code == code) return tl::unexpected<Problem>(Problem(status, std::move(error)));
  }
  return tl::unexpected<Problem>(Problem(std::move(error)));
}

// The policy of a day, read once a day and folder.
Result<std::shared_ptr<const Policy>> PolicyOf(const Services& services) {
  static std::mutex mutex;
  static std::string dir;
  static Date day;
  static std::shared_ptr<const Policy> policy;
  std::lock_guard lock(mutex);
  const Date today = Date::Today();
  if (!policy || dir != services.policy_dir || day != today) {
    CANBAO_ASSIGN(policy, Policy::Load(services.policy_dir, today));
    dir = services.policy_dir;
    day = today;
  }
  return policy;
}

json::value Words(const Text& t) { return json::object{{"zh", t.zh}, {"en", t.en}}; }
json::value OrNull(const std::string& text) {
  return text.empty() ? json::value(nullptr) : json::value(text);
}
json::value StateName(const Policy& policy, casework::State state) {
  const casework::StateInfo* s = policy.FindState(state);
  return s == nullptr ? json::value(nullptr) : json::value(s->name);
}

// "养老跨制度重复参保", "pension cross scheme".
Text KindLabel(CaseKind kind, int number) {
  Text t =
      kind == CaseKind::kDuplicate ? reg::DuplicateLabel(number) : reg::DiscrepancyLabel(number);
  std::replace(t.en.begin(), t.en.end(), '_', ' ');
  return t;
}

Text SchemeName(int scheme) {
  switch (scheme) {
    case 110:
      return {"职工基本养老保险", "employee pension"};
    case 120:
      return {"机关事业单位养老保险", "pension of institutions"};
    case 170:
      return {"城乡居民基本养老保险", "resident pension"};
    case 310:
      return {"职工基本医疗保险", "employee medical"};
    case 380:
      return {"新型农村合作医疗", "rural cooperative medical"};
    case 390:
    case 391:
      return {"城乡居民基本医疗保险", "resident medical"};
    default:
      return {std::to_string(scheme), std::to_string(scheme)};
  }
}

json::object RowJson(const Policy& policy, const identity::DivisionTable& divisions,
                     const CaseRow& r) {
  const casework::StateInfo* state = policy.FindState(r.shown);
  return {{"id", std::to_string(r.id)},
          {"kind", casework::KindName(r.kind)},
          {"number", r.number},
          {"label", Words(KindLabel(r.kind, r.number))},
          {"state", StateName(policy, r.shown)},
          {"state_label", Words(state == nullptr ? Text{} : state->label)},
          {"person_key", std::to_string(r.person_key)},
          {"name", OrNull(identity::MaskName(r.name))},
          {"number_masked", OrNull(identity::MaskNumber(r.citizen_number))},
          {"county", r.county == 0 ? json::value(nullptr) : json::value(std::to_string(r.county))},
          {"county_name", NameOrNull(divisions, uint64_t{r.county} * 1000000, r.found_cutoff)},
          {"found_cutoff", r.found_cutoff.ToIso()},
          {"assignee", OrNull(r.assignee)},
          {"due", OrNull(r.due.ToIso())},
          {"overdue", r.overdue},
          {"pays_benefits", r.pays_benefits}};
}

json::array RelationsJson(const Policy& policy, const identity::DivisionTable& divisions,
                          const CaseDetail& d) {
  json::array out;
  const casework::KeepRule* rule = policy.KeepRuleOf(d.row.number);
  for (size_t i = 0; i < d.relations.size(); ++i) {
    const casework::Relation& r = d.relations[i];
    json::object o{
        {"relation", i},
        {"scheme", r.scheme},
        {"scheme_name", Words(SchemeName(r.scheme))},
        {"region", std::to_string(r.region)},
        {"region_name", NameOrNull(divisions, uint64_t{r.region} * 1000000, d.row.found_cutoff)},
        {"state", scheme::StateName(static_cast<scheme::State>(r.state))},
        {"enrolled_on", OrNull(r.enrolled_on.ToIso())},
        {"agency", OrNull(r.source)},
        {"keep", d.keep == static_cast<int>(i)}};
    if (rule != nullptr && d.facts.proposed_keep == static_cast<int>(i)) {
      o["rule"] = Words(rule->wording);
    }
    out.push_back(std::move(o));
  }
  return out;
}

// From the later of the first days on; they run side by side until today.
json::value OverlapJson(const CaseDetail& d) {
  if (d.relations.size() < 2) return nullptr;
  Date from;
  for (const casework::Relation& r : d.relations) {
    if (!r.enrolled_on.has_value()) return nullptr;
    from = std::max(from, r.enrolled_on);
  }
  const int months = std::max(0, d.row.found_cutoff.month_index() - from.month_index());
  return json::object{{"from", from.ToIso()}, {"to", nullptr}, {"months", months}};
}

json::object DetailJson(const Policy& policy, const identity::DivisionTable& divisions,
                        const CaseDetail& d, const casework::Actor& actor, bool may_write) {
  json::object o = RowJson(policy, divisions, d.row);
  o["version"] = d.row.version;
  o["relations"] = RelationsJson(policy, divisions, d);
  o["overlap"] = OverlapJson(d);
  auto value = [&](const std::string& text) {
    return OrNull(d.identity_field ? identity::MaskNumber(text) : text);
  };
  // A name is an identity as well: what somebody else is called stays masked.
  const bool name = d.field == "name";
  o["field"] = OrNull(d.field);
  o["delivered"] = name ? OrNull(identity::MaskName(d.delivered)) : value(d.delivered);
  o["prevailing"] = name ? OrNull(identity::MaskName(d.prevailing)) : value(d.prevailing);
  o["place"] = OrNull(d.place);
  json::array parties;
  for (const casework::PartyRow& p : d.parties) {
    parties.push_back(json::object{
        {"division", std::to_string(p.party.region)},
        {"name", NameOrNull(divisions, uint64_t{p.party.region} * 1000000, d.row.found_cutoff)},
        {"agreed", p.party.agreed},
        {"by", OrNull(p.by)},
        {"at", OrNull(p.at)}});
  }
  o["parties"] = std::move(parties);
  json::array steps;
  for (const casework::Offer& offer : casework::Offers(policy, d.facts, actor)) {
    const bool approval = offer.action == "approve" || offer.action == "reject";
    if (!may_write && !approval) continue;
    steps.push_back(json::object{{"action", offer.action},
                                 {"label", Words(offer.label)},
                                 {"needs", json::value_from(offer.needs)}});
  }
  o["steps"] = std::move(steps);
  o["pending"] = nullptr;
  if (!d.facts.pending_action.empty()) {
    o["pending"] = json::object{
        {"action", d.facts.pending_action}, {"by", d.facts.pending_by}, {"at", d.pending_at}};
  }
  json::array events;
  for (const casework::CaseEvent& e : d.events) {
    events.push_back(
        json::object{{"at", e.at},
                     {"by", e.by},
                     {"action", e.action},
                     {"label", Words(casework::ActionLabel(policy, d.row.kind, e.action))},
                     {"from", e.from == 0 ? json::value(nullptr) : StateName(policy, e.from)},
                     {"to", e.to == 0 ? json::value(nullptr) : StateName(policy, e.to)},
                     {"note", OrNull(e.note)}});
  }
  o["events"] = std::move(events);
  json::array evidence;
  for (const casework::EvidenceRow& e : d.evidence) {
    evidence.push_back(json::object{{"id", std::to_string(e.id)},
                                    {"name", e.name},
                                    {"size", e.size},
                                    {"sha256", e.sha256},
                                    {"by", e.by},
                                    {"at", e.at}});
  }
  o["evidence"] = std::move(evidence);
  return o;
}

casework::Actor ActorOf(const Context& c) {
  return {c.caller().account, c.caller().Can("cases.approve")};
}

// 2 to 12 digits as a range of 12; zeros behind mean all below.
casework::Divisions RangeOf(std::string_view code) {
  int64_t value = 0;
  std::from_chars(code.data(), code.data() + code.size(), value);
  for (size_t i = code.size(); i < 12; ++i) value *= 10;
  if (value == 0) return {};
  for (int64_t width : {10000000000L, 100000000L, 1000000L, 1000L}) {
    if (value % width == 0) return {value, value + width};
  }
  return {value, value + 1};
}

// ?division=, else the caller's. What lies outside of the caller's place shows nothing: the
// database's policies see to it.
casework::Divisions WhereOf(const Context& c) {
  const std::string_view asked = c.request().Query("division");
  return RangeOf(asked.empty() ? fmt::format("{:012}", c.caller().division) : asked);
}

casework::CaseFilter FilterOf(const Context& c, const Policy& policy) {
  const Request& r = c.request();
  casework::CaseFilter f;
  auto number = [](std::string_view text, int fallback) {
    int value = fallback;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
  };
  if (r.Query("kind") == "duplicate") f.kind = CaseKind::kDuplicate;
  if (r.Query("kind") == "discrepancy") f.kind = CaseKind::kDiscrepancy;
  if (!r.Query("number").empty()) f.number = number(r.Query("number"), 0);
  if (const casework::StateInfo* s = policy.FindState(r.Query("state"))) f.shown = s->number;
  f.assignee = r.Query("assignee") == "me" ? c.caller().account : r.Query("assignee");
  f.overdue = r.Query("overdue") == "true";
  f.where = WhereOf(c);
  f.after = r.Query("after");
  f.before = r.Query("before");
  f.limit = number(r.Query("limit"), 50);
  f.today = Date::Today();
  return f;
}

casework::Intent IntentOf(const json::object& step) {
  casework::Intent i;
  auto text = [&](std::string_view key) {
    const json::value* v = step.if_contains(key);
    return v != nullptr && v->is_string() ? std::string(v->get_string()) : std::string();
  };
  i.action = text("action");
  i.note = text("note");
  i.reason = text("reason");
  i.due = ParseIsoDate(text("due"));
  if (step.contains("assignee")) i.assignee = text("assignee");
  if (const json::value* keep = step.if_contains("keep")) {
    i.keep = static_cast<int>(keep->to_number<int64_t>());
  }
  return i;
}

// Whom a case is given to has to be somebody.
Status CheckAssignee(reg::Connection& db, const casework::Intent& intent) {
  if (!intent.assignee || intent.assignee->empty()) return {};
  CANBAO_ASSIGN(reg::Rows found,
                db.Exec("SELECT FROM canbao.account WHERE account = $1 AND NOT disabled",
                        {reg::Param(*intent.assignee)}));
  if (found.size() > 0) return {};
  return Fail(ErrorClass::kInput, "CB-CASEWORK-0018",
              Msg("没有账号 {0}", "no account {0}", *intent.assignee));
}

Answer AnswerWithCase(Context& c, const Policy& policy, int64_t id, int status) {
  CANBAO_ASSIGN(reg::Connection * db, c.Db());
  auto d = casework::ReadCase(*db, c.services().db->cipher(), policy, id);
  if (!d) return RefusedStep(std::move(d.error()));
  CANBAO_ASSIGN(DivisionsPtr divisions, DivisionsOf(c));
  Response r =
      Json(DetailJson(policy, *divisions, *d, ActorOf(c), c.caller().Can("cases.write")), status);
  r.With("ETag", fmt::format("\"{}\"", d->row.version));
  return r;
}

void RecordCase(Context& c, const char* action, int64_t id, uint64_t person,
                const std::string& what = "") {
  AuditNote note;
  note.action = action;
  if (person != 0) note.person = person;
  json::object detail{{"case", std::to_string(id)}};
  if (!what.empty()) detail["step"] = what;
  note.detail = json::serialize(detail);
  c.Record(std::move(note));
}

// Of a case that is seen; 0 = nobody's, or none such.
Result<uint64_t> PersonOf(reg::Connection& db, int64_t id) {
  CANBAO_ASSIGN(reg::Rows rows,
                db.Exec("SELECT person_key FROM canbao.case WHERE case_id = $1", {reg::Param(id)}));
  return rows.size() == 0 ? uint64_t{0} : static_cast<uint64_t>(rows.Int(0, 0));
}

Answer ListCases(Context& c) {
  CANBAO_ASSIGN(auto policy, PolicyOf(c.services()));
  CANBAO_ASSIGN(reg::Connection * db, c.Db());
  auto page = casework::ListCases(*db, c.services().db->cipher(), FilterOf(c, *policy));
  if (!page) return RefusedStep(std::move(page.error()));
  CANBAO_ASSIGN(DivisionsPtr divisions, DivisionsOf(c));
  json::array items;
  for (const CaseRow& r : page->rows) items.push_back(RowJson(*policy, *divisions, r));
  c.Record({"case.list", std::nullopt, "",
            json::serialize(json::object{{"shown", items.size()}, {"count", page->count}})});
  return Json(json::object{{"items", std::move(items)},
                           {"count", page->count},
                           {"next", OrNull(page->next)},
                           {"previous", OrNull(page->previous)}});
}

Answer SummariseCases(Context& c) {
  CANBAO_ASSIGN(auto policy, PolicyOf(c.services()));
  CANBAO_ASSIGN(reg::Connection * db, c.Db());
  CANBAO_ASSIGN(auto counts, casework::CountCases(*db, WhereOf(c), Date::Today()));
  json::array items;
  for (const casework::CaseCount& n : counts) {
    items.push_back(json::object{{"kind", casework::KindName(n.kind)},
                                 {"number", n.number},
                                 {"label", Words(KindLabel(n.kind, n.number))},
                                 {"state", StateName(*policy, n.shown)},
                                 {"count", n.count},
                                 {"overdue", n.overdue}});
  }
  return Json(json::object{{"items", std::move(items)}});
}

Answer GetCase(Context& c) {
  CANBAO_ASSIGN(auto policy, PolicyOf(c.services()));
  CANBAO_ASSIGN(reg::Connection * db, c.Db());
  const int64_t id = IdOf(c.request().Param("id"));
  CANBAO_ASSIGN(uint64_t person, PersonOf(*db, id));
  RecordCase(c, "case.read", id, person);
  return AnswerWithCase(c, *policy, id, 200);
}

// "\"3\"" or W/"3"; nothing for anything else.
std::optional<int> VersionOf(std::string_view etag) {
  if (etag.starts_with("W/")) etag.remove_prefix(2);
  if (etag.size() < 3 || etag.front() != '"' || etag.back() != '"') return std::nullopt;
  etag = etag.substr(1, etag.size() - 2);
  int version = 0;
  auto [end, ec] = std::from_chars(etag.data(), etag.data() + etag.size(), version);
  if (ec != std::errc() || end != etag.data() + etag.size() || version < 1) return std::nullopt;
  return version;
}

Answer StepCase(Context& c) {
  CANBAO_ASSIGN(auto policy, PolicyOf(c.services()));
  CANBAO_ASSIGN(reg::Connection * db, c.Db());
  const int64_t id = IdOf(c.request().Param("id"));
  const casework::Intent intent = IntentOf(c.body().as_object());
  const std::optional<int> version = VersionOf(c.request().Header("if-match"));
  CANBAO_ASSIGN(uint64_t person, PersonOf(*db, id));
  RecordCase(c, "case.step", id, person, intent.action);
  if (!version) {
    return Refuse(412, "CB-SERVICE-0501",
                  Msg("If-Match 不是本案件的版本", "If-Match is no version of the case"),
                  Text{"请带上读取案件时的 ETag。", "Send the ETag that came with the case."});
  }
  if (Status s = CheckAssignee(*db, intent); !s) return RefusedStep(std::move(s.error()));
  Status s = casework::StepCase(*db, c.services().db->cipher(), *policy, id, *version, ActorOf(c),
                                intent, Date::Today());
  if (!s) return RefusedStep(std::move(s.error()));
  return AnswerWithCase(c, *policy, id, 200);
}

Answer StepCases(Context& c) {
  CANBAO_ASSIGN(auto policy, PolicyOf(c.services()));
  CANBAO_ASSIGN(reg::Connection * db, c.Db());
  const json::object& body = c.body().as_object();
  const casework::Intent intent = IntentOf(body.at("step").as_object());
  if (Status s = CheckAssignee(*db, intent); !s) return RefusedStep(std::move(s.error()));
  std::vector<int64_t> ids;
  for (const json::value& v : body.at("cases").as_array()) {
    const int64_t id = IdOf(std::string_view(v.as_string()));
    // Once each, whatever was sent.
    if (std::find(ids.begin(), ids.end(), id) == ids.end()) ids.push_back(id);
  }
  CANBAO_ASSIGN(casework::BulkResult result,
                casework::StepCases(*db, c.services().db->cipher(), *policy, ids, ActorOf(c),
                                    intent, Date::Today()));
  const Lang lang = LanguageOf(c.request());
  json::array done, refused;
  for (int64_t id : result.done) {
    CANBAO_ASSIGN(uint64_t person, PersonOf(*db, id));
    RecordCase(c, "case.step", id, person, intent.action);
    done.push_back(json::value(std::to_string(id)));
  }
  for (const casework::BulkRefusal& r : result.refused) {
    refused.push_back(json::object{{"id", std::to_string(r.id)},
                                   {"code", r.error.code},
                                   {"detail", r.error.message.In(lang)}});
  }
  return Json(json::object{{"done", std::move(done)}, {"refused", std::move(refused)}});
}

Answer AddEvidence(Context& c) {
  CANBAO_ASSIGN(auto policy, PolicyOf(c.services()));
  CANBAO_ASSIGN(reg::Connection * db, c.Db());
  const int64_t id = IdOf(c.request().Param("id"));
  CANBAO_ASSIGN(uint64_t person, PersonOf(*db, id));
  RecordCase(c, "case.evidence.add", id, person);
  const std::string name(c.request().Query("name"));
  for (char ch : name) {
    if (static_cast<unsigned char>(ch) < 0x20 || ch == '/' || ch == '\\') {
      return Refuse(
          422, "CB-SERVICE-0502",
          Msg("文件名含有不允许的字符", "the file's name has characters that no name has"));
    }
  }
  // Who may not see the case leaves no file behind.
  auto seen = casework::ReadCase(*db, c.services().db->cipher(), *policy, id);
  if (!seen) return RefusedStep(std::move(seen.error()));
  auto kept = casework::KeepEvidence(c.services().data_dir, c.services().db->cipher(), *policy,
                                     c.request().body);
  if (!kept) return RefusedStep(std::move(kept.error()));
  kept->name = name;
  kept->by = c.caller().account;
  if (Status s = casework::AddEvidenceRow(*db, id, *kept); !s) {
    return RefusedStep(std::move(s.error()));
  }
  return AnswerWithCase(c, *policy, id, 201);
}

Answer GetEvidence(Context& c) {
  CANBAO_ASSIGN(reg::Connection * db, c.Db());
  const int64_t id = IdOf(c.request().Param("id"));
  CANBAO_ASSIGN(uint64_t person, PersonOf(*db, id));
  RecordCase(c, "case.evidence.read", id, person);
  auto row = casework::FindEvidence(*db, id, IdOf(c.request().Param("evidence")));
  if (!row) return RefusedStep(std::move(row.error()));
  auto bytes = casework::ReadEvidence(c.services().data_dir, c.services().db->cipher(), *row);
  if (!bytes) return RefusedStep(std::move(bytes.error()));
  // Sealed on disk, so it goes out of memory.
  Response r = Download("", row->name, row->content_type);
  r.body = std::move(*bytes);
  r.With("X-Content-Type-Options", "nosniff");
  return r;
}

}  // namespace

Result<json::array> CasesOfPerson(Context& c, uint64_t person) {
  json::array out;
  if (!c.caller().Can("cases.read")) return out;
  CANBAO_ASSIGN(auto policy, PolicyOf(c.services()));
  CANBAO_ASSIGN(reg::Connection * db, c.Db());
  casework::CaseFilter filter;
  filter.person = person;
  filter.limit = 200;
  filter.today = Date::Today();
  CANBAO_ASSIGN(casework::CasePage page,
                casework::ListCases(*db, c.services().db->cipher(), filter));
  CANBAO_ASSIGN(DivisionsPtr divisions, DivisionsOf(c));
  for (const CaseRow& r : page.rows) out.push_back(RowJson(*policy, *divisions, r));
  return out;
}

void AddCaseHandlers(Handlers& to) {
  to.On("listCases", ListCases);
  to.On("summariseCases", SummariseCases);
  to.On("getCase", GetCase);
  to.On("stepCase", StepCase);
  to.On("stepCases", StepCases);
  to.On("addEvidence", AddEvidence);
  to.On("getEvidence", GetEvidence);
  AddReviewHandlers(to);
}

}  // namespace canbao::service
