// canbao explain: why a row was linked as it was. One row: what its number decides, or the persons
// it was scored with, field by field, and what would change the decision. Two rows: what their
// fields say of being one person.
#include <boost/json.hpp>
#include <charconv>
#include <cstdio>
#include <memory>

#include "app/context.h"
#include "app/link_text.h"
#include "app/store.h"
#include "base/file.h"
#include "comparison/link/review.h"
#include "comparison/link/row_finder.h"
#include "comparison/manifest.h"
#include "identity/citizen_number.h"
#include "reporting/render.h"

namespace canbao::app {
namespace {

using namespace comparison;  // NOLINT(google-build-using-namespace): this file is about it alone
namespace json = boost::json;

struct Options {
  std::vector<std::string> rows;
  std::string data;
  std::string format = "text";
  std::string database;
  int threads = 2;
  bool mask = false;
};

// A step of the way to a decision, or a fact.
struct Line {
  Text label;
  std::string key;
  std::string value;
};
struct Step {
  Field field;
  Levels levels;
  Bits weight;
};
struct Block {
  Text title;
  std::string key;
  std::vector<Line> lines;
  std::vector<Step> steps;
  Bits prior = 0;
  Bits odds = 0;
  std::vector<Text> remarks;
};

std::string BitsText(Bits b) {
  return fmt::format("{}{}.{:02}", b < 0 ? "-" : "+", std::abs(b) / 100, std::abs(b) % 100);
}
Text VerdictText(Verdict v) {
  switch (v) {
    case Verdict::kLinked:
      return Text{"按得分关联（probable）", "linked by its score (probable)"};
    case Verdict::kConfirmed:
      return Text{"人工确认为同一人", "decided to be one person"};
    case Verdict::kReview:
      return Text{"待人工复核", "to be reviewed"};
    case Verdict::kApart:
      return Text{"人工确认不是同一人", "decided to be two people"};
    case Verdict::kUnlikely:
      return Text{"可能性太小，未关联", "too unlikely, not linked"};
    case Verdict::kSecond:
      return Text{"次优候选", "another candidate is better"};
  }
  return {};
}
Error BadPlace(const std::string& text, Text why, Text remedy) {
  return Error{ErrorClass::kUsage, "CB-APP-0017", std::move(why), std::move(remedy), text, 0, 0};
}

// FILE:LINE, FILE:SHEET:ROW; the file as the manifest names it, or its last part.
Result<RowPlace> ParsePlace(const std::string& text, const extract::Delivery& delivery) {
  auto number = [](std::string_view s, uint64_t* out) {
    auto [end, ec] = std::from_chars(s.data(), s.data() + s.size(), *out);
    return ec == std::errc() && end == s.data() + s.size() && !s.empty();
  };
  const size_t colon = text.rfind(':');
  uint64_t line = 0;
  if (colon == std::string::npos || !number(std::string_view(text).substr(colon + 1), &line) ||
      line == 0 || line > UINT32_MAX) {
    return Fail(BadPlace(text, Msg("行的写法不对", "no place of a row"),
                         Text{"写成 文件:行号，例如 pension_employee_330100.csv:27。",
                              "write FILE:LINE, for example pension_employee_330100.csv:27."}));
  }
  auto find = [&delivery](std::string_view file) {
    for (size_t i = 0; i < delivery.extracts.size(); ++i) {
      const std::string& name = delivery.extracts[i].file;
      if (name == file || (name.size() > file.size() && name.ends_with(file) &&
                           name[name.size() - file.size() - 1] == '/')) {
        return i;
      }
    }
    return SIZE_MAX;
  };
  std::string file = text.substr(0, colon);
  RowPlace place{find(file), static_cast<uint32_t>(line), 0};
  if (const size_t before = file.rfind(':'); place.extract == SIZE_MAX && before != file.npos) {
    uint64_t sheet = 0;
    if (number(std::string_view(file).substr(before + 1), &sheet) && sheet < 256) {
      place.extract = find(file.substr(0, before));
      place.sheet = static_cast<uint8_t>(sheet);
    }
  }
  if (place.extract == SIZE_MAX) {
    return Fail(BadPlace(file, Msg("这次比对没有读过这个文件", "the run read no such file"),
                         Text{"canbao runs 列出读过的文件。", "canbao runs lists its files."}));
  }
  return place;
}

class Explainer {
 public:
  Explainer(const Options& o, CompareResult run, extract::Delivery delivery, std::string policy,
            std::shared_ptr<const LinkModel> model, json::object linkage)
      : o_(o),
        run_(std::move(run)),
        delivery_(std::move(delivery)),
        policy_(std::move(policy)),
        model_(std::move(model)),
        linkage_(std::move(linkage)) {}

