// Persons: search, everything known of one, clear values for a purpose, who looked, why rows were
// linked. A person out of the caller's scope is answered like one that does not exist.
#include <algorithm>
#include <boost/json.hpp>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <optional>
#include <set>

#include "base/speak_lang.h"
#include "comparison/link/score_table.h"
#include "comparison/run.h"
#include "extract/delivery.h"
#include "identity/division.h"
#include "register/access/audit.h"
#include "register/person_page.h"
#include "register/person_search.h"
#include "scheme/person.h"
#include "service/api/audit_action.h"
#include "service/api/case_json.h"
#include "service/api/divisions_known.h"
#include "service/api/table_json.h"
#include "service/context.h"

namespace canbao::service {
namespace {

namespace json = boost::json;

tl::unexpected<Problem> NoSuchPerson() {
  return Refuse(404, "CB-SERVICE-0310",
                Msg("没有这个人员，或不在您的管辖范围内。",
                    "there is no such person, or not within your division."),
                Msg("请用证件号码或姓名查找。", "Search by number or name."));
}

// Keys have 63 bits; more digits are nobody.
std::optional<int64_t> KeyOf(Context& c) {
  int64_t key = NumberOf(c.request().Param("key"), -1);
  if (key <= 0) return {};
  return key;
}

Date CutoffOf(const Request& r) {
  return r.Query("cutoff").empty() ? Date{} : ParseIsoDate(r.Query("cutoff"));
}

std::string SixDigits(int64_t division) {
  return division == 0 ? std::string() : fmt::format("{}", division);
}

json::array BranchesJson(const std::vector<scheme::Branch>& branches) {
  json::array out;
  for (scheme::Branch b : branches) out.push_back(json::value(scheme::BranchName(b)));
  return out;
}

json::array TextsJson(const std::vector<Text>& texts) {
  json::array out;
  for (const Text& t : texts) out.push_back(LabelJson(t));
  return out;
}

// Of a six-digit code, or a longer one of a town or village.
json::value PlaceName(const identity::DivisionTable& divisions, int64_t place, Date on) {
  if (place <= 0) return nullptr;
  return NameOrNull(divisions, identity::ParseDivision(fmt::format("{}", place)).v, on);
}

json::object IdentityJson(const reg::PersonPage& page, const identity::DivisionTable& divisions) {
  const reg::PersonIdentity& who = page.identity;
  auto said = [](const Text& t) { return OrNull(t.Get()); };
  return {
      {"name", OrNull(who.name)},
      {"number", OrNull(who.number)},
      {"document", OrNull(who.document)},
      {"sex", said(who.sex)},
      {"birth", OrNull(who.birth)},
      {"phone", OrNull(who.phone)},
      {"address", OrNull(who.address)},
      {"county", OrNull(SixDigits(who.county))},
      {"county_name", PlaceName(divisions, static_cast<int64_t>(who.county), page.cutoff)},
      {"hukou", OrNull(SixDigits(who.hukou))},
      {"hukou_name", PlaceName(divisions, static_cast<int64_t>(who.hukou), page.cutoff)},
      {"residence", OrNull(SixDigits(who.residence))},
      {"residence_name", PlaceName(divisions, static_cast<int64_t>(who.residence), page.cutoff)},
      {"management", said(who.management)},
      {"flags", TextsJson(page.classification.flags)},
      {"uncovered", BranchesJson(page.classification.uncovered)},
      {"form_2_2", OrNull(page.classification.form_2_2)}};
}

Text SchemeLabel(scheme::SchemeCode code) {
  struct Named {
    scheme::SchemeCode code;
    const char* zh;
    const char* en;
  };
  static constexpr Named kNames[] = {{110, "企业职工基本养老保险", "enterprise employees' pension"},
                                     {120, "机关事业单位养老保险", "public institutions' pension"},
                                     {170, "城乡居民养老保险", "residents' pension"},
                                     {180, "补充养老保险", "supplementary pension"},
                                     {210, "失业保险", "unemployment"},
                                     {310, "职工基本医疗保险", "employees' medical"},
                                     {320, "公务员医疗补助", "civil servants' medical subsidy"},
                                     {330, "大额医疗费用补助", "large medical expenses"},
                                     {340, "离休人员医疗保障", "retired cadres' medical"},
                                     {350, "伤残军人医疗保障", "disabled soldiers' medical"},
                                     {360, "老红军医疗保障", "veterans' medical"},
                                     {370, "企业补充医疗保险", "supplementary medical"},
                                     {380, "新型农村合作医疗", "rural cooperative medical"},
                                     {390, "城镇居民基本医疗保险", "urban residents' medical"},
                                     {391, "城乡居民基本医疗保险", "residents' medical"},
                                     {392, "居民大病保险", "residents' major illness"},
                                     {410, "工伤保险", "work injury"},
                                     {510, "生育保险", "maternity"}};
  for (const Named& n : kNames) {
    if (n.code == code) return {n.zh, n.en};
  }
  return {std::to_string(code), std::to_string(code)};
}

json::object EnrolmentJson(const reg::PersonEnrolment& e, const identity::DivisionTable& divisions,
                           Date on) {
  return {{"branch", scheme::BranchName(scheme::BranchOf(e.scheme))},
          {"scheme", e.scheme},
          {"scheme_name", LabelJson(SchemeLabel(e.scheme))},
          {"region", OrNull(SixDigits(e.region))},
          {"region_name", PlaceName(divisions, static_cast<int64_t>(e.region), on)},
          {"state", scheme::StateName(e.state)},
          {"state_label", LabelJson({std::string(scheme::StateNameZh(e.state)),
                                     std::string(scheme::StateName(e.state))})},
          {"enrolled_on", OrNull(e.enrolled_on)},
          {"ended_on", OrNull(e.ended_on)},
          {"employer", OrNull(e.employer)},
          {"outcome", LabelJson(e.outcome)},
          {"active", scheme::IsActive(e.state) && e.confirmed},
          {"place", e.place}};
}

json::object ClassJson(const reg::PersonClass& k) {
  return {{"cutoff", k.cutoff},
          {"flags", TextsJson(k.flags)},
          {"uncovered", BranchesJson(k.uncovered)},
          {"form_2_2", OrNull(k.form_2_2)}};
}

Answer SearchHandler(Context& c) {
  const json::object& body = c.body().as_object();
  auto text = [&](const char* name) {
    const json::value* v = body.if_contains(name);
    return v != nullptr ? std::string(v->as_string()) : std::string();
  };
  reg::PersonQuery query;
  std::string by = text("by");
  query.by = by == "name"     ? reg::SearchBy::kName
             : by == "pinyin" ? reg::SearchBy::kPinyin
             : by == "phone"  ? reg::SearchBy::kPhone
                              : reg::SearchBy::kNumber;
  query.value = text("value");
  if (!text("birth").empty()) query.birth = ParseIsoDate(text("birth"));
  query.after = text("after");
  if (const json::value* limit = body.if_contains("limit")) {
    query.limit = static_cast<int>(limit->to_number<int64_t>());
  }
  if (!text("division").empty()) {
    auto division = DivisionWithin(c.caller(), text("division"));
    if (!division) return tl::unexpected<Problem>(division.error());
    query.division = *division;
  }
  if (c.caller().division != 0) query.home = fmt::format("{:012}", c.caller().division);
  // What is looked for is not recorded: that somebody looked, how and why, and how many were shown.
  json::object detail{{"by", by}};
  if (!query.division.empty()) detail["division"] = query.division;
  CANBAO_ASSIGN(reg::Connection * db, c.Db());
  SpeakLang speak(LanguageOf(c.request()));
  auto page = reg::SearchPersons(*db, c.services().db->cipher(), query);
  detail["rows"] = page ? page->rows.size() : 0;
  c.Record({"person.search", {}, text("purpose"), json::serialize(detail)});
  if (!page) return tl::unexpected<Problem>(std::move(page.error()));
  // One person found is a look at that person.
  if (page->rows.size() == 1) {
    c.Record({"person.found", static_cast<uint64_t>(NumberOf(page->rows[0][0], 0)), text("purpose"),
              json::serialize(detail)});
  }
  return Json(PageJson(*page));
}

Answer GetPerson(Context& c) {
  std::optional<int64_t> key = KeyOf(c);
  if (!key) return NoSuchPerson();
  CANBAO_ASSIGN(reg::Connection * db, c.Db());
  SpeakLang speak(LanguageOf(c.request()));
  CANBAO_ASSIGN(std::optional<reg::PersonPage> page,
                reg::ReadPerson(*db, c.services().db->cipher(), *key, CutoffOf(c.request())));
  if (!page) return NoSuchPerson();
  CANBAO_ASSIGN(DivisionsPtr divisions, DivisionsOf(c));
  json::array enrolments, sections, history;
  for (const reg::PersonEnrolment& e : page->enrolments) {
    enrolments.push_back(EnrolmentJson(e, *divisions, page->cutoff));
  }
  for (const reg::PersonTable& s : page->sections) {
    sections.push_back(json::object{
        {"key", s.key}, {"title", LabelJson(s.title)}, {"table", TableJson(s.columns, s.rows)}});
  }
  for (const reg::PersonClass& k : page->history) history.push_back(ClassJson(k));
  CANBAO_ASSIGN(json::array cases, CasesOfPerson(c, static_cast<uint64_t>(*key)));
  c.Record({"person.read", static_cast<uint64_t>(*key), "", "{}"});
  return Json(json::object{{"person_key", std::to_string(*key)},
                           {"cutoff", page->cutoff.ToIso()},
                           {"identity", IdentityJson(*page, *divisions)},
                           {"enrolments", std::move(enrolments)},
                           {"sections", std::move(sections)},
                           {"cases", std::move(cases)},
                           {"history", std::move(history)}});
}

Answer RevealHandler(Context& c) {
  std::optional<int64_t> key = KeyOf(c);
  if (!key) return NoSuchPerson();
  CANBAO_ASSIGN(reg::Connection * db, c.Db());
  CANBAO_ASSIGN(std::optional<reg::PersonIdentity> who,
                reg::RevealPerson(*db, c.services().db->cipher(), *key));
  if (!who) return NoSuchPerson();
  c.Record({"person.reveal", static_cast<uint64_t>(*key),
            std::string(c.body().as_object().at("purpose").as_string()), "{}"});
  Response answer = Json(json::object{{"number", OrNull(who->number)},
                                      {"document", OrNull(who->document)},
                                      {"name", OrNull(who->name)},
                                      {"phone", OrNull(who->phone)},
                                      {"address", OrNull(who->address)}});
  return std::move(answer.With("Cache-Control", "no-store"));
}

Answer ListLooks(Context& c) {
  std::optional<int64_t> key = KeyOf(c);
  if (!key) return NoSuchPerson();
  CANBAO_ASSIGN(reg::Connection * db, c.Db());
  CANBAO_ASSIGN(bool there, reg::PersonIsVisible(*db, *key));
  if (!there) return NoSuchPerson();
  reg::AuditQuery query;
  query.person = *key;
  query.limit = static_cast<int>(NumberOf(c.request().Query("limit"), 50));
  CANBAO_ASSIGN(reg::AuditPage page, reg::SearchAudit(*db, query));
  json::array items;
  for (const reg::AuditRow& row : page.rows) {
    items.push_back(json::object{{"id", row.id},
                                 {"at", row.at},
                                 {"account", row.account},
                                 {"name", row.name},
                                 {"action", row.action},
                                 {"label", LabelJson(ActionLabel(row.action))},
                                 {"person", std::to_string(*key)},
                                 {"purpose", OrNull(row.purpose)},
                                 {"detail", row.detail},
                                 {"address", row.address},
                                 {"outcome", row.outcome}});
  }
  return Json(json::object{{"items", std::move(items)}});
}

Text KindText(std::string_view name) {
  for (int k = 0; k < extract::kKinds; ++k) {
    auto kind = static_cast<extract::Kind>(k);
    if (extract::KindName(kind) == name) {
      std::string en(name);
      std::replace(en.begin(), en.end(), '_', ' ');
      return {std::string(extract::KindNameZh(kind)), std::move(en)};
    }
  }
  return {std::string(name), std::string(name)};
}

std::string BitsText(comparison::Bits b) {
  return fmt::format("{}{}.{:02}", b < 0 ? "-" : "+", std::abs(b) / 100, std::abs(b) % 100);
}

struct Scored {
  std::string rules, weights, odds;
};

Scored ScoredAs(const comparison::ScoreRow& row) {
  Scored s;
  s.odds = BitsText(row.odds);
  for (size_t i = 0; i < comparison::kBlockingRules; ++i) {
    const comparison::BlockingRule& rule = comparison::BlockingRules()[i];
    if ((row.rules >> i & 1) == 0) continue;
    s.rules += (s.rules.empty() ? "" : "; ") + Text{rule.zh, rule.en}.Get();
  }
  for (size_t f = 0; f < comparison::kFields; ++f) {
    const comparison::FieldName& field = comparison::FieldNames()[f];
    uint8_t level = row.levels.Of(static_cast<comparison::Field>(f));
    if (level == 0 || level > field.levels.size()) continue;
    const comparison::LevelName& name = field.levels[level - 1u];
    s.weights +=
        fmt::format("{}{} {} {}", s.weights.empty() ? "" : "; ", Text{field.zh, field.en}.Get(),
                    Text{name.zh, name.en}.Get(), BitsText(row.weights[f]));
  }
  return s;
}

// What the run scored of these rows with this person, by row. Only rows that carry no usable number
// were scored, so that most persons need no look; a run whose files are gone has nothing to say.
Result<std::map<uint64_t, Scored>> ScoresOf(const Services& services,
                                            const reg::PersonLinks& links) {
  constexpr int kProbable = 5, kUnlinked = 7;
  std::map<uint64_t, Scored> out;
  std::set<uint64_t> wanted;
  for (const reg::LinkedRow& row : links.rows) {
    if (row.row_ref != 0 && (row.outcome == kProbable || row.outcome == kUnlinked)) {
      wanted.insert(row.row_ref);
    }
  }
  if (wanted.empty()) return out;
  auto run = comparison::ReadRun(services.data_dir, links.run);
  std::error_code ec;
  if (!run || !std::filesystem::exists(comparison::ScoresPath(run->folder), ec)) return out;
  CANBAO_TRY(comparison::ReadScores(comparison::ScoresPath(run->folder), run->key,
                                    [&](const comparison::ScoreRow& row) {
                                      if (wanted.contains(row.seeker_ref) && row.rank == 1) {
                                        out.emplace(row.seeker_ref, ScoredAs(row));
                                      }
                                      return out.size() < wanted.size();
                                    }));
  return out;
}

Answer ExplainLinks(Context& c) {
  std::optional<int64_t> key = KeyOf(c);
  if (!key) return NoSuchPerson();
  CANBAO_ASSIGN(reg::Connection * db, c.Db());
  SpeakLang speak(LanguageOf(c.request()));
  CANBAO_ASSIGN(std::optional<reg::PersonLinks> links,
                reg::LinksOf(*db, *key, CutoffOf(c.request())));
  if (!links) return NoSuchPerson();
  CANBAO_ASSIGN(auto scores, ScoresOf(c.services(), *links));
  const std::vector<reg::PageColumn> columns = {
      {"kind", {"数据类别", "Kind of data"}, reg::CellKind::kText},
      {"source", {"数据源", "Source"}, reg::CellKind::kPlace},
      {"place", {"文件与行", "File and line"}, reg::CellKind::kPlace},
      {"outcome", {"比对结果", "Outcome"}, reg::CellKind::kText},
      {"rules", {"分块规则", "Blocking rules"}, reg::CellKind::kText},
      {"weights", {"各字段权重（比特）", "Weights by field (bits)"}, reg::CellKind::kText},
      {"odds", {"总得分（比特）", "Total (bits)"}, reg::CellKind::kText}};
  std::vector<std::vector<std::string>> rows;
  for (const reg::LinkedRow& row : links->rows) {
    Text kind = KindText(row.kind);
    Text outcome =
        row.outcome == 0 ? Text{"建立人员的行", "the row that made the person"} : row.label;
    auto scored = scores.find(row.row_ref);
    Scored none;
    const Scored& s = scored == scores.end() ? none : scored->second;
    rows.push_back({kind.Get(), row.source, row.place, outcome.Get(), s.rules, s.weights, s.odds});
  }
  c.Record({"person.links", static_cast<uint64_t>(*key), "", "{}"});
  json::object out = TableJson(columns, rows);
  out["count"] = rows.size();
  return Json(out);
}

}  // namespace

void AddPersonHandlers(Handlers& to) {
  to.On("searchPersons", SearchHandler);
  to.On("getPerson", GetPerson);
  to.On("revealPerson", RevealHandler);
  to.On("listLooks", ListLooks);
  to.On("explainLinks", ExplainLinks);
}

}  // namespace canbao::service