  Result<std::vector<Block>> One(const std::string& text);
  Result<std::vector<Block>> Two(const std::string& a, const std::string& b);

 private:
  Result<FoundRow> Row(const std::string& text) const;
  Block RowBlock(const FoundRow& row, const std::string& text) const;
  Status ByNumber(const FoundRow& row, std::vector<Block>* out) const;
  // A row that repair or its system's personal number brought to somebody. False: neither did.
  Result<bool> ByOtherMeans(const FoundRow& row, std::vector<Block>* out) const;
  Status ByScore(const FoundRow& row, bool said, std::vector<Block>* out) const;
  // What would make another decision of it.
  void AddRemarks(const Candidate& c, Block* block) const;
  std::string NumberText(const std::string& number) const {
    return o_.mask ? identity::MaskNumber(number) : number;
  }
  std::string PlaceText(const FoundRow& row) const {
    const extract::ExtractSpec& spec = delivery_.extracts[row.place.extract];
    return row.place.sheet > 1 ? fmt::format("{}:{}:{}", spec.file, row.place.sheet, row.place.line)
                               : fmt::format("{}:{}", spec.file, row.place.line);
  }
  double Share(const char* kind) const {
    const json::value* s = linkage_.if_contains("seekers");
    return s == nullptr ? 0 : s->at(kind).at("share").to_number<double>();
  }
  TrainingCounts Training() const;

  const Options& o_;
  CompareResult run_;
  extract::Delivery delivery_;
  std::string policy_;
  std::shared_ptr<const LinkModel> model_;
  json::object linkage_;
};

Result<FoundRow> Explainer::Row(const std::string& text) const {
  CANBAO_ASSIGN(RowPlace place, ParsePlace(text, delivery_));
  CANBAO_ASSIGN(auto rows, FindRows(delivery_, {place}, policy_, o_.threads));
  if (!rows[0]) {
    return Fail(BadPlace(text, Msg("没有从这一行开始的记录", "no record begins at this line"),
                         Text{"行号从 1 起，含标题行；引号内有换行的记录以首行为准。",
                              "lines count from 1 with the header; a record with line breaks in "
                              "quotes has the number of its first line."}));
  }
  return std::move(*rows[0]);
}

Block Explainer::RowBlock(const FoundRow& row, const std::string& text) const {
  const extract::ExtractSpec& spec = delivery_.extracts[row.place.extract];
  Block b{Msg("行 {0}", "row {0}", text), "row", {}, {}, 0, 0, {}};
  b.lines.push_back({{"位置", "place"}, "place", PlaceText(row)});
  b.lines.push_back({{"数据源", "source"}, "source", spec.source});
  b.lines.push_back(
      {{"种类", "kind"},
       "kind",
       Text{std::string(extract::KindNameZh(spec.kind)), std::string(extract::KindName(spec.kind))}
           .Get()});
  if (row.rejected) return b;
  b.lines.push_back({{"姓名", "name"}, "name", row.Text(TextTag::kName)});
  b.lines.push_back({{"证件号码", "number"}, "number", NumberText(row.number_text())});
  b.lines.push_back({{"出生日期", "birth date"}, "birth_date", row.record.birth.ToIso()});
  b.lines.push_back({{"性别", "sex"}, "sex", SexText(row.record.sex)});
  b.lines.push_back({{"个人编号", "personal number"}, "person_no", row.Text(TextTag::kPersonNo)});
  const std::string phone = row.Text(TextTag::kPhone);
  b.lines.push_back(
      {{"电话", "telephone"}, "phone", o_.mask ? identity::MaskNumber(phone) : phone});
  std::erase_if(b.lines, [](const Line& l) { return l.value.empty(); });
  return b;
}

Status Explainer::ByNumber(const FoundRow& row, std::vector<Block>* out) const {
  CANBAO_ASSIGN(auto registered, FindRegistered(delivery_, {row.key}, policy_, o_.threads));
  Block b{{"号码", "number"}, "number", {}, {}, 0, 0, {}};
  if (registered.empty()) {
    b.remarks.push_back(
        {"号码有效，户籍库中没有；同号的行归为一人，首行产生这个人。",
         "The number is valid and not in the household register; rows under it are one person, "
         "made by the first."});
  } else {
    const FoundRow& reg = registered.front();
    b.lines.push_back(
        {{"户籍库同号记录", "register row of the number"}, "register_row", PlaceText(reg)});
    b.lines.push_back({{"户籍库姓名", "name there"}, "register_name", reg.Text(TextTag::kName)});
    if (row.place.extract == reg.place.extract && row.place.line == reg.place.line) {
      b.remarks.push_back({"这一行就是基准（baseline）。", "The row is the baseline itself."});
    } else if ((row.record.findings & extract::kNumberUpgraded) != 0 &&
               Compare(row.record, reg.record) <= Agreement::kAlikeName) {
      b.remarks.push_back({"15 位号码升为 18 位后就是这个人的：repaired，数据源应更正。",
                           "The number of 15 digits, made 18, is this person's: repaired, the "
                           "source should correct it."});
    } else {
      switch (Compare(row.record, reg.record)) {
        case Agreement::kSameName:
          b.remarks.push_back({"号码相同、姓名相同：exact。", "Same number, same name: exact."});
          break;
        case Agreement::kAlikeName:
          b.remarks.push_back(
              {"号码相同、姓名相近：name_variant。", "Same number, names alike: name_variant."});
          break;
        case Agreement::kNameChanged:
          b.remarks.push_back(
              {"号码相同，姓名不同，但出生日期和性别相同（更名）：name_variant，待核实。",
               "Same number, names unlike, birth date and sex equal (a changed name): "
               "name_variant, to review."});
          break;
        case Agreement::kContradict:
          b.remarks.push_back(
              {"号码相同而姓名不同，出生日期或性别不符或缺失：conflict，不属于任何人。",
               "Same number, names unlike, and birth date or sex contradicts or is missing: "
               "conflict, it belongs to nobody."});
          break;
      }
    }
  }
  out->push_back(std::move(b));
  return {};
}

Result<bool> Explainer::ByOtherMeans(const FoundRow& row, std::vector<Block>* out) const {
  if (row.record.number_class == identity::NumberClass::kDamaged) {
    std::vector<uint64_t> numbers;
    for (identity::PersonNumber n :
         identity::RepairCandidates(row.Text(TextTag::kIdNumber), Date::Today())) {
      numbers.push_back(n.v);
    }
    CANBAO_ASSIGN(auto registered, FindRegistered(delivery_, numbers, policy_, o_.threads));
    std::erase_if(registered, [&row](const FoundRow& reg) {
      const identity::PersonNumber n{reg.key};
      Date birth = reg.record.birth.has_value() ? reg.record.birth : identity::BirthDateOf(n);
      return !Agrees(row.record, reg.record, birth, reg.record.sex);
    });
    if (registered.size() == 1) {
      Block b{{"修复", "repair"}, "repair", {}, {}, 0, 0, {}};
      b.lines.push_back({{"号码应为", "the number should be"},
                         "number",
                         NumberText(registered[0].number_text())});
      b.lines.push_back({{"户籍库记录", "register row"}, "register_row", PlaceText(registered[0])});
      b.remarks.push_back(
          {"号码改一处就是这个人的，行中各项都相符：repaired。",
           "One repair of the number leads to this person, and every field of the row agrees: "
           "repaired."});
      out->push_back(std::move(b));
      return true;
    }
  }
  CANBAO_ASSIGN(auto same, FindSamePersonNo(delivery_, row, policy_, o_.threads));
  std::erase_if(same, [&row](const FoundRow& other) {
    return !Agrees(row.record, other.record, other.record.birth, other.record.sex);
  });
  bool one = !same.empty();
  for (const FoundRow& other : same) one &= other.key == same[0].key;
  if (!one) return false;
  Block b{{"个人编号", "personal number"}, "person_no", {}, {}, 0, 0, {}};
  b.lines.push_back({{"同编号记录", "row with it"}, "row", PlaceText(same[0])});
  b.lines.push_back({{"其证件号码", "its number"}, "number", NumberText(same[0].number_text())});
  b.remarks.push_back(
      {"同一系统中个人编号相同的另一行带有可用号码，姓名、出生日期、性别相符：probable。",
       "Another row of the same system has the same personal number and a usable citizen number; "
       "name, birth date and sex agree: probable."});
  out->push_back(std::move(b));
  return true;
}

void Explainer::AddRemarks(const Candidate& c, Block* block) const {
  if (c.verdict == Verdict::kSecond || c.verdict == Verdict::kApart ||
      c.verdict == Verdict::kConfirmed) {
    return;
  }
  const Bits accept = model_->accept;
  if (c.may_be_twins) {
    block->remarks.push_back(
        {"姓名相近而不相同，可能是双胞胎：只凭得分不关联。",
         "Names alike and not the same: these may be twins. Never linked by score alone."});
  }
  if (c.levels.Of(Field::kSex) == level::kDiffer) {
    block->remarks.push_back(
        {"性别不同：只凭得分不关联。", "Another sex: never linked by score alone."});
  }
  if (c.levels.Of(Field::kBirth) == level::kBirthDiffer) {
    block->remarks.push_back({"出生日期毫无相同之处：只凭得分不关联。",
                              "The birth dates have nothing in common: never linked by score "
                              "alone."});
  }
  for (Field f : {Field::kPhone, Field::kUnit, Field::kHousehold, Field::kTail, Field::kOrigin}) {
    const auto at = static_cast<size_t>(f);
    if (c.verdict == Verdict::kLinked) {
      if (c.weights[at] > 0 && c.odds - c.weights[at] < accept) {
        block->remarks.push_back(
            Msg("没有“{0}”就不会关联。", "Without {0} it would not be linked.", LabelOf(f).Get()));
      }
      continue;
    }
    const auto& equal = model_->rates[at][level::kEqual];
    const Bits gain = Log2(equal.m, equal.u) - c.weights[at];
    if (c.levels.Of(f) != level::kEqual && c.odds + gain >= accept) {
      block->remarks.push_back(Msg("如果“{0}”已知且相同，得分就够了（{1} 比特）。",
                                   "If {0} were known and the same, it would be enough ({1} bits).",
                                   LabelOf(f).Get(), BitsText(c.odds + gain)));
    }
  }
  if (c.verdict == Verdict::kReview) {
    block->remarks.push_back(Msg("复核编号 {0}；用 canbao review 作出决定。",
                                 "Item {0} of the review queue; decide with canbao review.",
                                 c.item()));
  }
}

Status Explainer::ByScore(const FoundRow& row, bool said, std::vector<Block>* out) const {
  CANBAO_ASSIGN(std::vector<Candidate> candidates, CandidatesOf(run_.folder, run_.key, row.key));
  if (candidates.empty() && !said) {
    Block b{{"候选人", "candidates"}, "candidates", {}, {}, 0, 0, {}};
    b.remarks.push_back({"没有人与它有共同的分块键且姓名相近：未关联。",
                         "Nobody whose name is alike shares a blocking key with it: unlinked."});
    out->push_back(std::move(b));
  }
  for (const Candidate& c : candidates) {
    Block b{
        Msg("候选 {0}", "candidate {0}", c.rank == 0 ? std::string("×") : std::to_string(c.rank)),
        "candidate",
        {},
        {},
        0,
        c.odds,
        {}};
    b.lines.push_back({{"结论", "verdict"}, "verdict", VerdictText(c.verdict).Get()});
    b.lines.push_back({{"姓名", "name"}, "name", c.person_text});
    b.lines.push_back({{"证件号码", "number"},
                       "number",
                       NumberText(identity::ToText(identity::PersonNumber{c.person}))});
    b.lines.push_back({{"出生日期", "birth date"}, "birth_date", c.person_birth.ToIso()});
    b.lines.push_back({{"性别", "sex"}, "sex", SexText(c.person_sex)});
    b.lines.push_back({{"见", "seen in"}, "place", RowPlaceText(run_, c.person_ref)});
    b.lines.push_back({{"分块规则", "blocking rules"}, "rules", RulesText(c.rules)});
    Bits sum = 0;
    for (size_t f = 0; f < kFields; ++f) {
      sum += c.weights[f];
      if (LevelOf(static_cast<Field>(f), c.levels) == nullptr) continue;
      b.steps.push_back({static_cast<Field>(f), c.levels, c.weights[f]});
    }
    b.prior = c.odds - sum;
    std::erase_if(b.lines, [](const Line& l) { return l.value.empty(); });
    AddRemarks(c, &b);
    out->push_back(std::move(b));
  }
  return {};
}

Result<std::vector<Block>> Explainer::One(const std::string& text) {
  CANBAO_ASSIGN(FoundRow row, Row(text));
  std::vector<Block> out;
  out.push_back(RowBlock(row, text));
  if (row.rejected) {
    Block b{{"拒绝", "rejected"}, "rejected", {}, {}, 0, 0, {}};
    b.lines.push_back({{"原因", "reason"}, "reason", std::string(extract::RejectCode(row.reason))});
    b.lines.push_back({{"原文", "text"}, "text", row.reject_text});
    out.push_back(std::move(b));
    return out;
  }
  bool said = false;
  if (!IsProvisionalKey(row.key)) {
    CANBAO_TRY(ByNumber(row, &out));
    said = true;
  } else {
    CANBAO_ASSIGN(said, ByOtherMeans(row, &out));
  }
  CANBAO_TRY(ByScore(row, said, &out));
  return out;
}

TrainingCounts Explainer::Training() const {
  TrainingCounts counts(delivery_.extracts.size());
  const json::value* learned = linkage_.if_contains("m");
  if (learned == nullptr) return counts;
  for (const json::value& v : learned->as_array()) {
    for (size_t e = 0; e < delivery_.extracts.size(); ++e) {
      if (delivery_.extracts[e].file != v.at("file").as_string()) continue;
      for (size_t f = 0; f < kFields; ++f) {
        if (v.at("field").as_string() != FieldNames()[f].key) continue;
        const auto& names = FieldNames()[f].levels;
        for (size_t l = 0; l < names.size(); ++l) {
          if (v.at("level").as_string() != names[l].key) continue;
          Levels levels;
          levels.Set(static_cast<Field>(f), static_cast<uint8_t>(l + 1));
          counts.Add(static_cast<uint16_t>(e), levels, v.at("rows").to_number<uint64_t>());
        }
      }
    }
  }
  return counts;
}

Result<std::vector<Block>> Explainer::Two(const std::string& a, const std::string& b) {
  CANBAO_ASSIGN(FoundRow first, Row(a));
  CANBAO_ASSIGN(FoundRow second, Row(b));
  std::vector<Block> out;
  out.push_back(RowBlock(first, a));
  out.push_back(RowBlock(second, b));
  if (first.rejected || second.rejected) {
    Block rejected{{"结论", "verdict"}, "verdict", {}, {}, 0, 0, {}};
    rejected.remarks.push_back(
        {"有一行被拒绝，没有参加比对。", "One of them was rejected and took no part."});
    out.push_back(std::move(rejected));
    return out;
  }
  Block block{{"两行比较", "the two compared"}, "pair", {}, {}, 0, 0, {}};
  const bool first_usable = !IsProvisionalKey(first.key);
  const bool second_usable = !IsProvisionalKey(second.key);
  if (first_usable && second_usable && first.key == second.key) {
    block.remarks.push_back(
        {"号码相同：由号码决定，不看得分。", "The same number: that decides, not the score."});
  } else if (first_usable && second_usable) {
    block.remarks.push_back({"两个不同的可用号码：都经核验时绝不合并。",
                             "Two different usable numbers: never merged when both are verified."});
  }
  // The one without a number looks for the other.
  const bool swap = first_usable && !second_usable;
  const FoundRow& seeking = swap ? second : first;
  const FoundRow& sought = swap ? first : second;
  const Profile s = ProfileOf(seeking);
  const Profile p = ProfileOf(sought);
  const Compared c = comparison::Compare(s, p);
  CANBAO_ASSIGN(Frequencies frequencies,
                CountRegister(delivery_, {s.name, p.name}, policy_, o_.threads));
  const Weights weights(*model_, Training(), frequencies);
  const auto source = static_cast<uint16_t>(seeking.place.extract);
  const Shared shared{p.name, p.birth, c.place};
  if (c.levels.Of(Field::kName) == level::kNameUnlike) {
    block.remarks.push_back(
        {"姓名不相近：不可能按得分关联。", "The names are unlike: never linked by score."});
    out.push_back(std::move(block));
    return out;
  }
  std::vector<BlockingKey> of_s;
  std::vector<BlockingKey> of_p;
  BlockingKeys(s, true, &of_s);
  BlockingKeys(p, false, &of_p);
  uint16_t rules = 0;
  for (const BlockingKey& x : of_s) {
    for (const BlockingKey& y : of_p) {
      if (x.key == y.key) rules |= static_cast<uint16_t>(1u << x.rule);
    }
  }
  block.lines.push_back({{"分块规则", "blocking rules"},
                         "rules",
                         rules == 0 ? Text{"没有：不会互相比较", "none: they would not meet"}.Get()
                                    : RulesText(rules)});
  const double share = Share(s.by_number ? "unverified" : "no_number");
  block.prior =
      Prior(static_cast<uint64_t>(share * static_cast<double>(kOne)), frequencies.persons);
  block.odds = block.prior;
  for (size_t f = 0; f < kFields; ++f) {
    const auto field = static_cast<Field>(f);
    const Bits w = weights.Of(field, source, c.levels, shared);
    block.odds += w;
    if (LevelOf(field, c.levels) != nullptr) block.steps.push_back({field, c.levels, w});
  }
  if (MayBeTwins(s, p)) {
    block.remarks.push_back(
        {"姓名相近而不相同，可能是双胞胎：只凭得分不关联。",
         "Names alike and not the same: these may be twins. Never linked by score alone."});
  }
  block.remarks.push_back(
      block.odds >= model_->accept ? Text{"仅这两行就达到关联的门槛。",
                                          "By these two rows alone the odds reach the threshold."}
      : block.odds >= model_->review
          ? Text{"仅这两行只够人工复核。", "By these two rows alone it would be for review."}
          : Text{"仅这两行不足以关联。", "By these two rows alone it would not be linked."});
  block.remarks.push_back({"频率按户籍库计；比对时还用同一人的其他行。",
                           "Frequencies are those of the household register; a run also uses the "
                           "person's other rows."});
  out.push_back(std::move(block));
  return out;
}

void PrintText(const std::vector<Block>& blocks) {
  auto pad = [](const std::string& s, int width) {
    return s +
           std::string(static_cast<size_t>(std::max(width - reporting::DisplayWidth(s), 1)), ' ');
  };
  for (const Block& b : blocks) {
    std::printf("■ %s\n", b.title.Get().c_str());
    for (const Line& l : b.lines) {
      std::printf("  %s%s\n", pad(l.label.Get(), 20).c_str(), l.value.c_str());
    }
    if (!b.steps.empty()) {
      std::printf("  %s%s%s\n", pad(Text{"项目", "field"}.Get(), 20).c_str(),
                  pad(Text{"比较结果", "level"}.Get(), 24).c_str(),
                  Text{"权重（比特）", "weight (bits)"}.Get().c_str());
      std::printf("  %s%s%8s\n", pad(Text{"先验", "prior"}.Get(), 20).c_str(), pad("", 24).c_str(),
                  BitsText(b.prior).c_str());
      for (const Step& s : b.steps) {
        const LevelName* level = LevelOf(s.field, s.levels);
        const int bar = std::clamp(std::abs(s.weight) / 100, 0, 24);
        std::string drawn;
        for (int i = 0; i < bar; ++i) drawn += s.weight < 0 ? "░" : "█";
        std::printf("  %s%s%8s  %s\n", pad(LabelOf(s.field).Get(), 20).c_str(),
                    pad(Text{level->zh, level->en}.Get(), 24).c_str(), BitsText(s.weight).c_str(),
                    drawn.c_str());
      }
      std::printf("  %s%s%8s  %s\n", pad(Text{"合计", "odds"}.Get(), 20).c_str(),
                  pad("", 24).c_str(), BitsText(b.odds).c_str(),
                  Msg("概率 {0}", "probability {0}", Probability(b.odds)).Get().c_str());
    }
    for (const Text& r : b.remarks) std::printf("  → %s\n", r.Get().c_str());
    std::printf("\n");
  }
}

json::array Json(const std::vector<Block>& blocks) {
  json::array out;
  for (const Block& b : blocks) {
    json::object o;
    o["block"] = b.key;
    for (const Line& l : b.lines) o[l.key] = l.value;
    if (!b.steps.empty()) {
      json::array steps;
      for (const Step& s : b.steps) {
        steps.push_back(json::object{{"field", FieldNames()[static_cast<size_t>(s.field)].key},
                                     {"level", LevelOf(s.field, s.levels)->key},
                                     {"bits", s.weight / 100.0}});
      }
      o["prior_bits"] = b.prior / 100.0;
      o["weights"] = std::move(steps);
      o["odds_bits"] = b.odds / 100.0;
      o["probability"] = Probability(b.odds);
    }
    json::array remarks;
    for (const Text& r : b.remarks) remarks.emplace_back(r.Get());
    o["remarks"] = std::move(remarks);
    out.push_back(std::move(o));
  }
  return out;
}

Status Execute(const Options& o) {
  if (o.rows.size() > 2) {
    return Fail(BadPlace(o.rows[2], Msg("最多两行", "at most two rows"),
                         Text{"一次解释一行，或比较两行。", "explain one row, or compare two."}));
  }
  CANBAO_ASSIGN(CompareResult run, CurrentRun(o.data, o.database));
  CANBAO_ASSIGN(extract::Delivery delivery, KeptDelivery(Absolute(o.data), run));
  CANBAO_ASSIGN(std::string policy, PolicyDir());
  CANBAO_ASSIGN(auto model, LinkModel::Load(policy, run.cutoff));
  CANBAO_ASSIGN(std::string text, ReadWholeFile(run.folder + "/manifest.json"));
  json::value manifest = json::parse(text);
  const json::value* linkage = manifest.as_object().if_contains("linkage");
  Explainer explainer(o, std::move(run), std::move(delivery), policy, model,
                      linkage != nullptr ? linkage->as_object() : json::object());
  CANBAO_ASSIGN(std::vector<Block> blocks, o.rows.size() == 1
                                               ? explainer.One(o.rows[0])
                                               : explainer.Two(o.rows[0], o.rows[1]));
  if (o.format == "json") {
    std::printf("%s\n", json::serialize(Json(blocks)).c_str());
  } else {
    PrintText(blocks);
  }
  return {};
}

}  // namespace

void AddExplain(Command app, Action* action) {
  auto o = std::make_shared<Options>();
  Command sub =
      app.AddCommand("explain", Say("解释一行为何这样关联，或比较两行",
                                    "why a row was linked as it was, or two rows compared"));
  sub.Add("rows", &o->rows, Say("文件:行号，一个或两个", "FILE:LINE, one or two")).Required();
  sub.Add("--data", &o->data, Say("登记数据目录", "data folder of the register")).Required();
  sub.Add("--format", &o->format, Say("输出格式", "format")).OneOf({"text", "json"}).ShowDefault();
  sub.AddFlag("--mask", &o->mask, Say("遮盖号码和电话", "mask numbers and phones"));
  sub.Add("--threads", &o->threads, Say("线程数", "threads")).Between(1, 64).ShowDefault();
  sub.Add("--database", &o->database, Say("已有 PostgreSQL 的连接串", "an existing PostgreSQL"));
  RunOnUse(sub, action, o, Execute);
}

}  // namespace canbao::app
